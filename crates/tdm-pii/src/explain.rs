//! One sentence per finding, for people who review.

use tdm_core::finding::Finding;

/// Says in one sentence what a finding claims and why. Same finding, same sentence; never a value.
///
/// ```
/// use tdm_core::{category::Category, finding::{Evidence, Finding}, ident::TableRef};
/// let finding = Finding {
///     column: TableRef::new("users").column("mail"),
///     category: Category::Email,
///     technique: "combined".into(),
///     confidence: 0.97,
///     evidence: vec![Evidence { source: "values".into(), feature: "e-mail address".into(), weight: 9.0, tested: 50, matched: 49 }],
/// };
/// assert_eq!(
///     tdm_pii::explain(&finding),
///     "users.mail holds email (97 %): 49 of 50 distinct values pass as e-mail address."
/// );
/// ```
pub fn explain(finding: &Finding) -> String {
    let mut reasons: Vec<_> = finding
        .evidence
        .iter()
        .filter(|e| e.weight != 0.0)
        .collect();
    reasons.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let told: Vec<String> = reasons
        .iter()
        .take(4)
        .map(|e| {
            let what = match (e.source.as_str(), e.tested) {
                ("values", tested) if tested > 0 => format!(
                    "{} of {tested} distinct values pass as {}",
                    e.matched, e.feature
                ),
                ("name", _) => format!("the name has {}", e.feature),
                ("table", _) => format!("table {}", e.feature),
                ("type", _) => format!("the {}", e.feature),
                (source, _) => format!("{source}: {}", e.feature),
            };
            if e.weight < 0.0 {
                format!("{what} (against)")
            } else {
                what
            }
        })
        .collect();
    let because = if told.is_empty() {
        "nothing speaks for personal data".to_owned()
    } else {
        told.join("; ")
    };
    format!(
        "{} holds {} ({:.0} %): {because}.",
        finding.column,
        finding.category,
        finding.confidence * 100.0
    )
}
