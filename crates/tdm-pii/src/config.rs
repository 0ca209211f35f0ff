//! A configuration file of one's own: patterns, names, deny list, fixed columns. TOML; unknown keys are refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use tdm_core::category::Category;
use tdm_core::detector::ColumnSample;
use tdm_core::finding::Evidence;

use crate::error::{Error, Result};
use crate::fusion::Extra;
use crate::value;

/// Compiled patterns may take this many bytes each.
const PATTERN_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default)]
    names: BTreeMap<String, Category>,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    columns: BTreeMap<String, Category>,
    #[serde(default)]
    pattern: Vec<PatternFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternFile {
    name: String,
    category: Category,
    regex: String,
    #[serde(default)]
    validator: Option<String>,
    /// Share of a column's values that must match.
    #[serde(default = "half")]
    share: f64,
}

const fn half() -> f64 {
    0.5
}

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) names: BTreeMap<String, Category>,
    pub(crate) deny: Vec<String>,
    pub(crate) columns: BTreeMap<String, Category>,
    pub(crate) patterns: Vec<Pattern>,
}

/// A pattern of values.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    name: Arc<str>,
    category: Category,
    regex: Regex,
    validator: Option<fn(&str) -> bool>,
    share: f64,
}

/// A validator with the name that configurations use.
type Validator = (&'static str, fn(&str) -> bool);
/// Validators that a pattern may name.
const VALIDATORS: &[Validator] = &[
    ("luhn", |t| value::with_digits(t, value::luhn)),
    ("iban", |t| value::iban(compact(t).as_bytes())),
    ("card", |t| value::with_digits(t, value::card)),
    ("verhoeff", |t| value::with_digits(t, value::verhoeff)),
    ("mod11_10", |t| value::with_digits(t, value::mod_11_10)),
    ("ean", |t| value::with_digits(t, value::ean)),
    ("email", |t| value::email(t.trim())),
    ("date", |t| value::parse_date(t.trim()).is_some()),
];

fn compact(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

impl Config {
    pub(crate) fn read(text: &str) -> Result<Self> {
        let file: ConfigFile = toml::from_str(text).map_err(|error| Error::Config {
            reason: error.message().to_owned(),
        })?;
        let patterns = file
            .pattern
            .into_iter()
            .map(Pattern::compile)
            .collect::<Result<_>>()?;
        Ok(Self {
            names: file.names,
            deny: file.deny,
            columns: file.columns,
            patterns,
        })
    }
}

impl Pattern {
    fn compile(file: PatternFile) -> Result<Self> {
        let regex = RegexBuilder::new(&format!("^(?:{})$", file.regex))
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|_| Error::Pattern {
                name: file.name.clone(),
            })?;
        let validator = match &file.validator {
            None => None,
            Some(wanted) => Some(
                VALIDATORS
                    .iter()
                    .find(|(name, _)| name == wanted)
                    .map(|(_, test)| *test)
                    .ok_or_else(|| Error::UnknownValidator {
                        name: wanted.clone(),
                        suggestion: VALIDATORS
                            .iter()
                            .map(|(name, _)| *name)
                            .find(|name| name.starts_with(wanted.chars().next().unwrap_or(' '))),
                    })?,
            ),
        };
        Ok(Self {
            name: file.name.into(),
            category: file.category,
            regex,
            validator,
            share: file.share.clamp(0.0, 1.0),
        })
    }

    /// Adds a claim when enough distinct values match.
    pub(crate) fn weigh(&self, sample: &ColumnSample, extras: &mut Vec<Extra>) {
        let (mut tested, mut matched) = (0_u64, 0_u64);
        for (text, _) in sample.values().take(value::VALUES_MAX) {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            tested += 1;
            matched += u64::from(
                self.regex.is_match(text) && self.validator.is_none_or(|valid| valid(text)),
            );
        }
        #[expect(clippy::cast_precision_loss, reason = "a sample has few values")]
        let share = matched as f64 / tested.max(1) as f64;
        if matched > 0 && share >= self.share {
            extras.push(Extra {
                category: self.category,
                evidence: Evidence {
                    source: "values".to_owned(),
                    feature: format!("pattern `{}`", self.name),
                    weight: 6.0 * share,
                    tested,
                    matched,
                },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (text, expected) in [
            ("colour = 1", "configuration"),
            (
                "[[pattern]]\nname = 'p'\ncategory = 'email'\nregex = '('",
                "regular expression",
            ),
            (
                "[[pattern]]\nname = 'p'\ncategory = 'email'\nregex = 'x'\nvalidator = 'lun'",
                "did you mean `luhn`",
            ),
            ("[names]\nx = 'emial'", "configuration"),
        ] {
            let error = Config::read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
