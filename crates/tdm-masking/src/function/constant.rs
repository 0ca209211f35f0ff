//! Values that owe nothing to the input: NULL, a constant, the empty value of a type, a label by row.

use std::sync::Arc;

use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef, new_null_array};
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, Parameter,
    ParameterKind, Promise,
};
use tdm_core::keyring::DomainKey;
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::types::{LogicalType, TypeClass};

use super::{ANY, Bound, Function, bad, key, parameter};
use crate::cells::{integer_range, length_max};
use crate::check::allowed_labels;

/// Deterministic because nothing goes in.
const CONSTANT: Promise = Promise {
    deterministic: true,
    injective: false,
    null_preserving: true,
    format_preserving: false,
    length_max: None,
};

pub(crate) const NULL: Function = Function {
    descriptor: Descriptor {
        name: "null",
        summary: "NULL.",
        parameters: &[],
        accepts: ANY,
        promise: Promise {
            null_preserving: false,
            ..CONSTANT
        },
        weakness: "None; nothing is left.",
    },
    bind: |request| {
        if !request.column.nullable {
            return Err(BindError::Other(
                "the column is NOT NULL; use `fixed` or `erase`".to_owned(),
            ));
        }
        Ok(Box::new(Constant::new(request.column, None, true)))
    },
};

pub(crate) const FIXED: Function = Function {
    descriptor: Descriptor {
        name: "fixed",
        summary: "One value for every row; NULL stays NULL unless said otherwise.",
        parameters: &[
            Parameter {
                name: "value",
                kind: ParameterKind::Any,
                summary: "The value.",
                default: None,
            },
            parameter(
                "keep_null",
                ParameterKind::Boolean,
                "true",
                "Whether NULL stays NULL.",
            ),
        ],
        accepts: ANY,
        promise: CONSTANT,
        weakness: "Which rows are NULL shows.",
    },
    bind: |request| {
        let value = request.params.0.get("value").cloned().unwrap_or_default();
        let owned = Owned::of(&value, request.column)?;
        let keep_null = request.params.boolean("keep_null").unwrap_or(true);
        Ok(Box::new(Constant::new(
            request.column,
            Some(owned),
            !keep_null,
        )))
    },
};

pub(crate) const ERASE: Function = Function {
    descriptor: Descriptor {
        name: "erase",
        summary: "NULL where the column allows it, else the empty value of its type, else an allowed label.",
        parameters: &[],
        accepts: ANY,
        promise: Promise {
            null_preserving: false,
            ..CONSTANT
        },
        weakness: "None; nothing is left.",
    },
    bind: |request| {
        if request.column.nullable {
            return Ok(Box::new(Constant::new(request.column, None, true)));
        }
        let labels = allowed_labels(request.table, &request.column.name);
        let value = match (&request.column.logical, labels.first()) {
            (LogicalType::Enum { labels }, _) => labels.first().cloned().map(Value::String),
            (LogicalType::Text { .. }, Some(label)) => Some(Value::String(label.clone())),
            (logical, _) => empty(logical),
        };
        let value = value.ok_or_else(|| {
            BindError::Other(
                "the column is NOT NULL and its type has no empty value; use `fixed`".to_owned(),
            )
        })?;
        let owned = Owned::of(&value, request.column)?;
        Ok(Box::new(Constant::new(request.column, Some(owned), true)))
    },
};

/// The value of a type that says nothing.
fn empty(logical: &LogicalType) -> Option<Value> {
    Some(match logical.class() {
        TypeClass::Boolean => Value::Bool(false),
        TypeClass::Integer | TypeClass::Float => Value::from(0),
        TypeClass::Decimal => Value::from("0"),
        TypeClass::Text | TypeClass::Bytes => Value::from(""),
        TypeClass::Date => Value::from("1970-01-01"),
        TypeClass::Time | TypeClass::Interval => Value::from("00:00:00"),
        TypeClass::Timestamp => Value::from("1970-01-01 00:00:00"),
        TypeClass::Uuid => Value::from("00000000-0000-0000-0000-000000000000"),
        TypeClass::Json => Value::from("{}"),
        TypeClass::Array => Value::from("{}"),
        _ => return None,
    })
}

