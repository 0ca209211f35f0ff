//! The list of migrations, oldest first.

use sea_orm_migration::prelude::*;

use crate::m20261122_000001_create_metadata;

/// One entry of the history.
pub(crate) struct Entry {
    pub(crate) migration: Box<dyn MigrationTrait>,
    /// Tables it creates, parents before children.
    pub(crate) creates: &'static [&'static str],
}

/// Every migration, in the order in which they are applied. A new one is added at the end.
pub(crate) fn entries() -> Vec<Entry> {
    vec![Entry {
        migration: Box::new(m20261122_000001_create_metadata::Migration),
        creates: m20261122_000001_create_metadata::CREATES,
    }]
}

/// The table in which the history records what it applied.
pub const MIGRATION_TABLE: &str = "seaql_migrations";

/// Tables that a database at the newest migration holds, parents before children, [`MIGRATION_TABLE`] not among them.
pub fn tables() -> Vec<&'static str> {
    entries()
        .iter()
        .flat_map(|entry| entry.creates.iter().copied())
        .collect()
}

/// The history as sea-orm's own tools take it.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        entries().into_iter().map(|entry| entry.migration).collect()
    }
}
