//! A source over tables in memory.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::ArrayRef;
use async_trait::async_trait;
use futures_util::stream;

use crate::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Encoding, Sensitive};
use crate::catalog::{Catalog, Column, TableSchema};
use crate::error::{PortError, PortResult};
use crate::port::{
    BatchStream, Introspection, Introspector, KeyBatch, RowFilter, RowSource, ScanRequest,
    ServerIdentity, SourceCapability,
};
use crate::scalar::{ColumnBuilder, canonical, cell};
use crate::types::{Engine, LogicalType, TypeClass};

/// One table of a [`MemorySource`]: a schema and one array per column.
#[derive(Clone)]
pub struct MemoryTable {
    pub(super) schema: Arc<TableSchema>,
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
}

impl MemoryTable {
    /// A table whose `columns` lie in the encoding that [`MemorySource`] gives their logical types.
    ///
    /// # Errors
    /// When number, types or lengths do not fit the schema.
    pub fn new(schema: TableSchema, columns: Vec<ArrayRef>) -> PortResult<Self> {
        let rows = columns.first().map_or(0, |c| c.len());
        let shape = Arc::new(BatchSchema {
            table: schema.table.clone(),
            columns: schema
                .columns
                .iter()
                .map(|c| BatchColumn::of(c, encoding_of(&c.logical)))
                .collect(),
        });
        Batch::read(shape, columns.clone(), rows, 0)?;
        Ok(Self {
            schema: Arc::new(schema),
            columns,
            rows,
        })
    }

    /// Rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.schema
            .columns
            .iter()
            .position(|c| c.name == name)
            .and_then(|i| self.columns.get(i))
    }
}

impl std::fmt::Debug for MemoryTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryTable")
            .field("table", &self.schema.table)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// The encoding in which memory tables hold a type.
pub(super) fn encoding_of(logical: &LogicalType) -> Encoding {
    match logical.class() {
        TypeClass::Boolean => Encoding::Boolean,
        TypeClass::Integer => Encoding::Int64,
        TypeClass::Float => Encoding::Float64,
        TypeClass::Bytes => Encoding::Bytes,
        TypeClass::Date => Encoding::Date32,
        TypeClass::Time => Encoding::Time64,
        TypeClass::Timestamp => Encoding::Timestamp,
        _ => Encoding::Text,
    }
}

/// A source over tables in memory.
#[derive(Debug, Clone)]
pub struct MemorySource {
    name: String,
    tables: Arc<Vec<MemoryTable>>,
}

impl MemorySource {
    /// A source called `name` over `tables`.
    pub fn new(name: impl Into<String>, tables: Vec<MemoryTable>) -> Self {
        Self {
            name: name.into(),
            tables: Arc::new(tables),
        }
    }

    fn table(&self, request: &ScanRequest) -> PortResult<&MemoryTable> {
        let table = self
            .tables
            .iter()
            .find(|t| t.schema.table == request.table.table)
            .ok_or_else(|| PortError::NotFound {
                kind: "table",
                name: request.table.table.to_string(),
            })?;
        if matches!(request.filter, RowFilter::Where(_)) {
            return Err(PortError::Unsupported {
                engine: Engine::Memory,
                what: "SQL conditions".to_owned(),
            });
        }
        for wanted in &request.columns {
            if table.column(&wanted.column.name).is_none() {
                let column = request.table.table.column(&wanted.column.name);
                return Err(PortError::NotFound {
                    kind: "column",
                    name: column.to_string(),
                });
            }
        }
        Ok(table)
    }
}

#[async_trait]
impl Introspector for MemorySource {
    async fn introspect(&self) -> PortResult<Introspection> {
        let mut catalog = Catalog::new(Engine::Memory, "1");
        catalog.tables = self
            .tables
            .iter()
            .map(|t| TableSchema::clone(&t.schema))
            .collect();
        catalog.tables.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(Introspection {
            catalog,
            diagnostics: Vec::new(),
        })
    }
}

#[async_trait]
impl RowSource for MemorySource {
    fn engine(&self) -> Engine {
        Engine::Memory
    }

    fn capability(&self) -> SourceCapability {
        SourceCapability {
            snapshot: true,
            predicate: false,
            key_set: true,
            sample: true,
            parallel_scans: true,
        }
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        Ok(ServerIdentity(format!("memory:{}", self.name)))
    }

    fn encoding(&self, column: &Column) -> Encoding {
        encoding_of(&column.logical)
    }

    fn carried(&self, column: &Column) -> Encoding {
        encoding_of(&column.logical)
    }

    async fn check(&self, request: &ScanRequest) -> PortResult<()> {
        self.table(request).map(|_| ())
    }

