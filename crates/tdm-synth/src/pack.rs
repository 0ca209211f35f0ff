//! Domain packs: schemas, generators and row counts as data files that users copy and change.
//!
//! A pack is JSON: tables with columns (`type`, `key`, `unique`, `nullable`, `refers`, and either a `category`
//! of personal data or a `generator` with `params`), check constraints, and named scenarios of row counts.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use tdm_core::catalog::{Check, Column, ForeignKey, Key, TableSchema};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::function::Params;
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::types::LogicalType;

use crate::plan::request::ColumnRecipe;

const PACKS: &[(&str, &str)] = &[
    ("banking", include_str!("../data/packs/banking.json")),
    ("healthcare", include_str!("../data/packs/healthcare.json")),
    ("hr", include_str!("../data/packs/hr.json")),
    ("retail", include_str!("../data/packs/retail.json")),
    ("telecom", include_str!("../data/packs/telecom.json")),
];

/// A pack, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Name.
    pub name: String,
    /// One line.
    pub summary: String,
    /// Its tables.
    pub schemas: Vec<TableSchema>,
    /// What its columns hold, where a category says so.
    pub classifications: Vec<Classification>,
    scenarios: Vec<(String, Vec<(TableRef, u64)>)>,
    recipes: Vec<(ColumnRef, String, Params)>,
}

