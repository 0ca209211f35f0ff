//! What constraints say about the values of one column, in a form that makers can build from.

use tdm_core::types::LogicalType;

use crate::number::Decimal;
use crate::value::{Value, parse_date, parse_time, parse_timestamp};

/// Limits on the values of one column. Numbers are as they are, dates in days, times and timestamps in
/// microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    pub(crate) low: Option<Limit>,
    pub(crate) high: Option<Limit>,
    /// The only values there may be.
    pub(crate) list: Option<Vec<Value>>,
    pub(crate) length_min: usize,
    pub(crate) length_max: Option<usize>,
    /// A pattern in the language of the `pattern` generator.
    pub(crate) pattern: Option<String>,
    /// Whether NULL breaks a constraint.
    pub(crate) not_null: bool,
    /// Whether the text must be a JSON document.
    pub(crate) json: bool,
}

/// One end of a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) at: Decimal,
    pub(crate) inclusive: bool,
}

impl Bounds {
    pub(crate) fn raise(&mut self, limit: Limit) {
        let stronger = self.low.is_none_or(|old| {
            limit
                .at
                .compare(old.at)
                .then(old.inclusive.cmp(&limit.inclusive))
                .is_gt()
        });
        if stronger {
            self.low = Some(limit);
        }
    }

    pub(crate) fn lower(&mut self, limit: Limit) {
        let stronger = self.high.is_none_or(|old| {
            limit
                .at
                .compare(old.at)
                .then(limit.inclusive.cmp(&old.inclusive))
                .is_lt()
        });
        if stronger {
            self.high = Some(limit);
        }
    }

    /// Keeps the values of `list` only, and of those the ones that were allowed before.
    pub(crate) fn only(&mut self, list: Vec<Value>) {
        self.list = Some(match self.list.take() {
            None => list,
            Some(old) => list
                .into_iter()
                .filter(|v| old.iter().any(|o| same(o, v)))
                .collect(),
        });
    }

    /// Smallest and largest unit at `scale` within both `low..=high` and the limits; `None` when empty.
    pub(crate) fn clip(&self, low: i128, high: i128, scale: u32) -> Option<(i128, i128)> {
        let low = self.low.map_or(low, |limit| {
            let at = limit.at.ceil_at(scale);
            let exact = limit.at.floor_at(scale) == at;
            low.max(at + i128::from(exact && !limit.inclusive))
        });
        let high = self.high.map_or(high, |limit| {
            let at = limit.at.floor_at(scale);
            let exact = limit.at.ceil_at(scale) == at;
            high.min(at - i128::from(exact && !limit.inclusive))
        });
        (low <= high).then_some((low, high))
    }
}

/// Whether two values are the same to a constraint.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Time(a), Value::Time(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.compare(b).is_eq(),
            _ => false,
        },
    }
}

/// A literal of a constraint as the column's own kind of value.
pub(crate) fn literal_for(logical: &LogicalType, value: &Value) -> Option<Value> {
    Some(match (logical, value) {
        (LogicalType::Date, Value::Text(text)) => {
            Value::Date(parse_date(text.split([' ', 'T']).next()?)?)
        }
        (LogicalType::Timestamp { .. }, Value::Text(text)) => {
            Value::Timestamp(parse_timestamp(text)?)
        }
        (LogicalType::Time, Value::Text(text)) => Value::Time(parse_time(text)?),
        (
            LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Float { .. },
            value,
        ) => Value::Number(value.number()?),
        (LogicalType::Boolean, Value::Number(number)) => Value::Boolean(number.units != 0),
        (LogicalType::Boolean, Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" => Value::Boolean(true),
            "f" | "false" | "0" => Value::Boolean(false),
            _ => return None,
        },
        (_, value) => value.clone(),
    })
}

/// A value as the number that limits compare, when it has one.
pub(crate) fn as_limit(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Float(float) => Decimal::from_float(*float),
        Value::Date(days) => Some(Decimal::whole(i128::from(*days))),
        Value::Time(micros) | Value::Timestamp(micros) => Some(Decimal::whole(i128::from(*micros))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_narrow_and_strict_ones_exclude_their_end() {
        let limit = |text: &str, inclusive| Limit {
            at: Decimal::parse(text).unwrap(),
            inclusive,
        };
        let mut bounds = Bounds::default();
        bounds.raise(limit("0", true));
        bounds.raise(limit("0", false));
        bounds.raise(limit("-5", true));
        bounds.lower(limit("10.5", false));
        assert_eq!(bounds.clip(-100, 100, 0), Some((1, 10)));
        assert_eq!(bounds.clip(-100, 10_000, 2), Some((1, 1_049)));
        bounds.lower(limit("0", true));
        assert_eq!(bounds.clip(-100, 100, 0), None);
    }
}
