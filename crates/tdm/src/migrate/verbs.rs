//! Status, up, down and fresh, on the database that the settings name.

use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use tdm_sql::DatabaseUrl;

use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::tables::aligned;

/// What a database has of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// The database, without a password.
    pub database: String,
    /// Whether it holds exactly the whole history.
    pub current: bool,
    /// Every migration that is known or recorded, oldest first.
    pub migrations: Vec<MigrationStatus>,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// How it is in the database.
    pub state: MigrationState,
    /// When it was applied: RFC 3339, UTC, whole seconds.
    pub applied_at: Option<String>,
}

/// How a migration is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MigrationState {
    /// Applied.
    Applied,
    /// Not applied yet.
    Pending,
    /// Began and did not end.
    Interrupted,
    /// Applied, and unknown to this program, which is older.
    Unknown,
}

impl MigrationState {
    /// The word that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "metadata database {}\n", self.database)?;
        let rows = self.migrations.iter().map(|migration| {
            let time = migration.applied_at.clone().unwrap_or_default();
            vec![
                migration.name.clone(),
                migration.state.as_str().to_owned(),
                time,
            ]
        });
        writeln!(
            f,
            "{}",
            aligned(&["migration", "state", "applied at"], rows)
        )?;
        let count = |state| self.migrations.iter().filter(|m| m.state == state).count();
        write!(
            f,
            "{} applied, {} pending",
            count(MigrationState::Applied),
            count(MigrationState::Pending)
        )?;
        if count(MigrationState::Interrupted) > 0 {
            f.write_str("; one began and did not end: roll it back with `tdm migrate down`")?;
        }
        if count(MigrationState::Unknown) > 0 {
            f.write_str("; the database is newer than this program")?;
        }
        Ok(())
    }
}

/// What a command changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeReport {
    /// The database, without a password.
    pub database: String,
    /// Migrations that were rolled back, newest first.
    pub rolled_back: Vec<String>,
    /// Migrations that were applied, oldest first.
    pub applied: Vec<String>,
}

impl fmt::Display for ChangeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "metadata database {}\n", self.database)?;
        if self.rolled_back.is_empty() && self.applied.is_empty() {
            return f.write_str("nothing to do");
        }
        let row = |name: &String, what: &str| vec![name.clone(), what.to_owned()];
        let back = self.rolled_back.iter().map(|name| row(name, "rolled back"));
        let applied = self.applied.iter().map(|name| row(name, "applied"));
        write!(
            f,
            "{}",
            aligned(&["migration", ""], back.chain(applied)).trim_end()
        )
    }
}

/// What the metadata database has of the history. Writes nothing.
///
/// # Errors
/// [`Error::Settings`] when the URL cannot be understood, [`Error::Metadata`] when the database cannot be reached.
pub async fn status(settings: &Settings) -> Result<StatusReport> {
    let url = parsed(settings)?;
    let status = migration::status(settings.metadata_url.expose())
        .await
        .map_err(refused)?;
    let current = status.is_current();
    let applied = status.applied.into_iter().map(|entry| MigrationStatus {
        name: entry.name,
        state: match (entry.known, entry.applied_at) {
            (false, _) => MigrationState::Unknown,
            (true, None) => MigrationState::Interrupted,
            (true, Some(_)) => MigrationState::Applied,
        },
        applied_at: entry.applied_at.and_then(utc),
    });
    let pending = status.pending.into_iter().map(|name| MigrationStatus {
        name,
        state: MigrationState::Pending,
        applied_at: None,
    });
    let mut migrations: Vec<_> = applied.chain(pending).collect();
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(StatusReport {
        database: url.to_string(),
        current,
        migrations,
    })
}

/// Applies the next `steps` migrations, all of them without a number. An embedded database that does not exist yet is
/// made; a server's must have been made by `tdm init`.
///
/// # Errors
/// As [`status`], and when a migration fails. Those applied before it stay applied.
pub async fn up(settings: &Settings, steps: Option<u32>) -> Result<ChangeReport> {
    let database = made(settings).await?.to_string();
    let applied = migration::up(settings.metadata_url.expose(), steps)
        .await
        .map_err(refused)?;
    Ok(ChangeReport {
        database,
        rolled_back: Vec::new(),
        applied,
    })
}

