//! Builds batch columns out of SQLite values, straight from the cursor.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use tdm_core::arrow_array::builder::{BinaryBuilder, Float64Builder, Int64Builder, StringBuilder};
use tdm_core::arrow_array::{ArrayRef, BinaryArray};
use tdm_core::arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use tdm_core::batch::Encoding;

use super::decode;

/// One column under construction.
pub(super) enum CellBuilder {
    Carried(CarriedBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
}

impl CellBuilder {
    /// A builder for one of the encodings that this source delivers.
    pub(super) fn new(encoding: Encoding, rows: usize) -> Self {
        match encoding {
            Encoding::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            Encoding::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            Encoding::Text => Self::Text(StringBuilder::with_capacity(rows, rows * 16)),
            Encoding::Bytes => Self::Bytes(BinaryBuilder::with_capacity(rows, rows * 16)),
            _ => Self::Carried(CarriedBuilder::new(rows)),
        }
    }

    /// Appends a value; returns its bytes.
    ///
    /// # Errors
    /// A fixed sentence when the value is of a class that the encoding cannot hold.
    pub(super) fn push(&mut self, value: ValueRef<'_>) -> Result<usize, &'static str> {
        match self {
            Self::Carried(builder) => return Ok(builder.push(value)),
            Self::Int64(builder) => builder.append_option(decode::integer(value)?),
            Self::Float64(builder) => builder.append_option(decode::real(value)?),
            Self::Text(builder) => {
                let text = decode::text(value)?;
                builder.append_option(text.as_deref());
                return Ok(text.map_or(0, |t| t.len()));
            }
            Self::Bytes(builder) => {
                let bytes = decode::bytes(value)?;
                builder.append_option(bytes);
                return Ok(bytes.map_or(0, <[u8]>::len));
            }
        }
        Ok(8)
    }

    /// The finished column; the builder is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Carried(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Values in [`tdm_core::batch::WireForm::Sqlite`]: a tag byte and a payload each, in one run of bytes.
pub(super) struct CarriedBuilder {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl CarriedBuilder {
    pub(super) fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self {
            bytes: Vec::with_capacity(rows * 16),
            ends,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Appends a value; returns its bytes.
    ///
    /// # Panics
    /// When the column exceeds 2 GiB; batches are cut far below, and SQLite's values end below 1 GiB.
    pub(super) fn push(&mut self, value: ValueRef<'_>) -> usize {
        let before = self.bytes.len();
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(integer) => {
                self.bytes.push(b'i');
                self.bytes.extend_from_slice(&integer.to_be_bytes());
            }
            ValueRef::Real(real) => {
                self.bytes.push(b'r');
                self.bytes.extend_from_slice(&real.to_be_bytes());
            }
            ValueRef::Text(text) => {
                self.bytes.push(b't');
                self.bytes.extend_from_slice(text);
            }
            ValueRef::Blob(blob) => {
                self.bytes.push(b'b');
                self.bytes.extend_from_slice(blob);
            }
        }
        self.end_cell(!matches!(value, ValueRef::Null));
        self.bytes.len() - before
    }

    fn end_cell(&mut self, present: bool) {
        let end = i32::try_from(self.bytes.len()).expect("a batch column stays below 2 GiB");
        self.ends.push(end);
        self.nulls.append(present);
    }

    pub(super) fn finish(&mut self) -> BinaryArray {
        let rows = self.ends.len();
        let mut ends = Vec::with_capacity(rows);
        ends.push(0);
        let ends = std::mem::replace(&mut self.ends, ends);
        let room = self.bytes.len();
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(room));
        BinaryArray::new(
            OffsetBuffer::new(ScalarBuffer::from(ends)),
            Buffer::from_vec(bytes),
            self.nulls.finish(),
        )
    }
}

/// A carried cell as a value of SQLite; `None` when it is not in wire form.
pub(super) fn carried(cell: &[u8]) -> Option<ValueRef<'_>> {
    let (tag, payload) = cell.split_first()?;
    Some(match tag {
        b'i' => ValueRef::Integer(i64::from_be_bytes(payload.try_into().ok()?)),
        b'r' => ValueRef::Real(f64::from_be_bytes(payload.try_into().ok()?)),
        b't' => ValueRef::Text(payload),
        b'b' => ValueRef::Blob(payload),
        _ => return None,
    })
}
