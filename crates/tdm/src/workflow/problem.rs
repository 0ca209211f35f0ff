//! Problems of a workflow file: collected, ordered by line, printed with a hint.

use std::fmt;

use super::document::Position;

/// Something wrong in a workflow file: where, what, and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands; line 0 when it is about the file as a whole.
    pub at: Position,
    /// What is wrong, naming the key.
    pub message: String,
    /// What would do.
    pub hint: Option<String>,
}

/// All problems of one file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file, as the user named it.
    pub file: String,
    /// At least one.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.list.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match problem.at.line {
                0 => write!(f, "{}: {}", self.file, problem.message)?,
                line => write!(
                    f,
                    "{}:{line}:{}: {}",
                    self.file, problem.at.column, problem.message
                )?,
            }
            if let Some(hint) = &problem.hint {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    list: Vec<Problem>,
}

impl Collector {
    pub(crate) fn add(&mut self, at: Position, message: impl Into<String>) {
        self.list.push(Problem {
            at,
            message: message.into(),
            hint: None,
        });
    }

    pub(crate) fn add_with_hint(
        &mut self,
        at: Position,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.list.push(Problem {
            at,
            message: message.into(),
            hint,
        });
    }

    /// ``unknown …`` with the nearest of `known`, or all of them.
    pub(crate) fn unknown<'k>(
        &mut self,
        at: Position,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        let hint = match tdm_core::suggest::nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let mut all: Vec<_> = known.into_iter().collect();
                all.sort_unstable();
                let more = all.len().saturating_sub(24);
                all.truncate(24);
                let rest = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                format!("known: {}{rest}", all.join(", "))
            }
        };
        self.add_with_hint(at, format!("unknown {what} `{name}`"), Some(hint));
    }

    /// Nothing, when there is no problem.
    pub(crate) fn finish(mut self, file: &str) -> Result<(), Problems> {
        if self.list.is_empty() {
            return Ok(());
        }
        self.list.sort_by_key(|problem| problem.at);
        Err(Problems {
            file: file.to_owned(),
            list: self.list,
        })
    }
}