/// What is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// It is not the JSON that a pack is.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Character of the line, from 1.
        column: usize,
        /// What was expected.
        reason: String,
    },
    /// A column cannot be understood.
    #[error("column {column}: {reason}; {remedy}")]
    Column {
        /// The column.
        column: ColumnRef,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// A scenario cannot be understood.
    #[error("scenario `{scenario}`: {reason}; {remedy}")]
    Scenario {
        /// Its name.
        scenario: String,
        /// Why not.
        reason: String,
        /// What would help.
        remedy: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    name: String,
    summary: String,
    scenarios: IndexMap<String, Json>,
    tables: IndexMap<String, TableFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    columns: IndexMap<String, Json>,
    #[serde(default)]
    checks: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    refers: Vec<RefersFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefersFile {
    columns: Vec<String>,
    table: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    #[serde(rename = "type")]
    native: String,
    #[serde(default)]
    key: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    nullable: bool,
    null_share: Option<f64>,
    refers: Option<String>,
    category: Option<String>,
    generator: Option<String>,
    #[serde(default)]
    params: Map<String, Json>,
}

/// Names of the built-in packs.
pub fn pack_names() -> Vec<&'static str> {
    PACKS.iter().map(|(name, _)| *name).collect()
}

/// The text of a built-in pack, for copying.
pub fn pack_text(name: &str) -> Option<&'static str> {
    PACKS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

impl Pack {
    /// Reads a pack.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn read(text: &str) -> Result<Self, Vec<PackError>> {
        let syntax = |error: &serde_json::Error| PackError::Syntax {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        };
        let file: PackFile = serde_json::from_str(text).map_err(|e| vec![syntax(&e)])?;
        let mut pack = Self {
            name: file.name,
            summary: file.summary,
            schemas: Vec::new(),
            classifications: Vec::new(),
            scenarios: Vec::new(),
            recipes: Vec::new(),
        };
        let mut errors = Vec::new();
        for (name, table) in file.tables {
            pack.add_table(&name, table, &mut errors);
        }
        pack.resolve_references(&mut errors);
        for (scenario, counts) in file.scenarios {
            pack.add_scenario(scenario, &counts, &mut errors);
        }
        if errors.is_empty() {
            Ok(pack)
        } else {
            Err(errors)
        }
    }

    /// Names of the scenarios.
    pub fn scenarios(&self) -> impl Iterator<Item = &str> {
        self.scenarios.iter().map(|(name, _)| name.as_str())
    }

    /// Rows of each table in a scenario, times `scale`, at least one.
    pub fn rows(&self, scenario: &str, scale: f64) -> Option<Vec<(TableRef, u64)>> {
        let (_, counts) = self.scenarios.iter().find(|(name, _)| name == scenario)?;
        let scaled = |rows: u64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a float saturates at the ends of the range, and what is not a number becomes 0"
            )]
            let rows = (rows as f64 * scale).round() as u64;
            rows.max(1)
        };
        Some(
            counts
                .iter()
                .map(|(table, rows)| (table.clone(), scaled(*rows)))
                .collect(),
        )
    }

    /// Generators of the columns that name one.
    pub fn recipes(&self) -> Vec<ColumnRecipe> {
        self.recipes
            .iter()
            .map(|(column, generator, params)| ColumnRecipe {
                column: column.clone(),
                generator: generator.clone(),
                params: params.clone(),
            })
            .collect()
    }

    fn add_table(&mut self, name: &str, file: TableFile, errors: &mut Vec<PackError>) {
        let table = TableRef::new(name);
        let mut schema = TableSchema::new(table.clone());
        let mut key = Vec::new();
        for ((name, column), ordinal) in file.columns.into_iter().zip(1..) {
            let place = table.column(&name);
            let fail = |reason: String, remedy: &str| PackError::Column {
                column: place.clone(),
                reason,
                remedy: remedy.to_owned(),
            };
            let column: ColumnFile = match serde_json::from_value(column) {
                Ok(column) => column,
                Err(error) => {
                    errors.push(fail(error.to_string(), "correct the entry"));
                    continue;
                }
            };
            let Some(logical) = parse_type(&column.native) else {
                errors.push(fail(
                    format!("unknown type `{}`", column.native),
                    "use bigint, integer, smallint, boolean, double, decimal(p,s), varchar(n), char(n), text, date, time, timestamp, uuid or json",
                ));
                continue;
            };
            let mut made = Column::new(&name, ordinal, &column.native, logical);
            made.nullable = (column.nullable || column.null_share.is_some()) && !column.key;
            schema.columns.push(made);
            if column.key {
                key.push(name.clone());
            }
            if column.unique {
                schema.unique.push(Key::over([name.clone()]));
            }
            if let Some(target) = &column.refers {
                match target.split_once('.') {
                    Some((parent, parent_column)) => schema.foreign_keys.push(ForeignKey::new(
                        table.clone(),
                        TableRef::new(parent),
                        vec![(name.clone(), parent_column.to_owned())],
                    )),
                    None => errors.push(fail(
                        "`refers` names no column".to_owned(),
                        "write table.column",
                    )),
                }
            }
            self.decide(&column, &place, errors);
        }
        if !key.is_empty() {
            schema.primary_key = Some(Key::over(key));
        }
        schema.checks = file
            .checks
            .into_iter()
            .map(|(name, expression)| Check {
                name: Some(name),
                expression,
                validated: true,
                exclusion: false,
            })
            .collect();
        for reference in file.refers {
            let pairs = reference
                .columns
                .iter()
                .map(|c| (c.clone(), c.clone()))
                .collect();
            schema.foreign_keys.push(ForeignKey::new(
                table.clone(),
                TableRef::new(reference.table),
                pairs,
            ));
        }
        self.schemas.push(schema);
    }

    /// Keeps what a column says about its values.
    fn decide(&mut self, column: &ColumnFile, place: &ColumnRef, errors: &mut Vec<PackError>) {
        if let Some(name) = &column.category {
            match name.parse::<Category>() {
                Ok(category) => self.classifications.push(Classification {
                    finding: Finding {
                        column: place.clone(),
                        category,
                        technique: "pack".to_owned(),
                        confidence: 1.0,
                        evidence: Vec::new(),
                    },
                    decision: Decision::Confirmed,
                    decided_by: "pack".to_owned(),
                }),
                Err(_) => errors.push(PackError::Column {
                    column: place.clone(),
                    reason: format!("unknown category `{name}`"),
                    remedy: "use an identifier of the list of categories, for example `email`"
                        .to_owned(),
                }),
            }
        }
        if let Some(generator) = &column.generator {
            let mut params = column.params.clone();
            if let Some(share) = column.null_share {
                params.insert("null_share".to_owned(), share.into());
            }
            self.recipes
                .push((place.clone(), generator.clone(), Params(params)));
        }
    }

    fn resolve_references(&self, errors: &mut Vec<PackError>) {
        for foreign_key in self.schemas.iter().flat_map(|s| &s.foreign_keys) {
            let parent = self.schemas.iter().find(|s| s.table == foreign_key.parent);
            for (child, column) in &foreign_key.columns {
                if parent.and_then(|p| p.column(column)).is_none() {
                    errors.push(PackError::Column {
                        column: foreign_key.child.column(child),
                        reason: format!(
                            "it refers to {}, which the pack does not have",
                            foreign_key.parent.column(column)
                        ),
                        remedy: "correct the name or add the table".to_owned(),
                    });
                }
            }
        }
    }

    fn add_scenario(&mut self, scenario: String, counts: &Json, errors: &mut Vec<PackError>) {
        let fail = |reason: String, remedy: &str| PackError::Scenario {
            scenario: scenario.clone(),
            reason,
            remedy: remedy.to_owned(),
        };
        let Json::Object(counts) = counts else {
            errors.push(fail("it is no map".to_owned(), "write table: rows"));
            return;
        };
        let mut rows = Vec::new();
        for (table, count) in counts {
            let known = self.schemas.iter().any(|s| s.table.name == *table);
            match (known, count.as_u64()) {
                (true, Some(count)) => rows.push((TableRef::new(table), count)),
                (false, _) => errors.push(fail(
                    format!("it names the table `{table}`, which the pack does not have"),
                    "correct the name",
                )),
                (true, None) => errors.push(fail(
                    format!("the rows of `{table}` are no whole number"),
                    "write a number from 0",
                )),
            }
        }
        self.scenarios.push((scenario, rows));
    }
}

fn parse_type(text: &str) -> Option<LogicalType> {
    let (base, measures) = text.split_once('(').unwrap_or((text, ""));
    let numbers: Vec<u32> = measures
        .trim_end_matches(')')
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    let integer = |bits| LogicalType::Integer {
        bits,
        unsigned: false,
    };
    Some(match (base.trim(), numbers.as_slice()) {
        ("bigint", []) => integer(64),
        ("integer", []) => integer(32),
        ("smallint", []) => integer(16),
        ("boolean", []) => LogicalType::Boolean,
        ("double", []) => LogicalType::Float { bits: 64 },
        ("decimal", [precision, scale]) => LogicalType::Decimal {
            precision: Some(*precision),
            scale: Some(i32::try_from(*scale).ok()?),
        },
        ("varchar" | "char", [length]) => LogicalType::Text {
            max_length: Some(*length),
        },
        ("text", []) => LogicalType::TEXT,
        ("date", []) => LogicalType::Date,
        ("time", []) => LogicalType::Time,
        ("timestamp", []) => LogicalType::Timestamp { zoned: false },
        ("uuid", []) => LogicalType::Uuid,
        ("json", []) => LogicalType::Json,
        _ => return None,
    })
}
