//! Decisions of people: a ledger that makes a second scan incremental and is reviewed as a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tdm_core::catalog::{TableSchema, hex};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::ident::ColumnRef;

use crate::error::{Error, Result};

/// Version of the rules and data files; a change asks for suggested columns to be looked at again.
const RULES_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is remembered about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// The classification.
    pub classification: Classification,
    /// Fingerprint of the column when it was classified.
    pub fingerprint: String,
}

/// Classifications by column, with the state of the column that each rests on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ledger {
    #[serde(with = "entries")]
    entries: BTreeMap<ColumnRef, LedgerEntry>,
}

/// Maps with structured keys are lists in JSON.
mod entries {
    use super::{BTreeMap, ColumnRef, LedgerEntry};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(
        entries: &BTreeMap<ColumnRef, LedgerEntry>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        entries.values().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ColumnRef, LedgerEntry>, D::Error> {
        let list = Vec::<LedgerEntry>::deserialize(deserializer)?;
        Ok(list
            .into_iter()
            .map(|e| (e.classification.finding.column.clone(), e))
            .collect())
    }
}

/// Fingerprint of what a classification rests on besides values: name, type, comment, keys, siblings' names and
/// the version of the rules. SHA-256 in hexadecimal.
pub fn fingerprint(table: &TableSchema, column: &str) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    part(RULES_VERSION);
    part(&table.table.to_string());
    part(column);
    if let Some(column) = table.column(column) {
        part(&column.native);
        part(column.comment.as_deref().unwrap_or_default());
    }
    for key in table
        .foreign_keys
        .iter()
        .filter(|k| k.columns.iter().any(|(c, _)| c == column))
    {
        part(&key.describe());
    }
    for sibling in &table.columns {
        part(&sibling.name);
    }
    hex(&hash.finalize())
}

impl Ledger {
    /// The remembered classification when nothing it rests on has changed.
    ///
    /// A decision of a person stands until the column itself changes; a suggestion also falls with the rules.
    pub fn current(&self, table: &TableSchema, column: &str) -> Option<&Classification> {
        let entry = self.entries.get(&table.table.column(column))?;
        (entry.fingerprint == fingerprint(table, column)
            || entry.classification.decision != Decision::Suggested)
            .then_some(&entry.classification)
    }

    /// Remembers a classification, unless a person has decided the column and this one is a suggestion.
    pub fn record(&mut self, table: &TableSchema, classification: Classification) {
        let column = classification.finding.column.clone();
        let decided = self
            .entries
            .get(&column)
            .is_some_and(|e| e.classification.decision != Decision::Suggested);
        if decided && classification.decision == Decision::Suggested {
            return;
        }
        let fingerprint = fingerprint(table, &column.column);
        self.entries.insert(
            column,
            LedgerEntry {
                classification,
                fingerprint,
            },
        );
    }

    /// Notes what `who` decided about a column that is in the ledger. Returns whether it is.
    pub fn decide(&mut self, column: &ColumnRef, category: Category, who: &str) -> bool {
        let Some(entry) = self.entries.get_mut(column) else {
            return false;
        };
        let classification = &mut entry.classification;
        classification.decided_by = who.to_owned();
        if category.is_personal() || !classification.finding.category.is_personal() {
            classification.finding.category = category;
            classification.decision = Decision::Confirmed;
        } else {
            classification.decision = Decision::Rejected;
        }
        true
    }

    /// Suggestions with a confidence below `threshold`, least certain first: what a person should look at.
    pub fn doubtful(&self, threshold: f64) -> Vec<&Classification> {
        let mut found: Vec<_> = self
            .entries
            .values()
            .map(|e| &e.classification)
            .filter(|c| c.decision == Decision::Suggested && c.finding.confidence < threshold)
            .collect();
        found.sort_by(|a, b| a.finding.confidence.total_cmp(&b.finding.confidence));
        found
    }

