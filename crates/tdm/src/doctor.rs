//! `tdm doctor` and `tdm init`: the two databases, looked at from outside.

use std::fmt;

use serde::Serialize;
use tdm_core::port::ServerIdentity;
use tdm_model::{DatabaseOptions, MetadataDatabase};

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::tdm::{absolute, is_sqlite, parse};
use crate::{secret, tables};

/// What was looked at and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorReport {
    /// One entry per check.
    pub checks: Vec<Check>,
    /// Tables of the metadata database: name, and whether it is expected.
    pub tables: Vec<TableCheck>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// One line: how it is, or the cause and what to do.
    pub finding: String,
}

/// One table of the metadata database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableCheck {
    /// Name.
    pub table: String,
    /// `ok` or `missing`.
    pub state: &'static str,
}

impl DoctorReport {
    /// Whether every check passed.
    pub fn is_healthy(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    fn add(&mut self, name: &str, outcome: std::result::Result<String, String>) {
        let (ok, finding) = match outcome {
            Ok(finding) => (true, finding),
            Err(finding) => (false, finding),
        };
        self.checks.push(Check {
            name: name.to_owned(),
            ok,
            finding,
        });
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.checks.iter().map(|check| {
            vec![
                check.name.clone(),
                mark(check.ok).to_owned(),
                check.finding.clone(),
            ]
        });
        writeln!(f, "{}", tables::aligned(&["check", "", "finding"], rows))?;
        let rows = self
            .tables
            .iter()
            .map(|table| vec![table.table.clone(), table.state.to_owned()]);
        writeln!(f, "{}", tables::aligned(&["metadata table", "state"], rows))?;
        write!(
            f,
            "{} tables",
            self.tables
                .iter()
                .filter(|table| table.state == "ok")
                .count()
        )
    }
}

const fn mark(ok: bool) -> &'static str {
    if ok { "ok" } else { "WRONG" }
}

/// Looks at both databases and the key. Writes nothing.
pub async fn doctor(settings: &Settings) -> DoctorReport {
    let mut report = DoctorReport {
        checks: Vec::new(),
        tables: Vec::new(),
    };
    let metadata_identity = look_at_metadata(settings, &mut report).await;
    let target_identity = look_at_target(settings, &mut report).await;
    if let (Some(metadata), Some(target)) = (metadata_identity, target_identity) {
        let distinct = if metadata == target {
            Err(
                "DATABASE_URL and TARGET_DATABASE_URL are the same database; give each its own"
                    .to_owned(),
            )
        } else {
            Ok("metadata and target are two databases".to_owned())
        };
        report.add("two databases", distinct);
    }
    let key = match &settings.key {
        tdm_core::place::SecretRef::File(path)
            if settings.key_may_be_made && !std::path::Path::new(path).exists() =>
        {
            Ok("none yet; made by `tdm init` or the first run".to_owned())
        }
        _ => secret::root_key(settings)
            .map(|key| {
                format!(
                    "fingerprint {}",
                    tdm_core::keyring::Keyring::fingerprint(&key)
                )
            })
            .map_err(|error| error.to_string()),
    };
    report.add("masking key", key);
    report
}

async fn look_at_metadata(
    settings: &Settings,
    report: &mut DoctorReport,
) -> Option<ServerIdentity> {
    let url = settings.metadata_url.expose();
    let shown = parse(url, "DATABASE_URL").map(|url| url.to_string());
    let connected = match (&shown, is_missing_file(url)) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), true) => Err("the database file does not exist; run `tdm init`".to_owned()),
        (Ok(_), false) => MetadataDatabase::connect(url, &DatabaseOptions::default())
            .await
            .map_err(|error| error.to_string()),
    };
    let database = match connected {
        Ok(database) => database,
        Err(cause) => {
            report.add("metadata database", Err(cause));
            return None;
        }
    };
    report.add(
        "metadata database",
        Ok(format!("connected to {}", shown.unwrap_or_default())),
    );
    let present = database.list_tables().await.unwrap_or_default();
    let mut expected: Vec<&str> = migration::tables();
    expected.push(migration::MIGRATION_TABLE);
    expected.sort_unstable();
    for table in &expected {
        let state = if present.iter().any(|name| name == table) {
            "ok"
        } else {
            "missing"
        };
        report.tables.push(TableCheck {
            table: (*table).to_owned(),
            state,
        });
    }
    let missing: Vec<&str> = report
        .tables
        .iter()
        .filter(|table| table.state == "missing")
        .map(|table| table.table.as_str())
        .collect();
    let tables = if missing.is_empty() {
        Ok(format!("all {} tables are there", expected.len()))
    } else {
        Err(format!(
            "{} of {} tables are missing; run `tdm init`",
            missing.len(),
            expected.len()
        ))
    };
    report.add("metadata tables", tables);
    report.add("migrations", migrations(url).await);
    let identity = database.identity().await.ok();
    database.close().await;
    identity
}

