//! A gate before publishing: did a value of the source survive in the target?
//!
//! Three counts for each masked column. *Survived*: rows whose value is the one they had. *Known*: distinct
//! values of the target that some row of the source had, found by keyed hashes so that no value is stored.
//! *Canaries*: planted texts found anywhere. Memory is bounded: past a limit both sides are thinned by the same
//! rule, so shares stay right.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::category::Category;
use tdm_core::ident::ColumnRef;
use tdm_core::keyring::{DomainKey, Keyring, PseudonymDomain};
use tdm_core::scalar::{ScalarRef, canonical, cell};

/// What is allowed to be seen again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakLimits {
    /// Largest share of rows of a column that may keep their value. Pseudonyms drawn from short lists and
    /// scrambles of few characters hit the original by chance.
    pub survived_max: f64,
    /// Largest share of distinct target values that the source may know, for categories where a chance hit
    /// is next to impossible (e-mail, card, IBAN, token).
    pub known_max: f64,
    /// Hashes kept for a column before it is thinned.
    pub hashes_max: usize,
}

impl Default for LeakLimits {
    fn default() -> Self {
        Self {
            survived_max: 0.01,
            known_max: 0.0,
            hashes_max: 1 << 20,
        }
    }
}

/// Counts what survives. Feed it batches; then ask for the report.
#[derive(Debug)]
pub struct LeakCheck {
    key: DomainKey,
    limits: LeakLimits,
    canaries: Vec<String>,
    columns: BTreeMap<ColumnRef, Counts>,
    canary_hits: BTreeMap<ColumnRef, u64>,
}

#[derive(Debug, Default)]
struct Counts {
    category: Option<Category>,
    rows: u64,
    survived: u64,
    source: Sample,
    target: Sample,
}

/// Distinct hashes, thinned to those that end in `zeros` zero bits.
#[derive(Default)]
struct Sample {
    zeros: u32,
    hashes: HashSet<u64>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sample")
            .field("hashes", &self.hashes.len())
            .finish_non_exhaustive()
    }
}

impl Sample {
    fn add(&mut self, hash: u64, max: usize) {
        if hash.trailing_zeros() >= self.zeros {
            self.hashes.insert(hash);
        }
        while self.hashes.len() > max.max(1) {
            self.thin(self.zeros + 1);
        }
    }

    fn thin(&mut self, zeros: u32) {
        self.zeros = self.zeros.max(zeros);
        let least = self.zeros;
        self.hashes.retain(|hash| hash.trailing_zeros() >= least);
    }
}

impl LeakCheck {
    /// A check whose hashes belong to `keyring`. `canaries` are texts that must be found nowhere.
    pub fn new(keyring: &dyn Keyring, limits: LeakLimits, canaries: Vec<String>) -> Self {
        Self {
            key: keyring.domain_key(&PseudonymDomain::new("tdm leak check")),
            limits,
            canaries,
            columns: BTreeMap::new(),
            canary_hits: BTreeMap::new(),
        }
    }

    /// Rows of a masked column before and after. Both arrays have the same rows in the same order.
    pub fn pair(
        &mut self,
        column: &ColumnRef,
        category: Option<Category>,
        before: &ArrayRef,
        after: &ArrayRef,
    ) {
        let counts = self.columns.entry(column.clone()).or_default();
        counts.category = category;
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for row in 0..before.len().min(after.len()) {
            let (old, new) = (cell(before.as_ref(), row), cell(after.as_ref(), row));
            if is_empty(old) {
                continue;
            }
            counts.rows += 1;
            a.clear();
            canonical(old, false, &mut a);
            counts
                .source
                .add(short(&self.key, &a), self.limits.hashes_max);
            if is_empty(new) {
                continue;
            }
            b.clear();
            canonical(new, false, &mut b);
            counts.survived += u64::from(a == b);
            counts
                .target
                .add(short(&self.key, &b), self.limits.hashes_max);
        }
        self.canaries(column, after);
    }

    /// Rows of any column of the target, for canaries alone.
    pub fn canaries(&mut self, column: &ColumnRef, after: &ArrayRef) {
        if self.canaries.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        let mut hits = 0;
        for row in 0..after.len() {
            bytes.clear();
            canonical(cell(after.as_ref(), row), false, &mut bytes);
            let text = String::from_utf8_lossy(&bytes);
            hits += u64::from(
                self.canaries
                    .iter()
                    .any(|canary| text.contains(canary.as_str())),
            );
        }
        if hits > 0 {
            *self.canary_hits.entry(column.clone()).or_default() += hits;
        }
    }

