//! Values from lists: dictionaries, draws by value with or without weights, the column's own default.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, ParameterKind, Promise,
};
use tdm_core::keyring::DomainKey;
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};
use tdm_core::types::TypeClass;

use super::constant::Owned;
use super::{ANY, Bound, Function, TEXTUAL, bad, key, parameter, word};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, length_max};

pub(crate) const DICTIONARY: Function = Function {
    descriptor: Descriptor {
        name: "dictionary",
        summary: "Each value by its entry in a dictionary.",
        parameters: &[
            parameter(
                "name",
                ParameterKind::Text,
                "none",
                "Dictionary that the configuration gives.",
            ),
            parameter("map", ParameterKind::Map, "none", "The dictionary itself."),
            parameter(
                "on_miss",
                ParameterKind::Text,
                "fail",
                "fail, keep or default.",
            ),
            parameter(
                "default",
                ParameterKind::Text,
                "none",
                "Value for what has no entry, with on_miss: default.",
            ),
        ],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: "The dictionary itself is the key: who has it can go back.",
    },
    bind: |request| {
        let map =
            match (request.params.text("name"), request.params.0.get("map")) {
                (Some(name), None) => request.resources.dictionary(name).ok_or_else(|| {
                    BindError::MissingResource {
                        kind: "dictionary",
                        name: name.to_owned(),
                    }
                })?,
                (None, Some(Value::Object(map))) => {
                    let text = |v: &Value| v.as_str().map(str::to_owned);
                    let map: Option<HashMap<String, String>> = map
                        .iter()
                        .map(|(k, v)| Some((k.clone(), text(v)?)))
                        .collect();
                    Arc::new(map.ok_or_else(|| bad("map", "must map texts to texts"))?)
                }
                _ => return Err(bad("name", "or `map` is needed, one of them")),
            };
        let miss = match word(request, "on_miss", "fail", &["fail", "keep", "default"])? {
            "fail" => Miss::Fail,
            "keep" => Miss::Keep,
            _ => {
                let default = request.params.text("default");
                Miss::Default(
                    default
                        .ok_or_else(|| bad("default", "is needed with on_miss: default"))?
                        .to_owned(),
                )
            }
        };
        let longest = map.values().map(|v| v.chars().count()).max().unwrap_or(0);
        if length_max(request.column).is_some_and(|max| longest > max) {
            return Err(bad("map", "has an entry that is longer than the column"));
        }
        let mask = Dictionary { map, miss };
        Ok(Box::new(TextColumn::new(
            mask,
            request.column,
            Promise::KEYED,
        )))
    },
};

enum Miss {
    Fail,
    Keep,
    Default(String),
}

struct Dictionary {
    map: Arc<HashMap<String, String>>,
    miss: Miss,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dictionary")
            .field("entries", &self.map.len())
            .finish_non_exhaustive()
    }
}

impl TextMask for Dictionary {
    fn mask(&self, input: &str, _: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        out.push_str(match (self.map.get(input), &self.miss) {
            (Some(value), _) => value,
            (None, Miss::Keep) => input,
            (None, Miss::Default(value)) => value,
            (None, Miss::Fail) => return Err("the dictionary has no entry for the value"),
        });
        Ok(())
    }
}

pub(crate) const CHOOSE: Function = Function {
    descriptor: Descriptor {
        name: "choose",
        summary: "One entry of a list, drawn by the value: equal values get equal entries.",
        parameters: &[
            parameter("from", ParameterKind::List, "none", "The list itself."),
            parameter(
                "list",
                ParameterKind::Text,
                "none",
                "List that the configuration gives.",
            ),
            parameter(
                "weights",
                ParameterKind::List,
                "equal",
                "A weight for each entry.",
            ),
        ],
        accepts: ANY,
        promise: Promise::KEYED,
        weakness: "Frequent values stay frequent.",
    },
    bind: choose,
};

