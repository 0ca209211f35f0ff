//! One scan: from a request to batches, on the connection's thread.

use std::rc::Rc;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, Rows, Statement};
use tdm_core::batch::{Batch, BatchColumn, BatchLimit, BatchSchema, Encoding, WireForm};
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::port::{RowFilter, ScanRequest};
use tdm_core::transform::Form;

use super::affinity::Affinity;
use super::builder::CellBuilder;
use super::failure::Doing;
use super::sample::{self, Choice};
use super::token::{Kind, tokens};
use super::worker::{Outlet, Piece, Watch};
use super::{keys, types};
use crate::quote::Dialect;

/// Runs a scan to its end, to its first error, or until nobody reads it any more.
pub(super) async fn run(
    connection: Rc<Connection>,
    request: ScanRequest,
    outlet: Outlet,
    watch: Watch,
) {
    let last = match drive(&connection, request, &outlet, &watch).await {
        Ok(()) => Piece::End,
        Err(error) => Piece::Batch(Err(error)),
    };
    let _ = outlet.send(last).await;
}

/// Prepares the scan's statement and throws it away.
pub(super) fn check(connection: &Connection, request: &ScanRequest) -> PortResult<()> {
    let plan = Plan::compile(connection, request)?;
    plan.prepare(connection).map(|_| ())
}

async fn drive(
    connection: &Connection,
    request: ScanRequest,
    outlet: &Outlet,
    watch: &Watch,
) -> PortResult<()> {
    let plan = Plan::compile(connection, &request)?;
    // The keys of a request may be large, and are in the plan by now.
    drop(request);
    let (steps, choice) = watch.during(outlet, || plan.steps(connection))?;
    let mut statement = plan.prepare(connection)?;
    let mut filling = Filling::new(&plan, choice);
    for parameters in steps {
        for (at, value) in parameters.iter().enumerate() {
            statement
                .raw_bind_parameter(at + 1, value)
                .map_err(|error| plan.failed(&error))?;
        }
        drop(parameters);
        let mut rows = statement.raw_query();
        loop {
            let more = watch.during(outlet, || filling.fill(&mut rows))?;
            if filling.is_full() && !filling.emit(outlet).await? {
                return Ok(());
            }
            if !more {
                break;
            }
            // Commands and other scans get their turn.
            tokio::task::yield_now().await;
        }
    }
    if filling.rows > 0 {
        filling.emit(outlet).await?;
    }
    Ok(())
}

/// A compiled request.
struct Plan {
    table: TableRef,
    sql: String,
    /// What the user wrote into the statement.
    condition: Option<String>,
    schema: Arc<BatchSchema>,
    limit: BatchLimit,
    rowid: Option<&'static str>,
    filter: Filter,
}

enum Filter {
    Plain,
    Keys(String),
    Sample { rows: u64, seed: u64 },
}

impl Plan {
    fn compile(connection: &Connection, request: &ScanRequest) -> PortResult<Self> {
        let table = request.table.table.clone();
        let shape = Shape::read(connection, &table)?;
        let mut columns = Vec::with_capacity(request.columns.len());
        let mut select = Vec::with_capacity(request.columns.len());
        for wanted in &request.columns {
            let name = &wanted.column.name;
            shape.require(&table, name)?;
            select.push(Dialect::Sqlite.identifier(name)?);
            let encoding = match wanted.form {
                Form::Carried => Encoding::Carried(WireForm::Sqlite),
                Form::Decoded => types::encoding(&wanted.column.logical),
            };
            columns.push(BatchColumn::of(&wanted.column, encoding));
        }
        let name = Dialect::Sqlite.identifier(&table.name)?;
        let list = if select.is_empty() {
            "1".to_owned()
        } else {
            select.join(", ")
        };
        let mut sql = format!("SELECT {list} FROM {name}");
        let rowid = shape.rowid();
        let mut user_condition = None;
        let filter = match &request.filter {
            RowFilter::All => {
                match rowid {
                    Some(rowid) if !select.is_empty() => {
                        sql.push_str(&format!(" ORDER BY {rowid}"));
                    }
                    // The order of the table itself, not of an index that happens to cover the columns.
                    None if shape.is_table => sql.push_str(" NOT INDEXED"),
                    _ => {}
                }
                Filter::Plain
            }
            RowFilter::Where(text) => {
                sql.push_str(&format!(" WHERE ({}\n)", condition(&table, text)?));
                user_condition = Some(text.clone());
                Filter::Plain
            }
            RowFilter::Keys(batch) => {
                for column in &batch.columns {
                    shape.require(&table, &column.name)?;
                }
                let compiled = keys::compile(&table, batch, rowid, |name| shape.affinity(name))?;
                sql.push_str(&format!(" WHERE {}", compiled.condition(connection)));
                Filter::Keys(compiled.json)
            }
            RowFilter::Sample { rows, seed } => {
                match rowid {
                    Some(rowid) => sql.push_str(&format!(
                        " WHERE {rowid} BETWEEN ?1 AND ?2 ORDER BY {rowid} LIMIT ?3"
                    )),
                    None if shape.is_table => sql.push_str(" NOT INDEXED"),
                    None => {}
                }
                Filter::Sample {
                    rows: *rows,
                    seed: *seed,
                }
            }
            _ => {
                return Err(PortError::Unsupported {
                    engine: tdm_core::types::Engine::Sqlite,
                    what: format!("this filter on {table}"),
                });
            }
        };
        Ok(Self {
            schema: Arc::new(BatchSchema {
                table: table.clone(),
                columns,
            }),
            table,
            sql,
            condition: user_condition,
            limit: request.limit,
            rowid,
            filter,
        })
    }