/// Rolls back the last `steps` migrations.
///
/// # Errors
/// [`Error::Guard`] when tables hold rows and `confirmed` is false; else as [`up`].
pub async fn down(settings: &Settings, steps: u32, confirmed: bool) -> Result<ChangeReport> {
    let url = parsed(settings)?;
    if steps > 0 {
        ask(settings, &url, confirmed).await?;
    }
    let rolled_back = migration::down(settings.metadata_url.expose(), steps)
        .await
        .map_err(refused)?;
    Ok(ChangeReport {
        database: url.to_string(),
        rolled_back,
        applied: Vec::new(),
    })
}

/// Rolls back everything and applies the whole history again: the metadata is lost. Tables that the history did not
/// make stay.
///
/// # Errors
/// [`Error::Guard`] when tables hold rows and `confirmed` is false; else as [`up`].
pub async fn fresh(settings: &Settings, confirmed: bool) -> Result<ChangeReport> {
    let url = made(settings).await?;
    ask(settings, &url, confirmed).await?;
    let before = migration::status(settings.metadata_url.expose())
        .await
        .map_err(refused)?;
    let applied = migration::fresh(settings.metadata_url.expose())
        .await
        .map_err(refused)?;
    let rolled_back = before
        .applied
        .into_iter()
        .rev()
        .map(|entry| entry.name)
        .collect();
    Ok(ChangeReport {
        database: url.to_string(),
        rolled_back,
        applied,
    })
}

/// Refuses to lose rows that nobody said may be lost.
async fn ask(settings: &Settings, url: &DatabaseUrl, confirmed: bool) -> Result<()> {
    if confirmed {
        return Ok(());
    }
    let filled = migration::filled_tables(settings.metadata_url.expose())
        .await
        .map_err(refused)?
        .len();
    if filled == 0 {
        return Ok(());
    }
    let tables = if filled == 1 {
        "1 table holds".to_owned()
    } else {
        format!("{filled} tables hold")
    };
    Err(Error::Guard(format!(
        "{tables} rows in {url}, and rolling back loses metadata; say `--yes` when that is wanted"
    )))
}

fn parsed(settings: &Settings) -> Result<DatabaseUrl> {
    DatabaseUrl::parse(settings.metadata_url.expose())
        .map_err(|error| Error::Settings(format!("DATABASE_URL: {error}")))
}

async fn made(settings: &Settings) -> Result<DatabaseUrl> {
    let url = parsed(settings)?;
    if url.sqlite_path().is_some() {
        let made = tdm_model::create_database_if_missing(settings.metadata_url.expose()).await;
        made.map_err(|error| Error::Metadata(error.to_string()))?;
    }
    Ok(url)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` hands the error over"
)]
fn refused(error: migration::Error) -> Error {
    match error.cause() {
        _ if matches!(error, migration::Error::Address { .. }) => {
            Error::Settings(format!("DATABASE_URL: {error}"))
        }
        migration::Cause::DatabaseMissing => Error::Metadata(format!("{error}; run `tdm init`")),
        _ => Error::Metadata(error.to_string()),
    }
}

fn utc(seconds: i64) -> Option<String> {
    Some(DateTime::from_timestamp(seconds, 0)?.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_in_rfc_3339() {
        assert_eq!(utc(1_795_364_096).as_deref(), Some("2026-11-22T16:14:56Z"));
    }

    #[test]
    fn a_report_is_a_table_that_says_what_to_do() {
        let migration = |name: &str, state, applied_at: Option<&str>| MigrationStatus {
            name: name.to_owned(),
            state,
            applied_at: applied_at.map(str::to_owned),
        };
        let report = StatusReport {
            database: "sqlite:x".to_owned(),
            current: false,
            migrations: vec![
                migration(
                    "m1_a",
                    MigrationState::Applied,
                    Some("2026-11-22T16:14:56Z"),
                ),
                migration("m2_b", MigrationState::Interrupted, None),
                migration("m3_c", MigrationState::Pending, None),
            ],
        };
        assert_eq!(
            report.to_string(),
            "metadata database sqlite:x\n\n\
             migration  state        applied at\n\
             ---------  -----------  --------------------\n\
             m1_a       applied      2026-11-22T16:14:56Z\n\
             m2_b       interrupted\n\
             m3_c       pending\n\n\
             1 applied, 1 pending; one began and did not end: roll it back with `tdm migrate down`"
        );
    }
}
