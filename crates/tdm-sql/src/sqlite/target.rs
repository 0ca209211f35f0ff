//! SQLite as a target: namespaces are files.
//!
//! [`Namespace::Main`] is the file that the URL names; version `v` of dataset `d` is the file
//! `<that file>.d/d/v<v>.sqlite`. A file that we made carries [`APPLICATION_ID`] in its header, where SQLite
//! keeps a number for exactly this; the job and the dataset stand in a row of `sqlite_stat1` that names no
//! table, so that no table shows that the source does not have.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tdm_core::error::{PortError, PortResult};
use tdm_core::port::{
    Namespace, NamespaceState, RowSource, ServerIdentity, SinkCapability, StageRequest, Staging,
    TargetDatabase,
};
use tdm_core::types::Engine;

use super::failure::{self, Doing};
use super::source::{self, SourceOptions, SqliteSource, absolute, name};
use super::staging::SqliteStaging;
use super::worker::blocking;
use super::{lock, publish};

/// `TDM1`: what `PRAGMA application_id` says of a file that we made.
pub const APPLICATION_ID: i32 = 0x5444_4d31;

/// How a target is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetOptions {
    /// How long publication and removal wait for readers and writers of the published file.
    pub lock_wait: Duration,
}

impl Default for TargetOptions {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(5),
        }
    }
}

/// A SQLite database to load data into. Nothing is made before data is staged.
#[derive(Debug, Clone)]
pub struct SqliteTarget {
    path: PathBuf,
    options: TargetOptions,
}

impl SqliteTarget {
    /// A target at `path`. Neither the file nor its directory need exist.
    ///
    /// # Errors
    /// When `path` cannot be the path of a file.
    pub fn open(path: impl AsRef<Path>) -> PortResult<Self> {
        let path = absolute(path.as_ref())?;
        if path.file_name().is_none() || path.is_dir() {
            return Err(PortError::Invalid {
                object: name(&path),
                reason: "a directory, not a file".to_owned(),
            });
        }
        Ok(Self {
            path,
            options: TargetOptions::default(),
        })
    }

    /// The same target, used in another way.
    #[must_use]
    pub fn with_options(mut self, options: TargetOptions) -> Self {
        self.options = options;
        self
    }

    /// The file of a namespace.
    ///
    /// # Errors
    /// When the dataset's name cannot be the name of a directory.
    pub fn file(&self, namespace: &Namespace) -> PortResult<PathBuf> {
        match namespace {
            Namespace::Main => Ok(self.path.clone()),
            Namespace::Dataset { dataset, version } => {
                let directory = directory_name(dataset).ok_or_else(|| PortError::Invalid {
                    object: format!("dataset {}", crate::scrub::one_line(dataset)),
                    reason: "the name cannot be the name of a directory".to_owned(),
                })?;
                Ok(self
                    .datasets()
                    .join(directory)
                    .join(format!("v{version}.sqlite")))
            }
        }
    }

    /// Directory of the dataset versions.
    fn datasets(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".d");
        PathBuf::from(name)
    }
}

/// The directory of a dataset: its name, with what some file systems refuse written as `%XX`. `None` when the
/// name is empty, too long, or could lead elsewhere.
fn directory_name(dataset: &str) -> Option<String> {
    use std::fmt::Write as _;
    let leads_elsewhere = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if dataset.is_empty() || dataset.contains(leads_elsewhere) {
        return None;
    }
    let last = dataset.chars().count() - 1;
    let mut name = String::with_capacity(dataset.len());
    for (at, c) in dataset.chars().enumerate() {
        let at_an_end = (at == 0 || at == last) && matches!(c, '.' | ' ');
        if at_an_end || "%:*?\"<>|".contains(c) {
            let _ = write!(name, "%{:02X}", u32::from(c));
        } else {
            name.push(c);
        }
    }
    (name.len() <= 200).then_some(name)
}

