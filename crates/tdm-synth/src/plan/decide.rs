//! Which generator fills a column: a recipe, a constraint, a category, a name, or its type, in that order.

use std::sync::OnceLock;

use serde_json::{Map, Value as Json};
use tdm_core::catalog::{Column, Generation, TableSchema};
use tdm_core::category::Category;
use tdm_core::function::Params;
use tdm_core::types::{LogicalType, TypeClass};

use super::request::SynthRequest;
use crate::make::bounds::Bounds;
use crate::make::registry::Registry;
use crate::value::Value;

/// A generator with its parameters, and why it was chosen.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) generator: String,
    pub(super) params: Params,
    pub(super) reason: String,
    /// Share of NULLs that a recipe asks for.
    pub(super) null_share: Option<f64>,
    /// Whether the user wrote it: what does not fit is then an error and not passed over.
    pub(super) by_user: bool,
    /// Whether it is the default of the type and says nothing about meaning.
    pub(super) by_type: bool,
}

impl Decision {
    fn new(generator: &str, params: &Json, reason: impl Into<String>) -> Self {
        let params = match params {
            Json::Object(map) => map.clone(),
            _ => Map::new(),
        };
        Self {
            generator: generator.to_owned(),
            params: Params(params),
            reason: reason.into(),
            null_share: None,
            by_user: false,
            by_type: false,
        }
    }
}

impl Decision {
    /// After a model, which knows about NULLs too.
    pub(super) fn learned() -> Self {
        let mut decision = Self::new("model", &Json::Null, "profile");
        decision.null_share = Some(0.0);
        decision
    }
}

/// One line of a table of ours.
#[derive(Debug)]
struct Entry {
    key: &'static str,
    class: &'static str,
    generator: &'static str,
    params: Json,
}

fn entries(text: &'static str, with_class: bool) -> Vec<Entry> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .filter_map(|line| {
            let mut parts = line
                .splitn(if with_class { 4 } else { 3 }, '|')
                .map(str::trim);
            Some(Entry {
                key: parts.next()?,
                class: if with_class { parts.next()? } else { "" },
                generator: parts.next()?,
                params: serde_json::from_str(parts.next().unwrap_or_default())
                    .unwrap_or(Json::Null),
            })
        })
        .collect()
}

fn by_category() -> &'static [Entry] {
    static TABLE: OnceLock<Vec<Entry>> = OnceLock::new();
    TABLE.get_or_init(|| entries(include_str!("../../data/categories.txt"), false))
}

fn by_name() -> &'static [Entry] {
    static TABLE: OnceLock<Vec<Entry>> = OnceLock::new();
    TABLE.get_or_init(|| entries(include_str!("../../data/names.txt"), true))
}

/// Decides one column. `key` says that the column alone identifies a row.
pub(super) fn decide(
    request: &SynthRequest<'_>,
    table: &TableSchema,
    column: &Column,
    bounds: &Bounds,
    key: bool,
) -> Decision {
    let place = table.table.column(&column.name);
    if let Some(recipe) = request.recipes.iter().find(|r| r.column == place) {
        let mut decision = Decision::new(&recipe.generator, &Json::Null, "recipe");
        decision.params = recipe.params.clone();
        decision.null_share = decision
            .params
            .0
            .remove("null_share")
            .and_then(|v| v.as_f64());
        decision.by_user = true;
        return decision;
    }
    let class = column.logical.class();
    if bounds.list.is_some() {
        return Decision::new("choice", &Json::Null, "check constraint");
    }
    let counted = matches!(column.generation, Generation::Identity { .. })
        || (key && class == TypeClass::Integer);
    if counted {
        let start = request
            .existing
            .highest(&place)
            .map_or(1, |h| h.saturating_add(1));
        return Decision::new("serial", &serde_json::json!({ "start": start }), "key");
    }
    if bounds.json {
        return Decision::new("json", &Json::Null, "check constraint");
    }
    if bounds.pattern.is_some() && class == TypeClass::Text {
        return Decision::new("pattern", &Json::Null, "check constraint");
    }
    if matches!(column.logical, LogicalType::Enum { .. }) {
        return Decision::new("choice", &Json::Null, "labels of the type");
    }
    let category = request
        .classifications
        .iter()
        .find(|c| c.finding.column == place)
        .map_or(Category::None, tdm_core::finding::Classification::effective);
    if let Some(entry) = by_category().iter().find(|e| e.key == category.as_str())
        && fits(request.registry, entry.generator, column)
    {
        return Decision::new(
            entry.generator,
            &entry.params,
            format!("category {category}"),
        );
    }
    let name = snake(&column.name);
    let named = by_name().iter().find(|e| {
        e.class == class.as_str()
            && (name == e.key
                || name
                    .strip_suffix(e.key)
                    .is_some_and(|rest| rest.ends_with('_')))
            && fits(request.registry, e.generator, column)
    });
    if let Some(entry) = named {
        return Decision::new(entry.generator, &entry.params, "column name");
    }
    by_type_of(column)
}