async fn migrations(url: &str) -> std::result::Result<String, String> {
    let status = migration::status(url)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(entry) = status.applied.iter().find(|entry| !entry.known) {
        return Err(format!(
            "`{}` is applied and unknown to this program, which is older",
            entry.name
        ));
    }
    if let Some(entry) = status
        .applied
        .iter()
        .find(|entry| entry.applied_at.is_none())
    {
        return Err(format!(
            "`{}` began and did not end; roll it back with `tdm migrate down`",
            entry.name
        ));
    }
    match status.pending.as_slice() {
        [] => Ok(format!("{} applied, none missing", status.applied.len())),
        [first, rest @ ..] => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            Err(format!(
                "missing migration `{first}`{more}; run `tdm migrate up`"
            ))
        }
    }
}

async fn look_at_target(settings: &Settings, report: &mut DoctorReport) -> Option<ServerIdentity> {
    let url = settings.target_url.expose();
    let outcome = match parse(url, "TARGET_DATABASE_URL") {
        Err(error) => Err(error.to_string()),
        // An embedded target appears when data is provisioned.
        Ok(shown) if is_missing_file(url) => Ok((
            format!("{shown} is empty; it appears with the first data"),
            None,
        )),
        Ok(shown) => match tdm_model::database_identity(url).await {
            Ok(identity) => Ok((format!("connected to {shown}"), Some(identity))),
            Err(error) => Err(error.to_string()),
        },
    };
    let (outcome, identity) = match outcome {
        Ok((finding, identity)) => (Ok(finding), identity),
        Err(cause) => (Err(cause), None),
    };
    report.add("target database", outcome);
    // A file that does not exist yet has a name to compare by.
    identity
        .or_else(|| (url == settings.metadata_url.expose()).then(|| ServerIdentity(url.to_owned())))
}

fn is_missing_file(url: &str) -> bool {
    parse(url, "").is_ok_and(|url| url.sqlite_path().is_some_and(|path| !path.exists()))
}

/// What `tdm init` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InitReport {
    /// Databases that were created.
    pub created: Vec<String>,
    /// Migrations that were applied.
    pub applied: Vec<String>,
    /// Fingerprint of the masking key.
    pub key_fingerprint: String,
}

/// Creates what is missing: both databases (a server's when the role may), the migrations, the default key.
///
/// # Errors
/// When the two URLs are equal, a database cannot be made, or a migration fails.
pub async fn init(settings: &Settings) -> Result<InitReport> {
    let (metadata_url, target_url) = (settings.metadata_url.expose(), settings.target_url.expose());
    let places = [
        (metadata_url, "DATABASE_URL"),
        (target_url, "TARGET_DATABASE_URL"),
    ];
    let mut files = Vec::new();
    for (url, name) in places {
        let parsed = parse(url, name)?;
        files.extend(parsed.sqlite_path().map(absolute));
    }
    if metadata_url == target_url || (files.len() == 2 && files[0] == files[1]) {
        return Err(one_database());
    }
    let mut created = Vec::new();
    for (url, name) in [
        (metadata_url, "metadata database"),
        (target_url, "target database"),
    ] {
        // An embedded target appears when data is provisioned: an empty file would say nothing.
        let wanted = url == metadata_url || !is_sqlite(url);
        if wanted && tdm_model::create_database_if_missing(url).await? {
            created.push(name.to_owned());
        }
    }
    if !is_sqlite(metadata_url) && !is_sqlite(target_url) {
        let metadata = tdm_model::database_identity(metadata_url).await?;
        if metadata == tdm_model::database_identity(target_url).await? {
            return Err(one_database());
        }
    }
    let applied = migration::up(metadata_url, None).await?;
    let key = secret::root_key(settings)?;
    Ok(InitReport {
        created,
        applied,
        key_fingerprint: tdm_core::keyring::Keyring::fingerprint(&key),
    })
}

fn one_database() -> Error {
    Error::Guard(
        "DATABASE_URL and TARGET_DATABASE_URL are the same database; give each its own".to_owned(),
    )
}
