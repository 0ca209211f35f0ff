//! The composition root: one object that knows settings, stores, databases and registries.

use std::path::Path;
use std::sync::Arc;

use tdm_core::generator::GeneratorFunction;
use tdm_core::place::Connection;
use tdm_core::port::{Clock, MetadataStore, TargetDatabase};
use tdm_core::redact::Secret;
use tdm_core::time::UtcMicros;
use tdm_core::types::Engine;
use tdm_model::{DatabaseOptions, MetadataDatabase};
use tdm_sql::{DatabaseUrl, SourceDatabase};

use crate::error::{Error, Result};
use crate::secret;
use crate::settings::Settings;

/// Test data management over one metadata database and one data database.
#[derive(Debug, Clone)]
pub struct Tdm {
    settings: Settings,
    store: Arc<dyn MetadataStore>,
    clock: Arc<dyn Clock>,
    masking: tdm_masking::registry::Registry,
    generators: Vec<Arc<dyn GeneratorFunction>>,
    classifier: Arc<tdm_pii::Classifier>,
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Today, in UTC.
    pub fn today(self) -> chrono::NaiveDate {
        chrono::Utc::now().date_naive()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UtcMicros {
        UtcMicros(chrono::Utc::now().timestamp_micros())
    }
}

impl Tdm {
    /// Opens the metadata database of `settings`. An embedded one that does not exist yet is made; a server's must
    /// have been made by `tdm init`.
    ///
    /// # Errors
    /// When the database cannot be reached or its migrations are not up to date.
    pub async fn open(settings: Settings) -> Result<Self> {
        let url = settings.metadata_url.expose();
        if is_sqlite(url) {
            tdm_model::create_database_if_missing(url).await?;
        }
        let status = migration::status(url).await?;
        if status.applied.is_empty() && is_sqlite(url) {
            migration::up(url, None).await?;
        } else if !status.is_current() {
            let missing = status.pending.len();
            return Err(Error::Metadata(format!(
                "{missing} migration(s) are not applied; run `tdm migrate up`"
            )));
        }
        let database = MetadataDatabase::connect(url, &DatabaseOptions::default()).await?;
        Ok(Self::with_store(settings, Arc::new(database)))
    }

    /// Works over another metadata store, for example [`tdm_core::memory::MemoryStore`].
    pub fn with_store(settings: Settings, store: Arc<dyn MetadataStore>) -> Self {
        Self {
            settings,
            store,
            clock: Arc::new(SystemClock),
            masking: tdm_masking::registry::Registry::standard(),
            generators: standard_generators(),
            classifier: Arc::new(tdm_pii::Classifier::standard()),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same with other masking functions.
    #[must_use]
    pub fn with_masking(mut self, registry: tdm_masking::registry::Registry) -> Self {
        self.masking = registry;
        self
    }

    /// The same with another classifier.
    #[must_use]
    pub fn with_classifier(mut self, classifier: tdm_pii::Classifier) -> Self {
        self.classifier = Arc::new(classifier);
        self
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The metadata stores.
    pub const fn store(&self) -> &Arc<dyn MetadataStore> {
        &self.store
    }

    /// The clock.
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The masking functions.
    pub const fn masking(&self) -> &tdm_masking::registry::Registry {
        &self.masking
    }

    /// The generators.
    pub fn generators(&self) -> &[Arc<dyn GeneratorFunction>] {
        &self.generators
    }

    /// The classifier.
    pub const fn classifier(&self) -> &Arc<tdm_pii::Classifier> {
        &self.classifier
    }

    /// The data database.
    ///
    /// # Errors
    /// When its URL cannot be understood or its engine is not supported as a target.
    pub async fn target(&self) -> Result<Arc<dyn TargetDatabase>> {
        let url = parse(self.settings.target_url.expose(), "TARGET_DATABASE_URL")?;
        Ok(tdm_sql::open_target(&url).await?)
    }

    /// The connection that a workflow means by `text`, a URL or the name of a stored connection, with relative paths
    /// relative to `directory`, and its URL with the password filled in.
    ///
    /// # Errors
    /// When there is no such connection, the URL cannot be understood or holds a password itself.
    pub async fn place(&self, text: &str, directory: &Path) -> Result<(Connection, DatabaseUrl)> {
        if !text.contains(':') {
            let found = self.store.connection(text).await?;
            let Some(stored) = found else {
                let all = self.store.connections().await?;
                let near = tdm_core::suggest::nearest(
                    text,
                    all.iter().map(|c| c.connection.name.as_str()),
                );
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(Error::Settings(format!(
                    "no connection is called `{text}`{hint}"
                )));
            };
            let mut url = parse(&stored.connection.location, text)?;
            if let Some(reference) = &stored.connection.secret {
                let password: Secret = secret::resolve(reference)?;
                url = url
                    .with_password(&password)
                    .map_err(|error| Error::Settings(error.to_string()))?;
            }
            return Ok((stored.connection, url));
        }
        // Absolute, so that the stored connection means the same file whatever the next working directory is.
        let base = Path::new(".")
            .join(&self.settings.directory)
            .join(directory);
        let base = std::path::absolute(&base).map_err(|error| Error::file(&base, &error))?;
        let url = parse(text, "the URL")?.relative_to(&base);
        if url.has_password() {
            return Err(Error::Settings(
                "a workflow holds no password; store a connection with `tdm connection add` and name it".to_owned(),
            ));
        }
        let location = url.to_string();
        let connection = Connection {
            name: location.clone(),
            engine: url.engine(),
            lineage_namespace: location.clone(),
            location,
            secret: None,
            options: serde_json::Map::new(),
        };
        Ok((connection, url))
    }

    /// Opens a database to read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn source(&self, url: &DatabaseUrl) -> Result<Arc<dyn SourceDatabase>> {
        Ok(tdm_sql::open_source(url).await?)
    }
}

fn standard_generators() -> Vec<Arc<dyn GeneratorFunction>> {
    let registry = tdm_synth::Registry::new();
    registry
        .descriptors()
        .iter()
        .filter_map(|descriptor| registry.get(descriptor.name))
        .collect()
}

pub(crate) fn parse(text: &str, name: &str) -> Result<DatabaseUrl> {
    DatabaseUrl::parse(text).map_err(|error| Error::Settings(format!("{name}: {error}")))
}

/// The file that `path` means, links followed as far as it exists.
pub(crate) fn absolute(path: &Path) -> std::path::PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (
        path.parent().and_then(|parent| parent.canonicalize().ok()),
        path.file_name(),
    ) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path,
    }
}

pub(crate) fn is_sqlite(url: &str) -> bool {
    DatabaseUrl::parse(url).is_ok_and(|url| url.engine() == Engine::Sqlite)
}
