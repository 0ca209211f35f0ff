//! Cells with parts: named segments of a text, delimited lists, arrays, hstore and XML. Each part is masked by a
//! function of its own, and everything between the parts stays byte for byte.

mod xml;

use std::ops::Range;

use regex::Regex;
use serde_json::Value;
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::BatchColumn;
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskContext, MaskError, MaskingFunction,
    Parameter, ParameterKind, Promise,
};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::types::TypeClass;

use super::nested::{Functions, Inner, Pieces, bind_inner};
use super::{Bound, bad, check};
use crate::cells::{Reason, length_max};
use xml::{XML, open_xml};

/// A part of a cell.
struct Part {
    range: Range<usize>,
    /// Which function masks it.
    slot: usize,
    /// The text that the range spells.
    value: String,
}

/// Finds parts and spells their replacements.
trait Split: std::fmt::Debug + Send + Sync {
    /// Parts in order.
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason>;

    /// How `value` is written in place of a part.
    fn spell(&self, value: &str, out: &mut String) {
        out.push_str(value);
    }
}

/// Ways to make the parts of a cell and their functions from parameters.
type Open = fn(&Functions, &BindRequest<'_>) -> Result<(Box<dyn Split>, Vec<Inner>), BindError>;

/// A function over parts, with the functions it may use.
pub(crate) struct Compound {
    descriptor: &'static Descriptor,
    open: Open,
    functions: Functions,
}

impl std::fmt::Debug for Compound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Compound")
            .field(&self.descriptor.name)
            .finish()
    }
}

/// All compound functions over `functions`.
pub(crate) fn all(functions: &Functions) -> Vec<Compound> {
    [
        (&SEGMENTS, open_segments as Open),
        (&DELIMITED, open_delimited),
        (&ARRAY, open_array),
        (&HSTORE, open_hstore),
        (&XML, open_xml),
    ]
    .into_iter()
    .map(|(descriptor, open)| Compound {
        descriptor,
        open,
        functions: functions.clone(),
    })
    .collect()
}

impl MaskingFunction for Compound {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor
    }

    fn bind(&self, request: &BindRequest<'_>) -> Bound {
        check(self.descriptor, request)?;
        let (split, inners) = (self.open)(&self.functions, request)?;
        Ok(Box::new(CompoundColumn {
            split,
            inners,
            output: request.column.clone(),
        }))
    }
}

#[derive(Debug)]
struct CompoundColumn {
    split: Box<dyn Split>,
    inners: Vec<Inner>,
    output: BatchColumn,
}

impl BoundMask for CompoundColumn {
    fn output(&self) -> &BatchColumn {
        &self.output
    }

    fn promise(&self) -> Promise {
        Promise::KEYED
    }

