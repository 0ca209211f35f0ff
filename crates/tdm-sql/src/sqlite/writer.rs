//! Writes batches into a staged table: one prepared statement, one transaction for the unit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{
    Batch, BatchColumn, BatchSchema, Cleared, Encoding, Sensitive, Stage, WireForm,
};
use tdm_core::catalog::{Column, Generation, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::port::{TableWriter, WriteReceipt};

use super::affinity::{Affinity, Oracle, Outcome};
use super::builder::CarriedBuilder;
use super::cells::Cells;
use super::failure::Doing;
use super::worker::{Running, Worker};
use crate::quote::Dialect;

/// A writer of one unit.
///
/// A batch is inserted while the caller makes the next one, so a refusal may surface one call later: at the
/// next `write`, or at `finish`.
pub(super) struct SqliteWriter {
    worker: Arc<Worker>,
    table: TableRef,
    insert: Arc<str>,
    schema: Arc<BatchSchema>,
    storage: Arc<[Storage]>,
    oracle: Oracle,
    digest: RowDigest,
    /// The batch that the other thread inserts while the caller makes the next one.
    inserting: Option<Running<()>>,
    failed: bool,
    writing: Arc<AtomicBool>,
}

/// How the target stores one column of the batches.
#[derive(Debug, Clone, Copy)]
struct Storage {
    affinity: Affinity,
    /// Whether NULL would be replaced by a number of SQLite's choice.
    is_rowid: bool,
}

impl SqliteWriter {
    /// Opens a writer and its transaction.
    pub(super) async fn open(
        worker: Arc<Worker>,
        table: TableRef,
        made: Arc<TableSchema>,
        schema: &Arc<BatchSchema>,
        writing: Arc<AtomicBool>,
    ) -> PortResult<Self> {
        let strict = made.options.contains_key("strict");
        let mut storage = Vec::with_capacity(schema.columns.len());
        for column in &schema.columns {
            let target = target_column(&table, &made, column)?;
            storage.push(Storage {
                affinity: Affinity::of(&target.native, strict),
                is_rowid: matches!(target.generation, Generation::Identity { .. }),
            });
        }
        let insert = insert_statement(&made.table, schema)?;
        let object = table.to_string();
        let oracle = Oracle::open().map_err(|error| {
            let doing = Doing {
                operation: "prepare to write",
                object: &object,
            };
            doing.failed(error)
        })?;
        let sql: Arc<str> = Arc::from(insert);
        let prepared = Arc::clone(&sql);
        worker
            .run(move |connection| {
                roll_back(connection)?;
                let doing = Doing {
                    operation: "write to",
                    object: &object,
                };
                connection
                    .execute_batch("BEGIN")
                    .and_then(|()| connection.prepare_cached(&prepared).map(|_| ()))
                    .map_err(|error| doing.failed(error))
            })
            .await?;
        writing.store(true, Ordering::Release);
        Ok(Self {
            worker,
            table,
            insert: sql,
            schema: Arc::clone(schema),
            storage: storage.into(),
            oracle,
            digest: RowDigest::default(),
            inserting: None,
            failed: false,
            writing,
        })
    }

    /// Waits for the batch that is being inserted.
    async fn settle(&mut self) -> PortResult<()> {
        let Some(inserting) = self.inserting.take() else {
            return Ok(());
        };
        let before = std::mem::replace(&mut self.failed, true);
        inserting.outcome(self.worker.object()).await?;
        self.failed = before;
        Ok(())
    }

    /// Adds `batch` to the digest as the target will return it.
    fn digest(&mut self, batch: &Batch<Cleared>) -> PortResult<()> {
        let mut columns = batch.schema().columns.clone();
        let mut arrays = batch.columns().to_vec();
        let mut changed = false;
        for (at, storage) in self.storage.iter().enumerate() {
            let stored = self.stored(&arrays[at], &columns[at], storage.affinity)?;
            if let Some(stored) = stored {
                arrays[at] = stored;
                columns[at].encoding = Encoding::Carried(WireForm::Sqlite);
                changed = true;
            }
        }
        if changed {
            let schema = Arc::new(BatchSchema {
                table: self.table.clone(),
                columns,
            });
            let stored = Batch::<Sensitive>::read(schema, arrays, batch.rows(), batch.origin())?;
            self.digest.add(&stored);
        } else {
            self.digest.add(batch);
        }
        Ok(())
    }

    /// The column as it will be stored, when that differs from what it is.
    fn stored(
        &self,
        array: &ArrayRef,
        column: &BatchColumn,
        affinity: Affinity,
    ) -> PortResult<Option<ArrayRef>> {
        let integers = matches!(affinity, Affinity::Integer | Affinity::Numeric);
        let unchanged = match column.encoding {
            Encoding::Bytes => true,
            Encoding::Int64 | Encoding::Boolean => integers || affinity == Affinity::Blob,
            Encoding::Text => matches!(affinity, Affinity::Text | Affinity::Blob),
            Encoding::Carried(_) => affinity == Affinity::Blob,
            _ => false,
        };
        if unchanged {
            return Ok(None);
        }
        let malformed = || malformed(&self.table, column);
        let cells = Cells::of(array, column.encoding, &column.logical).ok_or_else(malformed)?;
        // Times are text to the target, whatever their array is.
        let rendered = matches!(cells, Cells::Rendered(_));
        let mut built: Option<CarriedBuilder> = rendered.then(|| CarriedBuilder::new(array.len()));
        for row in 0..array.len() {
            let value = cells.value(row).ok_or_else(malformed)?;
            let outcome = affinity.store(value);
            if outcome != Outcome::Same && built.is_none() {
                let mut builder = CarriedBuilder::new(array.len());
                for earlier in 0..row {
                    builder.push(cells.value(earlier).ok_or_else(malformed)?);
                }
                built = Some(builder);
            }
            let Some(builder) = &mut built else { continue };
            match outcome {
                Outcome::Same => builder.push(value),
                Outcome::Integer(integer) => builder.push(ValueRef::Integer(integer)),
                Outcome::Real(real) => builder.push(ValueRef::Real(real)),
                Outcome::Text(text) => builder.push(ValueRef::Text(text.as_bytes())),
                Outcome::AskSqlite => self
                    .oracle
                    .store(affinity, value, |stored| builder.push(stored))
                    .map_err(|error| {
                        let object = self.table.column(&column.name).to_string();
                        let doing = Doing {
                            operation: "convert a value of",
                            object: &object,
                        };
                        doing.failed(error)
                    })?,
            };
        }
        Ok(built.map(|mut builder| Arc::new(builder.finish()) as ArrayRef))
    }

    async fn end(&mut self, sql: &'static str) -> PortResult<()> {
        let object = self.table.to_string();
        let ended = self
            .worker
            .run(move |connection| {
                let doing = Doing {
                    operation: "write to",
                    object: &object,
                };
                connection
                    .execute_batch(sql)
                    .map_err(|error| doing.refused(&error))
            })
            .await;
        self.writing.store(false, Ordering::Release);
        ended
    }
}

/// Ends a transaction that a dropped writer left open.
pub(super) fn roll_back(connection: &Connection) -> PortResult<()> {
    if connection.is_autocommit() {
        return Ok(());
    }
    connection.execute_batch("ROLLBACK").map_err(|error| {
        let doing = Doing {
            operation: "take back writes to",
            object: "the staging file",
        };
        doing.failed(error)
    })
}

fn target_column<'t>(
    table: &TableRef,
    made: &'t TableSchema,
    column: &BatchColumn,
) -> PortResult<&'t Column> {
    let place = || table.column(&column.name).to_string();
    let target = made
        .column(&column.name)
        .ok_or_else(|| PortError::NotFound {
            kind: "column",
            name: place(),
        })?;
    if !target.is_written() {
        return Err(PortError::Invalid {
            object: place(),
            reason: "SQLite computes this column itself".to_owned(),
        });
    }
    if !Cells::can_take(column.encoding) {
        return Err(PortError::Invalid {
            object: place(),
            reason: "it arrives in another server's bytes; it has to be decoded for SQLite"
                .to_owned(),
        });
    }
    Ok(target)
}