/// What is in the file at `path`.
fn state(path: &Path) -> PortResult<NamespaceState> {
    let empty = std::fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
    if empty {
        return Ok(NamespaceState::Empty);
    }
    let object = name(path);
    let connection = source::open_read_only(path, &object, Duration::from_secs(5))?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<NamespaceState> {
        if number("PRAGMA application_id")? == i64::from(APPLICATION_ID) {
            return Ok(NamespaceState::Ours);
        }
        let tables = number(
            "SELECT count(*) FROM sqlite_master
             WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        )?;
        Ok(match usize::try_from(tables) {
            Ok(0) => NamespaceState::Empty,
            tables => NamespaceState::Foreign {
                tables: tables.unwrap_or(usize::MAX),
            },
        })
    };
    read().map_err(|error| {
        let doing = Doing {
            operation: "look into",
            object: &object,
        };
        doing.failed(error)
    })
}

#[async_trait]
impl TargetDatabase for SqliteTarget {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn capability(&self) -> SinkCapability {
        SinkCapability::single_writer()
    }

    async fn identity(&self) -> PortResult<ServerIdentity> {
        source::identity(&self.path)
    }

    async fn state(&self, namespace: &Namespace) -> PortResult<NamespaceState> {
        let path = self.file(namespace)?;
        blocking(&name(&path.clone()), move || state(&path)).await
    }

    async fn stage(&self, request: StageRequest) -> PortResult<Box<dyn Staging>> {
        let destination = publish::behind_links(&self.file(&request.namespace)?);
        // What could not be replaced in the end is found before anything is loaded.
        let occupied = destination.clone();
        blocking(&name(&destination), move || state(&occupied)).await?;
        Ok(Box::new(
            SqliteStaging::create(destination, request, self.options.lock_wait).await?,
        ))
    }

    async fn read(&self, namespace: &Namespace) -> PortResult<Arc<dyn RowSource>> {
        let path = self.file(namespace)?;
        if !path.is_file() {
            return Err(PortError::NotFound {
                kind: "namespace",
                name: namespace.to_string(),
            });
        }
        Ok(Arc::new(
            SqliteSource::open(path, SourceOptions::default()).await?,
        ))
    }

    /// A main file that holds somebody else's tables is not removed.
    async fn remove(&self, namespace: &Namespace) -> PortResult<()> {
        let path = self.file(namespace)?;
        let main = matches!(namespace, Namespace::Main);
        let shown = namespace.to_string();
        let lock_wait = self.options.lock_wait;
        blocking(&name(&path.clone()), move || {
            if main && matches!(state(&path)?, NamespaceState::Foreign { .. }) {
                return Err(PortError::Conflict {
                    kind: "namespace",
                    name: shown,
                    reason: "it holds tables that TDM did not make".to_owned(),
                });
            }
            publish::remove(&path, lock_wait)?;
            if !main {
                // Directories of datasets go with their last version; others refuse to go.
                for directory in path.ancestors().skip(1).take(2) {
                    let _ = std::fs::remove_dir(directory);
                }
            }
            Ok(())
        })
        .await
    }

    async fn remove_leftovers(&self) -> PortResult<usize> {
        let main = publish::behind_links(&self.path);
        let datasets = self.datasets();
        let object = name(&self.path);
        let shown = object.clone();
        blocking(&object, move || {
            let sweep = || -> std::io::Result<usize> {
                let mut removed = match main.parent() {
                    Some(directory) => lock::remove_dead(directory, Some(&main))?,
                    None => 0,
                };
                if datasets.is_dir() {
                    for entry in std::fs::read_dir(&datasets)? {
                        let path = entry?.path();
                        if path.is_dir() {
                            removed += lock::remove_dead(&path, None)?;
                        }
                    }
                }
                Ok(removed)
            };
            sweep().map_err(|error| failure::io("clean up beside", &shown, &error))
        })
        .await
    }
}
