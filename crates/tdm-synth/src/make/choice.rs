//! One of a list: constants, enums, weighted choices, booleans, NULL.

use serde_json::Value as Json;
use tdm_core::types::LogicalType;

use super::bounds::same;
use super::{Build, Built, Draw, Maker};
use crate::number::Decimal;
use crate::value::Value;

/// A weighted choice.
#[derive(Debug)]
struct Choice {
    values: Vec<Value>,
    /// Running sums of the weights, in parts of 2^32; the last is 2^32.
    sums: Vec<u64>,
}

impl Choice {
    fn even(values: Vec<Value>) -> Self {
        let weights = vec![1.0; values.len()];
        Self::weighted(values, &weights)
    }

    fn weighted(values: Vec<Value>, weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let mut running = 0.0;
        let mut sums: Vec<u64> = weights
            .iter()
            .map(|weight| {
                running += weight;
                // Sum and quotient are rounded alike everywhere: no function of the platform is called.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of 2^32 is within range"
                )]
                let sum = (running / total * 4_294_967_296.0) as u64;
                sum
            })
            .collect();
        if let Some(last) = sums.last_mut() {
            *last = 1 << 32;
        }
        Self { values, sums }
    }
}

impl Maker for Choice {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let word = u64::from(draw.rng.word());
        let at = self.sums.partition_point(|&sum| sum <= word);
        out.set(&self.values[at.min(self.values.len() - 1)]);
    }

    fn capacity(&self) -> Option<u64> {
        Some(self.values.len() as u64)
    }

    fn unrank(&self, rank: u64, out: &mut Value) {
        let at = usize::try_from(rank).unwrap_or(0);
        out.set(&self.values[at.min(self.values.len() - 1)]);
    }
}

/// A value of a recipe as one of ours.
pub(crate) fn from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(v) => Value::Boolean(*v),
        Json::Number(v) => Value::Number(Decimal::parse(&v.to_string())?),
        Json::String(v) => Value::Text(v.clone()),
        Json::Array(_) | Json::Object(_) => Value::Text(json.to_string()),
    })
}

/// One fixed value.
pub(super) fn constant(build: &Build<'_>) -> Built {
    let value = build
        .json("value")
        .and_then(from_json)
        .ok_or_else(|| build.wrong("value", "must be a text, a number, true, false or null"))?;
    Ok(Box::new(Choice::even(vec![value])))
}

/// SQL NULL.
pub(super) fn null(_: &Build<'_>) -> Built {
    Ok(Box::new(Choice::even(vec![Value::Null])))
}

/// True or false.
pub(super) fn boolean(build: &Build<'_>) -> Built {
    let share = build.params.number("share").unwrap_or(0.5);
    if !(0.0..=1.0).contains(&share) {
        return Err(build.wrong("share", "must be between 0 and 1"));
    }
    let values = match build.column.logical {
        LogicalType::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        _ => vec![Value::integer(1), Value::integer(0)],
    };
    let values = match &build.bounds.list {
        Some(list) => list.clone(),
        None => values,
    };
    if values.len() == 2 && share > 0.0 && share < 1.0 {
        return Ok(Box::new(Choice::weighted(values, &[share, 1.0 - share])));
    }
    let only = if share >= 1.0 { 0 } else { values.len() - 1 };
    Ok(Box::new(Choice::even(vec![values[only].clone()])))
}

/// One of a list, or one of a map with weights.
pub(super) fn choice(build: &Build<'_>) -> Built {
    let mut values = Vec::new();
    let mut weights = Vec::new();
    match build.json("values") {
        Some(Json::Array(list)) => {
            for item in list {
                values.push(
                    from_json(item).ok_or_else(|| {
                        build.wrong("values", "holds a value that cannot be read")
                    })?,
                );
                weights.push(1.0);
            }
        }
        Some(Json::Object(map)) => {
            for (name, weight) in map {
                let weight = weight.as_f64().filter(|w| *w >= 0.0);
                values.push(Value::Text(name.clone()));
                weights.push(
                    weight
                        .ok_or_else(|| build.wrong("values", "weights must be numbers from 0"))?,
                );
            }
        }
        Some(_) => {
            return Err(build.wrong("values", "must be a list, or a map from value to weight"));
        }
        None => {
            values = match (&build.bounds.list, &build.column.logical) {
                (Some(list), _) => list.clone(),
                (None, LogicalType::Enum { labels }) => {
                    labels.iter().cloned().map(Value::Text).collect()
                }
                _ => {
                    return Err(build.wrong("values", "is required where the column has no labels"));
                }
            };
            weights = vec![1.0; values.len()];
        }
    }
    if let Some(given) = build.params.list("weights") {
        let read: Option<Vec<f64>> = given
            .iter()
            .map(|w| w.as_f64().filter(|w| *w >= 0.0))
            .collect();
        weights = read
            .filter(|w| w.len() == values.len())
            .ok_or_else(|| build.wrong("weights", "must hold one number from 0 for each value"))?;
    }
    let allowed: Vec<bool> = values
        .iter()
        .map(|v| {
            v.is_null()
                || build
                    .bounds
                    .list
                    .as_ref()
                    .is_none_or(|list| list.iter().any(|l| same(l, v)))
        })
        .collect();
    let keep = |at: usize| allowed[at] && weights[at] > 0.0;
    let kept: Vec<usize> = (0..values.len()).filter(|&at| keep(at)).collect();
    if kept.is_empty() {
        return Err(build.wrong(
            "values",
            "leave no value that the column's constraints allow and that has a weight",
        ));
    }
    let weights: Vec<f64> = kept.iter().map(|&at| weights[at]).collect();
    let values = kept.into_iter().map(|at| values[at].clone()).collect();
    Ok(Box::new(Choice::weighted(values, &weights)))
}

/// One line of a list that the configuration names.
pub(super) fn list(build: &Build<'_>) -> Built {
    let name = build.params.text("name").unwrap_or_default();
    let lines = build
        .resources
        .list(name)
        .filter(|l| !l.is_empty())
        .ok_or_else(|| tdm_core::function::BindError::MissingResource {
            kind: "list",
            name: name.to_owned(),
        })?;
    Ok(Box::new(Choice::even(
        lines.iter().cloned().map(Value::Text).collect(),
    )))
}
