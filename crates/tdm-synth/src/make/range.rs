//! Numbers, dates and times out of a range, and running numbers.

use tdm_core::function::BindError;
use tdm_core::types::LogicalType;

use super::{Build, Built, CAPACITY_MAX, Draw, Maker};
use crate::number::{Decimal, ten_to};
use crate::value::{DAY_MICROS, Value, integer_bounds, parse_date, parse_time, parse_timestamp};

/// What the units of a range are.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Number { scale: u32 },
    Float { scale: u32 },
    Day,
    TimeMicro,
    TimestampMicro,
}

/// `low`, `low + step`, … with `count` values.
#[derive(Debug)]
struct Range {
    low: i128,
    step: i128,
    count: u64,
    unit: Unit,
    ordered: bool,
    /// How many draws are multiplied: more of them prefer low values.
    skew: u32,
}

impl Range {
    fn value(&self, rank: u64, out: &mut Value) {
        let at = self.low + i128::from(rank) * self.step;
        let narrow = i64::try_from(at).unwrap_or(i64::MAX);
        *out = match self.unit {
            Unit::Number { scale } => Value::Number(Decimal { units: at, scale }),
            Unit::Float { scale } => Value::Float(Decimal { units: at, scale }.to_float()),
            Unit::Day => Value::Date(i32::try_from(at).unwrap_or(i32::MAX)),
            Unit::TimeMicro => Value::Time(narrow),
            Unit::TimestampMicro => Value::Timestamp(narrow),
        };
    }
}

impl Maker for Range {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let rank = if self.ordered {
            draw.row % self.count
        } else {
            let mut rank = draw.rng.below(self.count);
            for _ in 1..self.skew {
                let share = u128::from(draw.rng.word());
                rank = u64::try_from((u128::from(rank) * share) >> 32).unwrap_or(rank);
            }
            rank
        };
        self.value(rank, out);
    }

    fn capacity(&self) -> Option<u64> {
        Some(self.count)
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        self.value(rank, out);
    }

    fn ordered(&self) -> bool {
        self.ordered
    }
}

/// Builds the range from `low` to `high` inclusive, narrowed by constraints.
fn range(
    build: &Build<'_>,
    low: i128,
    high: i128,
    step: i128,
    unit: Unit,
) -> Result<Range, BindError> {
    let scale = match unit {
        Unit::Number { scale } | Unit::Float { scale } => scale,
        _ => 0,
    };
    let (clipped, top) = match build.bounds.clip(low, high, scale) {
        Some(found) => found,
        // The usual range may lie outside what a constraint wants: stay as near to the constraint as possible.
        None if !(build.params.0.contains_key("min") || build.params.0.contains_key("max")) => {
            let width = (high - low).max(0);
            let near = build.bounds.low.map_or_else(
                || {
                    build
                        .bounds
                        .high
                        .map_or(low, |l| l.at.floor_at(scale) - width)
                },
                |l| l.at.ceil_at(scale),
            );
            build
                .bounds
                .clip(near, near.saturating_add(width.max(1)), scale)
                .ok_or_else(contradiction)?
        }
        None => return Err(contradiction()),
    };
    // The grid of steps is kept when a constraint moves the start.
    let low = low + (clipped - low + step - 1).div_euclid(step) * step;
    if low > top {
        return Err(contradiction());
    }
    let count = u64::try_from((top - low) / step + 1).unwrap_or(CAPACITY_MAX);
    Ok(Range {
        low,
        step,
        count: count.min(CAPACITY_MAX),
        unit,
        ordered: false,
        skew: build
            .params
            .integer("skew")
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1)
            .clamp(1, 8),
    })
}

/// A range that the column's type cannot hold at all.
fn beyond(build: &Build<'_>) -> BindError {
    build.wrong("min", "the range lies outside what the column's type holds")
}

fn contradiction() -> BindError {
    BindError::Other(
        "no value is left: the range and the column's constraints exclude each other; change min, max or the constraint".to_owned(),
    )
}

fn decimal_param(build: &Build<'_>, name: &str) -> Result<Option<Decimal>, BindError> {
    match build.json(name) {
        None => Ok(None),
        Some(value) => {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Decimal::parse(&text)
                .map(Some)
                .ok_or_else(|| build.wrong(name, "must be a number"))
        }
    }
}

