//! JSON documents: leaves are masked by path, by the name of their key, or as text; the rest stays byte for
//! byte.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::category::Category;
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, MaskingFunction,
    ParameterKind, Params, Promise,
};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::types::TypeClass;

use super::nested::{Functions, Inner, Pieces, bind_categories, bind_inner};
use super::{Bound, bad, check, parameter};
use crate::cells::{Reason, length_max};
use crate::json_text::{Kind, Step, leaves, quote, unquote};

const DESCRIPTOR: Descriptor = Descriptor {
    name: "json",
    summary: "Leaves of a JSON document are masked by path, by key, or as free text; every other byte stays.",
    parameters: &[
        parameter(
            "paths",
            ParameterKind::Map,
            "none",
            "Function by path, for example `$.user.email`, `$.items[*].name`, `$..phone`. A path reaches everything below it.",
        ),
        parameter(
            "keys",
            ParameterKind::Boolean,
            "true",
            "Whether well-known keys such as `email` decide by their category.",
        ),
        parameter(
            "strings",
            ParameterKind::Any,
            "free_text",
            "What happens to every other string: keep, erase or a function.",
        ),
        parameter(
            "numbers",
            ParameterKind::Any,
            "keep",
            "What happens to every other number: keep, erase or a function.",
        ),
        parameter(
            "categories",
            ParameterKind::Map,
            "the rules by category",
            "Function by category, as in `free_text`.",
        ),
    ],
    accepts: &[TypeClass::Json, TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "Keys and structure stay; a key that is itself personal data is not changed.",
};

/// `json`, with the functions it may use.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) functions: Functions,
}

/// Names of keys, letters and digits only, and the category they mean.
static KEYS: LazyLock<HashMap<&'static str, Category>> = LazyLock::new(|| {
    include_str!("../../data/json_keys.txt")
        .lines()
        .filter_map(|line| line.split_once('='))
        .flat_map(|(category, keys)| {
            let category: Option<Category> = category.trim().parse().ok();
            keys.split_whitespace()
                .filter_map(move |key| Some((key, category?)))
        })
        .collect()
});

impl MaskingFunction for Json {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    fn bind(&self, request: &BindRequest<'_>) -> Bound {
        check(&DESCRIPTOR, request)?;
        let mut rules = Vec::new();
        let mut inners = Vec::new();
        if let Some(Value::Object(paths)) = request.params.0.get("paths") {
            for (path, spec) in paths {
                let pattern = Pattern::parse(path).ok_or_else(|| {
                    bad(
                        "paths",
                        format!("`{path}` is not a path such as `$.a.b`, `$.a[*]` or `$..b`"),
                    )
                })?;
                rules.push((pattern, inners.len()));
                inners.push(bind_inner(
                    &self.functions,
                    "paths",
                    spec,
                    &request.domain.0,
                    request,
                )?);
            }
        }
        let mut categories = Vec::new();
        for (category, inner) in bind_categories(&self.functions, request)? {
            categories.push((category, inners.len()));
            inners.push(inner);
        }
        let default = |name: &str, otherwise: &str| {
            request
                .params
                .0
                .get(name)
                .cloned()
                .unwrap_or_else(|| Value::from(otherwise))
        };
        let mut bind = |name: &str, otherwise: &str| -> Result<usize, BindError> {
            let mut spec = default(name, otherwise);
            if spec.as_str() == Some("free_text") {
                let mut params = Params::default();
                if let Some(categories) = request.params.0.get("categories") {
                    params.0.insert("categories".to_owned(), categories.clone());
                }
                spec = serde_json::json!({"function": "free_text", "params": params});
            }
            inners.push(bind_inner(
                &self.functions,
                name,
                &spec,
                &request.domain.0,
                request,
            )?);
            Ok(inners.len() - 1)
        };
        let (strings, numbers) = (bind("strings", "free_text")?, bind("numbers", "keep")?);
        Ok(Box::new(JsonColumn {
            rules,
            categories,
            keys: request.params.boolean("keys").unwrap_or(true),
            strings,
            numbers,
            inners,
            output: request.column.clone(),
        }))
    }
}

/// A path with wildcards.
#[derive(Debug, PartialEq, Eq)]
struct Pattern(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
    Any,
    /// Any number of steps.
    Deep,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('$')?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix('[') {
                let (inside, behind) = behind.split_once(']')?;
                let quoted = inside
                    .strip_prefix(['\'', '"'])
                    .and_then(|k| k.strip_suffix(['\'', '"']));
                parts.push(match (inside, quoted) {
                    ("*", _) => Part::Any,
                    (_, Some(key)) => Part::Key(key.to_owned()),
                    (index, None) => Part::Index(index.parse().ok()?),
                });
                rest = behind;
                continue;
            }
            let mut behind = rest.strip_prefix('.')?;
            if let Some(deep) = behind.strip_prefix('.') {
                parts.push(Part::Deep);
                behind = deep;
            }
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            let (key, tail) = behind.split_at(end);
            if key.is_empty() {
                return None;
            }
            parts.push(if key == "*" {
                Part::Any
            } else {
                Part::Key(key.to_owned())
            });
            rest = tail;
        }
        (parts.last() != Some(&Part::Deep)).then_some(Self(parts))
    }

    /// Whether the pattern matches `path` or something above it.
    fn reaches(&self, path: &[Step]) -> bool {
        fn go(parts: &[Part], path: &[Step]) -> bool {
            match (parts.split_first(), path.split_first()) {
                (None, _) => true,
                (Some((Part::Deep, rest)), _) => {
                    (0..=path.len()).any(|skip| go(rest, &path[skip..]))
                }
                (Some((part, rest)), Some((step, below))) => {
                    let fits = match (part, step) {
                        (Part::Any, _) => true,
                        (Part::Key(a), Step::Key(b)) => a == b,
                        (Part::Index(a), Step::Index(b)) => a == b,
                        _ => false,
                    };
                    fits && go(rest, below)
                }
                (Some(_), None) => false,
            }
        }
        go(&self.0, path)
    }
}

