//! Rows by key: one statement for a whole batch of keys.
//!
//! The keys travel as one JSON text and come apart in `json_each`; the key columns stand on the left of `IN`,
//! so that their own affinity and collation decide, an index on them is used, and a row comes once however
//! often and in however many spellings its key is given. Nothing is written, not even a temporary table.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use serde_json::Value;
use tdm_core::batch::Encoding;
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::port::KeyBatch;

use super::affinity::Affinity;
use super::cells::Cells;
use crate::quote::Dialect;

/// The function that makes a real of its bits: SQLite's reading of decimal digits is not exact to the last bit.
const REAL_OF_BITS: &str = "tdm_real_of_bits";

/// Gives a connection what key filters need. It exists in this connection alone; no database is changed.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(REAL_OF_BITS, 1, flags, |context| {
        Ok(f64::from_bits(context.get::<i64>(0)?.cast_unsigned()))
    })
}

/// A condition with one parameter, `?1`, and the text to bind to it.
pub(super) struct KeyFilter {
    condition: String,
    seek: Option<Seek>,
    pub(super) json: String,
}

impl KeyFilter {
    /// The condition that the database answers best.
    pub(super) fn condition(&self, connection: &Connection) -> &str {
        match &self.seek {
            Some(seek) if seek.is_served(connection) => &seek.condition,
            _ => &self.condition,
        }
    }
}

/// A composite key looked up one by one in an index over all its columns. `IN` would use the first column of
/// the index alone, and read a whole tenant for a handful of rows.
struct Seek {
    condition: String,
    /// The statement inside the condition.
    select: String,
    columns: usize,
}

impl Seek {
    /// What the table is called in the statement.
    const ALIAS: &str = "tdm_row";

    /// Whether an index takes every column of the key. Without one, each key would read the whole table.
    fn is_served(&self, connection: &Connection) -> bool {
        let plan = || -> rusqlite::Result<Vec<String>> {
            let mut statement =
                connection.prepare(&format!("EXPLAIN QUERY PLAN {}", self.select))?;
            statement.query_map(["[]"], |row| row.get(3))?.collect()
        };
        let wanted = format!("SEARCH {} ", Self::ALIAS);
        plan().is_ok_and(|lines| {
            lines
                .iter()
                .any(|line| line.starts_with(&wanted) && line.matches("=?").count() == self.columns)
        })
    }
}

/// Puts the keys into a condition. `affinity` is that of the table's columns, `rowid` a name of its rowid.
pub(super) fn compile(
    table: &TableRef,
    batch: &KeyBatch,
    rowid: Option<&str>,
    affinity: impl Fn(&str) -> Affinity,
) -> PortResult<KeyFilter> {
    let malformed = || PortError::Invalid {
        object: format!("keys of {table}"),
        reason: "the arrays do not fit their columns".to_owned(),
    };
    let rows = batch.len();
    if batch.columns.is_empty()
        || batch.columns.len() != batch.arrays.len()
        || batch.arrays.iter().any(|array| array.len() != rows)
    {
        return Err(malformed());
    }
    let mut columns = Vec::with_capacity(batch.columns.len());
    for (column, array) in batch.columns.iter().zip(&batch.arrays) {
        let cells = Cells::of(array, column.encoding, &column.logical);
        columns.push(cells.ok_or_else(malformed)?);
    }
    let mut names = Vec::with_capacity(batch.columns.len());
    for column in &batch.columns {
        let name = Dialect::Sqlite.identifier(&column.name)?;
        // A column without a type keeps numbers as numbers, and decoding made text of them: compared as text,
        // a key finds the row that it was read from, at the price of an index.
        let untyped = affinity(&column.name) == Affinity::Blob && column.encoding == Encoding::Text;
        names.push(match untyped {
            true => format!("CAST({name} AS TEXT)"),
            false => name,
        });
    }

    let mut keys = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut key = Vec::with_capacity(columns.len());
        for cells in &columns {
            key.push(cells.value(row).ok_or_else(malformed)?);
        }
        // NULL equals nothing, and SQLite has no NaN.
        if !key.iter().any(|value| matches!(value, ValueRef::Null)) {
            keys.push(key);
        }
    }
    let plain = keys.iter().flatten().all(|value| is_plain(*value));
    let element = if plain { plain_element } else { tagged_element };
    let single = columns.len() == 1;
    let list: Vec<Value> = keys
        .iter()
        .map(|key| match key.as_slice() {
            [only] => element(*only),
            all => Value::Array(all.iter().map(|value| element(*value)).collect()),
        })
        .collect();

    let part = |at: usize| {
        let raw = if single {
            "j.value".to_owned()
        } else {
            format!("json_extract(j.value, '$[{at}]')")
        };
        if plain { raw } else { untagged(&raw) }
    };
    let parts: Vec<String> = (0..names.len()).map(part).collect();
    let seek = match rowid {
        Some(rowid) if !single => Some(seek(table, rowid, &names, &parts)?),
        _ => None,
    };
    let left = if single {
        names.remove(0)
    } else {
        format!("({})", names.join(", "))
    };
    Ok(KeyFilter {
        seek,
        condition: format!(
            "{left} IN (SELECT {} FROM json_each(?1) AS j)",
            parts.join(", ")
        ),
        json: Value::Array(list).to_string(),
    })
}

