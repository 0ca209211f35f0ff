//! One cell: the Arrow-free leaf that functions, detectors and canonical forms work on.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, builder};
use std::sync::Arc;

use crate::batch::Encoding;

/// A borrowed cell.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ScalarRef<'a> {
    /// SQL NULL.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text; also decimals, UUIDs, JSON, enums and intervals in text.
    Text(&'a str),
    /// Bytes, or a carried value that must not be interpreted.
    Bytes(&'a [u8]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01.
    Timestamp(i64),
}

impl ScalarRef<'_> {
    /// Whether the cell is NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl std::fmt::Debug for ScalarRef<'_> {
    /// Shows the kind of cell, never the cell.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Boolean(_) => "Boolean(…)",
            Self::Int(_) => "Int(…)",
            Self::Float(_) => "Float(…)",
            Self::Text(_) => "Text(…)",
            Self::Bytes(_) => "Bytes(…)",
            Self::Date(_) => "Date(…)",
            Self::Time(_) => "Time(…)",
            Self::Timestamp(_) => "Timestamp(…)",
        })
    }
}

/// The cell at `row` of an array that lies in one of the [`Encoding`]s.
///
/// An array of any other type reads as bytes of length zero; batches cannot hold one.
///
/// # Panics
/// When `row` is not below the array's length.
pub fn cell(array: &dyn Array, row: usize) -> ScalarRef<'_> {
    use arrow_schema::{DataType, TimeUnit};
    if array.is_null(row) {
        return ScalarRef::Null;
    }
    match array.data_type() {
        DataType::Boolean => ScalarRef::Boolean(array.as_boolean().value(row)),
        DataType::Int64 => ScalarRef::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => ScalarRef::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => ScalarRef::Text(array.as_string::<i32>().value(row)),
        DataType::Binary => ScalarRef::Bytes(array.as_binary::<i32>().value(row)),
        DataType::Date32 => ScalarRef::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(TimeUnit::Microsecond) => {
            ScalarRef::Time(array.as_primitive::<Time64MicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            ScalarRef::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        _ => ScalarRef::Bytes(&[]),
    }
}

/// A cell does not fit the encoding of the column it is appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value does not fit the column's encoding")]
pub struct Misfit;

/// Builds one column of a batch, cell by cell.
#[derive(Debug)]
pub struct ColumnBuilder {
    kind: BuilderKind,
}

#[derive(Debug)]
enum BuilderKind {
    Boolean(builder::BooleanBuilder),
    Int64(builder::Int64Builder),
    Float64(builder::Float64Builder),
    Text(builder::StringBuilder),
    Bytes(builder::BinaryBuilder),
    Date32(builder::Date32Builder),
    Time64(builder::Time64MicrosecondBuilder),
    Timestamp(builder::TimestampMicrosecondBuilder),
}

impl ColumnBuilder {
    /// A builder for `encoding` with room for `rows` cells.
    pub fn new(encoding: Encoding, rows: usize) -> Self {
        let kind = match encoding {
            Encoding::Carried(_) | Encoding::Bytes => {
                BuilderKind::Bytes(builder::BinaryBuilder::with_capacity(rows, rows * 16))
            }
            Encoding::Text => {
                BuilderKind::Text(builder::StringBuilder::with_capacity(rows, rows * 16))
            }
            Encoding::Boolean => BuilderKind::Boolean(builder::BooleanBuilder::with_capacity(rows)),
            Encoding::Int64 => BuilderKind::Int64(builder::Int64Builder::with_capacity(rows)),
            Encoding::Float64 => BuilderKind::Float64(builder::Float64Builder::with_capacity(rows)),
            Encoding::Date32 => BuilderKind::Date32(builder::Date32Builder::with_capacity(rows)),
            Encoding::Time64 => {
                BuilderKind::Time64(builder::Time64MicrosecondBuilder::with_capacity(rows))
            }
            Encoding::Timestamp => {
                BuilderKind::Timestamp(builder::TimestampMicrosecondBuilder::with_capacity(rows))
            }
        };
        Self { kind }
    }

    /// Appends one cell.
    ///
    /// # Errors
    /// When the cell's kind is not the encoding's. Nothing is converted: a silent conversion would be a
    /// silent change of data.
    pub fn push(&mut self, cell: ScalarRef<'_>) -> Result<(), Misfit> {
        match (&mut self.kind, cell) {
            (BuilderKind::Boolean(b), ScalarRef::Boolean(v)) => b.append_value(v),
            (BuilderKind::Int64(b), ScalarRef::Int(v)) => b.append_value(v),
            (BuilderKind::Float64(b), ScalarRef::Float(v)) => b.append_value(v),
            (BuilderKind::Text(b), ScalarRef::Text(v)) => b.append_value(v),
            (BuilderKind::Bytes(b), ScalarRef::Bytes(v)) => b.append_value(v),
            (BuilderKind::Date32(b), ScalarRef::Date(v)) => b.append_value(v),
            (BuilderKind::Time64(b), ScalarRef::Time(v)) => b.append_value(v),
            (BuilderKind::Timestamp(b), ScalarRef::Timestamp(v)) => b.append_value(v),
            (kind, ScalarRef::Null) => kind.append_null(),
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// The finished array; the builder is empty afterwards and can be used again.
    pub fn finish(&mut self) -> ArrayRef {
        match &mut self.kind {
            BuilderKind::Boolean(b) => Arc::new(b.finish()),
            BuilderKind::Int64(b) => Arc::new(b.finish()),
            BuilderKind::Float64(b) => Arc::new(b.finish()),
            BuilderKind::Text(b) => Arc::new(b.finish()),
            BuilderKind::Bytes(b) => Arc::new(b.finish()),
            BuilderKind::Date32(b) => Arc::new(b.finish()),
            BuilderKind::Time64(b) => Arc::new(b.finish()),
            BuilderKind::Timestamp(b) => Arc::new(b.finish()),
        }
    }
}

impl BuilderKind {
    fn append_null(&mut self) {
        match self {
            Self::Boolean(b) => b.append_null(),
            Self::Int64(b) => b.append_null(),
            Self::Float64(b) => b.append_null(),
            Self::Text(b) => b.append_null(),
            Self::Bytes(b) => b.append_null(),
            Self::Date32(b) => b.append_null(),
            Self::Time64(b) => b.append_null(),
            Self::Timestamp(b) => b.append_null(),
        }
    }
}

/// Appends the canonical bytes of a cell: equal values of one meaning give equal bytes, whatever type or
/// engine holds them.
///
/// Integer 7, text `7` and decimal `7.00` all give `7`; dates and times give ISO 8601; NULL gives nothing.
/// `decimal` says that a text cell is a number in text, so that its trailing zeros carry no meaning.
/// Text is taken in Unicode NFC.
pub fn canonical(cell: ScalarRef<'_>, decimal: bool, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to a Vec cannot fail.
    let _ = match cell {
        ScalarRef::Null => Ok(()),
        ScalarRef::Boolean(v) => out.write_all(if v { b"1" } else { b"0" }),
        ScalarRef::Int(v) => write!(out, "{v}"),
        // Display prints the shortest text that reads back, without an exponent: 7.0 gives `7`.
        ScalarRef::Float(v) => write!(out, "{v}"),
        ScalarRef::Text(v) if decimal => {
            canonical_decimal(v, out);
            Ok(())
        }
        ScalarRef::Text(v) if v.is_ascii() => out.write_all(v.as_bytes()),
        ScalarRef::Text(v) => {
            use unicode_normalization::UnicodeNormalization as _;
            v.nfc().try_for_each(|c| write!(out, "{c}"))
        }
        ScalarRef::Bytes(v) => out.write_all(v),
        ScalarRef::Date(days) => write!(out, "{}", crate::time::Day(days)),
        ScalarRef::Time(micros) => write!(out, "{}", crate::time::TimeOfDay(micros)),
        ScalarRef::Timestamp(micros) => write!(out, "{}", crate::time::Instant(micros)),
    };
}

fn canonical_decimal(text: &str, out: &mut Vec<u8>) {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        // Not a plain number (NaN, Infinity, an exponent): as it stands.
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if !(whole == "0" && fraction.is_empty()) {
        out.extend_from_slice(sign.as_bytes());
    }
    out.extend_from_slice(whole.as_bytes());
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(cell: ScalarRef<'_>, decimal: bool) -> Vec<u8> {
        let mut out = Vec::new();
        canonical(cell, decimal, &mut out);
        out
    }

    #[test]
    fn seven_is_seven_in_every_type() {
        let seven = b"7".to_vec();
        assert_eq!(bytes(ScalarRef::Int(7), false), seven);
        assert_eq!(bytes(ScalarRef::Text("7"), false), seven);
        assert_eq!(bytes(ScalarRef::Text("7.0"), true), seven);
        assert_eq!(bytes(ScalarRef::Text("+007.000"), true), seven);
        assert_eq!(bytes(ScalarRef::Float(7.0), false), seven);
        assert_eq!(bytes(ScalarRef::Text("-0.0"), true), b"0");
        assert_eq!(bytes(ScalarRef::Text("-0.50"), true), b"-0.5");
    }

    #[test]
    fn unicode_forms_of_one_text_agree() {
        assert_eq!(
            bytes(ScalarRef::Text("e\u{301}"), false),
            bytes(ScalarRef::Text("\u{e9}"), false)
        );
    }

    #[test]
    fn a_builder_refuses_a_cell_of_another_kind() {
        let mut builder = ColumnBuilder::new(Encoding::Int64, 1);
        assert_eq!(builder.push(ScalarRef::Text("7")), Err(Misfit));
        builder.push(ScalarRef::Null).unwrap();
        builder.push(ScalarRef::Int(7)).unwrap();
        let array = builder.finish();
        assert!(cell(&array, 0).is_null());
        assert_eq!(cell(&array, 1), ScalarRef::Int(7));
    }

    #[test]
    fn debug_shows_no_cell() {
        assert_eq!(format!("{:?}", ScalarRef::Text("secret")), "Text(…)");
    }
}
