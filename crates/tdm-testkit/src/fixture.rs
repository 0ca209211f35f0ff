//! Small tables written as text: schema and rows at once, readable in a test, usable in memory and as SQL.
//!
//! ```
//! let shop = tdm_testkit::fixture::Fixture::parse(
//!     "[customer]
//!        id: bigint pk | name: text(40) not null | born: date
//!        1             | Ada                     | 1815-12-10
//!        2             | \" Bob \\u{1F600}\"        | NULL
//!      [invoice]
//!        id: bigint pk | customer_id: bigint
//!        @fk customer_id -> customer(id)
//!        7             | 1",
//! );
//! assert_eq!(shop.table("customer").rows.len(), 2);
//! assert_eq!(shop.table("invoice").schema.foreign_keys.len(), 1);
//! ```
//!
//! A name in brackets begins a table; the first line below it names the columns; lines with `@` are constraints
//! (`@pk`, `@unique`, `@fk`, `@index`); the others are rows. Types are `boolean`, `smallint`,
//! `int`, `bigint`, `decimal(p,s)`, `float`, `text`, `text(n)`, `bytes` (cells in hexadecimal), `date`, `time`,
//! `timestamp`, `uuid` and `json`. A bare `NULL` is NULL; a cell or name in double quotes may hold anything, with
//! `\n`, `\t`, `\"`, `\\` and `\u{…}`.

mod parse;
mod sql;

use std::fmt;
use std::sync::Arc;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Cleared, Encoding};
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::memory::{MemorySource, MemoryTable};
use tdm_core::scalar::{ColumnBuilder, ScalarRef};
use tdm_core::types::{Engine, LogicalType, TypeClass};

/// Tables in the order of the text.
#[derive(Debug, Clone, Default)]
pub struct Fixture {
    /// The tables.
    pub tables: Vec<FixtureTable>,
}

/// A schema and its rows in text.
#[derive(Clone)]
pub struct FixtureTable {
    /// The schema; its native types are the logical ones' names.
    pub schema: TableSchema,
    /// Rows of cells in schema order; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

impl fmt::Debug for FixtureTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixtureTable")
            .field("table", &self.schema.table)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl Fixture {
    /// Reads the text form.
    ///
    /// # Panics
    /// When the text is not in it, with the number of the line.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        match parse::fixture(text) {
            Ok(fixture) => fixture,
            Err((line, reason)) => panic!("fixture, line {line}: {reason}"),
        }
    }

    /// The table called `name`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn table(&self, name: &str) -> &FixtureTable {
        self.tables
            .iter()
            .find(|table| table.schema.table.matches(name))
            .unwrap_or_else(|| panic!("the fixture has no table `{name}`"))
    }

    /// The tables in memory.
    pub fn memory(&self) -> Vec<MemoryTable> {
        self.tables.iter().map(FixtureTable::memory).collect()
    }

    /// A source and introspector over the tables.
    pub fn source(&self, name: &str) -> MemorySource {
        MemorySource::new(name, self.memory())
    }

    /// The schemas with native types in the words of `engine`, in the order of the text.
    pub fn schemas(&self, engine: Engine) -> Vec<TableSchema> {
        self.tables.iter().map(|t| t.schema_for(engine)).collect()
    }

    /// Statements that create and fill the tables on `engine`, in the order of the text: parents come first.
    pub fn statements(&self, engine: Engine) -> Vec<String> {
        self.tables
            .iter()
            .flat_map(|table| sql::statements(table, engine))
            .collect()
    }
}

impl FixtureTable {
    /// The table in memory.
    ///
    /// # Panics
    /// When a cell is not of its column's type.
    pub fn memory(&self) -> MemoryTable {
        MemoryTable::new(self.schema.clone(), self.arrays(0..self.rows.len()))
            .expect("the arrays are built from the schema")
    }

    /// The schema with native types in the words of `engine`.
    pub fn schema_for(&self, engine: Engine) -> TableSchema {
        let mut schema = self.schema.clone();
        for column in &mut schema.columns {
            column.native = sql::native(&column.logical, engine);
        }
        schema
    }

    /// Schema of the batches of [`FixtureTable::batch`], with the columns that a load writes.
    pub fn batch_schema(&self) -> Arc<BatchSchema> {
        let columns = self.schema.columns.iter();
        Arc::new(BatchSchema {
            table: self.schema.table.clone(),
            columns: columns
                .filter(|column| column.is_written())
                .map(|column| BatchColumn::of(column, encoding(&column.logical)))
                .collect(),
        })
    }

