//! What every function can be told besides its own parameters: when it applies, which values stay, and what
//! happens to a value that it does not understand.
//!
//! | parameter | meaning |
//! | --- | --- |
//! | `when` | a condition, or a list that must all hold: `{column: kind, is: person}`, also `is_not`, `in`, `null: true` |
//! | `preserve` | a list of values that stay, for example `[unknown, n/a]` |
//! | `on_mismatch` | `error` (default), `null`, or `blank`: letters become x and digits 1 |
//!
//! A row that `when` leaves out and a value that `preserve` lists reach the target in clear. The plan counts
//! such a function as not one to one.

use std::collections::HashSet;

use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::catalog::TableSchema;
use tdm_core::function::{
    BindError, BoundMask, MaskContext, MaskError, ParamError, Params, Promise,
};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, canonical, cell};

use crate::function::bad;

/// Names of the parameters that every function takes.
pub(crate) const COMMON: [&str; 3] = ["when", "preserve", "on_mismatch"];

/// Common parameters, checked.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    conditions: Vec<Condition>,
    preserve: HashSet<Vec<u8>>,
    on_mismatch: OnMismatch,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OnMismatch {
    #[default]
    Error,
    Null,
    Blank,
}

struct Condition {
    column: String,
    test: Test,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Condition")
            .field("column", &self.column)
            .finish_non_exhaustive()
    }
}

enum Test {
    In(HashSet<Vec<u8>>),
    NotIn(HashSet<Vec<u8>>),
    Null(bool),
}

/// Canonical bytes of a value that a rule spells.
fn spelled(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Bool(v) => Some(if *v { b"1".to_vec() } else { b"0".to_vec() }),
        Value::Number(number) => {
            let mut bytes = Vec::new();
            canonical(ScalarRef::Text(&number.to_string()), true, &mut bytes);
            Some(bytes)
        }
        _ => None,
    }
}

impl Guard {
    /// Takes the common parameters out of `params`; `None` when there are none.
    pub(crate) fn take(
        params: &mut Params,
        table: &TableSchema,
    ) -> Result<Option<Self>, BindError> {
        if !COMMON.iter().any(|name| params.0.contains_key(*name)) {
            return Ok(None);
        }
        let mut guard = Self::default();
        match params.0.remove("when") {
            None => {}
            Some(Value::Array(list)) => {
                for item in &list {
                    guard.conditions.push(condition(item, table)?);
                }
            }
            Some(one) => guard.conditions.push(condition(&one, table)?),
        }
        if let Some(list) = params.0.remove("preserve") {
            let list = list.as_array().ok_or_else(|| wrong("preserve", "list"))?;
            let values: Option<_> = list.iter().map(spelled).collect();
            guard.preserve =
                values.ok_or_else(|| bad("preserve", "holds texts, numbers and booleans only"))?;
        }
        guard.on_mismatch = match params.0.remove("on_mismatch") {
            None => OnMismatch::Error,
            Some(Value::String(word)) => match word.as_str() {
                "error" => OnMismatch::Error,
                "null" => OnMismatch::Null,
                "blank" => OnMismatch::Blank,
                _ => return Err(bad("on_mismatch", "must be one of error, null, blank")),
            },
            Some(_) => return Err(wrong("on_mismatch", "text")),
        };
        Ok(Some(guard))
    }

    /// `inner` under these parameters.
    pub(crate) fn around(self, inner: Box<dyn BoundMask>) -> Box<dyn BoundMask> {
        let own = inner.inputs().len();
        let mut inputs = inner.inputs().to_vec();
        inputs.extend(self.conditions.iter().map(|c| c.column.clone()));
        let mut output = inner.output().clone();
        output.nullable |= self.on_mismatch == OnMismatch::Null;
        Box::new(Guarded {
            guard: self,
            inner,
            own,
            inputs,
            output,
        })
    }
}

fn wrong(name: &str, expected: &'static str) -> BindError {
    BindError::Params(vec![ParamError::Kind {
        name: name.to_owned(),
        expected,
    }])
}

fn condition(value: &Value, table: &TableSchema) -> Result<Condition, BindError> {
    let map = value.as_object().ok_or_else(|| wrong("when", "map"))?;
    let column = map.get("column").and_then(Value::as_str);
    let column = column
        .ok_or_else(|| bad("when", "needs `column`"))?
        .to_owned();
    if table.column(&column).is_none() {
        return Err(BindError::MissingInput(table.table.column(column)));
    }
    let set = |value: &Value| {
        let values: Option<HashSet<_>> = match value {
            Value::Array(list) => list.iter().map(spelled).collect(),
            one => spelled(one).map(|one| HashSet::from([one])),
        };
        values.ok_or_else(|| bad("when", "compares with texts, numbers and booleans only"))
    };
    let mut tests = map.iter().filter(|(key, _)| *key != "column");
    let (Some((key, value)), None) = (tests.next(), tests.next()) else {
        return Err(bad("when", "needs exactly one of is, is_not, in, null"));
    };
    let test = match key.as_str() {
        "is" | "in" => Test::In(set(value)?),
        "is_not" => Test::NotIn(set(value)?),
        "null" => Test::Null(
            value
                .as_bool()
                .ok_or_else(|| bad("when", "`null` is true or false"))?,
        ),
        _ => {
            return Err(bad(
                "when",
                format!("unknown test `{key}`; known: is, is_not, in, null"),
            ));
        }
    };
    Ok(Condition { column, test })
}

