//! What a change of the schema means for decisions that were taken before it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tdm_core::catalog::{Catalog, ForeignKey};
use tdm_core::finding::{Classification, Decision};
use tdm_core::ident::{ColumnRef, TableRef};

use super::{SchemaDiff, new_columns};

/// Consequences of a change for classifications and for relationships that a person decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Drift {
    /// New columns: nobody has decided about them.
    pub undecided: Vec<ColumnRef>,
    /// Classified columns whose type changed: the classification should be looked at again.
    pub recheck: Vec<ColumnRef>,
    /// Classified columns that no longer exist.
    pub lost: Vec<ColumnRef>,
    /// Classified columns that seem to have been renamed: older and newer name.
    pub moved: Vec<(ColumnRef, ColumnRef)>,
    /// Undeclared relationships that no longer fit the schema, as `child(columns) -> parent(columns)`.
    pub broken: Vec<String>,
}

impl Drift {
    /// Whether nobody has to look at anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no decision is affected\n");
        }
        let list = |f: &mut fmt::Formatter<'_>, columns: &[ColumnRef], one: &str, many: &str| {
            if columns.is_empty() {
                return Ok(());
            }
            let what = if columns.len() == 1 { one } else { many };
            writeln!(f, "{} {what}", columns.len())?;
            columns
                .iter()
                .try_for_each(|column| writeln!(f, "    {column}"))
        };
        list(
            f,
            &self.undecided,
            "new column undecided",
            "new columns undecided",
        )?;
        list(
            f,
            &self.recheck,
            "classified column has another type",
            "classified columns have another type",
        )?;
        list(
            f,
            &self.lost,
            "classified column is gone",
            "classified columns are gone",
        )?;
        for (from, to) in &self.moved {
            writeln!(f, "classification moves with its column: {from} -> {to}")?;
        }
        for relationship in &self.broken {
            writeln!(f, "relationship no longer fits: {relationship}")?;
        }
        Ok(())
    }
}

/// What the change from one state to `newer` means for the classifications and relationships of the older state.
pub fn drift(
    diff: &SchemaDiff,
    newer: &Catalog,
    classifications: &[Classification],
    relationships: &[ForeignKey],
) -> Drift {
    let mut result = Drift {
        undecided: new_columns(diff, newer),
        ..Drift::default()
    };
    for classification in classifications {
        let column = &classification.finding.column;
        match moved_to(diff, column) {
            place if newer.column(&place).is_none() => result.lost.push(column.clone()),
            place => {
                if retyped(diff, &place) {
                    result.recheck.push(place.clone());
                }
                if place != *column {
                    result.moved.push((column.clone(), place));
                }
            }
        }
    }
    for reference in relationships {
        if reference_moved(diff, newer, reference).is_none() {
            result.broken.push(reference.describe());
        }
    }
    result
}

/// Classifications of the older state as they hold in `newer`: under the new names, without columns that are gone.
/// On a column that was renamed or retyped a confirmation is a suggestion again and a rejection does not hold: a
/// person should look.
pub fn carried_over(
    diff: &SchemaDiff,
    newer: &Catalog,
    classifications: &[Classification],
) -> Vec<Classification> {
    classifications
        .iter()
        .filter_map(|classification| {
            let place = moved_to(diff, &classification.finding.column);
            newer.column(&place)?;
            let mut carried = classification.clone();
            if place != classification.finding.column || retyped(diff, &place) {
                if carried.decision == Decision::Rejected {
                    return None;
                }
                carried.decision = Decision::Suggested;
            }
            carried.finding.column = place;
            Some(carried)
        })
        .collect()
}

fn table_moved(diff: &SchemaDiff, table: &TableRef) -> TableRef {
    let renamed = diff.tables_renamed.iter().find(|r| r.from == *table);
    renamed.map_or_else(|| table.clone(), |r| r.to.clone())
}

fn moved_to(diff: &SchemaDiff, column: &ColumnRef) -> ColumnRef {
    let table = table_moved(diff, &column.table);
    let changed = diff.tables.iter().find(|t| t.table == table);
    let renamed = changed
        .into_iter()
        .flat_map(|t| &t.columns_renamed)
        .find(|r| r.from == column.column);
    table.column(renamed.map_or(&column.column, |r| &r.to))
}

fn retyped(diff: &SchemaDiff, column: &ColumnRef) -> bool {
    let table = diff.tables.iter().find(|t| t.table == column.table);
    table
        .into_iter()
        .flat_map(|t| &t.columns)
        .any(|c| c.column == column.column && c.changes.iter().any(|change| change.what == "type"))
}

fn reference_moved(
    diff: &SchemaDiff,
    newer: &Catalog,
    reference: &ForeignKey,
) -> Option<ForeignKey> {
    let mut moved = reference.clone();
    moved.child = table_moved(diff, &reference.child);
    moved.parent = table_moved(diff, &reference.parent);
    for (child, parent) in &mut moved.columns {
        let child_now = moved_to(diff, &reference.child.column(child.as_str()));
        let parent_now = moved_to(diff, &reference.parent.column(parent.as_str()));
        newer.column(&child_now)?;
        newer.column(&parent_now)?;
        *child = child_now.column;
        *parent = parent_now.column;
    }
    Some(moved)
}
