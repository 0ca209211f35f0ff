//! Policies: rule sets that ship as files and decide what a user's rules leave open.

use std::sync::LazyLock;

use tdm_core::rule::RuleSet;

use crate::error::PolicyError;

/// The standard policy: a safe decision for every category, on every type it may sit on.
///
/// # Panics
/// Never: the file is part of the crate and read by its tests.
pub fn standard() -> RuleSet {
    static STANDARD: LazyLock<RuleSet> = LazyLock::new(|| {
        parse(include_str!("../policies/default.yaml"))
            .expect("the policy that ships with the crate is valid")
    });
    STANDARD.clone()
}

/// Names of the policies that ship with the crate.
pub const NAMES: [&str; 4] = [
    "standard",
    "hipaa_safe_harbor",
    "gdpr_pseudonymisation",
    "pci_dss",
];

/// The policy called `name`: its own rules, then the standard policy's for all they leave open. `None` when
/// there is none of that name.
pub fn named(name: &str) -> Option<RuleSet> {
    let text = match name {
        "standard" => return Some(standard()),
        "hipaa_safe_harbor" => include_str!("../policies/hipaa_safe_harbor.yaml"),
        "gdpr_pseudonymisation" => include_str!("../policies/gdpr_pseudonymisation.yaml"),
        "pci_dss" => include_str!("../policies/pci_dss.yaml"),
        _ => return None,
    };
    let mut policy = parse(text).ok()?;
    policy.rules.extend(standard().rules);
    Some(policy)
}

/// Reads a policy or any other rule set from YAML.
///
/// # Errors
/// With line and column, when the text is not a rule set.
pub fn parse(text: &str) -> Result<RuleSet, PolicyError> {
    serde_saphyr::from_str(text).map_err(|error| PolicyError {
        reason: error.to_string(),
    })
}
