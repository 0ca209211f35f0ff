//! The detector: look at sampled values, claim a category, give counts as evidence.

use tdm::core::category::Category;
use tdm::core::detector::{ColumnContext, ColumnSample, Detector};
use tdm::core::finding::{Evidence, Finding};

/// Claims columns nearly all of whose sampled values are loyalty numbers.
#[derive(Debug)]
pub(crate) struct LoyaltyDetector;

impl Detector for LoyaltyDetector {
    fn name(&self) -> &'static str {
        "loyalty"
    }

    fn inspect(&self, column: &ColumnContext<'_>, sample: &ColumnSample) -> Vec<Finding> {
        let (mut tested, mut matched) = (0, 0);
        for (value, count) in sample.values() {
            tested += count;
            matched += if is_number(value) { count } else { 0 };
        }
        if matched == 0 || matched * 10 < tested * 9 {
            return Vec::new();
        }
        // Evidence is counts and words of the schema. A value has no place in it.
        let evidence = Evidence {
            source: "values".into(),
            feature: "form LN-999999".into(),
            weight: 6.0,
            tested,
            matched,
        };
        vec![Finding {
            column: column.table.table.column(&column.column.name),
            category: Category::OtherPersonal,
            technique: self.name().into(),
            confidence: 0.999,
            evidence: vec![evidence],
        }]
    }
}

fn is_number(text: &str) -> bool {
    text.strip_prefix("LN-")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_digit()))
}
