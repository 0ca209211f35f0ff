//! Errors of this crate: what is wrong with a configuration. Detection itself cannot fail.

use std::path::PathBuf;

/// Result of reading a configuration.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A configuration of the classifier cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A lexicon file has a line that is not of its format.
    #[error("lexicon `{name}`: {error}")]
    Lexicon {
        /// Name the caller gave the lexicon.
        name: String,
        /// Line and reason.
        error: LexiconError,
    },
    /// A pattern is not a regular expression, or compiles to one that is too large.
    #[error("pattern `{name}` is not a regular expression that can be used")]
    Pattern {
        /// Name of the pattern.
        name: String,
    },
    /// A configuration file is not of its format.
    #[error("classifier configuration: {reason}")]
    Config {
        /// What the reader of the format said, with line and column.
        reason: String,
    },
    /// A configuration names a validator that does not exist.
    #[error("`{name}` is not a validator{}", suggestion.map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
    UnknownValidator {
        /// The name.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<&'static str>,
    },
    /// A data dictionary lacks a column or holds a line that is not of its format.
    #[error("data dictionary, line {line}: {reason}")]
    Dictionary {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A review file holds a decision that cannot be read.
    #[error("review file{}, line {line}: {reason}", path.as_ref().map(|p| format!(" {}", p.display())).unwrap_or_default())]
    Review {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

/// A line of a lexicon that is not of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LexiconError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}
