//! Keys on their way back to the server: as arrays of the columns they are compared with.

use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::error::PortError;
use tdm_core::port::KeyBatch;
use tdm_core::scalar::ColumnBuilder;

use super::key::Key;
use crate::error::Result;

/// A value that every bound key has in one more column: the type of a polymorphic reference.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    pub(crate) column: BatchColumn,
    pub(crate) value: Key,
}

/// The columns keys are bound to.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) columns: Vec<BatchColumn>,
    pub(crate) fixed: Option<Fixed>,
}

impl Binding {
    pub(crate) const fn to(columns: Vec<BatchColumn>) -> Self {
        Self {
            columns,
            fixed: None,
        }
    }

    /// Whether equal bytes are the only equal keys, whatever collation the server has.
    pub(crate) fn is_literal(&self) -> bool {
        let exact = |c: &BatchColumn| {
            matches!(
                c.encoding,
                Encoding::Int64 | Encoding::Boolean | Encoding::Date32
            )
        };
        self.columns.iter().all(exact)
    }

    /// `keys` as arrays, ready to bind.
    pub(crate) fn bind<'k>(
        &self,
        keys: impl ExactSizeIterator<Item = &'k Key>,
    ) -> Result<KeyBatch> {
        let rows = keys.len();
        let builder = |c: &BatchColumn| ColumnBuilder::new(c.encoding, rows);
        let mut builders: Vec<_> = self.columns.iter().map(builder).collect();
        let mut fixed = self.fixed.as_ref().map(|f| (builder(&f.column), &f.value));
        for key in keys {
            let mut places = builders.iter_mut();
            let mut fits =
                key.each_part(|part| places.next().is_some_and(|b| b.push(part).is_ok()));
            fits &= places.next().is_none();
            if let Some((builder, value)) = &mut fixed {
                fits &= value.each_part(|part| builder.push(part).is_ok());
            }
            if !fits {
                let column = self.columns.first().map_or("", |c| c.name.as_str());
                return Err(PortError::Invalid {
                    object: column.to_owned(),
                    reason: "key does not fit the encoding of its columns".to_owned(),
                }
                .into());
            }
        }
        let mut columns = self.columns.clone();
        columns.extend(self.fixed.iter().map(|f| f.column.clone()));
        builders.extend(fixed.map(|(builder, _)| builder));
        Ok(KeyBatch {
            columns,
            arrays: builders.iter_mut().map(ColumnBuilder::finish).collect(),
        })
    }
}
