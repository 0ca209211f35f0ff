//! The list of migrations, oldest first.

use sea_orm_migration::prelude::*;

use crate::m20261122_000001_create_metadata;

/// One entry of the history.
pub(crate) struct Entry {
    pub(crate) migration: Box<dyn MigrationTrait>,
    /// Tables it creates, parents before children.
    pub(crate) creates: &'static [&'static str],
    /// Tables of earlier migrations that are not there any more under that name.
    pub(crate) drops: &'static [&'static str],
}

/// Every migration, in the order in which they are applied. A new one is added at the end.
pub(crate) fn entries() -> Vec<Entry> {
    vec![Entry {
        migration: Box::new(m20261122_000001_create_metadata::Migration),
        creates: m20261122_000001_create_metadata::CREATES,
        drops: &[],
    }]
}

/// The table in which the history records what it applied.
pub const MIGRATION_TABLE: &str = "seaql_migrations";

/// Tables that a database at the newest migration holds, parents before children, [`MIGRATION_TABLE`] not among them.
pub fn tables() -> Vec<&'static str> {
    tables_after(&entries())
}

/// Tables that any migration ever created: a database that is behind may hold those that are gone today.
pub(crate) fn tables_ever() -> Vec<&'static str> {
    let entries = entries();
    let mut tables: Vec<&'static str> = Vec::new();
    for table in entries.iter().flat_map(|entry| entry.creates) {
        if !tables.contains(table) {
            tables.push(table);
        }
    }
    tables
}

fn tables_after(history: &[Entry]) -> Vec<&'static str> {
    let mut tables = Vec::new();
    for entry in history {
        tables.retain(|table| !entry.drops.contains(table));
        tables.extend(entry.creates);
    }
    tables
}

/// The history as sea-orm's own tools take it.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        entries().into_iter().map(|entry| entry.migration).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(creates: &'static [&'static str], drops: &'static [&'static str]) -> Entry {
        Entry {
            migration: Box::new(m20261122_000001_create_metadata::Migration),
            creates,
            drops,
        }
    }

    #[test]
    fn a_table_that_was_dropped_is_expected_no_more_and_may_come_again() {
        let mut history = vec![entry(&["a", "b"], &[]), entry(&["c"], &["a"])];
        assert_eq!(tables_after(&history), ["b", "c"]);
        history.push(entry(&["a"], &["c"]));
        assert_eq!(tables_after(&history), ["b", "a"]);
    }
}
