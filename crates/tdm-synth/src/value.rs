//! One made cell, the form in which its column wants it, and the way into a batch.

use std::fmt::{self, Write as _};

use tdm_core::arrow_array::Array;
use tdm_core::batch::{Encoding, WireForm};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::time::{Day, Instant, TimeOfDay};
use tdm_core::types::LogicalType;

use crate::number::Decimal;

pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// A made cell. Slots of this type are reused from row to row, so texts keep their buffers.
#[derive(Clone, Default)]
pub(crate) enum Value {
    #[default]
    Null,
    Boolean(bool),
    Number(Decimal),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            _ => "Value(…)",
        })
    }
}

impl Value {
    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn integer(value: i128) -> Self {
        Self::Number(Decimal::whole(value))
    }

    /// The slot's text buffer, emptied.
    pub(crate) fn text(&mut self) -> &mut String {
        if let Self::Text(text) = self {
            text.clear();
        } else {
            *self = Self::Text(String::new());
        }
        match self {
            Self::Text(text) => text,
            _ => unreachable!("it was made a text above"),
        }
    }

    /// Copies `other`, keeping the buffer.
    pub(crate) fn set(&mut self, other: &Self) {
        match other {
            Self::Text(text) => self.text().push_str(text),
            other => *self = other.clone(),
        }
    }

    /// The cell at `row` of an array of a batch.
    pub(crate) fn read(array: &dyn Array, row: usize) -> Self {
        match cell(array, row) {
            ScalarRef::Boolean(v) => Self::Boolean(v),
            ScalarRef::Int(v) => Self::integer(i128::from(v)),
            ScalarRef::Float(v) => Self::Float(v),
            ScalarRef::Text(v) => Self::Text(v.to_owned()),
            ScalarRef::Bytes(v) => Self::Bytes(v.to_vec()),
            ScalarRef::Date(v) => Self::Date(v),
            ScalarRef::Time(v) => Self::Time(v),
            ScalarRef::Timestamp(v) => Self::Timestamp(v),
            _ => Self::Null,
        }
    }

    /// Writes the value as people and SQL write it; bytes as hexadecimal.
    pub(crate) fn write(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Null => Ok(()),
            Self::Boolean(v) => write!(out, "{v}"),
            Self::Number(v) => write!(out, "{v}"),
            Self::Float(v) => write!(out, "{v}"),
            Self::Text(v) => {
                out.push_str(v);
                Ok(())
            }
            Self::Bytes(v) => v.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            Self::Date(v) => write!(out, "{}", Day(*v)),
            Self::Time(v) => write!(out, "{}", TimeOfDay(*v)),
            Self::Timestamp(v) => write!(out, "{}", Instant(*v)),
        };
    }

    /// The exact number this is, when it is one.
    pub(crate) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(v) => Some(*v),
            Self::Float(v) => Decimal::from_float(*v),
            Self::Boolean(v) => Some(Decimal::whole(i128::from(*v))),
            Self::Text(v) => Decimal::parse(v),
            _ => None,
        }
    }

    /// Length in characters (text) or bytes.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Self::Text(v) => Some(v.chars().count()),
            Self::Bytes(v) => Some(v.len()),
            _ => None,
        }
    }
}

/// Days since 1970-01-01 of an ISO date.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let mut parts = text.trim().splitn(3, '-');
    let year: i64 = parts.next()?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok()?;
    let day: i64 = parts.next()?.parse().ok()?;
    let lengths = [
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let longest = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=longest).contains(&day) || !(1..=9_999).contains(&year) {
        return None;
    }
    // Days of the civil calendar, counted from March so that the leap day is last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    i32::try_from(days).ok()
}

const fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Microseconds since midnight of an ISO time of day.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let mut parts = clock.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: i64 = parts.next().unwrap_or("0").parse().ok()?;
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) || !(0..60).contains(&seconds) {
        return None;
    }
    let micros: i64 = format!("{:0<6}", fraction.get(..fraction.len().min(6))?)
        .parse()
        .ok()?;
    Some((hours * 3_600 + minutes * 60 + seconds) * 1_000_000 + micros)
}

/// Microseconds since 1970-01-01 of an ISO date with or without a time; a zone other than UTC is refused.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z').trim_end_matches("+00");
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let days = i64::from(parse_date(date)?) * DAY_MICROS;
    Some(
        days + if time.is_empty() {
            0
        } else {
            parse_time(time)?
        },
    )
}

/// Brings values into the form that one column holds.
#[derive(Debug, Clone)]
pub(crate) struct Fitter {
    logical: LogicalType,
}

impl Fitter {
    pub(crate) const fn new(logical: LogicalType) -> Self {
        Self { logical }
    }

