//! Why a plan is refused: all problems at once, each with its place, its reason and what would do. No value.

use std::fmt;

use serde::Serialize;
use tdm_core::ident::{ColumnRef, TableRef};

/// A problem's kind, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemCode {
    /// No rule decides the column.
    Undecided,
    /// A rule names a table or column that does not exist.
    UnknownColumn,
    /// A rule names a function or generator that is not registered.
    UnknownFunction,
    /// A selector says nothing.
    EmptySelector,
    /// Two rules of one set have the same name.
    DuplicateRule,
    /// A keep has no reason.
    ReasonMissing,
    /// Parameters are wrong.
    Parameter,
    /// The function does not take the column's type.
    Type,
    /// A sibling column, dictionary, list or detector is missing.
    MissingInput,
    /// Rules disagree over a reference.
    Contradiction,
    /// A key or unique column would get a function that is not injective.
    Uniqueness,
    /// Both ends of a reference would not agree.
    Reference,
    /// A NOT NULL column would get NULL.
    NotNull,
    /// A result may be longer than the column.
    Length,
    /// A check constraint would refuse every row.
    Check,
    /// The column cannot be left out.
    Drop,
    /// The function does not fit for another reason.
    Bind,
}

impl ProblemCode {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::UnknownColumn => "unknown_column",
            Self::UnknownFunction => "unknown_function",
            Self::EmptySelector => "empty_selector",
            Self::DuplicateRule => "duplicate_rule",
            Self::ReasonMissing => "reason_missing",
            Self::Parameter => "parameter",
            Self::Type => "type",
            Self::MissingInput => "missing_input",
            Self::Contradiction => "contradiction",
            Self::Uniqueness => "uniqueness",
            Self::Reference => "reference",
            Self::NotNull => "not_null",
            Self::Length => "length",
            Self::Check => "check",
            Self::Drop => "drop",
            Self::Bind => "bind",
        }
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanProblem {
    /// Kind.
    pub code: ProblemCode,
    /// Table, when one is concerned.
    pub table: Option<TableRef>,
    /// Column, when one is concerned.
    pub column: Option<ColumnRef>,
    /// Rule, when one is concerned.
    pub rule: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// What would do.
    pub remedy: String,
}

impl PlanProblem {
    pub(crate) fn new(
        code: ProblemCode,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            table: None,
            column: None,
            rule: None,
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn at(mut self, column: &ColumnRef) -> Self {
        self.table = Some(column.table.clone());
        self.column = Some(column.clone());
        self
    }

    pub(crate) fn by(mut self, rule: &str) -> Self {
        self.rule = Some(rule.to_owned());
        self
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.column, &self.table) {
            (Some(column), _) => write!(f, "column {column}")?,
            (None, Some(table)) => write!(f, "table {table}")?,
            (None, None) => f.write_str("rules")?,
        }
        if let Some(rule) = &self.rule {
            write!(f, ", rule `{rule}`")?;
        }
        write!(f, ": {} [{}]", self.reason, self.code)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// All problems of a plan. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanErrors(pub Vec<PlanProblem>);

impl PlanErrors {
    /// The problems.
    pub fn problems(&self) -> &[PlanProblem] {
        &self.0
    }
}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanErrors {}

/// Something a person should know about a plan that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanWarning {
    /// Column, when one is concerned.
    pub column: Option<ColumnRef>,
    /// Rule, when one is concerned.
    pub rule: Option<String>,
    /// What to know.
    pub text: String,
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.text)
    }
}

/// A policy or lexicon file that ships with the crate or comes from a user cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: {reason}")]
pub struct PolicyError {
    /// Why, with line and column where known.
    pub reason: String,
}
