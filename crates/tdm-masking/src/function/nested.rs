//! Functions inside cells: pieces of many cells are collected, masked as one column each, and put back.
//!
//! Because the pieces run through the same bound functions as whole columns do, the e-mail inside a note gets
//! the pseudonym that the e-mail column gets, and a function registered from outside works here too.

use std::sync::Arc;

use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef, StringArray};
use tdm_core::category::Category;
use tdm_core::function::{BindError, BindRequest, BoundMask, MaskContext, MaskingFunction, Params};
use tdm_core::keyring::PseudonymDomain;
use tdm_core::scalar::{ScalarRef, cell};

use super::{bad, inner_column};

/// Functions that may be named inside a cell.
pub(crate) type Functions = Arc<[Arc<dyn MaskingFunction>]>;

/// What happens to a piece of a cell.
#[derive(Debug)]
pub(crate) enum Inner {
    /// It stays.
    Keep,
    /// It goes.
    Erase,
    /// It is masked.
    Mask(Box<dyn BoundMask>),
}

/// Binds what a parameter says about a piece: `keep`, `erase`, the name of a function, or a map with
/// `function`, `params` and `domain`.
pub(crate) fn bind_inner(
    functions: &Functions,
    parameter: &str,
    spec: &Value,
    domain: &str,
    request: &BindRequest<'_>,
) -> Result<Inner, BindError> {
    let empty = Params::default();
    let (name, params, domain) = match spec {
        Value::String(name) => (name.as_str(), empty, domain.to_owned()),
        Value::Object(map) => {
            if let Some(unknown) = map
                .keys()
                .find(|k| !["function", "params", "domain"].contains(&k.as_str()))
            {
                return Err(bad(
                    parameter,
                    format!("unknown key `{unknown}`; known: function, params, domain"),
                ));
            }
            let name = map.get("function").and_then(Value::as_str);
            let name = name.ok_or_else(|| bad(parameter, "needs `function`"))?;
            let params = match map.get("params") {
                None => empty,
                Some(Value::Object(map)) => Params(map.clone()),
                Some(_) => return Err(bad(parameter, "`params` must be a map")),
            };
            let domain = map.get("domain").and_then(Value::as_str).unwrap_or(domain);
            (name, params, domain.to_owned())
        }
        _ => {
            return Err(bad(
                parameter,
                "must be keep, erase, a function, or a map with `function`",
            ));
        }
    };
    match name {
        "keep" => return Ok(Inner::Keep),
        "erase" | "null" => return Ok(Inner::Erase),
        _ => {}
    }
    let function = functions
        .iter()
        .find(|f| f.descriptor().name == name)
        .ok_or_else(|| {
            bad(
                parameter,
                format!("there is no function `{name}` for use inside a cell"),
            )
        })?;
    let column = inner_column(request.column);
    let bound = function.bind(&BindRequest {
        params: &params,
        column: &column,
        domain: &PseudonymDomain::new(domain),
        ..*request
    })?;
    if !bound.inputs().is_empty() {
        return Err(bad(
            parameter,
            format!("`{name}` reads other columns and cannot be used inside a cell"),
        ));
    }
    Ok(Inner::Mask(bound))
}

/// The functions by category that the plan or the rule gives.
pub(crate) fn bind_categories(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<Vec<(Category, Inner)>, BindError> {
    let Some(Value::Object(map)) = request.params.0.get("categories") else {
        return Ok(Vec::new());
    };
    map.iter()
        .map(|(name, spec)| {
            let category: Category = name
                .parse()
                .map_err(|_| bad("categories", format!("`{name}` is not a category")))?;
            let inner = bind_inner(functions, "categories", spec, name, request)?;
            Ok((category, inner))
        })
        .collect()
}

/// Pieces for one function, in the order they were found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Pieces {
    texts: Vec<String>,
}

impl Pieces {
    /// Adds a piece and gives its number.
    pub(crate) fn push(&mut self, text: &str) -> usize {
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }

    /// Masks all pieces. One that the function refuses loses its letters and digits: nothing passes, and a
    /// note does not fail for the sake of one odd date.
    pub(crate) fn mask(&self, inner: &Inner) -> Vec<String> {
        match inner {
            Inner::Keep => self.texts.clone(),
            Inner::Erase => vec![String::new(); self.texts.len()],
            Inner::Mask(bound) => {
                let run = |texts: &[String]| -> Option<ArrayRef> {
                    let array: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
                    let context = MaskContext {
                        origin: 0,
                        inputs: &[],
                    };
                    bound
                        .mask(&array, &context)
                        .ok()
                        .filter(|result| result.len() == texts.len())
                };
                if let Some(result) = run(&self.texts) {
                    return (0..self.texts.len())
                        .map(|row| text_at(&result, row))
                        .collect();
                }
                self.texts
                    .iter()
                    .map(|text| {
                        run(std::slice::from_ref(text))
                            .map_or_else(|| blank(text), |result| text_at(&result, 0))
                    })
                    .collect()
            }
        }
    }
}

fn text_at(array: &ArrayRef, row: usize) -> String {
    match cell(array.as_ref(), row) {
        ScalarRef::Text(text) => text.to_owned(),
        _ => String::new(),
    }
}

pub(crate) fn blank(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            _ if c.is_numeric() => '1',
            _ if c.is_alphabetic() => 'x',
            _ => c,
        })
        .collect()
}
