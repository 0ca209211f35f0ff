//! Whether history and entities describe the same tables.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use tdm_core::catalog::{Catalog, TableSchema};
use tdm_discovery::{SchemaDiff, diff};

use super::scratch::{Scratch, read};
use crate::error::{Error, Result};

/// What the comparison of history and entities found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Tables that were compared.
    pub tables: usize,
    /// Columns that were compared.
    pub columns: usize,
    /// What the entities have (`+`), what only the history has (`-`) and what differs (`~`), one line each.
    pub differences: Vec<String>,
    /// Columns whose place among the columns differs. That is no disagreement: a column that a migration adds comes last
    /// on PostgreSQL and MariaDB, and every statement names its columns.
    pub order: Vec<String>,
}

impl CheckReport {
    /// Whether history and entities agree.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.agrees() {
            return write!(
                f,
                "entities and migrations agree on {} tables and {} columns",
                self.tables, self.columns
            );
        }
        let one = self.differences.len() == 1;
        let differ = if one {
            "1 difference".to_owned()
        } else {
            format!("{} differences", self.differences.len())
        };
        write!(
            f,
            "entities and migrations disagree: {differ}, from the history to the entities"
        )?;
        self.differences
            .iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Fails when entities and migrations disagree.
///
/// Nothing but the order of columns is tolerated. Names of checks and keys are compared too, because later migrations drop
/// them by name; those of foreign keys are in no SQLite schema, so here neither side has one.
///
/// # Errors
/// [`Error::Findings`] with every difference; [`Error::File`] and [`Error::Metadata`] when the scratch databases cannot
/// be made.
pub async fn check() -> Result<CheckReport> {
    let report = compare().await?;
    if report.agrees() {
        Ok(report)
    } else {
        Err(Error::Findings(report.to_string()))
    }
}

/// The same comparison as [`check`], with the differences in the report instead of an error.
///
/// # Errors
/// When the scratch databases cannot be made.
pub async fn compare() -> Result<CheckReport> {
    let scratch = Scratch::new()?;
    let (history, _) = scratch.by_history().await?;
    let entities = scratch.by_entities().await?;
    compare_files(&history, &entities).await
}

async fn compare_files(history: &Path, entities: &Path) -> Result<CheckReport> {
    Ok(report(&read(history).await?, &read(entities).await?))
}

fn report(history: &Catalog, entities: &Catalog) -> CheckReport {
    let (difference, order) = without_order(diff(history, entities));
    let mut differences = if difference.is_empty() {
        Vec::new()
    } else {
        lines(&difference)
    };
    differences.extend(names(history, entities));
    CheckReport {
        tables: entities.tables.len(),
        columns: entities
            .tables
            .iter()
            .map(|table| table.columns.len())
            .sum(),
        differences,
        order,
    }
}

/// Takes the places of columns out of a difference.
pub(super) fn without_order(mut difference: SchemaDiff) -> (SchemaDiff, Vec<String>) {
    let mut order = Vec::new();
    for table in &mut difference.tables {
        for column in &mut table.columns {
            column.changes.retain(|change| {
                let place = change.what == "position";
                if place {
                    order.push(format!(
                        "{}.{}: {} -> {}",
                        table.table, column.column, change.from, change.to
                    ));
                }
                !place
            });
        }
        table.columns.retain(|column| !column.changes.is_empty());
    }
    difference.tables.retain(|table| {
        !(table.changes.is_empty()
            && table.columns_added.is_empty()
            && table.columns_dropped.is_empty()
            && table.columns_renamed.is_empty()
            && table.columns.is_empty()
            && table.constraints.is_empty())
    });
    (difference, order)
}

