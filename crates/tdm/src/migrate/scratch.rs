//! Two scratch databases: one as the history makes it, one as the entities describe it.

use std::path::{Path, PathBuf};

use tdm_core::catalog::Catalog;
use tdm_core::diagnostic::Severity;
use tdm_core::port::Introspector as _;
use tdm_model::{DatabaseOptions, MetadataDatabase};
use tdm_sql::sqlite::{SourceOptions, SqliteSource};
use tempfile::TempDir;

use crate::error::{Error, Result};

/// A directory that only its owner can enter, gone with this value.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
}

impl Scratch {
    pub(super) fn new() -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("tdm-scratch-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let directory = builder
            .tempdir()
            .map_err(|error| Error::file(std::env::temp_dir(), &error))?;
        Ok(Self { directory })
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Applies the whole history to an empty database. Also says which migrations that were, oldest first.
    pub(super) async fn by_history(&self) -> Result<(PathBuf, Vec<String>)> {
        let (path, url) = self.empty("history.sqlite").await?;
        let applied = migration::up(&url, None)
            .await
            .map_err(|error| Error::Metadata(error.to_string()))?;
        Ok((path, applied))
    }

    /// Makes every table that the entities describe.
    pub(super) async fn by_entities(&self) -> Result<PathBuf> {
        let failed = |error: tdm_model::Error| Error::Metadata(error.to_string());
        let (path, url) = self.empty("entities.sqlite").await?;
        let database = MetadataDatabase::connect(&url, &DatabaseOptions::default())
            .await
            .map_err(failed)?;
        let created = database.create_schema_from_entities().await.map_err(failed);
        database.close().await;
        created.map(|()| path)
    }

    async fn empty(&self, name: &str) -> Result<(PathBuf, String)> {
        let path = self.directory.path().join(name);
        // What a URL reads as something else than a path.
        let escaped = path
            .display()
            .to_string()
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        let url = format!("sqlite:{escaped}");
        let made = tdm_model::create_database_if_missing(&url).await;
        made.map_err(|error| Error::Metadata(error.to_string()))?;
        Ok((path, url))
    }
}

/// What our own introspection understands of the database at `path`, without the table in which the history records
/// itself.
pub(super) async fn read(path: &Path) -> Result<Catalog> {
    let source = SqliteSource::open(path, SourceOptions::default()).await?;
    let introspection = source.introspect().await?;
    // What cannot be read cannot be compared.
    if let Some(warning) = introspection
        .diagnostics
        .iter()
        .find(|d| d.severity > Severity::Info)
    {
        return Err(Error::Discovery(format!("scratch database: {warning}")));
    }
    let mut catalog = introspection.catalog;
    catalog
        .tables
        .retain(|table| table.table.name != migration::MIGRATION_TABLE);
    Ok(catalog)
}