fn choose(request: &BindRequest<'_>) -> Bound {
    let values: Vec<Value> = match (request.params.list("from"), request.params.text("list")) {
        (Some(list), None) => list.to_vec(),
        (None, Some(name)) => {
            let list = request
                .resources
                .list(name)
                .ok_or_else(|| BindError::MissingResource {
                    kind: "list",
                    name: name.to_owned(),
                })?;
            list.iter()
                .map(|entry| Value::from(entry.as_str()))
                .collect()
        }
        _ => return Err(bad("from", "or `list` is needed, one of them")),
    };
    let values: Vec<Owned> = values
        .iter()
        .map(|v| Owned::of(v, request.column))
        .collect::<Result<_, _>>()?;
    if values.is_empty() {
        return Err(bad("from", "is empty"));
    }
    // Bounds of each entry on a scale of 2^32 parts for the whole.
    let weights: Vec<f64> = match request.params.list("weights") {
        None => vec![1.0; values.len()],
        Some(list) => {
            let weights: Option<Vec<f64>> = list
                .iter()
                .map(|v| v.as_f64().filter(|w| w.is_finite() && *w >= 0.0))
                .collect();
            weights
                .filter(|w| w.len() == values.len() && w.iter().sum::<f64>() > 0.0)
                .ok_or_else(|| {
                    bad(
                        "weights",
                        "must be one number, not negative, for each entry",
                    )
                })?
        }
    };
    let total: f64 = weights.iter().sum();
    let bounds = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        })
        .collect();
    Ok(Box::new(Choose {
        key: key(request, "choose"),
        values,
        bounds,
        decimal: request.column.logical.class() == TypeClass::Decimal,
        output: request.column.clone(),
    }))
}

#[derive(Debug)]
struct Choose {
    key: DomainKey,
    values: Vec<Owned>,
    /// Upper bound of each entry, from 0 to 1.
    bounds: Vec<f64>,
    decimal: bool,
    output: BatchColumn,
}

impl BoundMask for Choose {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise::KEYED
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let mut bytes = Vec::new();
        for row in 0..input.len() {
            let value = cell(input.as_ref(), row);
            let chosen = if value.is_null() {
                ScalarRef::Null
            } else {
                bytes.clear();
                canonical(value, self.decimal, &mut bytes);
                #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
                let point = (self.key.draws(&bytes).next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                let at = self.bounds.partition_point(|bound| *bound <= point);
                self.values[at.min(self.values.len() - 1)].as_cell()
            };
            builder.push(chosen).map_err(|_| MaskError {
                row,
                reason: "the entry does not fit the column's encoding",
            })?;
        }
        Ok(builder.finish())
    }
}

pub(crate) const DEFAULT: Function = Function {
    descriptor: Descriptor {
        name: "column_default",
        summary: "The column's own default, where it is a constant.",
        parameters: &[],
        accepts: ANY,
        promise: Promise {
            null_preserving: true,
            ..Promise::KEYED
        },
        weakness: "Which rows are NULL shows.",
    },
    bind: |request| {
        let column = request.table.column(&request.column.name);
        let written = column.and_then(|c| c.default.as_deref()).and_then(literal);
        let value = written.ok_or_else(|| {
            BindError::Other(
                "the column has no constant default; use `fixed` or `erase`".to_owned(),
            )
        })?;
        let mut params = request.params.clone();
        params.0.insert("value".to_owned(), value);
        (super::constant::FIXED.bind)(&BindRequest {
            params: &params,
            ..*request
        })
    },
};

/// The constant that a default expression spells: a quoted text with or without a cast, a number, a boolean.
fn literal(expression: &str) -> Option<Value> {
    let text = expression
        .trim()
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim();
    if let Some(rest) = text.strip_prefix('\'') {
        let mut value = String::new();
        let mut rest = rest;
        loop {
            let end = rest.find('\'')?;
            value.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => {
                    value.push('\'');
                    rest = more;
                }
                None => break,
            }
        }
        // A cast may follow, nothing else.
        return (rest.is_empty() || rest.starts_with("::")).then(|| Value::from(value));
    }
    let bare = text.split("::").next().unwrap_or(text).trim();
    match bare.to_ascii_lowercase().as_str() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => serde_json::from_str::<serde_json::Number>(bare)
            .ok()
            .map(Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_defaults_are_read_in_every_engines_spelling() {
        for (expression, value) in [
            ("'a''b'", Value::from("a'b")),
            ("'new'::character varying", Value::from("new")),
            ("((0))", Value::from(0)),
            ("1.5", serde_json::from_str("1.5").unwrap()),
            ("true", Value::Bool(true)),
        ] {
            assert_eq!(literal(expression), Some(value), "{expression}");
        }
        for expression in [
            "now()",
            "CURRENT_TIMESTAMP",
            "nextval('x'::regclass)",
            "'a' || 'b'",
        ] {
            assert_eq!(literal(expression), None, "{expression}");
        }
    }
}
