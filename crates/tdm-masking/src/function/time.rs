//! Dates: shifted by a keyed number of days, moved within their year, or cut to it.
//!
//! Engines without a date type hold dates in text or in numbers; every layout that is understood is kept, and
//! one that is not is an error, never a value passed through.

use std::fmt;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, ParameterKind, Promise,
};
use tdm_core::keyring::{DomainKey, Draws};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};

use super::{Bound, DAYS, Function, integer, key, key_of, parameter, word};
use crate::cells::{Reason, integer_range};

const SUBJECT: tdm_core::function::Parameter = parameter(
    "subject",
    ParameterKind::Text,
    "the value itself",
    "Column that names the person: all dates of one person move together, and intervals stay.",
);

const SHAPED: Promise = Promise {
    deterministic: true,
    injective: false,
    null_preserving: true,
    format_preserving: true,
    length_max: None,
};

pub(crate) const DATE_SHIFT: Function = Function {
    descriptor: Descriptor {
        name: "date_shift",
        summary: "The date moved by a keyed number of days, never by none; time of day and layout stay.",
        parameters: &[
            parameter(
                "days",
                ParameterKind::Integer,
                "60",
                "Largest move in days, in both directions.",
            ),
            SUBJECT,
        ],
        accepts: DAYS,
        promise: SHAPED,
        weakness: "The date is known to within the range; time of day stays, and a date that all rows share moves together.",
    },
    bind: |request| {
        let days = integer(request, "days", 60, 1..=36_500)?;
        let kind = Kind::Shift {
            days: days.unsigned_abs(),
        };
        DateColumn::bind(request, kind, "date_shift")
    },
};

pub(crate) const BIRTH_DATE: Function = Function {
    descriptor: Descriptor {
        name: "birth_date",
        summary: "Another day of the same year, so that ages stay right to a year; a year or an age alone moves by one or two.",
        parameters: &[
            parameter(
                "keep",
                ParameterKind::Text,
                "year",
                "year, or none to move the year by up to two as well.",
            ),
            SUBJECT,
        ],
        accepts: DAYS,
        promise: SHAPED,
        weakness: "The year of birth shows; very old people are few.",
    },
    bind: |request| {
        let keep = word(request, "keep", "year", &["year", "none"])? == "year";
        DateColumn::bind(request, Kind::Birth { keep }, "birth_date")
    },
};

pub(crate) const GENERALIZE_YEAR: Function = Function {
    descriptor: Descriptor {
        name: "generalize_year",
        summary: "The first day of the year at midnight; a year or an age alone is cut to a multiple of five.",
        parameters: &[],
        accepts: DAYS,
        promise: SHAPED,
        weakness: "The year shows.",
    },
    bind: |request| DateColumn::bind(request, Kind::Year, "generalize_year"),
};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Shift { days: u64 },
    Birth { keep: bool },
    Year,
}

struct DateColumn {
    kind: Kind,
    value_key: DomainKey,
    subject_key: DomainKey,
    inputs: Vec<String>,
    output: BatchColumn,
}

