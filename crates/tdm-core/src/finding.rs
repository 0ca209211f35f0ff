//! What detectors claim, with evidence, and what people made of it.

use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::ident::ColumnRef;

/// One signal behind a finding: counts and words of the schema, never a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which part of the detector spoke: `name`, `type`, `values`, `table`, `dictionary`, `reference`.
    pub source: String,
    /// What it saw, for example ``token `email` `` or `Luhn check digit`.
    pub feature: String,
    /// How far it moved the score; negative evidence has a negative weight.
    pub weight: f64,
    /// Values that were tested, when values were.
    #[serde(default)]
    pub tested: u64,
    /// Values among them that passed.
    #[serde(default)]
    pub matched: u64,
}

/// A detector's claim about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The column.
    pub column: ColumnRef,
    /// What it is said to hold; [`Category::None`] is a claim too.
    pub category: Category,
    /// Name of the detector or of the combination of detectors.
    pub technique: String,
    /// Probability that the claim is true, 0 to 1.
    pub confidence: f64,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// Where a classification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A detector said it, nobody looked.
    Suggested,
    /// A person agreed.
    Confirmed,
    /// A person disagreed: the column is not of this category.
    Rejected,
}

impl Decision {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }
}

/// The accepted word on one column: what later steps act on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// The finding it rests on.
    pub finding: Finding,
    /// Where it stands.
    pub decision: Decision,
    /// Who decided: a user name, or `detector`.
    pub decided_by: String,
}

impl Classification {
    /// The category later steps act on: a rejected finding counts as not personal.
    pub const fn effective(&self) -> Category {
        match self.decision {
            Decision::Rejected => Category::None,
            Decision::Suggested | Decision::Confirmed => self.finding.category,
        }
    }
}
