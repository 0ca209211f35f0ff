//! What a subset is to hold, as the user says it.

use serde::{Deserialize, Serialize};

/// What a subset is to hold, as the user says it. Names are resolved by [`super::SubsetPlan::compile`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// More about single references.
    pub details: Vec<EdgeDetail>,
    /// What happens to references without a parent where no detail says otherwise.
    pub orphans: OrphanPolicy,
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
            details: Vec::new(),
            orphans: OrphanPolicy::Keep,
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
#[non_exhaustive]
pub enum SeedRows {
    /// All.
    All,
    /// Those for which a condition in the source's SQL is true.
    Where(String),
    /// This many, chosen by keyed hash of the row's key.
    Count(u64),
    /// This share of them, 0 to 100, chosen by keyed hash of the row's key.
    Percent(f64),
    /// Those with these keys.
    Keys(Vec<KeyText>),
    /// For each value of a column (NULL is one), this many, chosen by keyed hash of the row's key.
    Stratified {
        /// The column.
        by: String,
        /// Rows of each value; a value with fewer gives all it has.
        rows: u64,
    },
    /// Rows in which, together, every state of every column appears; see [`super::Feature`].
    Coverage {
        /// In how many rows each state is to appear.
        times: u64,
    },
}

/// One key as text: a part for each key column. `Debug` shows how many parts it has, never a part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyText(pub Vec<String>);

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyText({} parts)", self.0.len())
    }
}

/// Which children of an expanded row follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// None.
    None,
    /// All.
    All,
    /// At most this many per parent: by [`EdgeDetail::order`], else by keyed hash of the child's key.
    Cap(u64),
}

/// What happens to a row whose reference finds no parent in the source. Whatever happens, it is counted.
///
/// Whatever the policy, a row is removed with the row it refers to when that one is dropped, unless its own
/// policy sets the reference to NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrphanPolicy {
    /// It stays as it is and dangles.
    #[default]
    Keep,
    /// The reference becomes NULL.
    Null,
    /// The row is left out, and every row that refers to it.
    Drop,
    /// A parent is made up: its key, NULL or an empty value elsewhere, masked like any other row.
    Stub,
}

/// An order among the children of one parent. Equal values are told apart by key; NULL comes last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Column of the child. Texts are compared by their bytes.
    pub column: String,
    /// Whether the greatest come first.
    #[serde(default)]
    pub descending: bool,
}

/// An exception for one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgePolicy {
    /// Child table.
    pub child: String,
    /// Parent table.
    pub parent: String,
    /// Child columns, to tell two references between the same tables apart; empty means all of them.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Which children follow.
    pub down: Down,
}

/// What else there is to say about one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeDetail {
    /// Child table.
    pub child: String,
    /// Parent table.
    pub parent: String,
    /// Child columns, to tell two references between the same tables apart; empty means all of them.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Which children a cap takes first.
    #[serde(default)]
    pub order: Option<Order>,
    /// Only children for which this condition in the source's SQL is true follow.
    #[serde(default)]
    pub condition: Option<String>,
    /// Children follow parents that are fewer steps of children than this away from a seed.
    #[serde(default)]
    pub depth: Option<u32>,
    /// What happens to references without a parent; `None` is what the specification says.
    #[serde(default)]
    pub orphans: Option<OrphanPolicy>,
}

impl EdgeDetail {
    /// Nothing yet about every reference from `child` to `parent`.
    pub fn new(child: impl Into<String>, parent: impl Into<String>) -> Self {
        Self {
            child: child.into(),
            parent: parent.into(),
            columns: Vec::new(),
            order: None,
            condition: None,
            depth: None,
            orphans: None,
        }
    }
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