/// The default of the column's type.
pub(super) fn by_type_of(column: &Column) -> Decision {
    let mut decision = by_type(column);
    decision.by_type = true;
    decision
}

/// Whether a built-in generator can fill the column at all.
fn fits(registry: &Registry, generator: &str, column: &Column) -> bool {
    let room = column.logical.max_length().unwrap_or(u32::MAX);
    let least = match generator {
        "email" => 20,
        "uuid" => 36,
        "credit_card" => 16,
        "iban" => 28,
        "ip" | "phone" => 15,
        "mac" => 17,
        "url" => 40,
        "pattern" => 11,
        _ => 1,
    };
    room >= least
        && registry
            .builtin(generator)
            .is_some_and(|b| b.accepts(column.logical.class()))
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_lowercase() || c.is_ascii_digit();
        if matches!(c, ' ' | '-' | '.') {
            out.push('_');
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

fn by_type(column: &Column) -> Decision {
    let plain = |generator: &str| Decision::new(generator, &Json::Null, "type");
    if let Some(value) = column.default.as_deref().and_then(literal_default)
        && matches!(column.logical, LogicalType::Text { .. })
    {
        return Decision::new(
            "constant",
            &serde_json::json!({ "value": value }),
            "default",
        );
    }
    match &column.logical {
        LogicalType::Boolean => plain("boolean"),
        // One bit of eight is how MySQL and SQLite say boolean.
        LogicalType::Integer { bits: 8, .. }
            if column.native.eq_ignore_ascii_case("tinyint(1)") =>
        {
            plain("boolean")
        }
        LogicalType::Integer { .. } => plain("integer"),
        LogicalType::Decimal { .. } => plain("decimal"),
        LogicalType::Float { .. } => plain("float"),
        LogicalType::Bytes { .. } => plain("bytes"),
        LogicalType::Date => plain("date"),
        LogicalType::Time => plain("time"),
        LogicalType::Timestamp { .. } => plain("timestamp"),
        LogicalType::Uuid => plain("uuid"),
        LogicalType::Json => plain("json"),
        LogicalType::Enum { .. } => plain("choice"),
        LogicalType::Text {
            max_length: Some(n),
        } if *n < 6 => Decision::new(
            "pattern",
            &serde_json::json!({ "pattern": format!("[a-z]{{{}}}", (*n).max(1)) }),
            "type",
        ),
        LogicalType::Text { .. } => plain("words"),
        LogicalType::Interval => Decision::new(
            "choice",
            &serde_json::json!({ "values": ["01:00:00", "12:00:00", "24:00:00"] }),
            "type",
        ),
        LogicalType::Array { element } => {
            let values = match element.class() {
                TypeClass::Text => {
                    serde_json::json!(["{}", "{alpha}", "{alpha,beta}", "{beta,gamma,delta}"])
                }
                TypeClass::Integer | TypeClass::Decimal | TypeClass::Float => {
                    serde_json::json!(["{}", "{1}", "{1,2}", "{3,5,8}"])
                }
                _ => serde_json::json!(["{}"]),
            };
            Decision::new("choice", &serde_json::json!({ "values": values }), "type")
        }
        _ => by_native(column),
    }
}

/// Types that only a server understands, as far as a text of theirs is easy to write.
fn by_native(column: &Column) -> Decision {
    let native = column.native.to_ascii_lowercase();
    let base = native.split(['(', ' ']).next().unwrap_or_default();
    let values = |list: Json| {
        Decision::new(
            "choice",
            &serde_json::json!({ "values": list }),
            "native type",
        )
    };
    match base {
        "inet" => Decision::new("ip", &Json::Null, "native type"),
        "macaddr" => Decision::new("mac", &Json::Null, "native type"),
        "cidr" => values(serde_json::json!([
            "192.0.2.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24"
        ])),
        "tsvector" => values(serde_json::json!([
            "'alpha' 'beta'",
            "'gamma'",
            "'delta' 'plan'"
        ])),
        "point" => values(serde_json::json!(["(0,0)", "(1,2)", "(3.5,-1)"])),
        "xml" => values(serde_json::json!(["<note/>", "<note>text</note>"])),
        "int4range" | "int8range" | "numrange" => {
            values(serde_json::json!(["[1,5)", "[10,20)", "empty"]))
        }
        "daterange" => values(serde_json::json!([
            "[2024-01-01,2024-02-01)",
            "[2025-01-01,2025-07-01)"
        ])),
        "money" => values(serde_json::json!(["1.00", "19.99", "250.00"])),
        "hstore" => values(serde_json::json!(["", "a=>1", "a=>1,b=>2"])),
        _ => Decision::new("null", &Json::Null, "type that only the server understands"),
    }
}

/// The value of a default that is a literal.
fn literal_default(default: &str) -> Option<Json> {
    let text = default.trim().trim_matches(['(', ')']);
    let text = text.split("::").next()?.trim();
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return (!inner.is_empty()).then(|| Json::String(inner.replace("''", "'")));
    }
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(Json::Bool(true)),
        "false" => Some(Json::Bool(false)),
        "0" => Some(Json::from(0)),
        "1" => Some(Json::from(1)),
        _ => None,
    }
}

