//! From one text to one column: the way most functions are written and run.
//!
//! A function that works on text implements [`TextMask`]; [`TextColumn`] runs it over every encoding in which
//! such a text may lie (text, whole numbers, numbers in text, bytes), keeps NULL and blank values, honours the column's
//! length and keeps buffers for a whole batch, so that no value costs an allocation.

use std::fmt::{self, Write as _};

use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::function::{BoundMask, MaskContext, MaskError, Promise};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::types::{LogicalType, TypeClass};

/// Why a value could not be masked, as a fixed sentence that cannot hold the value.
pub(crate) type Reason = &'static str;

/// Buffers that live as long as a batch.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Bytes that are hashed.
    pub(crate) key: Vec<u8>,
    /// Symbols that are permuted, and their radices.
    pub(crate) symbols: Vec<u32>,
    pub(crate) radices: Vec<u32>,
    /// A text on its way.
    pub(crate) text: String,
}

/// Masks one text that is neither NULL nor blank.
pub(crate) trait TextMask: fmt::Debug + Send + Sync {
    /// Appends the replacement of `input` to `out`.
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason>;
}

impl<T: TextMask + ?Sized> TextMask for Box<T> {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        (**self).mask(input, scratch, out)
    }
}

/// A [`TextMask`] over a column.
#[derive(Debug)]
pub(crate) struct TextColumn<M> {
    mask: M,
    output: BatchColumn,
    promise: Promise,
    /// Numbers in text: `7.00` is looked at as `7`.
    decimal: bool,
    /// Range of the whole numbers that the column takes.
    range: (i64, i64),
    length_max: Option<usize>,
}

impl<M: TextMask> TextColumn<M> {
    /// Runs `mask` over a column like `column`.
    pub(crate) fn new(mask: M, column: &BatchColumn, promise: Promise) -> Self {
        Self {
            mask,
            output: column.clone(),
            promise,
            decimal: column.logical.class() == TypeClass::Decimal,
            range: integer_range(&column.logical),
            length_max: length_max(column),
        }
    }

    fn text(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        out.clear();
        if input.trim().is_empty() {
            out.push_str(input);
            return Ok(());
        }
        self.mask.mask(input, scratch, out)?;
        match self.length_max {
            Some(max) if out.len() > max && out.chars().count() > max => {
                Err("the replacement is longer than the column")
            }
            _ => Ok(()),
        }
    }

    /// Masks a whole number by its digits, again and again until the result fits the column. The function
    /// is a bijection on numbers of that many digits, so the walk is one too and must come back inside.
    fn integer(
        &self,
        value: i64,
        scratch: &mut Scratch,
        buffers: &mut (String, String),
    ) -> Result<i64, Reason> {
        const WALK_MAX: u32 = 10_000;
        let (input, out) = buffers;
        input.clear();
        let _ = write!(input, "{value}");
        for _ in 0..WALK_MAX {
            self.text(input, scratch, out)?;
            match out.parse::<i64>() {
                Ok(result) if (self.range.0..=self.range.1).contains(&result) => return Ok(result),
                Ok(_) => {}
                Err(_) if out.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {}
                Err(_) => return Err("the replacement is not a whole number"),
            }
            std::mem::swap(input, out);
        }
        Err("no replacement fits the column's range")
    }
}

impl<M: TextMask> BoundMask for TextColumn<M> {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        self.promise
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let rows = input.len();
        let mut builder = ColumnBuilder::new(self.output.encoding, rows);
        let mut scratch = Scratch::default();
        let mut buffers = (String::new(), String::new());
        for row in 0..rows {
            let fail = |reason| MaskError { row, reason };
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Null => builder.push(ScalarRef::Null),
                ScalarRef::Text(text) if self.decimal => {
                    let mut bytes = std::mem::take(&mut scratch.key);
                    bytes.clear();
                    canonical(ScalarRef::Text(text), true, &mut bytes);
                    buffers.0.clear();
                    buffers
                        .0
                        .push_str(std::str::from_utf8(&bytes).unwrap_or_default());
                    scratch.key = bytes;
                    self.text(&buffers.0, &mut scratch, &mut buffers.1)
                        .map_err(fail)?;
                    builder.push(ScalarRef::Text(&buffers.1))
                }
                ScalarRef::Text(text) => {
                    self.text(text, &mut scratch, &mut buffers.1)
                        .map_err(fail)?;
                    builder.push(ScalarRef::Text(&buffers.1))
                }
                ScalarRef::Int(value) => builder.push(ScalarRef::Int(
                    self.integer(value, &mut scratch, &mut buffers)
                        .map_err(fail)?,
                )),
                ScalarRef::Bytes(bytes) if self.output.encoding == Encoding::Bytes => {
                    let text =
                        std::str::from_utf8(bytes).map_err(|_| fail("the bytes are not text"))?;
                    self.text(text, &mut scratch, &mut buffers.1)
                        .map_err(fail)?;
                    builder.push(ScalarRef::Bytes(buffers.1.as_bytes()))
                }
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            };
            pushed.map_err(|_| fail("the replacement does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

/// Smallest and largest whole number that a column takes.
pub(crate) fn integer_range(logical: &LogicalType) -> (i64, i64) {
    match logical {
        LogicalType::Integer { bits, unsigned } if *bits < 64 => {
            let size = 1i64 << (*bits).clamp(1, 63);
            if *unsigned {
                (0, size - 1)
            } else {
                (-(size / 2), size / 2 - 1)
            }
        }
        LogicalType::Integer { unsigned: true, .. } => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Longest text in characters that the column takes.
pub(crate) fn length_max(column: &BatchColumn) -> Option<usize> {
    let declared = match &column.logical {
        LogicalType::Decimal {
            precision: Some(precision),
            ..
        } => Some(*precision + 2),
        other => other.max_length(),
    };
    declared.and_then(|n| usize::try_from(n).ok())
}

/// Appends `input` as keys see it: without white space around it, in lower case, in Unicode NFC.
pub(crate) fn fold(input: &str, out: &mut Vec<u8>) {
    use unicode_normalization::UnicodeNormalization as _;
    out.clear();
    let input = input.trim();
    if input.is_ascii() {
        out.extend(input.bytes().map(|b| b.to_ascii_lowercase()));
        return;
    }
    let mut utf8 = [0; 4];
    for c in input.nfc().flat_map(char::to_lowercase) {
        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
}

/// Writes `text` in the case of `model`: all upper, all lower, or as it stands.
pub(crate) fn like_case(model: &str, text: &str, out: &mut String) {
    let has = |test: fn(char) -> bool| model.chars().any(test);
    let (upper, lower) = (has(char::is_uppercase), has(char::is_lowercase));
    let several = model.chars().filter(|c| c.is_alphabetic()).nth(1).is_some();
    match (upper, lower) {
        (true, false) if several => out.extend(text.chars().flat_map(char::to_uppercase)),
        (false, true) => out.extend(text.chars().flat_map(char::to_lowercase)),
        _ => out.push_str(text),
    }
}