fn seek(table: &TableRef, rowid: &str, names: &[String], parts: &[String]) -> PortResult<Seek> {
    let alias = Seek::ALIAS;
    let (mut keys, mut same) = (Vec::new(), Vec::new());
    for (at, (name, part)) in names.iter().zip(parts).enumerate() {
        keys.push(format!("{part} AS k{at}"));
        // A cast stands around the whole name.
        same.push(match name.strip_prefix("CAST(") {
            Some(rest) => format!("CAST({alias}.{rest} = k.k{at}"),
            None => format!("{alias}.{name} = k.k{at}"),
        });
    }
    let select = format!(
        "SELECT {alias}.{rowid} FROM (SELECT {} FROM json_each(?1) AS j) AS k CROSS JOIN {} AS {alias} WHERE {}",
        keys.join(", "),
        Dialect::Sqlite.identifier(&table.name)?,
        same.join(" AND ")
    );
    Ok(Seek {
        // A set of rowids: a row that two spellings of a key find comes once.
        condition: format!("{rowid} IN ({select})"),
        select,
        columns: names.len(),
    })
}

/// Whether JSON has the value as it is. Text with NUL would be cut, and blobs and reals have no exact form.
fn is_plain(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Integer(_) => true,
        ValueRef::Text(text) => !text.contains(&0) && std::str::from_utf8(text).is_ok(),
        _ => false,
    }
}

fn plain_element(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(integer) => Value::from(integer),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
        _ => Value::Null,
    }
}

/// A letter for the class and the value in a form that any JSON text can hold.
fn tagged_element(value: ValueRef<'_>) -> Value {
    Value::from(match value {
        ValueRef::Null => return Value::Null,
        ValueRef::Integer(integer) => format!("i{integer}"),
        ValueRef::Real(real) => format!("r{}", real.to_bits().cast_signed()),
        ValueRef::Text(text) => format!("t{}", tdm_core::catalog::hex(text)),
        ValueRef::Blob(blob) => format!("b{}", tdm_core::catalog::hex(blob)),
    })
}

/// The expression that takes [`tagged_element`] back.
fn untagged(raw: &str) -> String {
    let rest = format!("substr({raw}, 2)");
    format!(
        "CASE substr({raw}, 1, 1) WHEN 'i' THEN CAST({rest} AS INTEGER) \
         WHEN 'r' THEN {REAL_OF_BITS}(CAST({rest} AS INTEGER)) WHEN 't' THEN CAST(unhex({rest}) AS TEXT) \
         WHEN 'b' THEN unhex({rest}) END"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tdm_core::arrow_array::{Int64Array, StringArray};
    use tdm_core::batch::BatchColumn;
    use tdm_core::catalog::Column;
    use tdm_core::types::LogicalType;

    use super::*;

    /// Whether a composite key is sought in an index of its own over a table with this DDL.
    fn seeks(ddl: &str) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        install(&connection).unwrap();
        connection.execute_batch(ddl).unwrap();
        let column = |name, encoding| {
            BatchColumn::of(&Column::new(name, 1, "", LogicalType::TEXT), encoding)
        };
        let batch = KeyBatch {
            columns: vec![
                column("tenant", Encoding::Int64),
                column("code", Encoding::Text),
            ],
            arrays: vec![
                Arc::new(Int64Array::from(vec![1])),
                Arc::new(StringArray::from(vec!["a"])),
            ],
        };
        let table = TableRef::new("t");
        let filter = compile(&table, &batch, Some("rowid"), |_| Affinity::Text).unwrap();
        filter.condition(&connection).contains("CROSS JOIN")
    }

    #[test]
    fn a_composite_key_is_sought_only_in_an_index_over_all_of_it() {
        let table = "CREATE TABLE t (tenant INTEGER, code TEXT COLLATE NOCASE, v);";
        for (index, expected) in [
            ("", false),
            ("CREATE INDEX i ON t (tenant)", false),
            ("CREATE INDEX i ON t (code)", false),
            ("CREATE INDEX i ON t (tenant, code)", true),
            ("CREATE INDEX i ON t (code DESC, tenant, v)", true),
            ("CREATE INDEX i ON t (tenant, v, code)", false),
            ("CREATE INDEX i ON t (tenant, code COLLATE BINARY)", false),
            ("CREATE INDEX i ON t (tenant, code) WHERE v > 0", false),
        ] {
            assert_eq!(seeks(&format!("{table} {index}")), expected, "{index}");
        }
    }
}