struct JsonColumn {
    rules: Vec<(Pattern, usize)>,
    categories: Vec<(Category, usize)>,
    keys: bool,
    strings: usize,
    numbers: usize,
    inners: Vec<Inner>,
    output: BatchColumn,
}

impl fmt::Debug for JsonColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonColumn")
            .field("paths", &self.rules.len())
            .finish_non_exhaustive()
    }
}

/// A leaf that changes.
struct Place {
    range: Range<usize>,
    kind: Kind,
    inner: usize,
    piece: usize,
}

impl JsonColumn {
    fn by_key(&self, path: &[Step]) -> Option<usize> {
        let key = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        })?;
        let name: String = key
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let category = KEYS.get(name.as_str())?;
        self.categories
            .iter()
            .find(|(c, _)| c == category)
            .map(|(_, inner)| *inner)
    }

    fn inner(&self, path: &[Step], kind: Kind) -> Option<usize> {
        let rule = self
            .rules
            .iter()
            .find(|(pattern, _)| pattern.reaches(path))
            .map(|(_, inner)| *inner);
        let key = || {
            self.by_key(path)
                .filter(|_| self.keys && kind != Kind::Literal)
        };
        rule.or_else(key).or(match kind {
            Kind::String => Some(self.strings),
            Kind::Number => Some(self.numbers),
            Kind::Literal => None,
        })
    }

    fn places(&self, text: &str, pieces: &mut [Pieces]) -> Result<Vec<Place>, Reason> {
        const NOT_JSON: Reason = "the text is not a JSON document";
        let mut places = Vec::new();
        let mut sound = true;
        leaves(text, &mut |path, kind, range| {
            let Some(inner) = self.inner(path, kind) else {
                return;
            };
            if matches!(self.inners[inner], Inner::Keep) {
                return;
            }
            let raw = &text[range.clone()];
            let value = match kind {
                Kind::String => unquote(raw),
                Kind::Number => Some(raw.to_owned()),
                Kind::Literal if matches!(self.inners[inner], Inner::Erase) => Some(String::new()),
                // True, false and null have no text to mask.
                Kind::Literal => return,
            };
            let Some(value) = value else {
                sound = false;
                return;
            };
            places.push(Place {
                range,
                kind,
                inner,
                piece: pieces[inner].push(&value),
            });
        })
        .ok_or(NOT_JSON)?;
        if sound { Ok(places) } else { Err(NOT_JSON) }
    }
}

/// What stands for a leaf in the result.
fn spell(kind: Kind, inner: &Inner, masked: &str, out: &mut String) {
    match (kind, inner) {
        (_, Inner::Erase) => out.push_str("null"),
        (Kind::String, _) => out.push_str(&quote(masked)),
        _ if serde_json::from_str::<serde_json::Number>(masked).is_ok() => out.push_str(masked),
        // A function of text on a number: its result is text.
        _ => out.push_str(&quote(masked)),
    }
}

impl BoundMask for JsonColumn {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise::KEYED
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut pieces = vec![Pieces::default(); self.inners.len()];
        let mut rows = Vec::with_capacity(input.len());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            rows.push(match cell(input.as_ref(), row) {
                ScalarRef::Text(text) if !text.trim().is_empty() => {
                    self.places(text, &mut pieces).map_err(fail)?
                }
                ScalarRef::Null | ScalarRef::Text(_) => Vec::new(),
                _ => {
                    return Err(fail(
                        "the value is of a kind that the function does not take",
                    ));
                }
            });
        }
        let masked: Vec<Vec<String>> = pieces
            .iter()
            .zip(&self.inners)
            .map(|(pieces, inner)| pieces.mask(inner))
            .collect();
        let max = length_max(&self.output).unwrap_or(usize::MAX);
        let mut builder = ColumnBuilder::new(self.output.encoding, input.len());
        let mut out = String::new();
        for (row, places) in rows.iter().enumerate() {
            let fail = |reason| MaskError { row, reason };
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Text(text) => {
                    out.clear();
                    let mut at = 0;
                    for place in places {
                        out.push_str(&text[at..place.range.start]);
                        let value = &masked[place.inner][place.piece];
                        spell(place.kind, &self.inners[place.inner], value, &mut out);
                        at = place.range.end;
                    }
                    out.push_str(&text[at..]);
                    if out.len() > max && out.chars().count() > max {
                        // Cut JSON is no JSON.
                        return Err(fail("the masked document is longer than the column"));
                    }
                    builder.push(ScalarRef::Text(&out))
                }
                other => builder.push(other),
            };
            pushed.map_err(|_| fail("the document does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_reach_what_is_below() {
        let path = [
            Step::Key("items".into()),
            Step::Index(1),
            Step::Key("name".into()),
        ];
        for pattern in [
            "$",
            "$.items",
            "$.items[*].name",
            "$.items[1]",
            "$..name",
            "$.*",
            "$['items'][*]",
        ] {
            assert!(Pattern::parse(pattern).unwrap().reaches(&path), "{pattern}");
        }
        for pattern in ["$.item", "$.items[0]", "$..other", "$.items[*].name.first"] {
            assert!(
                !Pattern::parse(pattern).unwrap().reaches(&path),
                "{pattern}"
            );
        }
        for wrong in ["items", "$items", "$.", "$..", "$[x]", "$.a["] {
            assert_eq!(Pattern::parse(wrong), None, "{wrong}");
        }
    }
}