    /// What was found.
    pub fn report(&self) -> LeakReport {
        let mut columns: Vec<ColumnLeak> = Vec::new();
        for (column, counts) in &self.columns {
            let zeros = counts.source.zeros.max(counts.target.zeros);
            let kept = |hash: &&u64| hash.trailing_zeros() >= zeros;
            let distinct = counts.target.hashes.iter().filter(kept).count();
            let known = counts
                .target
                .hashes
                .iter()
                .filter(kept)
                .filter(|h| counts.source.hashes.contains(h))
                .count();
            let survived = share(counts.survived, counts.rows);
            let known = share(known as u64, distinct as u64);
            let exact = counts.category.is_some_and(high_entropy);
            columns.push(ColumnLeak {
                column: column.clone(),
                rows: counts.rows,
                survived,
                known,
                canaries: self.canary_hits.get(column).copied().unwrap_or(0),
                blocks: survived > self.limits.survived_max
                    || (exact && known > self.limits.known_max),
            });
        }
        for (column, hits) in &self.canary_hits {
            match columns.iter_mut().find(|c| c.column == *column) {
                Some(found) => found.blocks = true,
                None => columns.push(ColumnLeak {
                    column: column.clone(),
                    rows: 0,
                    survived: 0.0,
                    known: 0.0,
                    canaries: *hits,
                    blocks: true,
                }),
            }
        }
        LeakReport { columns }
    }
}

fn is_empty(value: ScalarRef<'_>) -> bool {
    match value {
        ScalarRef::Null => true,
        ScalarRef::Text(text) => text.trim().is_empty(),
        ScalarRef::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

fn short(key: &DomainKey, bytes: &[u8]) -> u64 {
    key.draws(bytes).next_u64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Categories whose values are too many for a pseudonym to hit one of the source's by chance.
const fn high_entropy(category: Category) -> bool {
    matches!(
        category,
        Category::Email
            | Category::CreditCard
            | Category::Iban
            | Category::SecretToken
            | Category::PasswordHash
    )
}

/// What survived, column by column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeakReport {
    /// Columns in order.
    pub columns: Vec<ColumnLeak>,
}

impl LeakReport {
    /// Whether nothing stands against publishing.
    pub fn passes(&self) -> bool {
        self.columns.iter().all(|column| !column.blocks)
    }
}

/// What survived in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnLeak {
    /// The column.
    pub column: ColumnRef,
    /// Rows of the source with a value.
    pub rows: u64,
    /// Share of them that kept it, 0 to 1.
    pub survived: f64,
    /// Share of distinct target values that the source knows, 0 to 1.
    pub known: f64,
    /// Rows with a planted text.
    pub canaries: u64,
    /// Whether this stops the publish.
    pub blocks: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tdm_core::arrow_array::StringArray;
    use tdm_core::ident::TableRef;
    use tdm_core::keyring::RootKey;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn report(limits: LeakLimits, before: &[&str], after: &[&str]) -> LeakReport {
        let mut check = LeakCheck::new(&RootKey::new([1; 32]), limits, vec!["canary".into()]);
        let column = TableRef::new("t").column("c");
        check.pair(
            &column,
            Some(Category::Email),
            &texts(before),
            &texts(after),
        );
        check.report()
    }

    #[test]
    fn values_that_stay_move_or_were_planted_stop_the_publish() {
        let limits = LeakLimits::default();
        assert!(report(limits, &["a", "b", ""], &["x", "y", ""]).passes());
        let stayed = report(limits, &["a", "b"], &["a", "y"]);
        assert!((stayed.columns[0].survived - 0.5).abs() < 1e-9 && !stayed.passes());
        let moved = report(limits, &["a", "b"], &["b", "y"]);
        assert!(moved.columns[0].survived == 0.0 && !moved.passes());
        assert!(!report(limits, &["a"], &["a canary sings"]).passes());
    }

    #[test]
    fn thinning_keeps_shares() {
        let limits = LeakLimits {
            hashes_max: 500,
            ..LeakLimits::default()
        };
        let before: Vec<String> = (0..20_000).map(|i| format!("v{i}")).collect();
        let after: Vec<String> = (0..20_000)
            .map(|i| {
                if i % 4 == 0 {
                    format!("v{}", 19_999 - i)
                } else {
                    format!("w{i}")
                }
            })
            .collect();
        let a: Vec<&str> = before.iter().map(String::as_str).collect();
        let b: Vec<&str> = after.iter().map(String::as_str).collect();
        let known = report(limits, &a, &b).columns[0].known;
        assert!((0.15..0.35).contains(&known), "{known}");
    }
}