#[derive(Debug)]
struct Guarded {
    guard: Guard,
    inner: Box<dyn BoundMask>,
    /// How many of the inputs are the function's own.
    own: usize,
    inputs: Vec<String>,
    output: BatchColumn,
}

impl Guarded {
    /// Whether a row is to be masked.
    fn applies(
        &self,
        row: usize,
        value: ScalarRef<'_>,
        inputs: &[ArrayRef],
        bytes: &mut Vec<u8>,
    ) -> bool {
        let mut key = |value: ScalarRef<'_>| {
            bytes.clear();
            canonical(value, is_number(value), bytes);
            std::mem::take(bytes)
        };
        let holds = self
            .guard
            .conditions
            .iter()
            .zip(inputs)
            .all(|(condition, array)| {
                let value = cell(array.as_ref(), row);
                match &condition.test {
                    Test::Null(null) => value.is_null() == *null,
                    Test::In(set) => !value.is_null() && set.contains(&key(value)),
                    Test::NotIn(set) => value.is_null() || !set.contains(&key(value)),
                }
            });
        holds && (self.guard.preserve.is_empty() || !self.guard.preserve.contains(&key(value)))
    }

    /// Masks row by row, so that one value that is refused does not refuse the others.
    fn one(
        &self,
        input: &ArrayRef,
        row: usize,
        context: &MaskContext<'_>,
    ) -> Result<ArrayRef, MaskError> {
        let inputs: Vec<ArrayRef> = context.inputs.iter().map(|a| a.slice(row, 1)).collect();
        let context = MaskContext {
            origin: context.origin + row as u64,
            inputs: &inputs,
        };
        self.inner.mask(&input.slice(row, 1), &context)
    }
}

/// Whether a cell is a number, also one in text.
fn is_number(value: ScalarRef<'_>) -> bool {
    match value {
        ScalarRef::Text(text) => text.parse::<f64>().is_ok() && !text.starts_with('0'),
        _ => false,
    }
}

impl BoundMask for Guarded {
    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        let inner = self.inner.promise();
        let partial = !self.guard.conditions.is_empty() || !self.guard.preserve.is_empty();
        Promise {
            // What stays may be what another value becomes.
            injective: inner.injective && !partial && self.guard.on_mismatch == OnMismatch::Error,
            null_preserving: inner.null_preserving && self.guard.on_mismatch != OnMismatch::Null,
            ..inner
        }
    }

    fn mask(&self, input: &ArrayRef, context: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let (own, tested) = context.inputs.split_at(self.own.min(context.inputs.len()));
        let context = MaskContext {
            origin: context.origin,
            inputs: own,
        };
        let fail = |row, reason| MaskError { row, reason };
        let mut bytes = Vec::new();
        let chosen: Vec<bool> = (0..input.len())
            .map(|row| self.applies(row, cell(input.as_ref(), row), tested, &mut bytes))
            .collect();
        if self.inner.output().encoding != self.output.encoding
            || (chosen.contains(&false) && *input.data_type() != self.output.encoding.data_type())
        {
            return Err(fail(
                0,
                "a value that stays does not fit the function's output",
            ));
        }
        // Rows that stay are hidden from the function: it must not fail on what it need not read.
        let mut hidden = ColumnBuilder::new(self.output.encoding, input.len());
        let all = !chosen.contains(&false);
        for (row, chosen) in chosen.iter().enumerate().filter(|_| !all) {
            let value = if *chosen {
                cell(input.as_ref(), row)
            } else {
                ScalarRef::Null
            };
            hidden
                .push(value)
                .map_err(|_| fail(row, "the value does not fit the column's encoding"))?;
        }
        let visible = if all { input.clone() } else { hidden.finish() };
        let whole = match self.inner.mask(&visible, &context) {
            Ok(whole) if all => return Ok(whole),
            Ok(whole) => Some(whole),
            Err(error) if self.guard.on_mismatch == OnMismatch::Error => return Err(error),
            Err(_) => None,
        };
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        for (row, chosen) in chosen.iter().enumerate() {
            let pushed = match (&whole, chosen) {
                (_, false) => builder.push(cell(input.as_ref(), row)),
                (Some(whole), true) => builder.push(cell(whole.as_ref(), row)),
                (None, true) => match (self.one(input, row, &context), cell(input.as_ref(), row)) {
                    (Ok(result), _) => builder.push(cell(result.as_ref(), 0)),
                    (Err(_), ScalarRef::Text(text))
                        if self.guard.on_mismatch == OnMismatch::Blank =>
                    {
                        builder.push(ScalarRef::Text(&crate::function::nested::blank(text)))
                    }
                    (Err(error), _) if self.guard.on_mismatch == OnMismatch::Blank => {
                        return Err(fail(row, error.reason));
                    }
                    (Err(_), _) => builder.push(ScalarRef::Null),
                },
            };
            pushed.map_err(|_| fail(row, "the value does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}
