//! Identifiers in SQL text: the one place where a name from a catalog becomes part of a statement.
//!
//! Names come from servers that an attacker may shape. Values never pass through here: they are bound.

use tdm_core::types::Engine;

use crate::error::SqlError;

/// How an engine writes identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL: double quotes, at most 63 bytes.
    Postgres,
    /// MySQL and MariaDB: backticks, whatever `sql_mode` says; at most 64 characters.
    MySql,
    /// SQLite: double quotes, any length.
    Sqlite,
}

impl Dialect {
    /// The dialect of `engine`; `None` for the in-memory doubles, which speak no SQL.
    pub const fn of(engine: Engine) -> Option<Self> {
        match engine {
            Engine::Postgres => Some(Self::Postgres),
            Engine::MySql => Some(Self::MySql),
            Engine::Sqlite => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// `name` as a quoted identifier.
    ///
    /// # Errors
    /// When the server could not keep the name as it is: it holds NUL, is too long, or is empty where the
    /// dialect has no empty names.
    pub fn identifier(self, name: &str) -> Result<String, SqlError> {
        if name.contains('\0') {
            return Err(SqlError::NulInName);
        }
        match self {
            Self::Sqlite => {}
            Self::Postgres | Self::MySql if name.is_empty() => return Err(SqlError::EmptyName),
            Self::Postgres if name.len() > 63 => {
                return Err(SqlError::NameTooLong { limit: "63 bytes" });
            }
            Self::MySql if name.chars().count() > 64 => {
                return Err(SqlError::NameTooLong {
                    limit: "64 characters",
                });
            }
            Self::Postgres | Self::MySql => {}
        }
        Ok(match self {
            Self::Postgres | Self::Sqlite => enclosed(name, '"'),
            Self::MySql => enclosed(name, '`'),
        })
    }
}

fn enclosed(name: &str, quote: char) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    text.push(quote);
    for c in name.chars() {
        if c == quote {
            text.push(quote);
        }
        text.push(c);
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads one quoted identifier and nothing after it.
    fn unquoted(text: &str, quote: char) -> Option<String> {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        let mut name = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            if c == quote && chars.next() != Some(quote) {
                return None;
            }
            name.push(c);
        }
        Some(name)
    }

    proptest! {
        #[test]
        fn a_quoted_name_reads_back_as_itself(name in "[\\PC\"`'\\[\\]\n]{1,15}") {
            for (dialect, quote) in [(Dialect::Postgres, '"'), (Dialect::MySql, '`'), (Dialect::Sqlite, '"')] {
                let text = dialect.identifier(&name);
                prop_assert_eq!(text.map(|t| unquoted(&t, quote)), Ok(Some(name.clone())));
            }
        }

        #[test]
        fn sqlite_makes_and_finds_a_table_of_any_name(name in "[a-z\"'`\\[\\].;\\- \u{e9}\u{1f600}\n]{1,12}") {
            let connection = rusqlite::Connection::open_in_memory().unwrap();
            let quoted = Dialect::Sqlite.identifier(&name).unwrap();
            connection.execute(&format!("CREATE TABLE {quoted} ({quoted} INTEGER)"), []).unwrap();
            let stored: String = connection
                .query_row("SELECT name FROM sqlite_master", [], |row| row.get(0))
                .unwrap();
            prop_assert_eq!(&stored, &name);
            connection.execute(&format!("INSERT INTO {quoted} ({quoted}) VALUES (1)"), []).unwrap();
        }
    }

    #[test]
    fn names_that_a_server_would_change_are_refused() {
        assert_eq!(Dialect::Sqlite.identifier("a\0b"), Err(SqlError::NulInName));
        assert!(Dialect::Postgres.identifier(&"n".repeat(63)).is_ok());
        assert!(Dialect::Postgres.identifier(&"n".repeat(64)).is_err());
        assert!(Dialect::MySql.identifier(&"\u{e9}".repeat(64)).is_ok());
        assert!(Dialect::MySql.identifier("").is_err());
    }
}