    fn prepare<'c>(&self, connection: &'c Connection) -> PortResult<Statement<'c>> {
        let statement = connection
            .prepare(&self.sql)
            .map_err(|error| self.failed(&error))?;
        if statement.readonly() {
            Ok(statement)
        } else {
            Err(PortError::Invalid {
                object: self.table.to_string(),
                reason: "the condition would change the database".to_owned(),
            })
        }
    }

    /// The parameters of each run of the statement, and which rows to take of what it returns.
    fn steps(&self, connection: &Connection) -> PortResult<(Vec<Vec<Value>>, Choice)> {
        match &self.filter {
            Filter::Plain => Ok((vec![Vec::new()], Choice::All)),
            Filter::Keys(json) => Ok((vec![vec![Value::Text(json.clone())]], Choice::All)),
            Filter::Sample { rows, seed } => {
                sample::steps(connection, &self.table, self.rowid, *rows, *seed)
                    .map_err(|error| self.failed(&error))
            }
        }
    }

    fn failed(&self, error: &rusqlite::Error) -> PortError {
        let object = self.table.to_string();
        let doing = Doing {
            operation: "read",
            object: &object,
        };
        doing.explained(error, self.condition.as_deref())
    }
}

/// What the database itself says of the table, whatever the request believes.
struct Shape {
    is_table: bool,
    without_rowid: bool,
    strict: bool,
    /// Names and declared types.
    columns: Vec<(String, String)>,
}

impl Shape {
    fn read(connection: &Connection, table: &TableRef) -> PortResult<Self> {
        let object = table.to_string();
        let failed = |error: rusqlite::Error| {
            let doing = Doing {
                operation: "read",
                object: &object,
            };
            doing.failed(error)
        };
        let mut relation = connection
            .prepare_cached(
                "SELECT type, wr, strict FROM pragma_table_list(?1)
                 WHERE schema = 'main' AND name = ?1",
            )
            .map_err(failed)?;
        let found: Vec<(String, bool, bool)> = relation
            .query_map([&table.name], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .and_then(Iterator::collect)
            .map_err(failed)?;
        let Some((kind, without_rowid, strict)) = found.into_iter().next() else {
            return Err(PortError::NotFound {
                kind: "table",
                name: object,
            });
        };
        let mut names = connection
            .prepare_cached("SELECT name, type FROM pragma_table_xinfo(?1)")
            .map_err(failed)?;
        let columns = names
            .query_map([&table.name], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(failed)?;
        Ok(Self {
            is_table: kind == "table" || kind == "shadow",
            without_rowid,
            strict,
            columns,
        })
    }

    fn affinity(&self, column: &str) -> Affinity {
        let found = self.columns.iter().find(|(name, _)| name == column);
        found.map_or(Affinity::Blob, |(_, declared)| {
            Affinity::of(declared, self.strict)
        })
    }

    fn require(&self, table: &TableRef, column: &str) -> PortResult<()> {
        if self.columns.iter().any(|(name, _)| name == column) {
            return Ok(());
        }
        Err(PortError::NotFound {
            kind: "column",
            name: table.column(column).to_string(),
        })
    }

    /// A name of the rowid that no column takes away.
    fn rowid(&self) -> Option<&'static str> {
        if !self.is_table || self.without_rowid {
            return None;
        }
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| {
            !self
                .columns
                .iter()
                .any(|(column, _)| column.eq_ignore_ascii_case(name))
        })
    }
}