fn insert_statement(table: &TableRef, schema: &BatchSchema) -> PortResult<String> {
    let name = Dialect::Sqlite.identifier(&table.name)?;
    if schema.columns.is_empty() {
        return Ok(format!("INSERT OR ABORT INTO {name} DEFAULT VALUES"));
    }
    let mut columns = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        columns.push(Dialect::Sqlite.identifier(&column.name)?);
    }
    // OR ABORT overrides an ON CONFLICT clause of the table, which might drop or replace rows in silence.
    Ok(format!(
        "INSERT OR ABORT INTO {name} ({}) VALUES ({})",
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    ))
}

fn malformed(table: &TableRef, column: &BatchColumn) -> PortError {
    PortError::Invalid {
        object: table.column(&column.name).to_string(),
        reason: "a value is not in the form that the batch says".to_owned(),
    }
}

/// Inserts the rows of `batch`.
fn insert<S: Stage>(
    connection: &Connection,
    sql: &str,
    table: &TableRef,
    storage: &[Storage],
    batch: &Batch<S>,
) -> PortResult<()> {
    let object = table.to_string();
    let doing = Doing {
        operation: "write to",
        object: &object,
    };
    let columns = &batch.schema().columns;
    let mut cells = Vec::with_capacity(columns.len());
    for (column, array) in columns.iter().zip(batch.columns()) {
        let column_cells = Cells::of(array, column.encoding, &column.logical);
        cells.push(column_cells.ok_or_else(|| malformed(table, column))?);
    }
    let refused = |at: usize, code: &str| PortError::RowRefused {
        object: table.column(&columns[at].name).to_string(),
        code: code.to_owned(),
    };
    let mut statement = connection
        .prepare_cached(sql)
        .map_err(|error| doing.failed(error))?;
    for row in 0..batch.rows() {
        for (at, column) in cells.iter().enumerate() {
            let value = column
                .value(row)
                .ok_or_else(|| malformed(table, &columns[at]))?;
            match value {
                // SQLite would store a number of its own, or NULL, and the row would not be the one given.
                ValueRef::Null if storage[at].is_rowid => return Err(refused(at, "not null")),
                ValueRef::Real(real) if real.is_nan() => return Err(refused(at, "not a number")),
                _ => {}
            }
            statement
                .raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))
                .map_err(|error| doing.refused(&error))?;
        }
        statement
            .raw_execute()
            .map_err(|error| doing.refused(&error))?;
    }
    Ok(())
}

