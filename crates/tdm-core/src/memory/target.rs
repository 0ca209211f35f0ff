//! A target database in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::ArrayRef;
use async_trait::async_trait;

use super::source::{MemorySource, MemoryTable, encoding_of};
use crate::batch::{Batch, BatchSchema, Cleared};
use crate::catalog::{ForeignKey, TableSchema};
use crate::digest::RowDigest;
use crate::error::{PortError, PortResult};
use crate::ident::TableRef;
use crate::port::{
    Namespace, NamespaceState, OwnerMark, Publication, RowSink, RowSource, ServerIdentity,
    SinkCapability, StageRequest, Staging, TableWriter, TargetDatabase, WriteReceipt,
};
use crate::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use crate::types::{Engine, LogicalType};

type Published = BTreeMap<Namespace, (OwnerMark, Vec<MemoryTable>)>;
type Rows = BTreeMap<TableRef, Vec<Batch<Cleared>>>;

/// A target database in memory. Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemoryTarget {
    name: String,
    published: Arc<Mutex<Published>>,
}

impl MemoryTarget {
    /// An empty target called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            published: Arc::default(),
        }
    }

    /// What is published in a namespace.
    pub fn tables(&self, namespace: &Namespace) -> Option<Vec<MemoryTable>> {
        lock(&self.published)
            .get(namespace)
            .map(|(_, tables)| tables.clone())
    }
}

/// A poisoned lock only says that another test thread panicked; the maps behind these locks are replaced
/// whole and never half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl TargetDatabase for MemoryTarget {
    fn engine(&self) -> Engine {
        Engine::Memory
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability {
            parallel_writers: true,
            atomic_publish: true,
        }
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        Ok(ServerIdentity(format!("memory:{}", self.name)))
    }

    async fn state(&self, namespace: &Namespace) -> PortResult<NamespaceState> {
        let published = lock(&self.published);
        Ok(if published.contains_key(namespace) {
            NamespaceState::Ours
        } else {
            NamespaceState::Empty
        })
    }

    async fn stage(&self, request: StageRequest) -> PortResult<Box<dyn Staging>> {
        let rows = request
            .tables
            .iter()
            .map(|t| (t.table.clone(), Vec::new()))
            .collect();
        Ok(Box::new(MemoryStaging {
            published: Arc::clone(&self.published),
            request,
            rows: Arc::new(Mutex::new(rows)),
        }))
    }

    async fn read(&self, namespace: &Namespace) -> PortResult<Arc<dyn RowSource>> {
        match self.tables(namespace) {
            Some(tables) => Ok(Arc::new(MemorySource::new(&self.name, tables))),
            None => Err(PortError::NotFound {
                kind: "namespace",
                name: namespace.to_string(),
            }),
        }
    }

    async fn remove(&self, namespace: &Namespace) -> PortResult<()> {
        lock(&self.published).remove(namespace);
        Ok(())
    }

    async fn remove_leftovers(&self) -> PortResult<usize> {
        Ok(0)
    }
}

#[derive(Debug)]
struct MemoryStaging {
    published: Arc<Mutex<Published>>,
    request: StageRequest,
    rows: Arc<Mutex<Rows>>,
}

impl MemoryStaging {
    fn tables(&self) -> PortResult<Vec<MemoryTable>> {
        let rows = lock(&self.rows);
        self.request
            .tables
            .iter()
            .map(|schema| joined(schema, &rows[&schema.table]))
            .collect()
    }

    fn schema(&self, table: &TableRef) -> PortResult<&TableSchema> {
        self.request
            .tables
            .iter()
            .find(|t| t.table == *table)
            .ok_or_else(|| PortError::NotFound {
                kind: "table",
                name: table.to_string(),
            })
    }
}

/// One table from its batches: columns by name, NULL where no batch has the column.
fn joined(schema: &TableSchema, batches: &[Batch<Cleared>]) -> PortResult<MemoryTable> {
    let rows: usize = batches.iter().map(Batch::rows).sum();
    let mut columns = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        let mut builder = ColumnBuilder::new(encoding_of(&column.logical), rows);
        for batch in batches {
            let index = batch.schema().index_of(&column.name);
            for row in 0..batch.rows() {
                let value = index.map_or(ScalarRef::Null, |i| cell(batch.column(i).as_ref(), row));
                builder.push(value).map_err(|_| PortError::RowRefused {
                    object: schema.table.column(&column.name).to_string(),
                    code: "type".to_owned(),
                })?;
            }
        }
        columns.push(builder.finish());
    }
    MemoryTable::new(schema.clone(), columns)
}

#[async_trait]
impl RowSink for MemoryStaging {
    async fn open(
        &mut self,
        table: &TableRef,
        schema: &Arc<BatchSchema>,
    ) -> PortResult<Box<dyn TableWriter>> {
        let known = self.schema(table)?;
        for column in &schema.columns {
            let place = || table.column(&column.name).to_string();
            let target = known
                .column(&column.name)
                .ok_or_else(|| PortError::NotFound {
                    kind: "column",
                    name: place(),
                })?;
            if encoding_of(&target.logical) != column.encoding {
                let reason = "arrives in an encoding that memory tables do not hold".to_owned();
                return Err(PortError::Invalid {
                    object: place(),
                    reason,
                });
            }
        }
        Ok(Box::new(MemoryWriter {
            table: known.clone(),
            rows: Arc::clone(&self.rows),
            pending: Vec::new(),
            digest: RowDigest::default(),
        }))
    }
}

