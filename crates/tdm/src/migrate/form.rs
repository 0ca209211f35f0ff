//! A table in the words of the history: what a migration can say about it, and what it cannot.

use tdm_core::catalog::{
    Action, Check, Column, Deferrability, ForeignKey, Generation, Index, IndexPart, MatchType,
    TableKind, TableSchema,
};
use tdm_core::types::LogicalType;

/// What a column holds; the names are those of the history's `Holds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    Big,
    Flag,
    Id,
    Json,
    Name,
    Real,
    Small,
    Text,
    Time,
    Word,
}

impl Holds {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Big => "Big",
            Self::Flag => "Flag",
            Self::Id => "Id",
            Self::Json => "Json",
            Self::Name => "Name",
            Self::Real => "Real",
            Self::Small => "Small",
            Self::Text => "Text",
            Self::Time => "Time",
            Self::Word => "Word",
        }
    }

    /// An SQL expression that says nothing, for rows that need some value. There is none for an identifier.
    pub(super) const fn neutral(self) -> &'static str {
        match self {
            Self::Id => "NULL",
            Self::Flag => "FALSE",
            Self::Big | Self::Small | Self::Real => "0",
            Self::Json => "'{}'",
            Self::Time => "CURRENT_TIMESTAMP",
            Self::Name | Self::Text | Self::Word => "''",
        }
    }

    /// The word for a column as SQLite declares it; the flag says whether it means exactly that.
    fn of(column: &Column) -> (Self, bool) {
        let exact = match column.native.to_ascii_lowercase().as_str() {
            "uuid_text" => Self::Id,
            "varchar(255)" => Self::Name,
            "varchar(128)" => Self::Word,
            "text" => Self::Text,
            "jsonb_text" => Self::Json,
            "timestamp_with_timezone_text" => Self::Time,
            "integer" => Self::Small,
            "bigint" => Self::Big,
            "double" => Self::Real,
            "boolean" => Self::Flag,
            _ => {
                let near = match &column.logical {
                    LogicalType::Boolean => Self::Flag,
                    LogicalType::Integer { .. } => Self::Big,
                    LogicalType::Float { .. } | LogicalType::Decimal { .. } => Self::Real,
                    LogicalType::Timestamp { .. } => Self::Time,
                    LogicalType::Json => Self::Json,
                    LogicalType::Uuid => Self::Id,
                    LogicalType::Text {
                        max_length: Some(0..=128),
                    } => Self::Word,
                    LogicalType::Text {
                        max_length: Some(129..=255),
                    } => Self::Name,
                    _ => Self::Text,
                };
                return (near, false);
            }
        };
        (exact, true)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnForm {
    pub(super) name: String,
    pub(super) holds: Holds,
    pub(super) required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReferenceForm {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) parent: String,
    /// The history's word: `Cascade`, `Forget` or `Restrict`.
    pub(super) on_delete: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckForm {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) words: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexForm {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) unique: bool,
}

/// A table as a migration writes it. Its primary key is a UUID called `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableForm {
    pub(super) name: String,
    /// Without `id`.
    pub(super) columns: Vec<ColumnForm>,
    pub(super) references: Vec<ReferenceForm>,
    pub(super) checks: Vec<CheckForm>,
    pub(super) indexes: Vec<IndexForm>,
    /// What the history has no words for, each as the rest of a sentence.
    pub(super) oddities: Vec<String>,
}

impl TableForm {
    pub(super) fn of(table: &TableSchema) -> Self {
        let name = &table.table.name;
        let mut form = Self {
            name: name.clone(),
            columns: Vec::new(),
            references: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            oddities: Vec::new(),
        };
        let odd = &mut form.oddities;
        if table.kind != TableKind::Table {
            odd.push(format!("`{name}` is no ordinary table"));
        }
        odd.extend(
            table
                .options
                .keys()
                .map(|option| format!("`{name}` has the option {option}")),
        );
        let key: Vec<&str> = table
            .primary_key
            .iter()
            .flat_map(|key| &key.columns)
            .map(String::as_str)
            .collect();
        let id = |column: &Column| column.name == "id" && Holds::of(column) == (Holds::Id, true);
        if key != ["id"] || !table.columns.iter().any(id) {
            odd.push(format!(
                "the primary key of `{name}` is not a UUID called `id`: ({})",
                key.join(", ")
            ));
        }
        for column in table.columns.iter().filter(|column| column.name != "id") {
            odd.extend(odd_column(name, column));
            form.columns.push(ColumnForm {
                name: column.name.clone(),
                holds: Holds::of(column).0,
                required: !column.nullable,
            });
        }
        for unique in &table.unique {
            odd.push(format!(
                "`{name}` has the unique constraint ({})",
                unique.columns.join(", ")
            ));
        }
        for key in &table.foreign_keys {
            match reference(name, key) {
                Some(reference) => form.references.push(reference),
                None => odd.push(format!("`{name}` has the foreign key {}", key.describe())),
            }
        }
        for check in &table.checks {
            match one_of(name, check) {
                Some(check) => form.checks.push(check),
                None => odd.push(format!("`{name}` has the check {}", check.expression)),
            }
        }
        for entry in &table.indexes {
            match index(name, entry) {
                Some(index) => form.indexes.push(index),
                None => odd.push(format!("`{name}` has the index `{}`", entry.name)),
            }
        }
        form
    }

