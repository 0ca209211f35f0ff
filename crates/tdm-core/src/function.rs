//! Masking functions as self-describing objects: described once, bound early, run without surprises.
//!
//! A [`MaskingFunction`] says what it is; [`MaskingFunction::bind`] checks parameters and the column's type
//! before a row is read; the [`BoundMask`] it gives cannot meet a type surprise. Documentation, parameter
//! checks, proofs against constraints and property tests come from the [`Descriptor`].

use std::fmt;
use std::sync::Arc;

use arrow_array::ArrayRef;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::batch::BatchColumn;
use crate::catalog::TableSchema;
use crate::detector::TextDetector;
use crate::ident::ColumnRef;
use crate::keyring::{Keyring, PseudonymDomain};
use crate::scalar::{ColumnBuilder, ScalarRef, cell};
use crate::types::{LogicalType, TypeClass};

/// Everything a function says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// Name in rules.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Parameters. Any other is an error at bind time.
    pub parameters: &'static [Parameter],
    /// Types of columns it accepts.
    pub accepts: &'static [TypeClass],
    /// What it promises with default parameters.
    pub promise: Promise,
    /// What it does not protect against, in one honest sentence.
    pub weakness: &'static str,
}

/// One parameter of a function or generator.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Name in rules.
    pub name: &'static str,
    /// Kind of value.
    pub kind: ParameterKind,
    /// One line.
    pub summary: &'static str,
    /// What is used when the rule gives none; `None` makes the parameter required.
    pub default: Option<&'static str>,
}

/// Kind of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
    /// Any value.
    Any,
}

impl ParameterKind {
    /// Whether `value` is of this kind.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
            Self::Any => true,
        }
    }

    /// The word that messages use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "whole number",
            Self::Number => "number",
            Self::Boolean => "true or false",
            Self::List => "list",
            Self::Map => "map",
            Self::Any => "value",
        }
    }
}

/// What a function promises. Proofs rest on it, and generic property tests hold it to its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact that a proof asks for"
)]
pub struct Promise {
    /// The same input, key and domain give the same output, in every run and on every engine.
    pub deterministic: bool,
    /// Different inputs give different outputs: fit for keys and unique columns.
    pub injective: bool,
    /// NULL stays NULL and nothing else becomes NULL.
    pub null_preserving: bool,
    /// Length and character classes stay.
    pub format_preserving: bool,
    /// Longest output in characters; `None` when it follows the input or the parameters.
    pub length_max: Option<u32>,
}

impl Promise {
    /// Deterministic, keeps NULL, nothing more.
    pub const KEYED: Self = Self {
        deterministic: true,
        injective: false,
        null_preserving: true,
        format_preserving: false,
        length_max: None,
    };
}

/// Parameters as a rule gives them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(pub Map<String, Value>);

impl Params {
    /// Checks names and kinds against `parameters`, and that no required one is missing.
    ///
    /// # Errors
    /// All problems at once.
    pub fn check(&self, parameters: &[Parameter]) -> Result<(), Vec<ParamError>> {
        let mut problems = Vec::new();
        for (name, value) in &self.0 {
            match parameters.iter().find(|p| p.name == name) {
                None => problems.push(ParamError::Unknown {
                    name: name.clone(),
                    known: parameters.iter().map(|p| p.name).collect(),
                }),
                Some(parameter) if !parameter.kind.accepts(value) => {
                    problems.push(ParamError::Kind {
                        name: name.clone(),
                        expected: parameter.kind.as_str(),
                    });
                }
                Some(_) => {}
            }
        }
        for parameter in parameters.iter().filter(|p| p.default.is_none()) {
            if !self.0.contains_key(parameter.name) {
                problems.push(ParamError::Missing {
                    name: parameter.name,
                });
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// The text called `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The whole number called `name`.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// The number called `name`.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// The boolean called `name`.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// The list called `name`.
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.0.get(name)?.as_array().map(Vec::as_slice)
    }
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// The function has no such parameter.
    #[error("unknown parameter `{name}`; known: {}", .known.join(", "))]
    Unknown {
        /// As written.
        name: String,
        /// What would do.
        known: Vec<&'static str>,
    },
    /// A required parameter is missing.
    #[error("parameter `{name}` is required")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A value of the wrong kind.
    #[error("parameter `{name}` must be a {expected}")]
    Kind {
        /// Its name.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A value of the right kind that does not work.
    #[error("parameter `{name}`: {reason}")]
    Value {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
}

/// Named lists and tables that rules refer to; the composition root reads the files.
pub trait Resources: fmt::Debug + Send + Sync {
    /// The dictionary called `name`: key to replacement.
    fn dictionary(&self, name: &str) -> Option<Arc<std::collections::HashMap<String, String>>>;

    /// The list called `name`, one entry a row.
    fn list(&self, name: &str) -> Option<Arc<Vec<String>>>;

    /// Detectors for personal data inside text, when there are any.
    fn text_detector(&self) -> Option<Arc<dyn TextDetector>>;
}

/// No resources at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoResources;

impl Resources for NoResources {
    fn dictionary(&self, _: &str) -> Option<Arc<std::collections::HashMap<String, String>>> {
        None
    }
    fn list(&self, _: &str) -> Option<Arc<Vec<String>>> {
        None
    }
    fn text_detector(&self) -> Option<Arc<dyn TextDetector>> {
        None
    }
}

/// What a function is bound to.
#[derive(Debug, Clone, Copy)]
pub struct BindRequest<'a> {
    /// Parameters of the rule, already checked against the descriptor.
    pub params: &'a Params,
    /// The column as it will lie in the batch.
    pub column: &'a BatchColumn,
    /// The table it belongs to, for siblings, keys and constraints.
    pub table: &'a TableSchema,
    /// Where keys come from.
    pub keyring: &'a dyn Keyring,
    /// Domain of the column.
    pub domain: &'a PseudonymDomain,
    /// Dictionaries, lists and detectors.
    pub resources: &'a dyn Resources,
}

/// Why a function cannot be bound. The caller adds column and rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Parameters are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Params(Vec<ParamError>),
    /// The column's type is not accepted.
    #[error("does not accept {found}; accepts {}", .accepts.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", "))]
    Type {
        /// Type of the column.
        found: LogicalType,
        /// What would do.
        accepts: Vec<TypeClass>,
    },
    /// A column that the function needs does not exist.
    #[error("needs column {0}, which does not exist")]
    MissingInput(ColumnRef),
    /// A dictionary, list or detector is not there.
    #[error("needs the {kind} `{name}`, which is not configured")]
    MissingResource {
        /// `dictionary`, `list` or `detector`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Anything else, with a remedy.
    #[error("{0}")]
    Other(String),
}

/// Why a value could not be masked: a place and a reason, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {reason}")]
pub struct MaskError {
    /// Row within the batch, from 0. The caller adds the batch's origin and the column.
    pub row: usize,
    /// What was wrong, as a fixed sentence.
    pub reason: &'static str,
}

/// What a bound function knows while it runs.
#[derive(Clone, Copy)]
pub struct MaskContext<'a> {
    /// Number of the batch's first row within its scan.
    pub origin: u64,
    /// The columns named by [`BoundMask::inputs`], in that order, before masking.
    pub inputs: &'a [ArrayRef],
}

impl fmt::Debug for MaskContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskContext")
            .field("origin", &self.origin)
            .field("inputs", &self.inputs.len())
            .finish()
    }
}