/// The user's condition, once it is certain that it stays inside the parentheses it is put into.
fn condition<'t>(table: &TableRef, text: &'t str) -> PortResult<&'t str> {
    let refused = |reason: &str| PortError::Invalid {
        object: format!("condition on {table}"),
        reason: reason.to_owned(),
    };
    let found = tokens(text).map_err(|_| refused("a quote or a comment is not closed"))?;
    if found.is_empty() {
        return Err(refused("it is empty"));
    }
    if text.contains('\0') {
        return Err(refused("it holds a NUL character"));
    }
    let mut depth = 0_usize;
    for token in found {
        match token.kind {
            Kind::Symbol(b'(') => depth += 1,
            Kind::Symbol(b')') => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| refused("a parenthesis is closed that was not opened"))?;
            }
            Kind::Symbol(b';') => return Err(refused("it holds more than one condition")),
            Kind::Parameter => return Err(refused("it holds a parameter, which has no value")),
            _ => {}
        }
    }
    if depth > 0 {
        return Err(refused("a parenthesis is not closed"));
    }
    Ok(text)
}

/// Batches under construction.
struct Filling {
    schema: Arc<BatchSchema>,
    limit: BatchLimit,
    choice: Choice,
    columns: Vec<CellBuilder>,
    /// Rows and bytes in the builders.
    rows: usize,
    bytes: usize,
    /// Rows of earlier batches.
    origin: u64,
    /// Rows the statement returned, taken or not.
    seen: u64,
}

impl Filling {
    fn new(plan: &Plan, choice: Choice) -> Self {
        let room = plan.limit.rows_max.min(1_024);
        Self {
            schema: Arc::clone(&plan.schema),
            limit: BatchLimit {
                // With one more row, which SQLite keeps below 1 GB, a column stays below Arrow's 2 GiB.
                bytes_max: plan.limit.bytes_max.min(1 << 30),
                ..plan.limit
            },
            choice,
            columns: plan
                .schema
                .columns
                .iter()
                .map(|c| CellBuilder::new(c.encoding, room))
                .collect(),
            rows: 0,
            bytes: 0,
            origin: 0,
            seen: 0,
        }
    }

    const fn is_full(&self) -> bool {
        self.rows >= self.limit.rows_max || self.bytes >= self.limit.bytes_max
    }

    /// Takes rows until the batch is full or there are none left; whether there may be more.
    fn fill(&mut self, rows: &mut Rows<'_>) -> PortResult<bool> {
        while !self.is_full() {
            let table = &self.schema.table;
            let row = rows.next().map_err(|error| {
                let object = table.to_string();
                let doing = Doing {
                    operation: "read",
                    object: &object,
                };
                doing.failed(error)
            })?;
            let Some(row) = row else { return Ok(false) };
            let number = self.seen;
            self.seen += 1;
            if !self.choice.takes(number) {
                continue;
            }
            for (at, builder) in self.columns.iter_mut().enumerate() {
                let pushed = row
                    .get_ref(at)
                    .map_err(|_| "the column is not in the result")
                    .and_then(|value| builder.push(value));
                self.bytes += pushed.map_err(|why| PortError::Invalid {
                    object: table.column(&self.schema.columns[at].name).to_string(),
                    reason: format!("row {} of the scan: {why}", self.origin + self.rows as u64),
                })?;
            }
            self.rows += 1;
        }
        Ok(true)
    }

    /// Hands the batch out; whether anybody took it.
    async fn emit(&mut self, outlet: &Outlet) -> PortResult<bool> {
        let arrays = self.columns.iter_mut().map(CellBuilder::finish).collect();
        let batch = Batch::read(Arc::clone(&self.schema), arrays, self.rows, self.origin)?;
        self.origin += self.rows as u64;
        self.rows = 0;
        self.bytes = 0;
        Ok(outlet.send(Piece::Batch(Ok(batch))).await.is_ok())
    }
}