impl fmt::Debug for DateColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DateColumn")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl DateColumn {
    fn bind(request: &BindRequest<'_>, kind: Kind, label: &str) -> Bound {
        let inputs: Vec<String> = request
            .params
            .text("subject")
            .map(str::to_owned)
            .into_iter()
            .collect();
        for input in &inputs {
            if request.table.column(input).is_none() {
                return Err(BindError::MissingInput(request.table.table.column(input)));
            }
        }
        Ok(Box::new(Self {
            kind,
            value_key: key(request, label),
            // One offset for one person, in whatever table and column the date is.
            subject_key: key_of(request, "subject", label),
            inputs,
            output: request.column.clone(),
        }))
    }

    fn draws<'k>(&'k self, subject: Option<&[u8]>, value: i64) -> Draws<'k> {
        match subject {
            Some(subject) => self.subject_key.draws(subject),
            None => self.value_key.draws(&value.to_be_bytes()),
        }
    }

    fn day(&self, day: i32, subject: Option<&[u8]>) -> Result<i32, Reason> {
        const OUTSIDE: Reason = "the date is outside the calendar";
        let mut draws = self.draws(subject, day.into());
        let date = NaiveDate::from_epoch_days(day).ok_or(OUTSIDE)?;
        let result = match self.kind {
            Kind::Shift { days } => date
                .to_epoch_days()
                .checked_add(i32::try_from(offset(&mut draws, days)).map_err(|_| OUTSIDE)?)
                .and_then(NaiveDate::from_epoch_days)
                .ok_or(OUTSIDE)?,
            Kind::Birth { keep } => {
                let shift = if keep { 0 } else { offset(&mut draws, 2) };
                let year = date.year() + i32::try_from(shift).map_err(|_| OUTSIDE)?;
                let start = NaiveDate::from_ymd_opt(year, 1, 1).ok_or(OUTSIDE)?;
                let length = if start.leap_year() { 366 } else { 365 };
                let mut ordinal = 1 + u32::try_from(draws.below(length)).map_err(|_| OUTSIDE)?;
                if ordinal == date.ordinal() {
                    ordinal = ordinal % 365 + 1;
                }
                NaiveDate::from_yo_opt(year, ordinal).ok_or(OUTSIDE)?
            }
            Kind::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1).ok_or(OUTSIDE)?,
        };
        Ok(result.to_epoch_days())
    }

    /// A year or an age.
    fn year(&self, year: i64, subject: Option<&[u8]>) -> i64 {
        let mut draws = self.draws(subject, year);
        match self.kind {
            Kind::Shift { days } => year + offset(&mut draws, days.div_ceil(365)),
            Kind::Birth { .. } => year + offset(&mut draws, 2),
            Kind::Year => year - year.rem_euclid(5),
        }
    }

    fn instant(&self, micros: i64, subject: Option<&[u8]>) -> Result<i64, Reason> {
        let day = i32::try_from(micros.div_euclid(DAY))
            .map_err(|_| "the time is outside the calendar")?;
        let time = match self.kind {
            Kind::Year => 0,
            _ => micros.rem_euclid(DAY),
        };
        Ok(i64::from(self.day(day, subject)?) * DAY + time)
    }

    /// What a number means is read from its size: an age, a year, `YYYYMMDD`, or seconds, milli- or
    /// microseconds since 1970.
    fn integer(&self, value: i64, subject: Option<&[u8]>) -> Result<i64, Reason> {
        let (least, most) = integer_range(&self.output.logical);
        let result = match value {
            0..=199 => self.year(value, subject).max(0),
            1_000..=2_999 => self.year(value, subject),
            _ if let Some(day) = compact(value) => {
                let date = NaiveDate::from_epoch_days(self.day(day, subject)?)
                    .ok_or("the date is outside the calendar")?;
                i64::from(date.year()) * 10_000 + i64::from(date.month() * 100 + date.day())
            }
            _ => {
                let unit = match value.unsigned_abs() {
                    0..100_000_000_000 => 1_000_000,
                    100_000_000_000..100_000_000_000_000 => 1_000,
                    _ => 1,
                };
                let micros = value
                    .checked_mul(unit)
                    .ok_or("the number is no point in time")?;
                self.instant(micros, subject)?.div_euclid(unit)
            }
        };
        if (least..=most).contains(&result) {
            Ok(result)
        } else {
            Err("the moved date does not fit the column")
        }
    }

    fn text(&self, text: &str, subject: Option<&[u8]>, out: &mut String) -> Result<(), Reason> {
        out.clear();
        if text.trim().is_empty() {
            out.push_str(text);
            return Ok(());
        }
        let trimmed = text.trim();
        if trimmed.len() <= 4
            && let Ok(year @ (0..=199 | 1_000..=2_999)) = trimmed.parse::<i64>()
        {
            use fmt::Write as _;
            let _ = write!(out, "{}", self.year(year, subject).max(0));
            return Ok(());
        }
        let (layout, day, rest) =
            split(trimmed).ok_or("the text is not a date in a known layout")?;
        layout.write(self.day(day, subject)?, out);
        match self.kind {
            Kind::Year => out.extend(
                rest.chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c }),
            ),
            _ => out.push_str(rest),
        }
        Ok(())
    }
}

const DAY: i64 = 86_400_000_000;

/// A move of up to `most` in both directions, never of zero.
fn offset(draws: &mut Draws<'_>, most: u64) -> i64 {
    let draw = i64::try_from(draws.below(2 * most)).unwrap_or(0);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    if draw < most {
        draw - most
    } else {
        draw - most + 1
    }
}