/// A named masking algorithm.
pub trait MaskingFunction: fmt::Debug + Send + Sync {
    /// What it is.
    fn descriptor(&self) -> &Descriptor;

    /// Binds it to a column.
    ///
    /// # Errors
    /// Whatever would fail on a row for a reason known now: a parameter, a type, a missing resource.
    fn bind(&self, request: &BindRequest<'_>) -> Result<Box<dyn BoundMask>, BindError>;
}

/// A function bound to one column.
pub trait BoundMask: fmt::Debug + Send + Sync {
    /// Sibling columns it reads, before masking. Nothing undeclared is reachable.
    fn inputs(&self) -> &[String] {
        &[]
    }

    /// The column it makes: type, nullability and encoding may differ from the input's.
    fn output(&self) -> &BatchColumn;

    /// What it promises with these parameters.
    fn promise(&self) -> Promise;

    /// Masks one column of one batch. The result has as many rows as `input`.
    ///
    /// # Errors
    /// With the first row that could not be masked. Nothing passes unmasked.
    fn mask(&self, input: &ArrayRef, context: &MaskContext<'_>) -> Result<ArrayRef, MaskError>;
}

/// A function on one cell: the Arrow-free way to write a masking function. [`Lift`] runs it over columns.
pub trait ScalarMask: fmt::Debug + Send + Sync {
    /// Masks one non-NULL cell: calls `emit` exactly once with the result, or returns a fixed sentence.
    ///
    /// # Errors
    /// When the cell cannot be masked.
    fn mask(
        &self,
        input: ScalarRef<'_>,
        row: u64,
        emit: &mut dyn FnMut(ScalarRef<'_>),
    ) -> Result<(), &'static str>;
}

/// A [`ScalarMask`] over whole columns. NULL stays NULL without a call.
#[derive(Debug)]
pub struct Lift<M> {
    mask: M,
    output: BatchColumn,
    promise: Promise,
}

impl<M: ScalarMask> Lift<M> {
    /// Runs `mask` over columns and makes `output`.
    pub const fn new(mask: M, output: BatchColumn, promise: Promise) -> Self {
        Self {
            mask,
            output,
            promise,
        }
    }

    /// The function on one cell.
    pub const fn scalar(&self) -> &M {
        &self.mask
    }
}

impl<M: ScalarMask> BoundMask for Lift<M> {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        self.promise
    }

    fn mask(&self, input: &ArrayRef, context: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let rows = input.len();
        let mut builder = ColumnBuilder::new(self.output.encoding, rows);
        for row in 0..rows {
            let value = cell(input.as_ref(), row);
            let fail = |reason| MaskError { row, reason };
            if value.is_null() {
                builder
                    .push(ScalarRef::Null)
                    .map_err(|_| fail("NULL was refused"))?;
                continue;
            }
            let mut pushed = None;
            self.mask
                .mask(value, context.origin + row as u64, &mut |result| {
                    pushed = Some(builder.push(result));
                })
                .map_err(fail)?;
            match pushed {
                Some(Ok(())) => {}
                Some(Err(_)) => {
                    return Err(fail(
                        "the function made a value of another type than it declared",
                    ));
                }
                None => return Err(fail("the function made no value")),
            }
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: &[Parameter] = &[
        Parameter {
            name: "length",
            kind: ParameterKind::Integer,
            summary: "Length.",
            default: None,
        },
        Parameter {
            name: "prefix",
            kind: ParameterKind::Text,
            summary: "Prefix.",
            default: Some(""),
        },
    ];

    #[test]
    fn all_problems_of_parameters_are_reported_at_once() {
        let params: Params =
            serde_json::from_value(serde_json::json!({"lenght": 3, "prefix": 1})).unwrap();
        let problems = params.check(PARAMETERS).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
    }
}