/// One line a change, with the table where the text only implies it.
fn lines(difference: &SchemaDiff) -> Vec<String> {
    let mut lines = Vec::new();
    let mut table = String::new();
    for line in difference.to_string().lines() {
        match (line.strip_prefix("    "), line.strip_prefix("~ table ")) {
            (Some(change), _) => lines.push(format!("{} (table {table})", change.trim_start())),
            (None, Some(name)) if !name.contains(" -> ") => table = name.to_owned(),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Constraints that are the same but for their names, which a difference of schemas does not look at.
fn names(history: &Catalog, entities: &Catalog) -> Vec<String> {
    let mut found = Vec::new();
    for newer in &entities.tables {
        let Some(older) = history.table(&newer.table) else {
            continue;
        };
        let (before, after) = (named(older), named(newer));
        for (constraint, to) in &after {
            if let Some(from) = before.get(constraint).filter(|from| *from != to) {
                let table = &newer.table;
                found.push(format!(
                    "~ {constraint}: named {} -> {} (table {table})",
                    from.join(", "),
                    to.join(", ")
                ));
            }
        }
    }
    found
}

/// The names that each constraint of a table goes by.
fn named(table: &TableSchema) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut put = |constraint: String, name: &Option<String>| {
        let name = name
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), |name| format!("`{name}`"));
        let names = all.entry(constraint).or_default();
        names.push(name);
        names.sort();
    };
    for key in table.primary_key.iter() {
        put(
            format!("primary key ({})", key.columns.join(", ")),
            &key.name,
        );
    }
    for key in &table.unique {
        put(
            format!("unique key ({})", key.columns.join(", ")),
            &key.name,
        );
    }
    for key in &table.foreign_keys {
        put(format!("foreign key {}", key.describe()), &key.name);
    }
    for check in &table.checks {
        put(format!("check `{}`", check.expression), &check.name);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_sql::sqlite::execute_script;

    #[tokio::test]
    async fn history_and_entities_agree() {
        let report = check().await.unwrap();
        assert_eq!(report.tables, migration::tables().len());
        assert!(
            report.columns > 100 && report.order.is_empty(),
            "{report:?}"
        );
        assert!(
            report
                .to_string()
                .starts_with("entities and migrations agree on 14 tables")
        );
    }

    /// Every kind of change, made to the scratch database of the entities, and what must be said about it.
    #[tokio::test]
    async fn every_difference_fails_and_is_named() {
        // The text of a table is edited in place: SQLite offers no statement for most of these.
        let edit = |table: &str, from: &str, to: &str| {
            let quoted = |text: &str| text.replace('\'', "''");
            format!(
                "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, '{}', '{}') \
                 WHERE name = '{table}' AND type = 'table';",
                quoted(from),
                quoted(to)
            )
        };
        let cases = [
            (
                "CREATE TABLE extra (id uuid_text PRIMARY KEY)".to_owned(),
                "+ table extra",
            ),
            ("DROP TABLE job_logs".to_owned(), "- table job_logs"),
            (
                "ALTER TABLE jobs ADD COLUMN note text".to_owned(),
                "+ column note (table jobs)",
            ),
            (
                "ALTER TABLE jobs DROP COLUMN plan_hash".to_owned(),
                "- column plan_hash (table jobs)",
            ),
            (
                "ALTER TABLE jobs RENAME COLUMN user_name TO actor".to_owned(),
                "user_name -> actor (renamed",
            ),
            (
                "DROP INDEX \"idx-jobs-status\"".to_owned(),
                "- index idx-jobs-status (status) (table jobs)",
            ),
            (
                "CREATE UNIQUE INDEX i ON jobs (plan_hash)".to_owned(),
                "+ index unique i (plan_hash) (table jobs)",
            ),
            (
                edit(
                    "jobs",
                    "\"plan_hash\" varchar(128)",
                    "\"plan_hash\" varchar(64)",
                ),
                "column plan_hash: type",
            ),
            (
                edit(
                    "jobs",
                    "\"plan_hash\" varchar(128) NOT NULL",
                    "\"plan_hash\" varchar(128)",
                ),
                "nullability",
            ),
            (
                edit(
                    "jobs",
                    "\"user_name\" varchar(255) NOT NULL",
                    "\"user_name\" varchar(255) NOT NULL DEFAULT ''",
                ),
                "default",
            ),
            (
                edit("job_logs", "ON DELETE CASCADE", "ON DELETE SET NULL"),
                "on delete set null",
            ),
            (
                edit("job_logs", "ON UPDATE RESTRICT", ""),
                "+ foreign key (job_id) -> jobs(id)",
            ),
            (edit("jobs", "'cancelled'", "'stopped'"), "+ check"),
            (
                edit("jobs", "ck-jobs-status", "ck-other"),
                "named `ck-jobs-status` -> `ck-other`",
            ),
        ];
        let scratch = Scratch::new().unwrap();
        let (history, _) = scratch.by_history().await.unwrap();
        let pristine = scratch.by_entities().await.unwrap();
        for (number, (script, expected)) in cases.into_iter().enumerate() {
            let changed = scratch.path().join(format!("{number}.sqlite"));
            std::fs::copy(&pristine, &changed).unwrap();
            execute_script(&changed, script.clone()).await.unwrap();
            let report = compare_files(&history, &changed).await.unwrap();
            assert!(!report.agrees(), "{script}");
            assert!(
                report.to_string().contains(expected),
                "{expected}: {report}"
            );
            // The other way round as well: it is the history that changed.
            assert!(
                !compare_files(&changed, &pristine).await.unwrap().agrees(),
                "{script}"
            );
        }
    }

    #[tokio::test]
    async fn the_order_of_columns_is_told_and_not_held_against_anybody() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.by_entities().await.unwrap();
        let history = read(&path).await.unwrap();
        let mut entities = history.clone();
        let jobs = entities
            .tables
            .iter_mut()
            .find(|table| table.table.name == "jobs")
            .unwrap();
        jobs.columns.swap(2, 3);
        let report = report(&history, &entities);
        assert!(report.agrees());
        assert_eq!(report.order.len(), 2, "{:?}", report.order);
    }

    #[cfg(unix)]
    #[test]
    fn the_scratch_directory_is_private_and_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        drop(scratch);
        assert!(!path.exists());
    }
}
