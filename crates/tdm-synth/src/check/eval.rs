//! Evaluates a condition on one row, with SQL's third truth value.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Comparison, Expr, Function};
use crate::make::bounds::literal_for;
use crate::number::Decimal;
use crate::value::{DAY_MICROS, Value};
use tdm_core::types::LogicalType;

/// The value of `expr` on `row`; NULL is unknown.
pub(super) fn evaluate<'a>(expr: &'a Expr, row: &'a [Value]) -> Cow<'a, Value> {
    match expr {
        Expr::Column(at) => Cow::Borrowed(&row[*at]),
        Expr::Literal(value) => Cow::Borrowed(value),
        other => Cow::Owned(computed(other, row)),
    }
}

fn computed(expr: &Expr, row: &[Value]) -> Value {
    match expr {
        Expr::Column(at) => row[*at].clone(),
        Expr::Literal(value) => value.clone(),
        Expr::Not(inner) => match truth(&evaluate(inner, row)) {
            Some(v) => Value::Boolean(!v),
            None => Value::Null,
        },
        Expr::Negate(inner) => match evaluate(inner, row).number() {
            Some(n) => Value::Number(n.negate()),
            None => Value::Null,
        },
        Expr::And(a, b) => both(truth(&evaluate(a, row)), || truth(&evaluate(b, row)), false),
        Expr::Or(a, b) => both(truth(&evaluate(a, row)), || truth(&evaluate(b, row)), true),
        Expr::Compare(comparison, a, b) => verdict(
            compare(&evaluate(a, row), &evaluate(b, row)).map(|order| meets(*comparison, order)),
        ),
        Expr::Arithmetic(sign, a, b) => arithmetic(*sign, &evaluate(a, row), &evaluate(b, row)),
        Expr::In { expr, list } => {
            let value = evaluate(expr, row);
            let mut unknown = value.is_null();
            for item in list {
                match compare(&value, &evaluate(item, row)) {
                    Some(Ordering::Equal) => return Value::Boolean(true),
                    Some(_) => {}
                    None => unknown = true,
                }
            }
            if unknown {
                Value::Null
            } else {
                Value::Boolean(false)
            }
        }
        Expr::Like {
            expr,
            pattern,
            escape,
            fold,
        } => text(&evaluate(expr, row)).map_or(Value::Null, |text| {
            let (text, pattern) = if *fold {
                (text.to_lowercase(), pattern.to_lowercase())
            } else {
                (text, pattern.clone())
            };
            Value::Boolean(like(
                &text.chars().collect::<Vec<_>>(),
                &pattern.chars().collect::<Vec<_>>(),
                *escape,
            ))
        }),
        Expr::Matches { expr, regex, .. } => text(&evaluate(expr, row))
            .map_or(Value::Null, |text| Value::Boolean(regex.is_match(&text))),
        Expr::IsNull(inner) => Value::Boolean(evaluate(inner, row).is_null()),
        Expr::Call(function, arguments) => call(*function, arguments, row),
    }
}

fn verdict(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Boolean)
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Null => None,
        Value::Boolean(v) => Some(*v),
        other => other.number().map(|n| n.units != 0),
    }
}

/// AND when `decisive` is false, OR when it is true.
fn both(a: Option<bool>, b: impl FnOnce() -> Option<bool>, decisive: bool) -> Value {
    if a == Some(decisive) {
        return Value::Boolean(decisive);
    }
    match (a, b()) {
        (_, Some(b)) if b == decisive => Value::Boolean(decisive),
        (Some(_), Some(_)) => Value::Boolean(!decisive),
        _ => Value::Null,
    }
}

const fn meets(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// How two values compare; unknown when one is NULL or they are of kinds that do not.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return None,
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Date(a), Value::Timestamp(b)) => (i64::from(*a) * DAY_MICROS).cmp(b),
        (Value::Timestamp(a), Value::Date(b)) => a.cmp(&(i64::from(*b) * DAY_MICROS)),
        (
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::Boolean(_),
            Value::Text(_),
        ) => {
            return compare(a, &literal_for(&kind(a), b)?);
        }
        (
            Value::Text(_),
            Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::Boolean(_),
        ) => {
            return compare(b, a).map(Ordering::reverse);
        }
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (a, b) => a.number()?.compare(b.number()?),
    })
}