    /// Brings `value` into the column's form: a type of ours, a length, a scale.
    ///
    /// # Errors
    /// A fixed sentence when it does not fit. Nothing is cut but text that has no meaning left to lose.
    pub(crate) fn fit(&self, value: &mut Value) -> Result<(), &'static str> {
        const WRONG: &str = "the generator makes another kind of value than the column holds";
        if value.is_null() {
            return Ok(());
        }
        match &self.logical {
            LogicalType::Boolean => match value {
                Value::Boolean(_) => {}
                Value::Number(n) if n.units == 0 || n.units == 1 => {
                    *value = Value::Boolean(n.units == 1);
                }
                _ => return Err(WRONG),
            },
            LogicalType::Integer { bits, unsigned } => {
                let number = value.number().ok_or(WRONG)?;
                let units = number.floor_at(0);
                let (low, high) = integer_bounds(*bits, *unsigned);
                if !(low..=high).contains(&units) {
                    return Err("a number is outside the range of the column's type");
                }
                *value = Value::integer(units);
            }
            LogicalType::Decimal { precision, scale } => {
                let mut number = value.number().ok_or(WRONG)?;
                if let Some(scale) = scale {
                    let scale = u32::try_from(*scale).unwrap_or(0);
                    number = Decimal {
                        units: number.floor_at(scale),
                        scale,
                    };
                }
                if precision.is_some_and(|p| {
                    number.units.unsigned_abs() >= crate::number::ten_to(p).unsigned_abs()
                }) {
                    return Err("a number has more digits than the column holds");
                }
                *value = Value::Number(number);
            }
            LogicalType::Float { .. } => match value {
                Value::Float(_) => {}
                other => *other = Value::Float(other.number().ok_or(WRONG)?.to_float()),
            },
            LogicalType::Date => match value {
                Value::Date(_) => {}
                Value::Timestamp(micros) => {
                    *value = Value::Date(
                        i32::try_from(micros.div_euclid(DAY_MICROS)).map_err(|_| WRONG)?,
                    );
                }
                Value::Text(text) => *value = Value::Date(parse_date(text).ok_or(WRONG)?),
                _ => return Err(WRONG),
            },
            LogicalType::Timestamp { .. } => match value {
                Value::Timestamp(_) => {}
                Value::Date(days) => *value = Value::Timestamp(i64::from(*days) * DAY_MICROS),
                Value::Text(text) => *value = Value::Timestamp(parse_timestamp(text).ok_or(WRONG)?),
                _ => return Err(WRONG),
            },
            LogicalType::Time => match value {
                Value::Time(_) => {}
                Value::Text(text) => *value = Value::Time(parse_time(text).ok_or(WRONG)?),
                _ => return Err(WRONG),
            },
            LogicalType::Bytes { max_length } => {
                if let Value::Text(text) = value {
                    *value = Value::Bytes(std::mem::take(text).into_bytes());
                }
                let Value::Bytes(bytes) = value else {
                    return Err(WRONG);
                };
                if max_length.is_some_and(|max| bytes.len() > max as usize) {
                    return Err("bytes are longer than the column holds");
                }
            }
            LogicalType::Enum { labels } => {
                let Value::Text(text) = value else {
                    return Err(WRONG);
                };
                if !labels.contains(text) {
                    return Err("a text is no label of the column's enum");
                }
            }
            _ => {
                if !matches!(value, Value::Text(_)) {
                    let mut text = String::new();
                    value.write(&mut text);
                    *value = Value::Text(text);
                }
                // A text has no more characters than bytes.
                if let (Some(max), Value::Text(text)) = (self.logical.max_length(), &*value)
                    && text.len() > max as usize
                    && text.chars().count() > max as usize
                {
                    return Err("a text is longer than the column holds");
                }
            }
        }
        Ok(())
    }
}

/// Smallest and largest value of an integer column; unsigned 64-bit ones are used up to the signed limit.
pub(crate) fn integer_bounds(bits: u8, unsigned: bool) -> (i128, i128) {
    let bits = u32::from(bits.clamp(1, 64));
    if unsigned {
        (0, ((1i128 << bits) - 1).min(i128::from(i64::MAX)))
    } else {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    }
}

/// Whether cells of `logical` can lie in `encoding`.
pub(crate) const fn can_encode(logical: &LogicalType, encoding: Encoding) -> bool {
    use LogicalType as L;
    match encoding {
        Encoding::Carried(form) => matches!(form, WireForm::Sqlite),
        Encoding::Text => !matches!(logical, L::Bytes { .. }),
        Encoding::Boolean => matches!(logical, L::Boolean),
        Encoding::Int64 => matches!(
            logical,
            L::Boolean | L::Integer { .. } | L::Decimal { scale: Some(0), .. }
        ),
        Encoding::Float64 => matches!(
            logical,
            L::Integer { .. } | L::Decimal { .. } | L::Float { .. }
        ),
        Encoding::Bytes => matches!(logical, L::Bytes { .. } | L::Text { .. } | L::Uuid),
        Encoding::Date32 => matches!(logical, L::Date),
        Encoding::Time64 => matches!(logical, L::Time),
        Encoding::Timestamp => matches!(logical, L::Timestamp { .. } | L::Date),
        _ => false,
    }
}

