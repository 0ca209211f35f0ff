//! How far a pseudonymised set still points at people: classes of rows that look alike.
//!
//! Rows that agree in all quasi-identifiers (what an outsider may know: birth date, postcode, gender) form a
//! class. Its size is *k*; the number of different sensitive values in it is *l*. A row alone in its class can
//! be singled out by who knows those columns, whatever its name was replaced with.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::keyring::DomainKey;
use tdm_core::scalar::{canonical, cell};

/// Measures classes over batches of one table.
#[derive(Debug)]
pub struct RiskMeter {
    key: DomainKey,
    quasi: Vec<String>,
    sensitive: Vec<String>,
    classes: HashMap<u128, Class>,
    rows: u64,
    classes_max: usize,
    complete: bool,
}

#[derive(Debug)]
struct Class {
    rows: u64,
    /// Hashes of the different values of each sensitive column, up to a few.
    values: Vec<HashSet<u64>>,
}

/// Different sensitive values counted in a class; more do not matter.
const VALUES_MAX: usize = 16;

impl RiskMeter {
    /// A meter over the columns called `quasi`, with the columns called `sensitive` watched inside classes.
    /// Memory is bounded by `classes_max` classes; rows of classes beyond it make the report a lower bound.
    pub fn new(quasi: Vec<String>, sensitive: Vec<String>, classes_max: usize) -> Self {
        Self {
            // Nothing is kept beyond the run; the key only spreads values over hashes.
            key: DomainKey::new(&[0; 32]),
            quasi,
            sensitive,
            classes: HashMap::new(),
            rows: 0,
            classes_max,
            complete: true,
        }
    }

    /// Adds rows. Arrays stand in the order of the names given to [`RiskMeter::new`].
    pub fn observe(&mut self, quasi: &[&ArrayRef], sensitive: &[&ArrayRef]) {
        let rows = quasi.iter().map(|array| array.len()).min().unwrap_or(0);
        let mut bytes = Vec::new();
        for row in 0..rows {
            self.rows += 1;
            bytes.clear();
            for array in quasi {
                let start = bytes.len();
                canonical(cell(array.as_ref(), row), true, &mut bytes);
                // A length after each part: neighbours must not run into each other.
                let length = (bytes.len() - start) as u64;
                bytes.extend_from_slice(&length.to_be_bytes());
            }
            let class = self.hash(&bytes);
            if !self.classes.contains_key(&class) && self.classes.len() >= self.classes_max {
                self.complete = false;
                continue;
            }
            let watched = sensitive.len();
            let hashes: Vec<u64> = sensitive
                .iter()
                .map(|array| {
                    bytes.clear();
                    canonical(cell(array.as_ref(), row), true, &mut bytes);
                    self.key.draws(&bytes).next_u64()
                })
                .collect();
            let class = self.classes.entry(class).or_insert_with(|| Class {
                rows: 0,
                values: vec![HashSet::new(); watched],
            });
            class.rows += 1;
            for (values, hash) in class.values.iter_mut().zip(hashes) {
                if values.len() < VALUES_MAX {
                    values.insert(hash);
                }
            }
        }
    }

    fn hash(&self, bytes: &[u8]) -> u128 {
        let mut draws = self.key.draws(bytes);
        u128::from(draws.next_u64()) << 64 | u128::from(draws.next_u64())
    }

    /// What was measured.
    pub fn report(&self) -> RiskReport {
        let unique = self
            .classes
            .values()
            .filter(|class| class.rows == 1)
            .count() as u64;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share needs no more than 53 bits"
        )]
        let share_unique = if self.rows == 0 {
            0.0
        } else {
            unique as f64 / self.rows as f64
        };
        let l_min = self
            .sensitive
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let least = self
                    .classes
                    .values()
                    .filter_map(|class| class.values.get(i))
                    .map(HashSet::len)
                    .min();
                (name.clone(), least.unwrap_or(0))
            })
            .collect();
        RiskReport {
            quasi: self.quasi.clone(),
            rows: self.rows,
            classes: self.classes.len() as u64,
            k_min: self
                .classes
                .values()
                .map(|class| class.rows)
                .min()
                .unwrap_or(0),
            unique,
            share_unique,
            l_min,
            complete: self.complete,
        }
    }
}

/// How far rows can be told apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskReport {
    /// Quasi-identifiers.
    pub quasi: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// Classes of rows that agree in all quasi-identifiers.
    pub classes: u64,
    /// Rows of the smallest class.
    pub k_min: u64,
    /// Rows that are alone in their class.
    pub unique: u64,
    /// Their share, 0 to 1.
    pub share_unique: f64,
    /// Fewest different values of each sensitive column in one class, counted up to 16.
    pub l_min: Vec<(String, usize)>,
    /// Whether all classes were counted.
    pub complete: bool,
}

impl fmt::Display for RiskReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "by {}: {} rows in {} classes, smallest class {} rows, {} rows ({:.1} %) stand alone",
            self.quasi.join(", "),
            self.rows,
            self.classes,
            self.k_min,
            self.unique,
            self.share_unique * 100.0
        )?;
        for (name, least) in &self.l_min {
            write!(
                f,
                "; at least {least} different values of {name} in a class"
            )?;
        }
        if !self.complete {
            f.write_str("; not all classes were counted")?;
        }
        f.write_str(". The data is pseudonymised: people who stand alone can be singled out")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tdm_core::arrow_array::StringArray;

    #[test]
    fn classes_are_those_a_person_would_count() {
        let texts = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let year = texts(&["1980", "1980", "1980", "1990", "1990"]);
        let code = texts(&["1", "1", "1", "2", "3"]);
        let ill = texts(&["a", "b", "a", "a", "a"]);
        let mut meter = RiskMeter::new(vec!["year".into(), "code".into()], vec!["ill".into()], 100);
        meter.observe(&[&year, &code], &[&ill]);
        let report = meter.report();
        assert_eq!(
            (report.rows, report.classes, report.k_min, report.unique),
            (5, 3, 1, 2)
        );
        assert_eq!(report.l_min, [("ill".to_owned(), 1)]);
        let mut small = RiskMeter::new(vec!["year".into()], Vec::new(), 1);
        small.observe(&[&year], &[]);
        assert!(!small.report().complete);
        // `1` and `98` must not look like `19` and `8`.
        let mut parts = RiskMeter::new(vec!["a".into(), "b".into()], Vec::new(), 9);
        parts.observe(&[&texts(&["1", "19"]), &texts(&["98", "8"])], &[]);
        assert_eq!(parts.report().classes, 2);
    }
}