/// A constant in the column's encoding.
#[derive(Clone)]
pub(crate) enum Owned {
    Boolean(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
}

impl Owned {
    /// The parameter `value` for `column`.
    pub(crate) fn of(value: &Value, column: &BatchColumn) -> Result<Self, BindError> {
        let wrong = || {
            bad(
                "value",
                format!("does not fit a column of type {}", column.logical),
            )
        };
        let text = value.as_str();
        let written = match value {
            Value::String(text) => text.clone(),
            Value::Null => return Err(bad("value", "must not be null; use the function `null`")),
            Value::Array(_) | Value::Object(_) if column.logical.class() != TypeClass::Json => {
                return Err(wrong());
            }
            other => other.to_string(),
        };
        if let LogicalType::Enum { labels } = &column.logical
            && !labels.contains(&written)
        {
            return Err(bad(
                "value",
                format!("must be one of {}", labels.join(", ")),
            ));
        }
        let length = match column.encoding {
            Encoding::Bytes => written.len(),
            _ => written.chars().count(),
        };
        if length_max(column).is_some_and(|max| length > max) {
            return Err(bad("value", "is longer than the column"));
        }
        match column.encoding {
            Encoding::Boolean => value.as_bool().map(Self::Boolean),
            Encoding::Int64 => {
                let (least, most) = integer_range(&column.logical);
                let number = value.as_i64().or_else(|| text?.parse().ok());
                number.filter(|n| (least..=most).contains(n)).map(Self::Int)
            }
            Encoding::Float64 => value
                .as_f64()
                .or_else(|| text?.parse().ok())
                .map(Self::Float),
            Encoding::Text => Some(Self::Text(written)),
            Encoding::Bytes => Some(Self::Bytes(written.into_bytes())),
            Encoding::Date32 => text.and_then(super::time::day_of).map(Self::Date),
            Encoding::Time64 => text.and_then(super::time::time_of).map(Self::Time),
            Encoding::Timestamp => text.and_then(super::time::instant_of).map(Self::Timestamp),
            _ => None,
        }
        .ok_or_else(wrong)
    }

    pub(crate) fn as_cell(&self) -> ScalarRef<'_> {
        match self {
            Self::Boolean(v) => ScalarRef::Boolean(*v),
            Self::Int(v) => ScalarRef::Int(*v),
            Self::Float(v) => ScalarRef::Float(*v),
            Self::Text(v) => ScalarRef::Text(v),
            Self::Bytes(v) => ScalarRef::Bytes(v),
            Self::Date(v) => ScalarRef::Date(*v),
            Self::Time(v) => ScalarRef::Time(*v),
            Self::Timestamp(v) => ScalarRef::Timestamp(*v),
        }
    }
}

impl std::fmt::Debug for Owned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_cell().fmt(f)
    }
}

#[derive(Debug)]
struct Constant {
    output: BatchColumn,
    value: Option<Owned>,
    over_null: bool,
}

impl Constant {
    fn new(column: &BatchColumn, value: Option<Owned>, over_null: bool) -> Self {
        let mut output = column.clone();
        output.nullable = value.is_none() || (column.nullable && !over_null);
        Self {
            output,
            value,
            over_null,
        }
    }
}

impl BoundMask for Constant {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise {
            null_preserving: !self.over_null,
            ..CONSTANT
        }
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let Some(value) = &self.value else {
            return Ok(new_null_array(
                &self.output.encoding.data_type(),
                input.len(),
            ));
        };
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        for row in 0..input.len() {
            let cell = match cell(input.as_ref(), row) {
                ScalarRef::Null if !self.over_null => ScalarRef::Null,
                _ => value.as_cell(),
            };
            builder.push(cell).map_err(|_| MaskError {
                row,
                reason: "the constant does not fit the column's encoding",
            })?;
        }
        Ok(builder.finish())
    }
}

pub(crate) const PICK: Function = Function {
    descriptor: Descriptor {
        name: "pick",
        summary: "One of a list, of the labels of an enum, or of the values that a check constraint lists, drawn by row.",
        parameters: &[parameter(
            "from",
            ParameterKind::List,
            "the column's labels",
            "What to draw from.",
        )],
        accepts: ANY,
        promise: Promise {
            deterministic: false,
            injective: false,
            null_preserving: true,
            format_preserving: false,
            length_max: None,
        },
        weakness: "Which rows are NULL shows; the distribution of the source is lost.",
    },
    bind: pick,
};

fn pick(request: &BindRequest<'_>) -> Bound {
    let values: Vec<Value> = match request.params.list("from") {
        Some(list) => list.to_vec(),
        None => {
            let labels = match &request.column.logical {
                LogicalType::Enum { labels } => labels.clone(),
                LogicalType::Boolean => Vec::new(),
                _ => allowed_labels(request.table, &request.column.name),
            };
            if request.column.logical == LogicalType::Boolean {
                vec![Value::Bool(false), Value::Bool(true)]
            } else {
                labels.into_iter().map(Value::String).collect()
            }
        }
    };
    if values.is_empty() {
        return Err(bad(
            "from",
            "is needed: the column has no labels of its own",
        ));
    }
    let values: Result<Arc<[Owned]>, BindError> = values
        .iter()
        .map(|v| Owned::of(v, request.column))
        .collect();
    Ok(Box::new(Pick {
        key: key(request, "pick"),
        values: values?,
        output: request.column.clone(),
    }))
}

#[derive(Debug)]
struct Pick {
    key: DomainKey,
    values: Arc<[Owned]>,
    output: BatchColumn,
}

impl BoundMask for Pick {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        PICK.descriptor.promise
    }

    fn mask(&self, input: &ArrayRef, context: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        for row in 0..input.len() {
            let number = context.origin + row as u64;
            let cell = if input.is_null(row) {
                ScalarRef::Null
            } else {
                let mut draws = self.key.draws(&number.to_be_bytes());
                draws
                    .pick(&self.values)
                    .map_or(ScalarRef::Null, Owned::as_cell)
            };
            builder.push(cell).map_err(|_| MaskError {
                row,
                reason: "the label does not fit the column's encoding",
            })?;
        }
        Ok(builder.finish())
    }
}