    pub(super) fn column(&self, name: &str) -> Option<&ColumnForm> {
        self.columns.iter().find(|column| column.name == name)
    }
}

fn odd_column(table: &str, column: &Column) -> Vec<String> {
    let place = format!("`{table}.{}`", column.name);
    let mut odd = Vec::new();
    if !Holds::of(column).1 {
        odd.push(format!("{place} is declared {}", column.native));
    }
    if let Some(default) = &column.default {
        odd.push(format!("{place} has the default {default}"));
    }
    if column.generation != Generation::None {
        odd.push(format!("{place} is filled by the database"));
    }
    if let Some(collation) = &column.collation {
        odd.push(format!("{place} has the collation {collation}"));
    }
    odd
}

fn reference(table: &str, key: &ForeignKey) -> Option<ReferenceForm> {
    let [(column, parent_column)] = key.columns.as_slice() else {
        return None;
    };
    let name = format!("fk-{table}-{column}");
    let on_delete = match key.on_delete {
        Action::Cascade => "Cascade",
        Action::Restrict => "Restrict",
        Action::SetNull => "Forget",
        Action::NoAction | Action::SetDefault => return None,
    };
    let plain = parent_column == "id"
        // SQLite's tables do not keep the name.
        && key.name.as_ref().is_none_or(|given| *given == name)
        && key.on_update == Action::Restrict
        && key.match_type == MatchType::Simple
        && key.deferrability == Deferrability::Immediate;
    plain.then(|| ReferenceForm {
        name,
        column: column.clone(),
        parent: key.parent.name.clone(),
        on_delete,
    })
}

fn index(table: &str, index: &Index) -> Option<IndexForm> {
    let columns: Option<Vec<String>> = index
        .parts
        .iter()
        .map(|part| match part {
            IndexPart::Column {
                name,
                descending: false,
            } => Some(name.clone()),
            _ => None,
        })
        .collect();
    let columns = columns?;
    let plain = index.name == format!("idx-{table}-{}", columns.join("-"))
        && index.predicate.is_none()
        && index.include.is_empty();
    plain.then(|| IndexForm {
        name: index.name.clone(),
        columns,
        unique: index.unique,
    })
}

/// Reads `"column" IN ('a', 'b')`.
fn one_of(table: &str, check: &Check) -> Option<CheckForm> {
    let rest = check.expression.trim().strip_prefix('"')?;
    let (column, rest) = rest.split_once('"')?;
    let rest = rest.trim_start();
    let rest = rest
        .strip_prefix("IN")
        .or_else(|| rest.strip_prefix("in"))?
        .trim_start();
    let mut list = rest.strip_prefix('(')?.strip_suffix(')')?;
    let mut words = Vec::new();
    loop {
        list = list.trim_start().strip_prefix('\'')?;
        let mut word = String::new();
        loop {
            let (part, after) = list.split_once('\'')?;
            word.push_str(part);
            match after.strip_prefix('\'') {
                Some(more) => {
                    word.push('\'');
                    list = more;
                }
                None => {
                    list = after.trim_start();
                    break;
                }
            }
        }
        words.push(word);
        match list.strip_prefix(',') {
            Some(more) => list = more,
            None if list.is_empty() => break,
            None => return None,
        }
    }
    let name = format!("ck-{table}-{column}");
    (check.name.as_ref() == Some(&name)).then(|| CheckForm {
        name,
        column: column.to_owned(),
        words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Option<Vec<String>> {
        let check = Check {
            name: Some("ck-t-c".to_owned()),
            expression: expression.to_owned(),
            validated: true,
            exclusion: false,
        };
        one_of("t", &check).map(|form| form.words)
    }

    #[test]
    fn a_list_of_words_is_read_and_anything_else_is_not() {
        assert_eq!(
            check("\"c\" IN ('a', 'it''s', '')").unwrap(),
            ["a", "it's", ""]
        );
        for other in [
            "\"c\" IN ('a', 1)",
            "\"c\" IN ()",
            "c > 1",
            "\"c\" IN ('a') OR 1",
            "\"d\" IN ('a')",
            "\"c\" IN ('a",
        ] {
            assert_eq!(check(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn the_history_has_words_for_all_that_it_made() {
        let scratch = super::super::scratch::Scratch::new().unwrap();
        let (path, _) = scratch.by_history().await.unwrap();
        let catalog = super::super::scratch::read(&path).await.unwrap();
        assert_eq!(catalog.tables.len(), migration::tables().len());
        for table in &catalog.tables {
            assert_eq!(TableForm::of(table).oddities, Vec::<String>::new());
        }
    }
}
