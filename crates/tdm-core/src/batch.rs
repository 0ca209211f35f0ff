//! The one currency: a bounded piece of one table that knows whether it may reach a target.
//!
//! A [`Batch`] is a [`BatchSchema`], an Arrow `RecordBatch` and a stage. Sources make `Batch<Sensitive>`;
//! targets accept `Batch<Cleared>`; only a total plan or a generator turns one into the other.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::catalog::Column;
use crate::error::BatchError;
use crate::ident::TableRef;
use crate::types::LogicalType;

/// The form in which a server sends a value and takes it back unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireForm {
    /// A field of PostgreSQL's binary COPY format, without its length.
    PgBinary,
    /// A field of PostgreSQL's text format, unescaped.
    PgText,
    /// A field of MySQL's text protocol.
    MySqlText,
    /// One tag byte and a payload: `i` with 8 bytes big-endian, `r` with 8 bytes of IEEE 754 big-endian,
    /// `t` with UTF-8, `b` with bytes. SQLite values have types of their own, whatever the column says.
    Sqlite,
}

/// How the cells of a column lie in a batch. NULL is Arrow's NULL in every encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// The server's own bytes in a `BinaryArray`: never looked at, written back as they came.
    Carried(WireForm),
    /// `StringArray`. Decimals, UUIDs, JSON, enums, intervals and any type without an own array are in text.
    Text,
    /// `BooleanArray`.
    Boolean,
    /// `Int64Array`.
    Int64,
    /// `Float64Array`.
    Float64,
    /// `BinaryArray`.
    Bytes,
    /// `Date32Array`: days since 1970-01-01.
    Date32,
    /// `Time64MicrosecondArray`: microseconds since midnight.
    Time64,
    /// `TimestampMicrosecondArray` without zone: microseconds since 1970-01-01, UTC when the type is zoned.
    Timestamp,
}

impl Encoding {
    /// The Arrow type of the array.
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Carried(_) | Self::Bytes => DataType::Binary,
            Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Date32 => DataType::Date32,
            Self::Time64 => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BatchColumn {
    /// Name as the catalog spells it.
    pub name: String,
    /// Type in the source server's words.
    pub native: String,
    /// Type in ours.
    pub logical: LogicalType,
    /// Whether NULL may occur.
    pub nullable: bool,
    /// How the cells lie.
    pub encoding: Encoding,
}

impl BatchColumn {
    /// A catalog column in `encoding`.
    pub fn of(column: &Column, encoding: Encoding) -> Self {
        Self {
            name: column.name.clone(),
            native: column.native.clone(),
            logical: column.logical.clone(),
            nullable: column.nullable,
            encoding,
        }
    }
}

/// The columns of a batch, in order, and the table they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSchema {
    /// The table.
    pub table: TableRef,
    /// Its columns in batch order.
    pub columns: Vec<BatchColumn>,
}

impl BatchSchema {
    /// Position of the column called `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// The Arrow schema: one field a column, native type and encoding's wire form in the metadata.
    pub fn arrow(&self) -> Schema {
        Schema::new(
            self.columns
                .iter()
                .map(|column| {
                    let metadata = [("tdm.native".to_owned(), column.native.clone())].into();
                    // Nullability is not enforced here: a declared NOT NULL may be violated in the source,
                    // and that is for the target to refuse with its place.
                    Field::new(&column.name, column.encoding.data_type(), true)
                        .with_metadata(metadata)
                })
                .collect::<Vec<_>>(),
        )
    }
}

/// How large a batch may grow. Whichever bound is met first ends it; a single row may exceed `bytes_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimit {
    /// Rows.
    pub rows_max: usize,
    /// Bytes of cell data.
    pub bytes_max: usize,
}