const fn kind(value: &Value) -> LogicalType {
    match value {
        Value::Date(_) => LogicalType::Date,
        Value::Time(_) => LogicalType::Time,
        Value::Boolean(_) => LogicalType::Boolean,
        _ => LogicalType::Timestamp { zoned: false },
    }
}

fn arithmetic(sign: char, a: &Value, b: &Value) -> Value {
    let whole = |v: &Value| match v {
        Value::Date(days) => Some(Decimal::whole(i128::from(*days))),
        other => other.number(),
    };
    let (Some(x), Some(y)) = (whole(a), whole(b)) else {
        return Value::Null;
    };
    let exact = match sign {
        '+' => x.add(y),
        '-' => x.add(y.negate()),
        '*' => x.multiply(y),
        '%' if y.units != 0 => {
            let scale = x.scale.max(y.scale);
            Some(Decimal {
                units: x.floor_at(scale) % y.floor_at(scale),
                scale,
            })
        }
        '/' if y.units != 0 => {
            let quotient = x.to_float() / y.to_float();
            // Integers divide to integers on two of the three engines.
            let both_whole = x.scale == 0 && y.scale == 0;
            return if both_whole {
                Value::integer(x.units / y.units)
            } else {
                Value::Float(quotient)
            };
        }
        _ => None,
    };
    match (exact, a, b) {
        (Some(n), Value::Date(_), Value::Number(_)) => {
            i32::try_from(n.units).map_or(Value::Null, Value::Date)
        }
        (Some(n), ..) => Value::Number(n),
        (None, ..) => Value::Null,
    }
}

fn text(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let mut out = String::new();
    value.write(&mut out);
    Some(out)
}

fn call(function: Function, arguments: &[Expr], row: &[Value]) -> Value {
    if function == Function::Coalesce {
        return arguments
            .iter()
            .map(|a| evaluate(a, row))
            .find(|v| !v.is_null())
            .map_or(Value::Null, Cow::into_owned);
    }
    let first = evaluate(&arguments[0], row);
    let Some(string) = text(&first) else {
        return Value::Null;
    };
    match function {
        Function::Length => {
            Value::integer(first.length().unwrap_or_else(|| string.chars().count()) as i128)
        }
        Function::Lower => Value::Text(string.to_lowercase()),
        Function::Upper => Value::Text(string.to_uppercase()),
        Function::Trim => Value::Text(string.trim().to_owned()),
        Function::Abs => first.number().map_or(Value::Null, |n| {
            Value::Number(Decimal {
                units: n.units.abs(),
                scale: n.scale,
            })
        }),
        Function::JsonValid => {
            Value::Boolean(serde_json::from_str::<serde::de::IgnoredAny>(&string).is_ok())
        }
        Function::Concat => {
            let mut whole = string;
            for argument in &arguments[1..] {
                match text(&evaluate(argument, row)) {
                    Some(more) => whole.push_str(&more),
                    None => return Value::Null,
                }
            }
            Value::Text(whole)
        }
        Function::Coalesce => Value::Null,
    }
}

/// SQL's LIKE, without recursion: on a mismatch the last `%` takes one character more.
fn like(text: &[char], pattern: &[char], escape: Option<char>) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let matched = match pattern.get(p) {
            None if t == text.len() => return true,
            None => None,
            Some('%') => {
                back = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('_') => (t < text.len()).then_some(1),
            Some(c) if Some(*c) == escape => {
                (text.get(t) == pattern.get(p + 1) && t < text.len()).then_some(2)
            }
            Some(c) => (text.get(t) == Some(c)).then_some(1),
        };
        match (matched, back) {
            (Some(step), _) => {
                p += step;
                t += 1;
            }
            (None, Some((after, taken))) if taken < text.len() => {
                back = Some((after, taken + 1));
                p = after;
                t = taken + 1;
            }
            _ => return false,
        }
    }
}