/// Whether a list of allowed values is one that the column could never take.
pub(super) fn is_contradiction(bounds: &Bounds) -> bool {
    bounds.list.as_ref().is_some_and(Vec::is_empty)
        || bounds
            .list
            .as_ref()
            .is_some_and(|l| l.iter().all(Value::is_null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_ours_name_generators_and_categories_that_exist() {
        let registry = Registry::new();
        for entry in by_category().iter().chain(by_name()) {
            let builtin = registry
                .builtin(entry.generator)
                .unwrap_or_else(|| panic!("{}", entry.generator));
            let params = Decision::new(entry.generator, &entry.params, "").params;
            params.check(builtin.descriptor.parameters).unwrap();
        }
        for entry in by_category() {
            entry.key.parse::<Category>().unwrap();
        }
        assert!(by_category().len() > 25 && by_name().len() > 80);
    }

    #[test]
    fn names_in_any_spelling_read_alike() {
        assert_eq!(snake("FirstName"), "first_name");
        assert_eq!(snake("first-name"), "first_name");
        assert_eq!(snake("EMAIL"), "email");
    }

    #[test]
    fn literal_defaults_are_read() {
        assert_eq!(
            literal_default("'new'::character varying"),
            Some(Json::from("new"))
        );
        assert_eq!(literal_default("now()"), None);
        assert_eq!(literal_default("true"), Some(Json::Bool(true)));
    }
}