impl Default for BatchLimit {
    fn default() -> Self {
        Self {
            rows_max: 8_192,
            bytes_max: 8 << 20,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// Whether a batch may reach a target. Sealed: there are two stages.
pub trait Stage: sealed::Sealed + Send + Sync + 'static {}

/// As read: may hold personal data, and no target writer accepts it.
#[derive(Debug, Clone, Copy)]
pub enum Sensitive {}

/// Every column was decided by a total plan, or the rows were generated.
#[derive(Debug, Clone, Copy)]
pub enum Cleared {}

impl sealed::Sealed for Sensitive {}
impl sealed::Sealed for Cleared {}
impl Stage for Sensitive {}
impl Stage for Cleared {}

/// A bounded piece of one table at a stage.
///
/// `Debug` shows shape, never cells.
///
/// A target writer takes cleared batches only; handing it what a source read does not compile:
///
/// ```compile_fail,E0308
/// use tdm_core::batch::{Batch, Sensitive};
/// use tdm_core::port::TableWriter;
/// async fn leak(writer: &mut dyn TableWriter, batch: Batch<Sensitive>) {
///     let _ = writer.write(batch).await;
/// }
/// ```
///
/// while the cleared twin does:
///
/// ```
/// use tdm_core::batch::{Batch, Cleared};
/// use tdm_core::port::TableWriter;
/// async fn load(writer: &mut dyn TableWriter, batch: Batch<Cleared>) {
///     let _ = writer.write(batch).await;
/// }
/// ```
pub struct Batch<S: Stage> {
    schema: Arc<BatchSchema>,
    data: RecordBatch,
    origin: u64,
    stage: PhantomData<fn() -> S>,
}

impl<S: Stage> Batch<S> {
    /// Schema of the batch.
    pub fn schema(&self) -> &Arc<BatchSchema> {
        &self.schema
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.data.num_rows()
    }

    /// Number, from 0, of the first row within the scan or generation that made the batch.
    ///
    /// Functions that need a row number derive it from here, so that the way a scan is cut into batches
    /// changes no value.
    pub const fn origin(&self) -> u64 {
        self.origin
    }

    /// The same rows, numbered from `origin`: for a table that several scans deliver one after another.
    #[must_use]
    pub fn renumbered(mut self, origin: u64) -> Self {
        self.origin = origin;
        self
    }

    /// The cells of column `index`.
    ///
    /// # Panics
    /// When `index` is not below the number of columns.
    pub fn column(&self, index: usize) -> &ArrayRef {
        self.data.column(index)
    }

    /// All columns in order.
    pub fn columns(&self) -> &[ArrayRef] {
        self.data.columns()
    }

    /// The Arrow batch.
    pub const fn data(&self) -> &RecordBatch {
        &self.data
    }

    /// Bytes of memory that the arrays hold.
    pub fn bytes(&self) -> usize {
        self.data.get_array_memory_size()
    }
}

impl Batch<Sensitive> {
    /// A batch as a source read it.
    ///
    /// # Errors
    /// When the arrays do not have the number, types and equal length that the schema says.
    pub fn read(
        schema: Arc<BatchSchema>,
        columns: Vec<ArrayRef>,
        rows: usize,
        origin: u64,
    ) -> Result<Self, BatchError> {
        assemble(schema, columns, rows, origin)
    }
}

impl Batch<Cleared> {
    /// Declares that every column of these rows was decided by a total plan or generated.
    ///
    /// This is the only way to make a cleared batch. It is banned by lint outside the two or three places
    /// that hold the evidence; each of them says so with a reason.
    ///
    /// # Errors
    /// When the arrays do not have the number, types and equal length that the schema says.
    pub fn attest(
        schema: Arc<BatchSchema>,
        columns: Vec<ArrayRef>,
        rows: usize,
        origin: u64,
    ) -> Result<Self, BatchError> {
        assemble(schema, columns, rows, origin)
    }
}

impl<S: Stage> Clone for Batch<S> {
    fn clone(&self) -> Self {
        Self {
            schema: Arc::clone(&self.schema),
            data: self.data.clone(),
            origin: self.origin,
            stage: PhantomData,
        }
    }
}

impl<S: Stage> std::fmt::Debug for Batch<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("table", &self.schema.table)
            .field("columns", &self.schema.columns.len())
            .field("rows", &self.data.num_rows())
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

fn assemble<S: Stage>(
    schema: Arc<BatchSchema>,
    columns: Vec<ArrayRef>,
    rows: usize,
    origin: u64,
) -> Result<Batch<S>, BatchError> {
    if columns.len() != schema.columns.len() {
        return Err(BatchError::ColumnCount {
            table: schema.table.clone(),
            expected: schema.columns.len(),
            found: columns.len(),
        });
    }
    for (column, array) in schema.columns.iter().zip(&columns) {
        if *array.data_type() != column.encoding.data_type() || array.len() != rows {
            return Err(BatchError::ColumnShape {
                column: schema.table.column(&column.name),
            });
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let data = RecordBatch::try_new_with_options(Arc::new(schema.arrow()), columns, &options)
        .map_err(|_| BatchError::Shape {
            table: schema.table.clone(),
        })?;
    Ok(Batch {
        schema,
        data,
        origin,
        stage: PhantomData,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, StringArray};

    fn schema() -> Arc<BatchSchema> {
        let id = Column::new("id", 1, "INTEGER", LogicalType::BIGINT);
        Arc::new(BatchSchema {
            table: TableRef::new("t"),
            columns: vec![BatchColumn::of(&id, Encoding::Int64)],
        })
    }

    #[test]
    fn a_batch_whose_arrays_do_not_fit_its_schema_is_refused() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        assert!(matches!(
            Batch::read(schema(), vec![text], 1, 0),
            Err(BatchError::ColumnShape { .. })
        ));
        assert!(matches!(
            Batch::read(schema(), vec![], 0, 0),
            Err(BatchError::ColumnCount { .. })
        ));
        let short: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        assert!(matches!(
            Batch::read(schema(), vec![short], 2, 0),
            Err(BatchError::ColumnShape { .. })
        ));
    }

    #[test]
    fn debug_shows_no_cell() {
        let cells: ArrayRef = Arc::new(Int64Array::from(vec![424_242]));
        let batch = Batch::read(schema(), vec![cells], 1, 0).unwrap();
        assert!(!format!("{batch:?}").contains("424242"));
    }
}
