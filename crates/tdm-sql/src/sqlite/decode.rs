//! From SQLite values to the encodings in which functions compute.
//!
//! SQLite keeps any class of value in almost any column. A value is converted only where nothing is lost
//! (integers in a column of reals, numbers in a column of text); anything else is an error with its place,
//! never a silent change. A column that holds such values is taken carried.

use std::borrow::Cow;

use rusqlite::types::ValueRef;

use super::text;

/// Integers; nothing else.
pub(super) const fn integer(value: ValueRef<'_>) -> Result<Option<i64>, &'static str> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(integer) => Ok(Some(integer)),
        ValueRef::Real(_) => Err("a real stands in a column of integers"),
        ValueRef::Text(_) => Err("a text stands in a column of integers"),
        ValueRef::Blob(_) => Err("a blob stands in a column of integers"),
    }
}

/// Reals, and integers that a real holds exactly.
pub(super) fn real(value: ValueRef<'_>) -> Result<Option<f64>, &'static str> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Real(real) => Ok(Some(real)),
        ValueRef::Integer(integer) if integer.unsigned_abs() <= 1 << 53 => {
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53 in size")]
            let real = integer as f64;
            Ok(Some(real))
        }
        ValueRef::Integer(_) => Err("an integer that no real holds stands in a column of reals"),
        ValueRef::Text(_) => Err("a text stands in a column of reals"),
        ValueRef::Blob(_) => Err("a blob stands in a column of reals"),
    }
}

/// Texts in UTF-8, and numbers as text.
pub(super) fn text(value: ValueRef<'_>) -> Result<Option<Cow<'_, str>>, &'static str> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Cow::Borrowed(text))),
            Err(_) => Err("a text is not UTF-8"),
        },
        ValueRef::Integer(integer) => Ok(Some(Cow::Owned(integer.to_string()))),
        ValueRef::Real(real) => Ok(Some(Cow::Owned(text::real(real)))),
        ValueRef::Blob(_) => Err("a blob stands in a column of text"),
    }
}

/// Blobs; nothing else.
pub(super) const fn bytes(value: ValueRef<'_>) -> Result<Option<&[u8]>, &'static str> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(blob) => Ok(Some(blob)),
        ValueRef::Text(_) => Err("a text stands in a column of blobs"),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err("a number stands in a column of blobs"),
    }
}
