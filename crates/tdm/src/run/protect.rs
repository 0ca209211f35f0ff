//! Databases that no workflow may write, whatever it says: the metadata database, every source that was ever
//! discovered, and published dataset versions.

use std::path::PathBuf;

use tdm_core::port::{ServerIdentity, TargetDatabase};
use tdm_provision::guard::{Place, distinct};
use tdm_sql::DatabaseUrl;

use crate::error::{Error, Result};
use crate::tdm::{Tdm, absolute, parse};

/// Refuses a place that data would be written to when it is one of those.
///
/// # Errors
/// When it is, or its identity cannot be had.
pub(super) async fn protect(tdm: &Tdm, role: &str, written: &dyn TargetDatabase) -> Result<()> {
    let identity = written.identity().await?;
    let written = Place {
        role: role.to_owned(),
        identity: &identity,
    };
    let metadata = parse(tdm.settings().metadata_url.expose(), "DATABASE_URL")?;
    refuse_same("the metadata database", &metadata, &written).await?;
    for stored in tdm.store().connections().await? {
        let name = &stored.connection.name;
        if tdm.store().schema_versions(name).await?.is_empty() {
            continue;
        }
        let url = parse(&stored.connection.location, name)?;
        refuse_same(&format!("the source `{name}`"), &url, &written).await?;
    }
    Ok(())
}

/// Refuses a file among the published versions of the target database: they are immutable.
///
/// # Errors
/// When it is one.
pub(super) fn protect_versions(tdm: &Tdm, role: &str, url: &DatabaseUrl) -> Result<()> {
    let target = parse(tdm.settings().target_url.expose(), "TARGET_DATABASE_URL")?;
    let (Some(written), Some(target)) = (url.sqlite_path(), target.sqlite_path()) else {
        return Ok(());
    };
    let mut versions = absolute(target).into_os_string();
    versions.push(".d");
    if absolute(written).starts_with(PathBuf::from(versions)) {
        return Err(Error::Guard(format!(
            "{role} is a published dataset version; versions are never written again"
        )));
    }
    Ok(())
}

async fn refuse_same(role: &str, url: &DatabaseUrl, written: &Place<'_>) -> Result<()> {
    // Only files can be loaded into today, and only a file can be the same as a file.
    if url.sqlite_path().is_none() {
        return Ok(());
    }
    let identity: ServerIdentity = tdm_sql::open_target(url).await?.identity().await?;
    let read = Place {
        role: role.to_owned(),
        identity: &identity,
    };
    Ok(distinct(&read, written)?)
}
