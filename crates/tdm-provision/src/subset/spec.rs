use serde::{Deserialize, Serialize};

/// What a subset is to hold, as the user says it. Names are resolved by [`super::SubsetPlan::compile`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubsetSpec {
    /// Where it starts.
    pub seeds: Vec<Seed>,
    /// Tables taken whole, without their children unless an edge says otherwise.
    pub whole: Vec<String>,
    /// Tables created empty unless another row needs theirs.
    pub schema_only: Vec<String>,
    /// Tables left out altogether; references to them are left out with them.
    pub skip: Vec<String>,
    /// Which children follow where no edge says otherwise.
    pub down: Down,
    /// How many steps of children follow; `None` is all.
    pub depth: Option<u32>,
    /// Exceptions, by reference.
    pub edges: Vec<EdgePolicy>,
    /// Seed of every choice by keyed hash.
    pub seed: u64,
}

impl Default for SubsetSpec {
    fn default() -> Self {
        Self {
            seeds: Vec::new(),
            whole: Vec::new(),
            schema_only: Vec::new(),
            skip: Vec::new(),
            down: Down::All,
            depth: None,
            edges: Vec::new(),
            seed: 0,
        }
    }
}

/// Rows a subset starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seed {
    /// Table by name or `namespace.name`.
    pub table: String,
    /// Which of its rows.
    pub rows: SeedRows,
}

/// Which rows of a seed table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedRows {
    /// All.
    All,
    /// Those for which a condition in the source's SQL is true.
    Where(String),
    /// This many, chosen by keyed hash of the row's key.
    Count(u64),
    /// This share of them, 0 to 100, chosen by keyed hash of the row's key.
    Percent(f64),
}

/// Which children of an expanded row follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// None.
    None,
    /// All.
    All,
    /// At most this many per parent, chosen by keyed hash of the child's key.
    Cap(u64),
}

/// An exception for one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgePolicy {
    /// Child table.
    pub child: String,
    /// Parent table.
    pub parent: String,
    /// Child columns, to tell two references between the same tables apart; empty means all of them.
    pub columns: Vec<String>,
    /// Which children follow.
    pub down: Down,
}

impl EdgePolicy {
    /// `down` for every reference from `child` to `parent`.
    pub fn new(child: impl Into<String>, parent: impl Into<String>, down: Down) -> Self {
        Self {
            child: child.into(),
            parent: parent.into(),
            columns: Vec::new(),
            down,
        }
    }
}
