//! What a plan says about itself: coverage, lineage, hash.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tdm_core::catalog::hex;
use tdm_core::category::Category;
use tdm_core::function::Promise;
use tdm_core::ident::ColumnRef;
use tdm_core::keyring::PseudonymDomain;
use tdm_core::lineage::ColumnLineage;
use tdm_core::rule::Disposition;

use super::PlanRequest;
use super::bind::{Action, BoundColumn};

/// What is done to one column, and who said so.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CoverageRow {
    /// The column.
    pub column: ColumnRef,
    /// Its effective category; `None` when it was not classified.
    pub category: Option<Category>,
    /// `keep`, `mask`, `generate`, `null` or `drop`.
    pub disposition: &'static str,
    /// Masking function or generator, when there is one.
    pub function: Option<String>,
    /// Rule that decided.
    pub rule: String,
    /// What the function promises with its parameters.
    #[serde(skip)]
    pub promise: Option<Promise>,
    /// A user name, `detector`, `rule`, `on_undecided`, or the column whose rule reached this one.
    pub decided_by: String,
    /// Pseudonym domain, for masked columns.
    pub domain: Option<PseudonymDomain>,
    /// Reason of a keep.
    pub reason: Option<String>,
}

impl CoverageRow {
    /// How the target's column is made; `None` when the target does not have it.
    pub(super) fn lineage(&self) -> Option<ColumnLineage> {
        let transformation = match self.disposition {
            "drop" => return None,
            "keep" => "copy",
            other => self.function.as_deref().unwrap_or(other),
        };
        Some(ColumnLineage {
            source: (self.disposition != "generate").then(|| self.column.clone()),
            target: self.column.clone(),
            transformation: transformation.to_owned(),
            masked: self.disposition != "keep",
            rule: Some(self.rule.clone()),
        })
    }

    /// The promises as words, for tables that people read.
    pub fn promises(&self) -> String {
        let Some(promise) = &self.promise else {
            return String::new();
        };
        let words = [
            (promise.deterministic, "deterministic"),
            (promise.injective, "one to one"),
            (promise.null_preserving, "keeps NULL"),
            (promise.format_preserving, "keeps format"),
        ];
        let words: Vec<&str> = words
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, word)| *word)
            .collect();
        words.join(", ")
    }
}

pub(super) fn coverage(bound: &[BoundColumn<'_, '_>]) -> Vec<CoverageRow> {
    bound
        .iter()
        .map(|column| {
            let decided = column.decided;
            let (function, reason) = match &decided.disposition {
                Disposition::Mask { function, .. } => (Some(function.clone()), None),
                Disposition::Generate { generator, .. } => (Some(generator.clone()), None),
                Disposition::Keep { reason } => (None, Some(reason.clone())),
                _ => (None, None),
            };
            CoverageRow {
                column: decided.column.clone(),
                category: decided.category,
                disposition: decided.disposition.as_str(),
                function,
                rule: decided.rule.clone(),
                promise: match &column.action {
                    Action::Mask(mask) => Some(mask.promise()),
                    Action::Generate(_, promise) => Some(*promise),
                    _ => None,
                },
                decided_by: decided.decided_by.clone(),
                domain: matches!(column.action, Action::Mask(_)).then(|| decided.domain.clone()),
                reason,
            }
        })
        .collect()
}

pub(super) fn hash(request: &PlanRequest<'_>, bound: &[BoundColumn<'_, '_>]) -> String {
    let columns: Vec<Value> = bound
        .iter()
        .map(|column| {
            let decided = column.decided;
            json!({
                "column": decided.column.to_string(),
                "disposition": decided.disposition,
                "params": column.params,
                "domain": decided.domain,
                "rule": decided.rule,
                "type": decided.logical,
            })
        })
        .collect();
    let plan = json!({
        "format": 1,
        "rules": request.rules.name,
        "policy": request.policy.map(|p| &p.name),
        "columns": columns,
        "key": request.keyring.fingerprint(),
        "catalog": request.catalog_fingerprint,
        "seed": request.seed,
    });
    let mut text = String::new();
    canonical(&plan, &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// JSON with sorted keys, whatever order the library keeps.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for item in list {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}
