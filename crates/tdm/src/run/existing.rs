//! Keys of the rows that a build holds already.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::BatchLimit;
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::port::{RowFilter, RowSource, ScanRequest};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_synth::ExistingKeys;

/// Keys of rows that are staged already: what generated rows may refer to and must not repeat.
#[derive(Debug, Default)]
pub(super) struct StagedKeys {
    columns: BTreeMap<ColumnRef, ArrayRef>,
}

impl StagedKeys {
    /// Reads the key columns of the tables that are to grow, and those that their references lead to.
    pub(super) async fn read(
        staged: &dyn RowSource,
        tables: &[Arc<TableSchema>],
        relationships: &[ForeignKey],
        growing: &[TableRef],
        cancel: &CancelToken,
    ) -> PortResult<Self> {
        let mut wanted: BTreeMap<TableRef, Vec<String>> = BTreeMap::new();
        for schema in tables
            .iter()
            .filter(|schema| growing.contains(&schema.table))
        {
            let keys = schema
                .primary_key
                .iter()
                .chain(&schema.unique)
                .flat_map(|key| key.columns.clone());
            let indexes = schema
                .indexes
                .iter()
                .filter(|index| index.unique)
                .flat_map(tdm_core::catalog::Index::plain_columns);
            wanted
                .entry(schema.table.clone())
                .or_default()
                .extend(keys.chain(indexes));
            for reference in schema.foreign_keys.iter().chain(relationships) {
                if reference.child == schema.table {
                    let columns = reference.parent_columns().into_iter().map(str::to_owned);
                    wanted
                        .entry(reference.parent.clone())
                        .or_default()
                        .extend(columns);
                }
            }
        }
        let mut found = Self::default();
        for (table, mut names) in wanted {
            names.sort();
            names.dedup();
            if let Some(schema) = tables.iter().find(|schema| schema.table == table) {
                found.read_table(staged, schema, &names, cancel).await?;
            }
        }
        Ok(found)
    }

    async fn read_table(
        &mut self,
        staged: &dyn RowSource,
        schema: &Arc<TableSchema>,
        names: &[String],
        cancel: &CancelToken,
    ) -> PortResult<()> {
        let columns: Vec<ColumnRequest> = names
            .iter()
            .filter_map(|name| schema.column(name))
            .map(|column| ColumnRequest {
                column: column.clone(),
                form: Form::Decoded,
            })
            .collect();
        let mut builders: Vec<ColumnBuilder> = columns
            .iter()
            .map(|c| ColumnBuilder::new(staged.encoding(&c.column), 0))
            .collect();
        let request = ScanRequest {
            table: Arc::clone(schema),
            columns: columns.clone(),
            filter: RowFilter::All,
            limit: BatchLimit::default(),
        };
        let mut stream = staged.scan(request).await?;
        while let Some(batch) = stream.next().await {
            cancel.check()?;
            let batch = batch?;
            for ((builder, array), column) in builders.iter_mut().zip(batch.columns()).zip(&columns)
            {
                for row in 0..batch.rows() {
                    builder
                        .push(cell(array.as_ref(), row))
                        .map_err(|_| PortError::Invalid {
                            object: schema.table.column(&column.column.name).to_string(),
                            reason: "arrived in another encoding than announced".to_owned(),
                        })?;
                }
            }
        }
        for (mut builder, column) in builders.into_iter().zip(columns) {
            self.columns
                .insert(schema.table.column(column.column.name), builder.finish());
        }
        Ok(())
    }
}

impl ExistingKeys for StagedKeys {
    fn keys(&self, table: &TableRef, columns: &[&str]) -> Option<Vec<ArrayRef>> {
        let arrays: Option<Vec<ArrayRef>> = columns
            .iter()
            .map(|name| self.columns.get(&table.column(*name)).cloned())
            .collect();
        arrays.filter(|arrays| arrays.iter().all(|array| !array.is_empty()))
    }

    fn highest(&self, column: &ColumnRef) -> Option<i64> {
        let array = self.columns.get(column)?;
        (0..array.len())
            .filter_map(|row| match cell(array.as_ref(), row) {
                ScalarRef::Int(value) => Some(value),
                _ => None,
            })
            .max()
    }
}
