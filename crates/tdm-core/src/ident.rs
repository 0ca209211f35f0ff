//! Names and identifiers: where something is, never what it holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A table by namespace (schema, or database on MySQL) and name, spelt as the server spells it.
///
/// SQLite's main database has no namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRef {
    /// Schema of the table; `None` where the engine has one unnamed namespace.
    pub namespace: Option<String>,
    /// Name as the catalog spells it, unquoted.
    pub name: String,
}

impl TableRef {
    /// A table without a namespace.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            namespace: None,
            name: name.into(),
        }
    }

    /// A table inside `namespace`.
    pub fn within(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: Some(namespace.into()),
            name: name.into(),
        }
    }

    /// The column `name` of this table.
    pub fn column(&self, name: impl Into<String>) -> ColumnRef {
        ColumnRef {
            table: self.clone(),
            column: name.into(),
        }
    }

    /// Whether `text`, as a person writes it (`name` or `namespace.name`), means this table.
    ///
    /// Case must match; a bare name matches a table of any namespace.
    pub fn matches(&self, text: &str) -> bool {
        if self.name == text {
            return true;
        }
        self.namespace.as_deref().is_some_and(|namespace| {
            text.strip_prefix(namespace)
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(self.name.as_str())
        })
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write_name(f, namespace)?;
            f.write_str(".")?;
        }
        write_name(f, &self.name)
    }
}

/// A column by table and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnRef {
    /// The table that has the column.
    pub table: TableRef,
    /// Name as the catalog spells it, unquoted.
    pub column: String,
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.table)?;
        write_name(f, &self.column)
    }
}

/// Names come from catalogs that an attacker may shape: shown on one line, without control characters.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    for c in name.chars() {
        if c.is_control() {
            write!(f, "{}", c.escape_unicode())?;
        } else {
            fmt::Write::write_char(f, c)?;
        }
    }
    Ok(())
}

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        ///
        /// A UUID, version 7 when a store made it, so that identifiers sort by age.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id_type! {
    /// Identifies a stored connection.
    ConnectionId
    /// Identifies an environment.
    EnvironmentId
    /// Identifies a schema, the named subject of discovery.
    SchemaId
    /// Identifies one stored state of a schema.
    SchemaVersionId
    /// Identifies one immutable build of a dataset.
    DatasetVersionId
    /// Identifies one version of a rule set.
    RuleSetId
    /// Identifies a job.
    JobId
    /// Identifies a lineage edge.
    LineageId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_matches_any_namespace_and_a_full_one_only_its_own() {
        let table = TableRef::within("sales", "order.items");
        assert!(table.matches("order.items"));
        assert!(table.matches("sales.order.items"));
        assert!(!table.matches("hr.order.items"));
        assert!(!table.matches("Order.items"));
    }

    #[test]
    fn hostile_names_stay_on_one_line() {
        let column = TableRef::new("a\nb").column("c\u{1b}[0m");
        assert!(!column.to_string().chars().any(char::is_control));
    }
}