impl BoundMask for DateColumn {
    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        SHAPED
    }

    fn mask(&self, input: &ArrayRef, context: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let (mut name, mut out) = (Vec::new(), String::new());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            name.clear();
            if let Some(array) = context.inputs.first() {
                canonical(cell(array.as_ref(), row), true, &mut name);
            }
            let subject = (!name.is_empty()).then_some(name.as_slice());
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Null => builder.push(ScalarRef::Null),
                ScalarRef::Date(day) => {
                    builder.push(ScalarRef::Date(self.day(day, subject).map_err(fail)?))
                }
                ScalarRef::Timestamp(micros) => builder.push(ScalarRef::Timestamp(
                    self.instant(micros, subject).map_err(fail)?,
                )),
                ScalarRef::Int(value) => {
                    builder.push(ScalarRef::Int(self.integer(value, subject).map_err(fail)?))
                }
                ScalarRef::Text(text) => {
                    self.text(text, subject, &mut out).map_err(fail)?;
                    builder.push(ScalarRef::Text(&out))
                }
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            };
            pushed.map_err(|_| fail("the date does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    YearFirst(char),
    Compact,
    DayFirst(char),
    MonthFirst(char),
}

impl Layout {
    fn write(self, day: i32, out: &mut String) {
        use fmt::Write as _;
        let Some(date) = NaiveDate::from_epoch_days(day) else {
            return;
        };
        let (y, m, d) = (date.year(), date.month(), date.day());
        let _ = match self {
            Self::YearFirst(c) => write!(out, "{y:04}{c}{m:02}{c}{d:02}"),
            Self::Compact => write!(out, "{y:04}{m:02}{d:02}"),
            Self::DayFirst(c) => write!(out, "{d:02}{c}{m:02}{c}{y:04}"),
            Self::MonthFirst(c) => write!(out, "{m:02}{c}{d:02}{c}{y:04}"),
        };
    }
}

/// Layout and day of the date that `text` begins with, and what follows.
fn split(text: &str) -> Option<(Layout, i32, &str)> {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let day = |y: u32, m: u32, d: u32| {
        let date = NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d)?;
        Some(date.to_epoch_days())
    };
    let separator = |at: usize| {
        text.get(at..=at)?
            .chars()
            .next()
            .filter(|c| ['-', '/', '.'].contains(c))
    };
    // A digit right behind would make it another number.
    let rest = |at: usize| {
        text.get(at..)
            .filter(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if let (Some(c), Some(year)) = (separator(4), number(0..4))
        && separator(7) == Some(c)
    {
        return Some((
            Layout::YearFirst(c),
            day(year, number(5..7)?, number(8..10)?)?,
            rest(10)?,
        ));
    }
    if let Some(year) = number(0..4)
        && let (Some(month), Some(date)) = (number(4..6), number(6..8))
    {
        return Some((Layout::Compact, day(year, month, date)?, rest(8)?));
    }
    let c = separator(2).filter(|c| separator(5) == Some(*c))?;
    let (first, second, year) = (number(0..2)?, number(3..5)?, number(6..10)?);
    let (day_first, month_first) = (day(year, second, first), day(year, first, second));
    // Only the slash is written both ways; the month comes first unless that makes no date.
    let layout = match (c, day_first, month_first) {
        ('/', _, Some(day)) => (Layout::MonthFirst(c), day),
        (_, Some(day), _) => (Layout::DayFirst(c), day),
        (_, None, Some(day)) => (Layout::MonthFirst(c), day),
        _ => return None,
    };
    Some((layout.0, layout.1, rest(10)?))
}

fn compact(value: i64) -> Option<i32> {
    let value = u32::try_from(value)
        .ok()
        .filter(|v| (10_000_101..=29_991_231).contains(v))?;
    let year = i32::try_from(value / 10_000).ok()?;
    Some(NaiveDate::from_ymd_opt(year, value / 100 % 100, value % 100)?.to_epoch_days())
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn day_of(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()?;
    Some(date.to_epoch_days())
}

/// Microseconds since midnight of `HH:MM:SS[.f]`.
pub(crate) fn time_of(text: &str) -> Option<i64> {
    let time = NaiveTime::parse_from_str(text.trim(), "%H:%M:%S%.f").ok()?;
    Some(
        i64::from(time.num_seconds_from_midnight()) * 1_000_000
            + i64::from(time.nanosecond() / 1_000),
    )
}

/// Microseconds since 1970 of `YYYY-MM-DD HH:MM:SS[.f]`, with a blank or `T`; a day alone is its midnight.
pub(crate) fn instant_of(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z');
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|layout| NaiveDateTime::parse_from_str(text, layout).ok())
        .map(|time| time.and_utc().timestamp_micros())
        .or_else(|| Some(i64::from(day_of(text)?) * DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written_back_in_their_layout() {
        for text in [
            "1980-02-29",
            "1980/02/29",
            "19800229",
            "29.02.1980",
            "02/29/1980",
            "29/02/1980",
            "29-02-1980",
            "1980-02-29 12:34:56",
            "1980-02-29T12:34:56.789Z",
            "1980-02-29 12:34:56+02:00",
        ] {
            let (layout, day, rest) = split(text).unwrap();
            let mut out = String::new();
            layout.write(day, &mut out);
            out.push_str(rest);
            assert_eq!(out, text);
            assert_eq!(day, day_of("1980-02-29").unwrap());
        }
        for text in [
            "1980-02-30",
            "1980-2-9",
            "unknown",
            "12345678901",
            "1980-02",
            "99/99/1980",
        ] {
            assert!(split(text).is_none(), "{text}");
        }
    }
}
