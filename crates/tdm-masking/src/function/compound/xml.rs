//! XML cells: text and attributes by path, everything else byte for byte.

use serde_json::Value;
use tdm_core::function::{BindError, BindRequest, Descriptor, Parameter, ParameterKind, Promise};
use tdm_core::types::TypeClass;

use super::super::bad;
use super::super::nested::{Functions, Inner, bind_inner};
use super::{Part, Split};
use crate::cells::Reason;

pub(super) static XML: Descriptor = Descriptor {
    name: "xml",
    summary: "Text and attributes of an XML document are masked by path such as `/order/email` or `//@id`, the rest by `otherwise`.",
    parameters: &[
        Parameter {
            name: "paths",
            kind: ParameterKind::Map,
            summary: "Function by path; `//name` at any depth, `@name` for an attribute.",
            default: Some("none"),
        },
        Parameter {
            name: "otherwise",
            kind: ParameterKind::Any,
            summary: "Function for all other text and attributes.",
            default: Some("scramble"),
        },
    ],
    accepts: &[TypeClass::Text],
    promise: Promise::KEYED,
    weakness: "Names of elements and attributes, comments and processing instructions stay.",
};

#[derive(Debug)]
struct Xml {
    /// Steps of each path, and whether it starts at any depth.
    paths: Vec<(bool, Vec<String>)>,
}

pub(super) fn open_xml(
    functions: &Functions,
    request: &BindRequest<'_>,
) -> Result<(Box<dyn Split>, Vec<Inner>), BindError> {
    let (mut paths, mut inners) = (Vec::new(), Vec::new());
    if let Some(Value::Object(map)) = request.params.0.get("paths") {
        for (path, spec) in map {
            let (anywhere, rest) = match (path.strip_prefix("//"), path.strip_prefix('/')) {
                (Some(rest), _) => (true, rest),
                (None, Some(rest)) => (false, rest),
                _ => return Err(bad("paths", format!("`{path}` must start with / or //"))),
            };
            paths.push((anywhere, rest.split('/').map(str::to_owned).collect()));
            inners.push(bind_inner(
                functions,
                "paths",
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
    Ok((Box::new(Xml { paths }), inners))
}

impl Xml {
    fn slot(&self, path: &[&str], attribute: Option<&str>) -> usize {
        let last = attribute.map(|name| format!("@{name}"));
        let steps: Vec<&str> = path.iter().copied().chain(last.as_deref()).collect();
        let fits = |(anywhere, wanted): &(bool, Vec<String>)| {
            let start = if *anywhere {
                steps.len().checked_sub(wanted.len())
            } else {
                Some(0)
            };
            start.is_some_and(|start| {
                steps.len() - start == wanted.len()
                    && steps[start..]
                        .iter()
                        .zip(wanted)
                        .all(|(a, b)| a == b || b == "*")
            })
        };
        self.paths.iter().position(fits).unwrap_or(self.paths.len())
    }

    fn attributes(
        &self,
        tag: &str,
        offset: usize,
        path: &[&str],
        parts: &mut Vec<Part>,
    ) -> Option<()> {
        let mut at = tag.find(char::is_whitespace).unwrap_or(tag.len());
        loop {
            at += tag[at..].len() - tag[at..].trim_start().len();
            if matches!(&tag[at..], "" | "/") {
                return Some(());
            }
            let equals = at + tag[at..].find('=')?;
            let name = tag[at..equals].trim();
            let behind = equals + 1;
            let open = behind + (tag[behind..].len() - tag[behind..].trim_start().len());
            let mark = tag[open..]
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '\''))?;
            let end = open + 1 + tag[open + 1..].find(mark)?;
            let raw = &tag[open + 1..end];
            if !raw.trim().is_empty() {
                parts.push(Part {
                    range: offset + open + 1..offset + end,
                    slot: self.slot(path, Some(name)),
                    value: unescape(raw),
                });
            }
            at = end + 1;
        }
    }
}

impl Split for Xml {
    fn parts(&self, text: &str) -> Result<Vec<Part>, Reason> {
        const WRONG: Reason = "the text is not an XML document";
        let mut parts = Vec::new();
        let mut path: Vec<&str> = Vec::new();
        let mut at = 0;
        let mut elements = 0;
        while at < text.len() {
            let rest = &text[at..];
            let skip = |end: &str| rest.find(end).map(|i| at + i + end.len()).ok_or(WRONG);
            if rest.starts_with("<!--") {
                at = skip("-->")?;
            } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let end = skip("]]>")?;
                let value = &data[..end - 3 - at - 9];
                // The section gives way to escaped text: a replacement need not suit it.
                parts.push(Part {
                    range: at..end,
                    slot: self.slot(&path, None),
                    value: value.to_owned(),
                });
                at = end;
            } else if rest.starts_with("<?") {
                at = skip("?>")?;
            } else if rest.starts_with("<!") {
                // A document type may define entities that this reader would not see.
                return Err("the XML document has a document type");
            } else if rest.starts_with("</") {
                let end = skip(">")?;
                let name = text[at + 2..end - 1].trim();
                if path.pop() != Some(name) {
                    return Err(WRONG);
                }
                at = end;
            } else if rest.starts_with('<') {
                let end = tag_end(text, at).ok_or(WRONG)?;
                let tag = &text[at + 1..end - 1];
                let name = tag
                    .split([' ', '\t', '\n', '\r', '/'])
                    .next()
                    .unwrap_or_default();
                if name.is_empty() {
                    return Err(WRONG);
                }
                path.push(name);
                elements += 1;
                self.attributes(tag, at + 1, &path, &mut parts)
                    .ok_or(WRONG)?;
                if tag.ends_with('/') {
                    path.pop();
                }
                at = end;
            } else {
                let end = rest.find('<').map_or(text.len(), |i| at + i);
                let raw = &text[at..end];
                let value = raw.trim();
                if !value.is_empty() {
                    if path.is_empty() {
                        return Err(WRONG);
                    }
                    let start = at + (raw.len() - raw.trim_start().len());
                    parts.push(Part {
                        range: start..start + value.len(),
                        slot: self.slot(&path, None),
                        value: unescape(value),
                    });
                }
                at = end;
            }
        }
        if path.is_empty() && elements > 0 {
            Ok(parts)
        } else {
            Err(WRONG)
        }
    }

    fn spell(&self, value: &str, out: &mut String) {
        for c in value.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                _ => out.push(c),
            }
        }
    }
}

/// Behind the `>` that ends the tag at `start`, quotes respected.
fn tag_end(text: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    for (i, c) in text[start..].char_indices() {
        match (quote, c) {
            (None, '>') => return Some(start + i + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find(';') else { break };
        let name = &rest[1..end];
        let number = name
            .strip_prefix('#')
            .and_then(|n| match n.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => n.parse().ok(),
            });
        match (name, number.and_then(char::from_u32)) {
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            ("apos", _) => out.push('\''),
            (_, Some(c)) => out.push(c),
            _ => out.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}