#[async_trait]
impl Staging for MemoryStaging {
    async fn complete(&mut self) -> PortResult<()> {
        for table in self.tables()? {
            for constraint in table.schema.primary_key.iter().chain(&table.schema.unique) {
                let names: Vec<&str> = constraint.columns.iter().map(String::as_str).collect();
                let mut seen = HashSet::new();
                if keys_of(&table, &names).any(|key| !seen.insert(key)) {
                    return Err(PortError::RowRefused {
                        object: format!("{} ({})", table.schema.table, names.join(", ")),
                        code: "unique".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    async fn dangling(&mut self, foreign_key: &ForeignKey) -> PortResult<u64> {
        let tables = self.tables()?;
        let find = |name: &TableRef| tables.iter().find(|t| t.schema.table == *name);
        let (Some(child), Some(parent)) = (find(&foreign_key.child), find(&foreign_key.parent))
        else {
            return Err(PortError::NotFound {
                kind: "reference",
                name: foreign_key.describe(),
            });
        };
        let parents: HashSet<Vec<u8>> = keys_of(parent, &foreign_key.parent_columns()).collect();
        let children = child.holding(foreign_key.predicate.as_ref())?;
        Ok(keys_of(&children, &foreign_key.child_columns())
            .filter(|key| !parents.contains(key))
            .count() as u64)
    }

    async fn read(&mut self) -> PortResult<Arc<dyn RowSource>> {
        Ok(Arc::new(MemorySource::new("staging", self.tables()?)))
    }

    async fn publish(self: Box<Self>) -> PortResult<Publication> {
        let tables = self.tables()?;
        let location = self.request.namespace.to_string();
        lock(&self.published).insert(self.request.namespace, (self.request.mark, tables));
        Ok(Publication { location })
    }

    async fn discard(self: Box<Self>) -> PortResult<()> {
        Ok(())
    }
}

/// Keys of the rows of `table` in the columns `names`; rows with a NULL among them have none.
fn keys_of<'t>(table: &'t MemoryTable, names: &[&str]) -> Box<dyn Iterator<Item = Vec<u8>> + 't> {
    let parts: Option<Vec<(&'t ArrayRef, bool)>> = names
        .iter()
        .map(|name| {
            let decimal = table
                .schema
                .column(name)
                .map(|c| matches!(c.logical, LogicalType::Decimal { .. }));
            table.column(name).zip(decimal)
        })
        .collect();
    match parts {
        Some(parts) => Box::new((0..table.rows).filter_map(move |row| key(&parts, row))),
        None => Box::new(std::iter::empty()),
    }
}

impl MemoryTable {
    /// The rows whose type column holds the value; all rows without a predicate.
    fn holding(&self, predicate: Option<&(String, String)>) -> PortResult<Self> {
        let Some((column, value)) = predicate else {
            return Ok(self.clone());
        };
        let array = self.column(column).ok_or_else(|| PortError::NotFound {
            kind: "column",
            name: self.schema.table.column(column).to_string(),
        })?;
        let mut text = Vec::new();
        let rows: Vec<usize> = (0..self.rows)
            .filter(|&row| {
                text.clear();
                canonical(cell(array.as_ref(), row), false, &mut text);
                text == value.as_bytes()
            })
            .collect();
        let columns = self
            .columns
            .iter()
            .zip(&self.schema.columns)
            .map(|(array, column)| {
                let mut builder = ColumnBuilder::new(encoding_of(&column.logical), rows.len());
                let filled = rows
                    .iter()
                    .try_for_each(|&row| builder.push(cell(array.as_ref(), row)));
                filled
                    .map(|()| builder.finish())
                    .map_err(|_| PortError::Invalid {
                        object: self.schema.table.column(&column.name).to_string(),
                        reason: "lies in another encoding than its type".to_owned(),
                    })
            })
            .collect::<PortResult<Vec<_>>>()?;
        Ok(Self {
            schema: Arc::clone(&self.schema),
            columns,
            rows: rows.len(),
        })
    }
}

fn key(parts: &[(&ArrayRef, bool)], row: usize) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for (array, decimal) in parts {
        let value = cell(array.as_ref(), row);
        if value.is_null() {
            return None;
        }
        let start = key.len();
        key.extend([0; 8]);
        canonical(value, *decimal, &mut key);
        let length = (key.len() - start - 8) as u64;
        key[start..start + 8].copy_from_slice(&length.to_le_bytes());
    }
    Some(key)
}

struct MemoryWriter {
    table: TableSchema,
    rows: Arc<Mutex<Rows>>,
    pending: Vec<Batch<Cleared>>,
    digest: RowDigest,
}

#[async_trait]
impl TableWriter for MemoryWriter {
    async fn write(&mut self, batch: Batch<Cleared>) -> PortResult<()> {
        for (column, array) in batch.schema().columns.iter().zip(batch.columns()) {
            let not_null = self.table.column(&column.name).is_some_and(|c| !c.nullable);
            if not_null && array.null_count() > 0 {
                return Err(PortError::RowRefused {
                    object: self.table.table.column(&column.name).to_string(),
                    code: "not null".to_owned(),
                });
            }
        }
        self.digest.add(&batch);
        self.pending.push(batch);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> PortResult<WriteReceipt> {
        let pending = std::mem::take(&mut self.pending);
        lock(&self.rows)
            .entry(self.table.table.clone())
            .or_default()
            .extend(pending);
        Ok(WriteReceipt {
            digest: self.digest,
        })
    }

    async fn abort(self: Box<Self>) -> PortResult<()> {
        Ok(())
    }
}
