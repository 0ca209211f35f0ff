//! Generators made of generators: text templates, JSON documents, a share of NULLs.

use serde_json::Value as Json;
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::function::{BindError, Params};
use tdm_core::types::{LogicalType, TypeClass};

use super::bounds::Bounds;
use super::{Build, Built, Draw, Maker, cut};
use crate::stream::Stream;
use crate::value::Value;

const DEPTH_MAX: u8 = 8;

/// One part of a text template.
#[derive(Debug)]
enum Part {
    Literal(String),
    Made(Nested),
}

/// A generator inside another, with draws of its own.
#[derive(Debug)]
struct Nested {
    maker: Box<dyn Maker>,
    stream: Stream,
}

impl Nested {
    fn make(&self, draw: &Draw, out: &mut Value) {
        self.maker
            .make(&mut Draw::new(&self.stream, draw.row, draw.attempt), out);
    }
}

/// Builds the generator called `name` inside `build`; `place` keeps its draws apart from its neighbours'.
fn nested(
    build: &Build<'_>,
    name: &str,
    params: &Params,
    logical: LogicalType,
    place: &str,
) -> Result<Nested, BindError> {
    if build.depth >= DEPTH_MAX {
        return Err(build.wrong("template", "generators are nested too deeply"));
    }
    let builtin = build.registry.builtin(name).ok_or_else(|| {
        build.wrong(
            "template",
            format!("there is no built-in generator `{name}`"),
        )
    })?;
    let mut params = params.clone();
    for shared in ["locale", "entity"] {
        if let Some(value) = build.json(shared)
            && builtin.takes(shared)
        {
            params.0.entry(shared).or_insert_with(|| value.clone());
        }
    }
    params
        .check(builtin.descriptor.parameters)
        .map_err(BindError::Params)?;
    let column = BatchColumn {
        logical,
        encoding: Encoding::Text,
        ..build.column.clone()
    };
    let bounds = Bounds::default();
    let inner = Build {
        params: &params,
        column: &column,
        bounds: &bounds,
        depth: build.depth + 1,
        ..*build
    };
    Ok(Nested {
        maker: (builtin.build)(&inner)?,
        stream: build
            .key
            .stream(&format!("{}\u{1}{place}", build.column.name)),
    })
}

/// The type that a generator inside a text is asked for: its own, so that a date prints as a date.
fn natural(build: &Build<'_>, name: &str) -> LogicalType {
    match build.registry.builtin(name).map(|b| b.descriptor.accepts) {
        Some(accepts) if accepts.contains(&TypeClass::Text) => LogicalType::TEXT,
        Some([TypeClass::Boolean, ..]) => LogicalType::Boolean,
        _ => LogicalType::BIGINT,
    }
}

fn parts(build: &Build<'_>, template: &str, place: &str) -> Result<Vec<Part>, BindError> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, tail)) = after.split_once("}}") else {
            return Err(build.wrong("template", "a `{{` without `}}`"));
        };
        let (name, logical) = (name.trim(), natural(build, name.trim()));
        parts.push(Part::Literal(before.to_owned()));
        let place = format!("{place}/{}", parts.len());
        parts.push(Part::Made(nested(
            build,
            name,
            &Params::default(),
            logical,
            &place,
        )?));
        rest = tail;
    }
    parts.push(Part::Literal(rest.to_owned()));
    Ok(parts)
}

fn write_parts(parts: &[Part], draw: &Draw, out: &mut String) {
    let mut value = Value::Null;
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Made(nested) => {
                nested.make(draw, &mut value);
                value.write(out);
            }
        }
    }
}

#[derive(Debug)]
struct Template {
    parts: Vec<Part>,
    room: usize,
}

impl Maker for Template {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let out = out.text();
        write_parts(&self.parts, draw, out);
        cut(out, self.room);
    }

    fn marking(&self) -> Option<super::Marking> {
        Some(super::Marking {
            radix: 36,
            room: u32::try_from(self.room).unwrap_or(u32::MAX),
        })
    }

    fn mark(&self, mark: &str, out: &mut String) {
        super::words::append(mark, " ", self.room, out);
    }
}