    /// All entries, by column.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &LedgerEntry> {
        self.entries.values()
    }

    /// The decisions as lines for review: `column<TAB>category<TAB>confidence<TAB>decision<TAB>who`, sorted by column.
    pub fn export(&self) -> String {
        let mut text = String::from("column\tcategory\tconfidence\tdecision\tby\n");
        for entry in self.entries.values() {
            let c = &entry.classification;
            let Finding {
                column,
                category,
                confidence,
                ..
            } = &c.finding;
            text.push_str(&format!(
                "{column}\t{category}\t{confidence:.2}\t{}\t{}\n",
                c.decision.as_str(),
                c.decided_by
            ));
        }
        text
    }

    /// Takes decisions from lines as [`Ledger::export`] writes them; only columns in the ledger are touched.
    /// Returns how many entries changed.
    ///
    /// # Errors
    /// When a line lacks a field, names no category or no decision. Nothing is changed then.
    pub fn import(&mut self, text: &str) -> Result<usize> {
        let names: BTreeMap<String, ColumnRef> = self
            .entries
            .keys()
            .map(|column| (column.to_string(), column.clone()))
            .collect();
        let mut changes = Vec::new();
        for (number, line) in text.lines().enumerate().skip(1) {
            if line.trim().is_empty() {
                continue;
            }
            let bad = |reason| Error::Review {
                path: None,
                line: number + 1,
                reason,
            };
            let fields: Vec<&str> = line.split('\t').collect();
            let [column, category, _, decision, who] = fields.as_slice() else {
                return Err(bad("five fields are needed"));
            };
            let category: Category = category.parse().map_err(|_| bad("unknown category"))?;
            let decision = match *decision {
                "suggested" => Decision::Suggested,
                "confirmed" => Decision::Confirmed,
                "rejected" => Decision::Rejected,
                _ => return Err(bad("unknown decision")),
            };
            if let Some(column) = names.get(*column) {
                changes.push((column.clone(), category, decision, (*who).to_owned()));
            }
        }
        let mut changed = 0;
        for (column, category, decision, who) in changes {
            let Some(entry) = self.entries.get_mut(&column) else {
                continue;
            };
            let before = entry.classification.clone();
            entry.classification.finding.category = category;
            entry.classification.decision = decision;
            entry.classification.decided_by = who;
            changed += usize::from(before != entry.classification);
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_core::catalog::Column;
    use tdm_core::ident::TableRef;
    use tdm_core::types::LogicalType;

    fn table() -> TableSchema {
        let mut table = TableSchema::new(TableRef::new("users"));
        table
            .columns
            .push(Column::new("mail", 1, "text", LogicalType::TEXT));
        table
    }

    fn suggestion(category: Category) -> Classification {
        Classification {
            finding: Finding {
                column: TableRef::new("users").column("mail"),
                category,
                technique: "combined".to_owned(),
                confidence: 0.6,
                evidence: Vec::new(),
            },
            decision: Decision::Suggested,
            decided_by: "detector".to_owned(),
        }
    }

    #[test]
    fn a_suggestion_falls_with_the_column_and_a_decision_stands() {
        let mut ledger = Ledger::default();
        ledger.record(&table(), suggestion(Category::Email));
        assert!(ledger.current(&table(), "mail").is_some());
        let mut changed = table();
        changed.columns[0].native = "varchar(20)".to_owned();
        assert!(ledger.current(&changed, "mail").is_none());
        assert!(ledger.decide(
            &TableRef::new("users").column("mail"),
            Category::None,
            "ann"
        ));
        assert_eq!(
            ledger
                .current(&changed, "mail")
                .map(Classification::effective),
            Some(Category::None)
        );
        ledger.record(&changed, suggestion(Category::Email));
        assert_eq!(
            ledger.current(&changed, "mail").map(|c| c.decision),
            Some(Decision::Rejected),
            "a machine does not overwrite a person"
        );
    }

    #[test]
    fn export_and_import_meet() {
        let mut ledger = Ledger::default();
        ledger.record(&table(), suggestion(Category::Email));
        let reviewed = ledger
            .export()
            .replace("suggested\tdetector", "confirmed\tann");
        assert_eq!(ledger.import(&reviewed).unwrap(), 1);
        assert_eq!(ledger.import(&reviewed).unwrap(), 0);
        assert!(ledger.import("heading\nusers.mail\temail\n").is_err());
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }
}
