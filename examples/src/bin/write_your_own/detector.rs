//! The detector: look at a column's name and sampled values, make claims, give counts as evidence.

use tdm::core::category::Category;
use tdm::core::detector::{ColumnContext, ColumnSample, Detector};
use tdm::core::finding::{Evidence, Finding};

/// Claims columns that are called after loyalty numbers, and columns nearly all of whose sampled values are some.
#[derive(Debug)]
pub(crate) struct LoyaltyDetector;

impl Detector for LoyaltyDetector {
    fn name(&self) -> &'static str {
        "loyalty"
    }

    // Each signal is a finding of its own: the classifier adds them up, and its own evidence may speak against.
    fn inspect(&self, context: &ColumnContext<'_>, sample: &ColumnSample) -> Vec<Finding> {
        // Evidence is counts and words of the schema. A value has no place in it.
        let finding = |source: &str, feature: &str, confidence, (tested, matched)| Finding {
            column: context.table.table.column(&context.column.name),
            category: Category::OtherPersonal,
            technique: self.name().to_owned(),
            confidence,
            evidence: vec![Evidence {
                source: source.to_owned(),
                feature: feature.to_owned(),
                weight: 3.0,
                tested,
                matched,
            }],
        };
        let mut findings = Vec::new();
        if context.column.name.contains("loyalty") {
            findings.push(finding("name", "token `loyalty`", 0.9, (0, 0)));
        }
        let (mut tested, mut matched) = (0, 0);
        for (value, count) in sample.values() {
            tested += count;
            matched += if is_number(value) { count } else { 0 };
        }
        if matched > 0 && matched * 10 >= tested * 9 {
            findings.push(finding("values", "form LN-999999", 0.99, (tested, matched)));
        }
        findings
    }
}

fn is_number(text: &str) -> bool {
    text.strip_prefix("LN-")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_digit()))
}