    fn mask(&self, input: &ArrayRef, _: &MaskContext<'_>) -> Result<ArrayRef, MaskError> {
        let mut pieces = vec![Pieces::default(); self.inners.len()];
        let mut rows: Vec<Vec<(Range<usize>, usize, usize)>> = Vec::with_capacity(input.len());
        for row in 0..input.len() {
            let fail = |reason| MaskError { row, reason };
            rows.push(match cell(input.as_ref(), row) {
                ScalarRef::Text(text) if !text.trim().is_empty() => {
                    let parts = self.split.parts(text).map_err(fail)?;
                    let changed = parts
                        .into_iter()
                        .filter(|part| !matches!(self.inners[part.slot], Inner::Keep));
                    changed
                        .map(|part| (part.range, part.slot, pieces[part.slot].push(&part.value)))
                        .collect()
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
        for (row, parts) in rows.iter().enumerate() {
            let fail = |reason| MaskError { row, reason };
            let pushed = match cell(input.as_ref(), row) {
                ScalarRef::Text(text) => {
                    out.clear();
                    let mut at = 0;
                    for (range, slot, piece) in parts {
                        out.push_str(&text[at..range.start]);
                        self.split.spell(&masked[*slot][*piece], &mut out);
                        at = range.end;
                    }
                    out.push_str(&text[at..]);
                    if out.len() > max && out.chars().count() > max {
                        return Err(fail("the replacement is longer than the column"));
                    }
                    builder.push(ScalarRef::Text(&out))
                }
                other => builder.push(other),
            };
            pushed.map_err(|_| fail("the text does not fit the column's encoding"))?;
        }
        Ok(builder.finish())
    }
}

const FUNCTION: Parameter = Parameter {
    name: "function",
    kind: ParameterKind::Any,
    summary: "Function for each part: a name, or a map with function, params and domain.",
    default: None,
};

/// The one function of all parts.
fn single(functions: &Functions, request: &BindRequest<'_>) -> Result<Vec<Inner>, BindError> {
    let spec = request
        .params
        .0
        .get("function")
        .cloned()
        .unwrap_or_default();
    Ok(vec![bind_inner(
        functions,
        "function",
        &spec,
        &request.domain.0,
        request,
    )?])
}

static SEGMENTS: Descriptor = Descriptor {
    name: "segments",
    summary: "Named groups of a regular expression are masked, each by a function; the text must match as a whole.",
    parameters: &[
        Parameter {
            name: "pattern",
            kind: ParameterKind::Text,
            summary: "The expression, with groups such as `(?<user>.+)`.",
            default: None,
        },
        Parameter {
            name: "groups",
            kind: ParameterKind::Map,
            summary: "Function by name of group.",
            default: None,
        },
    ],
    accepts: &[TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "What lies between the named groups stays.",
};

#[derive(Debug)]
struct Segments {
    pattern: Regex,
    /// Number of each group that is masked; its position is the slot.
    groups: Vec<usize>,
}

/// A regular expression over a whole text.
pub(crate) fn whole(parameter: &str, pattern: &str) -> Result<Regex, BindError> {
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|_| bad(parameter, "is not a regular expression"))
}

fn open_segments(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<(Box<dyn Split>, Vec<Inner>), BindError> {
    let pattern = whole("pattern", request.params.text("pattern").unwrap_or(""))?;
    let Some(Value::Object(map)) = request.params.0.get("groups") else {
        return Err(bad("groups", "must be a map"));
    };
    let (mut groups, mut inners) = (Vec::new(), Vec::new());
    for (name, spec) in map {
        let number = pattern
            .capture_names()
            .position(|known| known == Some(name.as_str()));
        groups.push(
            number.ok_or_else(|| bad("groups", format!("the pattern has no group `{name}`")))?,
        );
        inners.push(bind_inner(
            functions,
            "groups",
            spec,
            &request.domain.0,
            request,
        )?);
    }
    if groups.is_empty() {
        return Err(bad("groups", "names no group: nothing would be masked"));
    }
    Ok((Box::new(Segments { pattern, groups }), inners))
}

impl Split for Segments {
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason> {
        let captures = self
            .pattern
            .captures(text)
            .ok_or("the text does not match the pattern")?;
        let mut parts: Vec<Part> = self
            .groups
            .iter()
            .enumerate()
            .filter_map(|(slot, group)| {
                let found = captures.get(*group)?;
                Some(Part {
                    range: found.range(),
                    slot,
                    value: found.as_str().to_owned(),
                })
            })
            .collect();
        parts.sort_by_key(|part| part.range.start);
        if parts
            .windows(2)
            .any(|pair| pair[1].range.start < pair[0].range.end)
        {
            return Err("groups of the pattern lie inside each other");
        }
        Ok(parts)
    }
}

static DELIMITED: Descriptor = Descriptor {
    name: "delimited",
    summary: "Each entry of a delimited list is masked; blanks around entries stay.",
    parameters: &[
        FUNCTION,
        Parameter {
            name: "separator",
            kind: ParameterKind::Text,
            summary: "What stands between entries.",
            default: Some(","),
        },
    ],
    accepts: &[TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "The number of entries shows.",
};

#[derive(Debug)]
struct Delimited(String);

fn open_delimited(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<(Box<dyn Split>, Vec<Inner>), BindError> {
    let separator = request.params.text("separator").unwrap_or(",");
    if separator.is_empty() {
        return Err(bad("separator", "must not be empty"));
    }
    Ok((
        Box::new(Delimited(separator.to_owned())),
        single(functions, request)?,
    ))
}

impl Split for Delimited {
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason> {
        let mut parts = Vec::new();
        let mut at = 0;
        for entry in text.split(&self.0) {
            let value = entry.trim();
            let start = at + (entry.len() - entry.trim_start().len());
            if !value.is_empty() {
                parts.push(Part {
                    range: start..start + value.len(),
                    slot: 0,
                    value: value.to_owned(),
                });
            }
            at += entry.len() + self.0.len();
        }
        Ok(parts)
    }
}

static ARRAY: Descriptor = Descriptor {
    name: "array",
    summary: "Each element of an array in PostgreSQL's text form is masked; NULL elements and dimensions stay.",
    parameters: &[FUNCTION],
    accepts: &[TypeClass::Array, TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "The number of elements shows.",
};

#[derive(Debug)]
struct ArrayLiteral;

fn open_array(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<(Box<dyn Split>, Vec<Inner>), BindError> {
    Ok((Box::new(ArrayLiteral), single(functions, request)?))
}

/// Reads a quoted text with backslash escapes that starts at `start`; gives its value and where it ends.
fn quoted(text: &str, start: usize) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text[start..].char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, start + at + 1)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

fn quote(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

impl Split for ArrayLiteral {
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason> {
        const WRONG: Reason = "the text is not an array";
        let body = match text.split_once('=') {
            // Bounds such as `[0:2]={a,b,c}`.
            Some((bounds, _)) if bounds.starts_with('[') => bounds.len() + 1,
            _ => 0,
        };
        if !text[body..].starts_with('{') || !text.ends_with('}') {
            return Err(WRONG);
        }
        let mut parts = Vec::new();
        let mut at = body;
        let mut depth = 0u32;
        while let Some(c) = text[at..].chars().next() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.checked_sub(1).ok_or(WRONG)?,
                '"' => {
                    let (value, end) = quoted(text, at).ok_or(WRONG)?;
                    parts.push(Part {
                        range: at..end,
                        slot: 0,
                        value,
                    });
                    at = end;
                    continue;
                }
                ',' => {}
                c if c.is_whitespace() => {}
                _ => {
                    let end = at + text[at..].find([',', '}', '{', '"']).ok_or(WRONG)?;
                    let value = text[at..end].trim_end();
                    if !value.eq_ignore_ascii_case("null") {
                        parts.push(Part {
                            range: at..at + value.len(),
                            slot: 0,
                            value: value.to_owned(),
                        });
                    }
                    at = end;
                    continue;
                }
            }
            at += c.len_utf8();
        }
        if depth == 0 { Ok(parts) } else { Err(WRONG) }
    }

    fn spell(&self, value: &str, out: &mut String) {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':' | '+');
        if !value.is_empty() && value.chars().all(plain) && !value.eq_ignore_ascii_case("null") {
            out.push_str(value);
        } else {
            quote(value, out);
        }
    }
}

static HSTORE: Descriptor = Descriptor {
    name: "hstore",
    summary: "Values of an hstore are masked by their key, or all by one function; keys and NULL values stay.",
    parameters: &[
        Parameter {
            name: "keys",
            kind: ParameterKind::Map,
            summary: "Function by key.",
            default: Some("none"),
        },
        Parameter {
            name: "otherwise",
            kind: ParameterKind::Any,
            summary: "Function for values of other keys.",
            default: Some("scramble"),
        },
    ],
    accepts: &[TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "Keys stay.",
};

#[derive(Debug)]
struct Hstore {
    keys: Vec<String>,
}

fn open_hstore(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<(Box<dyn Split>, Vec<Inner>), BindError> {
    let (mut keys, mut inners) = (Vec::new(), Vec::new());
    if let Some(Value::Object(map)) = request.params.0.get("keys") {
        for (key, spec) in map {
            keys.push(key.clone());
            inners.push(bind_inner(
                functions,
                "keys",
                spec,
                &request.domain.0,
                request,
            )?);
        }
    }
    let otherwise = request
        .params
        .0
        .get("otherwise")
        .cloned()
        .unwrap_or_else(|| Value::from("scramble"));
    inners.push(bind_inner(
        functions,
        "otherwise",
        &otherwise,
        &request.domain.0,
        request,
    )?);
    Ok((Box::new(Hstore { keys }), inners))
}

impl Split for Hstore {
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason> {
        const WRONG: Reason = "the text is not an hstore";
        let mut parts = Vec::new();
        let mut at = 0;
        let blank = |at: usize| text[at..].len() - text[at..].trim_start_matches([' ', ',']).len();
        loop {
            at += blank(at);
            if at == text.len() {
                return Ok(parts);
            }
            let (key, end) = quoted(text, at)
                .filter(|_| text[at..].starts_with('"'))
                .ok_or(WRONG)?;
            let rest = text[end..].strip_prefix("=>").ok_or(WRONG)?;
            at = text.len() - rest.len();
            if rest.len() >= 4 && rest.is_char_boundary(4) && rest[..4].eq_ignore_ascii_case("null")
            {
                at += 4;
                continue;
            }
            let (value, end) = quoted(text, at)
                .filter(|_| rest.starts_with('"'))
                .ok_or(WRONG)?;
            let slot = self
                .keys
                .iter()
                .position(|known| *known == key)
                .unwrap_or(self.keys.len());
            parts.push(Part {
                range: at..end,
                slot,
                value,
            });
            at = end;
        }
    }

    fn spell(&self, value: &str, out: &mut String) {
        quote(value, out);
    }
}