/// Appends a fitted value in `encoding`.
///
/// # Errors
/// A fixed sentence when the value has no form in the encoding.
pub(crate) fn push(
    builder: &mut ColumnBuilder,
    encoding: Encoding,
    value: &Value,
    scratch: &mut String,
) -> Result<(), &'static str> {
    const MISFIT: &str = "a value has no form in the encoding that the target asked for";
    let scalar = match (encoding, value) {
        (_, Value::Null) => ScalarRef::Null,
        (Encoding::Text, Value::Text(v)) => ScalarRef::Text(v),
        (Encoding::Text, Value::Bytes(_)) => return Err(MISFIT),
        (Encoding::Text, other) => {
            scratch.clear();
            other.write(scratch);
            ScalarRef::Text(scratch)
        }
        (Encoding::Boolean, Value::Boolean(v)) => ScalarRef::Boolean(*v),
        (Encoding::Int64, Value::Boolean(v)) => ScalarRef::Int(i64::from(*v)),
        (Encoding::Int64, Value::Number(v)) => {
            ScalarRef::Int(i64::try_from(v.floor_at(0)).map_err(|_| MISFIT)?)
        }
        (Encoding::Float64, Value::Float(v)) => ScalarRef::Float(*v),
        (Encoding::Float64, Value::Number(v)) => ScalarRef::Float(v.to_float()),
        (Encoding::Bytes, Value::Bytes(v)) => ScalarRef::Bytes(v),
        (Encoding::Bytes, Value::Text(v)) => ScalarRef::Bytes(v.as_bytes()),
        (Encoding::Date32, Value::Date(v)) => ScalarRef::Date(*v),
        (Encoding::Timestamp, Value::Date(v)) => ScalarRef::Timestamp(i64::from(*v) * DAY_MICROS),
        (Encoding::Timestamp, Value::Timestamp(v)) => ScalarRef::Timestamp(*v),
        (Encoding::Time64, Value::Time(v)) => ScalarRef::Time(*v),
        (Encoding::Carried(WireForm::Sqlite), other) => {
            let wire = sqlite_wire(other)?;
            return builder.push(ScalarRef::Bytes(&wire)).map_err(|_| MISFIT);
        }
        _ => return Err(MISFIT),
    };
    builder.push(scalar).map_err(|_| MISFIT)
}

fn sqlite_wire(value: &Value) -> Result<Vec<u8>, &'static str> {
    let tagged = |tag: u8, payload: &[u8]| {
        let mut wire = vec![tag];
        wire.extend_from_slice(payload);
        wire
    };
    Ok(match value {
        Value::Boolean(v) => tagged(b'i', &i64::from(*v).to_be_bytes()),
        Value::Number(v) if v.scale == 0 => {
            let v = i64::try_from(v.units).map_err(|_| "a number is too large for SQLite")?;
            tagged(b'i', &v.to_be_bytes())
        }
        Value::Number(v) => tagged(b'r', &v.to_float().to_be_bytes()),
        Value::Float(v) => tagged(b'r', &v.to_be_bytes()),
        Value::Bytes(v) => tagged(b'b', v),
        other => {
            let mut text = String::new();
            other.write(&mut text);
            tagged(b't', text.as_bytes())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_read_back_as_they_print() {
        for days in [-719_162, -1, 0, 59, 60, 11_016, 19_782, 20_000] {
            assert_eq!(parse_date(&Day(days).to_string()), Some(days));
        }
        for micros in [0, 1, 86_399_999_999, 43_200_000_000] {
            assert_eq!(parse_time(&TimeOfDay(micros).to_string()), Some(micros));
        }
        assert_eq!(parse_date("2023-02-29"), None);
        assert_eq!(parse_timestamp("1970-01-02"), Some(DAY_MICROS));
        assert_eq!(parse_timestamp("1970-01-01T00:00:01Z"), Some(1_000_000));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        let byte = Fitter::new(LogicalType::Integer {
            bits: 8,
            unsigned: true,
        });
        assert!(byte.fit(&mut Value::integer(256)).is_err());
        assert!(byte.fit(&mut Value::integer(255)).is_ok());
        let short = Fitter::new(LogicalType::Text {
            max_length: Some(3),
        });
        assert!(short.fit(&mut Value::Text("äöü".into())).is_ok());
        assert!(short.fit(&mut Value::Text("äöüa".into())).is_err());
        let money = Fitter::new(LogicalType::Decimal {
            precision: Some(4),
            scale: Some(2),
        });
        assert!(money.fit(&mut Value::integer(99)).is_ok());
        assert!(money.fit(&mut Value::integer(100)).is_err());
    }

    #[test]
    fn debug_shows_no_cell() {
        assert!(!format!("{:?}", Value::Text("secret".into())).contains("secret"));
    }
}
