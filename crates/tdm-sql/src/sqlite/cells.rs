//! Batch columns as SQLite values: what a writer binds and what a key compares.

use rusqlite::types::ValueRef;
use tdm_core::arrow_array::cast::AsArray as _;
use tdm_core::arrow_array::types::{Float64Type, Int64Type};
use tdm_core::arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
};
use tdm_core::batch::{Encoding, WireForm};
use tdm_core::scalar::cell;
use tdm_core::types::LogicalType;

use super::{builder, text};

/// One column whose cells can be had as SQLite values.
pub(super) enum Cells<'a> {
    Carried(&'a BinaryArray),
    Int64(&'a Int64Array),
    Float64(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    /// Dates and times as SQLite's text.
    Rendered(StringArray),
}

impl<'a> Cells<'a> {
    /// `None` when SQLite cannot take the encoding, or the array is not of it.
    pub(super) fn of(
        array: &'a ArrayRef,
        encoding: Encoding,
        logical: &LogicalType,
    ) -> Option<Self> {
        if *array.data_type() != encoding.data_type() {
            return None;
        }
        Some(match encoding {
            Encoding::Carried(WireForm::Sqlite) => Self::Carried(array.as_binary::<i32>()),
            Encoding::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            Encoding::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            Encoding::Boolean => Self::Boolean(array.as_boolean()),
            Encoding::Text => Self::Text(array.as_string::<i32>()),
            Encoding::Bytes => Self::Bytes(array.as_binary::<i32>()),
            Encoding::Date32 | Encoding::Time64 | Encoding::Timestamp => Self::Rendered(
                (0..array.len())
                    .map(|row| text::time(cell(array.as_ref(), row), logical))
                    .collect(),
            ),
            _ => return None,
        })
    }

    /// Whether SQLite can take columns of this encoding.
    pub(super) const fn can_take(encoding: Encoding) -> bool {
        matches!(encoding, Encoding::Carried(WireForm::Sqlite))
            || !matches!(encoding, Encoding::Carried(_))
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Carried(a) | Self::Bytes(a) => a.is_null(row),
            Self::Int64(a) => a.is_null(row),
            Self::Float64(a) => a.is_null(row),
            Self::Boolean(a) => a.is_null(row),
            Self::Text(a) => a.is_null(row),
            Self::Rendered(a) => a.is_null(row),
        }
    }

    /// The value at `row`; `None` when a carried cell is not in wire form.
    pub(super) fn value(&self, row: usize) -> Option<ValueRef<'_>> {
        if self.is_null(row) {
            return Some(ValueRef::Null);
        }
        Some(match self {
            Self::Carried(a) => return builder::carried(a.value(row)),
            Self::Int64(a) => ValueRef::Integer(a.value(row)),
            Self::Float64(a) => ValueRef::Real(a.value(row)),
            Self::Boolean(a) => ValueRef::Integer(i64::from(a.value(row))),
            Self::Text(a) => ValueRef::Text(a.value(row).as_bytes()),
            Self::Bytes(a) => ValueRef::Blob(a.value(row)),
            Self::Rendered(a) => ValueRef::Text(a.value(row).as_bytes()),
        })
    }
}