    /// Rows `range` as a batch that a target takes.
    ///
    /// # Panics
    /// When there are no such rows.
    #[expect(
        clippy::disallowed_methods,
        reason = "fixtures are made up; there is nobody to leak"
    )]
    pub fn batch(&self, range: std::ops::Range<usize>) -> Batch<Cleared> {
        let origin = range.start as u64;
        let rows = range.len();
        let written = self.schema.columns.iter().map(Column::is_written);
        let arrays = self
            .arrays(range)
            .into_iter()
            .zip(written)
            .filter_map(|(array, written)| written.then_some(array))
            .collect();
        Batch::attest(self.batch_schema(), arrays, rows, origin)
            .expect("the arrays are built from the schema")
    }

    fn arrays(&self, range: std::ops::Range<usize>) -> Vec<ArrayRef> {
        let rows = &self.rows[range];
        let columns = self.schema.columns.iter().enumerate();
        columns
            .map(|(index, column)| {
                let mut builder = ColumnBuilder::new(encoding(&column.logical), rows.len());
                for (number, row) in rows.iter().enumerate() {
                    push(&mut builder, row[index].as_deref(), &column.logical).unwrap_or_else(
                        || {
                            let column = self.schema.table.column(&column.name);
                            panic!("fixture, {column}, row {number}: not of the column's type")
                        },
                    );
                }
                builder.finish()
            })
            .collect()
    }
}

/// The encoding in which fixtures, and memory tables, hold a type.
pub fn encoding(logical: &LogicalType) -> Encoding {
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

fn push(builder: &mut ColumnBuilder, cell: Option<&str>, logical: &LogicalType) -> Option<()> {
    let Some(text) = cell else {
        return builder.push(ScalarRef::Null).ok();
    };
    let pushed = match logical.class() {
        TypeClass::Boolean => builder.push(ScalarRef::Boolean(text.parse().ok()?)),
        TypeClass::Integer => builder.push(ScalarRef::Int(text.parse().ok()?)),
        TypeClass::Float => builder.push(ScalarRef::Float(text.parse().ok()?)),
        TypeClass::Bytes => builder.push(ScalarRef::Bytes(&parse::bytes(text)?)),
        TypeClass::Date => builder.push(ScalarRef::Date(parse::day(text)?)),
        TypeClass::Time => builder.push(ScalarRef::Time(parse::time(text)?)),
        TypeClass::Timestamp => builder.push(ScalarRef::Timestamp(parse::instant(text)?)),
        _ => builder.push(ScalarRef::Text(text)),
    };
    pushed.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_core::scalar::cell;

    const SHOP: &str = "
        [customer]
          id: bigint pk | name: text(40) not null unique | born: date | photo: bytes | at: timestamp
          1             | Ada                            | 1815-12-10 | 00ff         | 1969-12-31 23:59:59.5
          2             | \" B|b \\u{1F600}\\n\"             | NULL       | NULL         | NULL
        [\"odd \\\"name\"]
          a: int | \"se lect\": decimal(10,2)
          @pk a, \"se lect\"
          @fk a, \"se lect\" -> customer(id, name)
          7      | 1.50
    ";

    #[test]
    fn text_becomes_schema_and_cells() {
        let shop = Fixture::parse(SHOP);
        let customer = shop.table("customer");
        assert_eq!(
            customer.schema.primary_key.as_ref().unwrap().columns,
            ["id"]
        );
        assert_eq!(customer.schema.unique.len(), 1);
        assert!(!customer.schema.columns[1].nullable);
        assert_eq!(customer.rows[1][1].as_deref(), Some(" B|b \u{1F600}\n"));
        let memory = customer.memory();
        let born = memory.column("born").unwrap();
        assert_eq!(cell(born, 0), ScalarRef::Date(-56_270));
        assert!(cell(born, 1).is_null());
        let at = memory.column("at").unwrap();
        assert_eq!(cell(at, 0), ScalarRef::Timestamp(-500_000));
        let photo = memory.column("photo").unwrap();
        assert_eq!(cell(photo, 0), ScalarRef::Bytes(&[0, 255]));
        let odd = shop.table("odd \"name");
        assert_eq!(odd.schema.foreign_keys[0].columns.len(), 2);
        assert_eq!(customer.batch(1..2).origin(), 1);
    }

    #[test]
    fn sql_quotes_names_and_values() {
        let statements = Fixture::parse(SHOP).statements(Engine::MySql).join(";\n");
        assert!(
            statements.contains("INSERT INTO `odd \"name`"),
            "{statements}"
        );
        assert!(statements.contains("x'00ff'"), "{statements}");
        let statements = Fixture::parse(SHOP)
            .statements(Engine::Postgres)
            .join(";\n");
        assert!(statements.contains("\"odd \"\"name\""), "{statements}");
    }

    #[test]
    #[should_panic(expected = "line 3: 1 cells, 2 columns")]
    fn a_row_that_is_too_short_names_its_line() {
        Fixture::parse("[t]\n  a: int | b: int\n  1");
    }
}
