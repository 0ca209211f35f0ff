//! The scorer: precision, recall and F1 per category, strict and binary, and the share of look-alikes flagged.
#![allow(dead_code, reason = "each test binary uses a part")]
#![expect(
    clippy::print_stdout,
    reason = "the table is what a reader of the test wants"
)]

use std::collections::BTreeMap;

use tdm_core::category::Category;

/// A file of the labelled sets.
pub(crate) fn data(name: &str) -> String {
    let path = format!("{}/../../tests/data/pii/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Counts of one run.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// Per category: right, claimed, there.
    counts: BTreeMap<Category, (u32, u32, u32)>,
    binary: (u32, u32, u32),
    near: (u32, u32),
    misses: Vec<String>,
    confidences: Vec<(f64, bool)>,
}

fn f1(right: u32, claimed: u32, there: u32) -> f64 {
    if claimed + there == 0 {
        return 0.0;
    }
    2.0 * f64::from(right) / f64::from(claimed + there)
}

impl Sheet {
    pub(crate) fn add(&mut self, truth: Category, answer: Category, near: bool, place: &str) {
        self.counts.entry(truth).or_default().2 += 1;
        self.counts.entry(answer).or_default().1 += 1;
        if truth == answer {
            self.counts.entry(truth).or_default().0 += 1;
        } else {
            self.misses
                .push(format!("{place}: {truth} taken for {answer}"));
        }
        self.binary.0 += u32::from(truth.is_personal() && answer.is_personal());
        self.binary.1 += u32::from(answer.is_personal());
        self.binary.2 += u32::from(truth.is_personal());
        if near {
            self.near.1 += 1;
            self.near.0 += u32::from(answer.is_personal());
        }
    }

    pub(crate) fn calibrate(&mut self, confidence: f64, right: bool) {
        self.confidences.push((confidence, right));
    }

    /// Mean F1 over the personal categories that occur in the set.
    pub(crate) fn macro_f1(&self) -> f64 {
        let personal: Vec<f64> = self
            .counts
            .iter()
            .filter(|(c, (_, _, there))| c.is_personal() && *there > 0)
            .map(|(_, (right, claimed, there))| f1(*right, *claimed, *there))
            .collect();
        personal.iter().sum::<f64>()
            / f64::from(u32::try_from(personal.len()).unwrap_or(u32::MAX).max(1))
    }

    pub(crate) fn binary_f1(&self) -> f64 {
        f1(self.binary.0, self.binary.1, self.binary.2)
    }

    pub(crate) fn near_flagged(&self) -> f64 {
        f64::from(self.near.0) / f64::from(self.near.1.max(1))
    }

    /// Expected calibration error over ten bins.
    pub(crate) fn calibration_error(&self) -> f64 {
        let total = f64::from(
            u32::try_from(self.confidences.len())
                .unwrap_or(u32::MAX)
                .max(1),
        );
        (0..10)
            .map(|bin| {
                let (low, high) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
                let inside: Vec<_> = self
                    .confidences
                    .iter()
                    .filter(|(c, _)| *c > low && *c <= high)
                    .collect();
                let said: f64 = inside.iter().map(|(c, _)| c).sum();
                let right: f64 = inside.iter().map(|(_, r)| f64::from(u8::from(*r))).sum();
                (said - right).abs() / total
            })
            .sum()
    }

    pub(crate) fn print(&self, title: &str, misses: bool) {
        println!("\n{title}");
        println!(
            "{:<22} {:>5} {:>9} {:>7} {:>7}",
            "category", "there", "precision", "recall", "F1"
        );
        for (category, (right, claimed, there)) in &self.counts {
            println!(
                "{:<22} {there:>5} {:>9.3} {:>7.3} {:>7.3}",
                category.as_str(),
                f64::from(*right) / f64::from((*claimed).max(1)),
                f64::from(*right) / f64::from((*there).max(1)),
                f1(*right, *claimed, *there)
            );
        }
        println!(
            "strict macro F1 {:.3} | binary P {:.3} R {:.3} F1 {:.3} | look-alikes flagged {:.3} ({} of {}) | calibration error {:.3}",
            self.macro_f1(),
            f64::from(self.binary.0) / f64::from(self.binary.1.max(1)),
            f64::from(self.binary.0) / f64::from(self.binary.2.max(1)),
            self.binary_f1(),
            self.near_flagged(),
            self.near.0,
            self.near.1,
            self.calibration_error()
        );
        if misses {
            for miss in &self.misses {
                println!("  {miss}");
            }
        }
    }
}
