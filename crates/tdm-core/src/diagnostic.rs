//! Diagnostics: what reading the world could not do, said with its place and never with a value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something was left out or guessed.
    Warning,
    /// A later step will refuse because of it.
    Error,
}

impl Severity {
    /// The word that logs and the metadata database use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that was noticed while reading a schema or running a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Stable code, for example `introspect.unknown_type`.
    pub code: String,
    /// The object it is about, by name.
    pub place: String,
    /// One sentence without any cell value.
    pub message: String,
}

impl Diagnostic {
    /// A warning about `place`.
    pub fn warning(
        code: impl Into<String>,
        place: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            code: code.into(),
            place: place.to_string(),
            message: message.into(),
        }
    }

    /// A note about `place`.
    pub fn info(
        code: impl Into<String>,
        place: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Info,
            code: code.into(),
            place: place.to_string(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}] {}: {}",
            self.severity.as_str(),
            self.code,
            self.place,
            self.message
        )
    }
}