/// Whole numbers.
pub(super) fn integer(build: &Build<'_>) -> Built {
    let (type_low, type_high) = match &build.column.logical {
        LogicalType::Integer { bits, unsigned } => integer_bounds(*bits, *unsigned),
        LogicalType::Decimal {
            precision: Some(p),
            scale,
        } => {
            let digits = p
                .saturating_sub(u32::try_from(scale.unwrap_or(0)).unwrap_or(0))
                .min(18);
            (1 - ten_to(digits), ten_to(digits) - 1)
        }
        LogicalType::Text {
            max_length: Some(n),
        } => (0, ten_to((*n).min(18)) - 1),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let min = decimal_param(build, "min")?.map_or(1, |d| d.ceil_at(0));
    let max = decimal_param(build, "max")?.map_or(1_000.max(min), |d| d.floor_at(0));
    let step = i128::from(build.params.integer("step").unwrap_or(1).max(1));
    if min > type_high || max < type_low {
        return Err(beyond(build));
    }
    let (low, high) = (min.max(type_low), max.min(type_high));
    Ok(Box::new(range(
        build,
        low,
        high.max(low),
        step,
        Unit::Number { scale: 0 },
    )?))
}

/// Exact decimals.
pub(super) fn decimal(build: &Build<'_>) -> Built {
    let (precision, scale) = match &build.column.logical {
        LogicalType::Decimal { precision, scale } => (
            precision.unwrap_or(18),
            u32::try_from(scale.unwrap_or(2)).unwrap_or(0),
        ),
        LogicalType::Integer { .. } => (18, 0),
        _ => (18, 2),
    };
    let scale = build
        .params
        .integer("scale")
        .and_then(|s| u32::try_from(s).ok())
        .unwrap_or(scale)
        .min(scale.max(12));
    let largest = ten_to(precision.min(36)) - 1;
    let min = decimal_param(build, "min")?.map_or(0, |d| d.ceil_at(scale));
    let max = decimal_param(build, "max")?.map_or(1_000 * ten_to(scale), |d| d.floor_at(scale));
    if min > largest || max < -largest {
        return Err(beyond(build));
    }
    let min = min.max(-largest);
    let unit = Unit::Number { scale };
    Ok(Box::new(range(
        build,
        min,
        max.min(largest).max(min),
        1,
        unit,
    )?))
}

/// Binary floats with a few decimals.
pub(super) fn float(build: &Build<'_>) -> Built {
    let scale = build
        .params
        .integer("scale")
        .and_then(|s| u32::try_from(s).ok())
        .unwrap_or(3)
        .min(12);
    let min = decimal_param(build, "min")?.map_or(0, |d| d.ceil_at(scale));
    let max = decimal_param(build, "max")?.map_or(1_000 * ten_to(scale), |d| d.floor_at(scale));
    Ok(Box::new(range(
        build,
        min,
        max.max(min),
        1,
        Unit::Float { scale },
    )?))
}

fn moment<T>(
    build: &Build<'_>,
    name: &str,
    default: &str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, BindError> {
    let text = build.params.text(name).unwrap_or(default);
    parse(text).ok_or_else(|| build.wrong(name, "must be a date or a time in ISO 8601"))
}

/// Days.
pub(super) fn date(build: &Build<'_>) -> Built {
    let min = i128::from(moment(build, "min", "2020-01-01", parse_date)?);
    let max = i128::from(moment(build, "max", "2025-12-31", parse_date)?);
    Ok(Box::new(range(build, min, max, 1, Unit::Day)?))
}

/// Points in time, whole seconds.
pub(super) fn timestamp(build: &Build<'_>) -> Built {
    let min = i128::from(moment(build, "min", "2020-01-01", parse_timestamp)?);
    let max = i128::from(moment(
        build,
        "max",
        "2025-12-31 23:59:59",
        parse_timestamp,
    )?);
    Ok(Box::new(range(
        build,
        min,
        max,
        1_000_000,
        Unit::TimestampMicro,
    )?))
}

/// Times of day, whole seconds.
pub(super) fn time(build: &Build<'_>) -> Built {
    let min = i128::from(moment(build, "min", "00:00:00", parse_time)?);
    let max = i128::from(moment(build, "max", "23:59:59", parse_time)?);
    Ok(Box::new(range(
        build,
        min,
        max.min(i128::from(DAY_MICROS) - 1),
        1_000_000,
        Unit::TimeMicro,
    )?))
}

/// Running numbers: row 0 gets `start`.
pub(super) fn serial(build: &Build<'_>) -> Built {
    let (_, high) = match &build.column.logical {
        LogicalType::Integer { bits, unsigned } => integer_bounds(*bits, *unsigned),
        LogicalType::Decimal {
            precision: Some(p),
            scale,
        } => (
            0,
            ten_to(
                p.saturating_sub(u32::try_from(scale.unwrap_or(0)).unwrap_or(0))
                    .min(18),
            ) - 1,
        ),
        LogicalType::Text {
            max_length: Some(n),
        } => (0, ten_to((*n).min(18)) - 1),
        _ => (0, i128::from(i64::MAX)),
    };
    let start = i128::from(build.params.integer("start").unwrap_or(1));
    let step = i128::from(build.params.integer("step").unwrap_or(1).max(1));
    if start > high {
        return Err(build.wrong("start", "is beyond what the column's type holds"));
    }
    let mut made = range(build, start, high, step, Unit::Number { scale: 0 })?;
    made.ordered = true;
    Ok(Box::new(made))
}
