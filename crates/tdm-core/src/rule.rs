//! Rules: what to do with which columns. Plain data; a masking plan binds them to one schema version.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::function::Params;
use crate::types::TypeClass;

/// Where a rule applies. Every given part must hold; a selector without parts is refused.
///
/// `table` and `column` take `*` for any run of characters; case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Table by name or `namespace.name`, with `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Column by name, with `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Effective category of the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Logical type of the column.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_class: Option<TypeClass>,
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (&self.table, &self.column) {
            (Some(table), Some(column)) => parts.push(format!("{table}.{column}")),
            (Some(table), None) => parts.push(format!("table {table}")),
            (None, Some(column)) => parts.push(format!("column {column}")),
            (None, None) => {}
        }
        parts.extend(self.category.map(|c| format!("category {c}")));
        parts.extend(self.type_class.map(|t| format!("type {t}")));
        f.write_str(&parts.join(" and "))
    }
}

/// The one decision about a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disposition {
    /// Replace each value by a masking function of it.
    Mask {
        /// Name of the function.
        function: String,
        /// Its parameters.
        #[serde(default)]
        params: Params,
        /// Pseudonym domain; by default the category of the column or of its referential group, else the group,
        /// else the column: an e-mail address has one pseudonym wherever it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<String>,
    },
    /// Replace each value by one that a generator makes without looking at it.
    Generate {
        /// Name of the generator.
        generator: String,
        /// Its parameters.
        #[serde(default)]
        params: Params,
    },
    /// Let the value through, because of `reason`.
    Keep {
        /// Why this is right. Required: it is what an auditor reads.
        reason: String,
    },
    /// Replace each value by NULL.
    Null,
    /// Leave the column out of the target.
    Drop,
}

impl Disposition {
    /// The word that coverage tables and lineage print.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mask { .. } => "mask",
            Self::Generate { .. } => "generate",
            Self::Keep { .. } => "keep",
            Self::Null => "null",
            Self::Drop => "drop",
        }
    }

    /// Whether the source's values do not reach the target.
    pub const fn hides_values(&self) -> bool {
        !matches!(self, Self::Keep { .. })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskingRule {
    /// Name, unique in its set; lineage and errors cite it.
    pub name: String,
    /// Where it applies.
    pub selector: Selector,
    /// What it does there.
    pub disposition: Disposition,
}

/// What happens to a column that no rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUndecided {
    /// The plan is refused: a new production column never leaks.
    #[default]
    Block,
    /// The column becomes NULL, or the plan is refused where NULL is not allowed.
    Null,
}

/// A named, versioned set of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSet {
    /// Name.
    pub name: String,
    /// Rules. Where several select a column, the more specific selector wins: an exact column over a
    /// pattern over a category over a type; among equals the first.
    pub rules: Vec<MaskingRule>,
    /// What happens to a column that no rule decides.
    #[serde(default)]
    pub on_undecided: OnUndecided,
}