/// A text with `{{generator}}` in it.
pub(super) fn template(build: &Build<'_>) -> Built {
    let text = build.params.text("template").unwrap_or_default();
    Ok(Box::new(Template {
        parts: parts(build, text, "")?,
        room: build.room(),
    }))
}

/// A JSON document whose texts are templates.
#[derive(Debug)]
enum Document {
    Fixed(Json),
    Text(Vec<Part>),
    /// A template that is one generator and nothing else keeps the generator's own type.
    Made(Nested),
    List(Vec<Document>),
    Map(Vec<(String, Document)>),
}

impl Document {
    fn read(build: &Build<'_>, json: &Json, place: &str) -> Result<Self, BindError> {
        Ok(match json {
            Json::String(text) => {
                let mut parts = parts(build, text, place)?;
                let alone = parts.len() == 3
                    && matches!((&parts[0], &parts[2]), (Part::Literal(a), Part::Literal(b)) if a.is_empty() && b.is_empty());
                match (alone, parts.len()) {
                    (true, _) => match parts.swap_remove(1) {
                        Part::Made(nested) => Self::Made(nested),
                        Part::Literal(text) => Self::Fixed(Json::String(text)),
                    },
                    (false, 1) => Self::Fixed(json.clone()),
                    (false, _) => Self::Text(parts),
                }
            }
            Json::Array(items) => Self::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| Self::read(build, item, &format!("{place}/{at}")))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(map) => Self::Map(
                map.iter()
                    .map(|(name, item)| {
                        Ok((
                            name.clone(),
                            Self::read(build, item, &format!("{place}/{name}"))?,
                        ))
                    })
                    .collect::<Result<_, BindError>>()?,
            ),
            fixed => Self::Fixed(fixed.clone()),
        })
    }

    fn make(&self, draw: &Draw) -> Json {
        match self {
            Self::Fixed(json) => json.clone(),
            Self::Text(parts) => {
                let mut text = String::new();
                write_parts(parts, draw, &mut text);
                Json::String(text)
            }
            Self::Made(nested) => {
                let mut value = Value::Null;
                nested.make(draw, &mut value);
                match value {
                    Value::Null => Json::Null,
                    Value::Boolean(v) => Json::Bool(v),
                    Value::Number(v) if v.scale == 0 => {
                        i64::try_from(v.units).map_or(Json::Null, Json::from)
                    }
                    Value::Number(v) => Json::from(v.to_float()),
                    Value::Float(v) => Json::from(v),
                    other => {
                        let mut text = String::new();
                        other.write(&mut text);
                        Json::String(text)
                    }
                }
            }
            Self::List(items) => items.iter().map(|item| item.make(draw)).collect(),
            Self::Map(items) => Json::Object(
                items
                    .iter()
                    .map(|(name, item)| (name.clone(), item.make(draw)))
                    .collect(),
            ),
        }
    }
}

impl Maker for Document {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        let json = Self::make(self, draw);
        *out = Value::Text(json.to_string());
    }
}

/// A JSON document.
pub(super) fn json(build: &Build<'_>) -> Built {
    let default =
        serde_json::json!({"id": "{{integer}}", "label": "{{words}}", "active": "{{boolean}}"});
    let template = build.json("template").unwrap_or(&default);
    Ok(Box::new(Document::read(build, template, "")?))
}

#[derive(Debug)]
struct WithNulls {
    nested: Nested,
    share: f64,
}

impl Maker for WithNulls {
    fn make(&self, draw: &mut Draw, out: &mut Value) {
        if draw.rng.unit() < self.share {
            *out = Value::Null;
        } else {
            self.nested.make(draw, out);
        }
    }
}

/// Another generator with a share of NULLs.
pub(super) fn with_nulls(build: &Build<'_>) -> Built {
    let share = build.params.number("share").unwrap_or(0.1);
    if !(0.0..=1.0).contains(&share) {
        return Err(build.wrong("share", "must be between 0 and 1"));
    }
    let name = build.params.text("generator").unwrap_or_default();
    let params = match build.json("params") {
        Some(Json::Object(map)) => Params(map.clone()),
        _ => Params::default(),
    };
    let nested = nested(
        build,
        name,
        &params,
        build.column.logical.clone(),
        "with_nulls",
    )?;
    Ok(Box::new(WithNulls { nested, share }))
}
