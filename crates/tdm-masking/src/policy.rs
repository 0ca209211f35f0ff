//! Policies: rule sets that ship as files and decide what a user's rules leave open.

use tdm_core::rule::RuleSet;

use crate::error::PolicyError;

/// The standard policy: a safe decision for every category, on every type it may sit on.
///
/// # Panics
/// Never: the file is part of the crate and read by its tests.
pub fn standard() -> RuleSet {
    parse(include_str!("../policies/default.yaml"))
        .expect("the policy that ships with the crate is valid")
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