#[async_trait]
impl TableWriter for SqliteWriter {
    async fn write(&mut self, batch: Batch<Cleared>) -> PortResult<()> {
        if batch.schema().columns != self.schema.columns {
            return Err(PortError::Invalid {
                object: self.table.to_string(),
                reason: "the batch does not have the columns that the writer was opened for"
                    .to_owned(),
            });
        }
        // Until the outcome is known: a caller that stops waiting leaves a unit in an unknown state.
        self.failed = true;
        // The digest is made while the other thread still inserts the batch before.
        self.digest(&batch)?;
        self.settle().await?;
        self.failed = true;
        let (sql, table) = (Arc::clone(&self.insert), self.table.clone());
        let storage = Arc::clone(&self.storage);
        let inserting = self
            .worker
            .begin(move |connection| insert(connection, &sql, &table, &storage, &batch))
            .await?;
        self.inserting = Some(inserting);
        self.failed = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> PortResult<WriteReceipt> {
        if let Err(error) = self.settle().await {
            self.end("ROLLBACK").await?;
            return Err(error);
        }
        if self.failed {
            self.end("ROLLBACK").await?;
            return Err(PortError::Conflict {
                kind: "unit",
                name: self.table.to_string(),
                reason: "an earlier write of it failed".to_owned(),
            });
        }
        self.end("COMMIT").await?;
        Ok(WriteReceipt {
            digest: self.digest,
        })
    }

    async fn abort(mut self: Box<Self>) -> PortResult<()> {
        self.end("ROLLBACK").await
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        if self.writing.swap(false, Ordering::AcqRel) {
            self.worker.run_detached(|connection| {
                let _ = roll_back(connection);
            });
        }
    }
}