    async fn scan(&self, request: ScanRequest) -> PortResult<BatchStream> {
        let table = self.table(&request)?.clone();
        let rows = selected(&table, &request.filter)?;
        let batches = cut(&table, &request, &rows, request.limit);
        Ok(Box::pin(stream::iter(batches)))
    }
}

fn selected(table: &MemoryTable, filter: &RowFilter) -> PortResult<Vec<usize>> {
    Ok(match filter {
        RowFilter::Keys(keys) => matching(table, keys)?,
        RowFilter::Sample { rows, seed } => {
            // Every row has a rank of its own; the lowest ranks are the sample.
            let mut ranked: Vec<_> = (0..table.rows)
                .map(|row| {
                    (
                        xxhash_rust::xxh3::xxh3_64_with_seed(&row.to_le_bytes(), *seed),
                        row,
                    )
                })
                .collect();
            ranked.sort_unstable();
            ranked.truncate(usize::try_from(*rows).unwrap_or(usize::MAX));
            let mut rows: Vec<_> = ranked.into_iter().map(|(_, row)| row).collect();
            rows.sort_unstable();
            rows
        }
        _ => (0..table.rows).collect(),
    })
}

fn matching(table: &MemoryTable, keys: &KeyBatch) -> PortResult<Vec<usize>> {
    let wanted: HashSet<Vec<u8>> = (0..keys.len())
        .filter_map(|row| {
            key_bytes(
                keys.arrays
                    .iter()
                    .zip(&keys.columns)
                    .map(|(a, c)| (a, &c.logical)),
                row,
            )
        })
        .collect();
    let mut columns = Vec::new();
    for key in &keys.columns {
        let index = table
            .schema
            .columns
            .iter()
            .position(|c| c.name == key.name)
            .ok_or_else(|| PortError::NotFound {
                kind: "column",
                name: table.schema.table.column(&key.name).to_string(),
            })?;
        columns.push((&table.columns[index], &table.schema.columns[index].logical));
    }
    Ok((0..table.rows)
        .filter(|&row| {
            key_bytes(columns.iter().copied(), row).is_some_and(|key| wanted.contains(&key))
        })
        .collect())
}

/// Canonical bytes of a key, each part with its length; `None` when a part is NULL.
fn key_bytes<'a>(
    parts: impl Iterator<Item = (&'a ArrayRef, &'a LogicalType)>,
    row: usize,
) -> Option<Vec<u8>> {
    let (mut key, mut part) = (Vec::new(), Vec::new());
    for (array, logical) in parts {
        let value = cell(array.as_ref(), row);
        if value.is_null() {
            return None;
        }
        part.clear();
        canonical(
            value,
            matches!(logical, LogicalType::Decimal { .. }),
            &mut part,
        );
        key.extend((part.len() as u64).to_le_bytes());
        key.extend(&part);
    }
    Some(key)
}

fn cut(
    table: &MemoryTable,
    request: &ScanRequest,
    rows: &[usize],
    limit: BatchLimit,
) -> Vec<PortResult<Batch<Sensitive>>> {
    let columns: Vec<(BatchColumn, &ArrayRef)> = request
        .columns
        .iter()
        .filter_map(|c| {
            let column = BatchColumn::of(&c.column, encoding_of(&c.column.logical));
            table.column(&c.column.name).map(|array| (column, array))
        })
        .collect();
    let schema = Arc::new(BatchSchema {
        table: table.schema.table.clone(),
        columns: columns.iter().map(|(column, _)| column.clone()).collect(),
    });
    let size = |array: &ArrayRef| array.get_array_memory_size() / array.len().max(1);
    let row_bytes = columns
        .iter()
        .map(|(_, array)| size(array))
        .sum::<usize>()
        .max(1);
    let step = limit.rows_max.min(limit.bytes_max / row_bytes).max(1);
    rows.chunks(step)
        .enumerate()
        .map(|(i, chunk)| {
            let mut arrays = Vec::with_capacity(columns.len());
            for (column, array) in &columns {
                let mut builder = ColumnBuilder::new(column.encoding, chunk.len());
                for &row in chunk {
                    let misfit = PortError::Invalid {
                        object: schema.table.column(&column.name).to_string(),
                        reason: "requested with another type than the table has".to_owned(),
                    };
                    builder
                        .push(cell(array.as_ref(), row))
                        .map_err(|_| misfit)?;
                }
                arrays.push(builder.finish());
            }
            Ok(Batch::read(
                Arc::clone(&schema),
                arrays,
                chunk.len(),
                (i * step) as u64,
            )?)
        })
        .collect()
}
