//! Rows for parents that the source does not have: a key, and nothing that anybody lived.

use std::sync::Arc;

use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding, Sensitive, WireForm};
use tdm_core::error::PortError;
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical};
use tdm_core::types::LogicalType;

use crate::error::Result;
use crate::subset::Stubs;

/// One row for each key: the key's parts in their columns, NULL where it is allowed, else an empty value of
/// the type. The rows are masked like any others.
///
/// # Errors
/// When a column is carried in a form in which no value can be written here.
pub(super) fn stub_rows(schema: BatchSchema, stubs: &[Stubs]) -> Result<Batch<Sensitive>> {
    let rows: usize = stubs.iter().map(|stubs| stubs.keys.len()).sum();
    let mut arrays = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        let misfit = || PortError::Invalid {
            object: schema.table.column(&column.name).to_string(),
            reason: "a parent cannot be made up: no value can be written in the server's own form"
                .to_owned(),
        };
        let mut builder = ColumnBuilder::new(column.encoding, rows);
        for group in stubs {
            let part = group.columns.iter().position(|name| *name == column.name);
            for key in &group.keys {
                let fits = key.with_parts(|parts| match part.and_then(|at| parts.get(at)) {
                    Some(&value) => push(&mut builder, column, value),
                    None if column.nullable => builder.push(ScalarRef::Null).is_ok(),
                    None => push_empty(&mut builder, column),
                });
                if !fits {
                    return Err(misfit().into());
                }
            }
        }
        arrays.push(builder.finish());
    }
    Ok(Batch::read(Arc::new(schema), arrays, rows, 0)?)
}

fn push(builder: &mut ColumnBuilder, column: &BatchColumn, value: ScalarRef<'_>) -> bool {
    match column.encoding {
        Encoding::Carried(form) => wire(form, column, value)
            .is_some_and(|bytes| builder.push(ScalarRef::Bytes(&bytes)).is_ok()),
        _ => builder.push(value).is_ok(),
    }
}

/// A value of the column's type that holds nothing.
fn push_empty(builder: &mut ColumnBuilder, column: &BatchColumn) -> bool {
    let text = match &column.logical {
        LogicalType::Enum { labels } => labels.first().map_or("", String::as_str),
        LogicalType::Decimal { .. } => "0",
        LogicalType::Uuid => "00000000-0000-0000-0000-000000000000",
        LogicalType::Json => "{}",
        _ => "",
    };
    let value = match &column.logical {
        LogicalType::Boolean => ScalarRef::Boolean(false),
        LogicalType::Integer { .. } => ScalarRef::Int(0),
        LogicalType::Float { .. } => ScalarRef::Float(0.0),
        LogicalType::Bytes { .. } => ScalarRef::Bytes(&[]),
        LogicalType::Date => ScalarRef::Date(0),
        LogicalType::Time => ScalarRef::Time(0),
        LogicalType::Timestamp { .. } => ScalarRef::Timestamp(0),
        _ => ScalarRef::Text(text),
    };
    push(builder, column, value)
}

/// A value in a server's own form.
fn wire(form: WireForm, column: &BatchColumn, value: ScalarRef<'_>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    match form {
        WireForm::Sqlite => match value {
            ScalarRef::Int(v) => Some([b"i".as_slice(), &v.to_be_bytes()].concat()),
            ScalarRef::Float(v) => Some([b"r".as_slice(), &v.to_be_bytes()].concat()),
            ScalarRef::Bytes(v) => Some([b"b", v].concat()),
            ScalarRef::Boolean(v) => Some([b"i".as_slice(), &i64::from(v).to_be_bytes()].concat()),
            _ => {
                text.push(b't');
                canonical(value, false, &mut text);
                Some(text)
            }
        },
        WireForm::PgText | WireForm::MySqlText => match value {
            ScalarRef::Bytes(_) => None,
            _ => {
                canonical(value, false, &mut text);
                Some(text)
            }
        },
        WireForm::PgBinary => match (value, &column.logical) {
            (ScalarRef::Int(v), LogicalType::Integer { bits: 16, .. }) => {
                Some(i16::try_from(v).ok()?.to_be_bytes().to_vec())
            }
            (ScalarRef::Int(v), LogicalType::Integer { bits: 32, .. }) => {
                Some(i32::try_from(v).ok()?.to_be_bytes().to_vec())
            }
            (ScalarRef::Int(v), LogicalType::Integer { bits: 64, .. }) => {
                Some(v.to_be_bytes().to_vec())
            }
            (ScalarRef::Boolean(v), _) => Some(vec![u8::from(v)]),
            (ScalarRef::Text(v), LogicalType::Text { .. } | LogicalType::Enum { .. }) => {
                Some(v.as_bytes().to_vec())
            }
            (ScalarRef::Bytes(v), _) => Some(v.to_vec()),
            _ => None,
        },
        _ => None,
    }
}
