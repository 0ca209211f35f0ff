//! Staging files and who owns them.
//!
//! A staging file lies beside the file it will replace, under a hidden name with the job's identifier, and has
//! a lock file that its process holds locked. The kernel lets go of the lock when the process ends, however it
//! ends: a staging file whose lock can be had belongs to nobody any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tdm_core::ident::JobId;

const MARK: &str = ".tdm-staging-";
const LOCK: &str = ".lock";

/// A staging file that this process owns. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct StagingFile {
    path: PathBuf,
    lock_path: PathBuf,
    /// Held for its lock alone.
    lock: Option<File>,
    published: bool,
}

impl StagingFile {
    /// Claims a name beside `destination` for `job`. The file itself is not made.
    pub(super) fn claim(destination: &Path, job: JobId) -> io::Result<Self> {
        // One job may stage one destination again before an earlier attempt is cleaned up.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let name = destination.file_name().unwrap_or_default();
        let mut staging = std::ffi::OsString::from(".");
        staging.push(name);
        staging.push(format!("{MARK}{job}-{process}-{number}"));
        let path = destination.with_file_name(&staging);
        staging.push(LOCK);
        let lock_path = destination.with_file_name(&staging);

        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::Error::from(io::ErrorKind::WouldBlock),
        })?;
        // Between making and locking it, a clean-up may have taken it for a leftover and removed it. The
        // file system then has another file of this name, or none.
        if !same_file(&lock, &lock_path) {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        Ok(Self {
            path,
            lock_path,
            lock: Some(lock),
            published: false,
        })
    }

    /// Where the database is built.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the file to its destination in one step.
    pub(super) fn rename_to(&mut self, destination: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, destination)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for StagingFile {
    fn drop(&mut self) {
        if !self.published {
            remove_database(&self.path);
        }
        let _ = std::fs::remove_file(&self.lock_path);
        drop(self.lock.take());
    }
}

/// Removes staging files in `directory` whose process is gone; `of` limits them to one destination's. Returns
/// how many there were.
pub(super) fn remove_dead(directory: &Path, of: Option<&Path>) -> io::Result<usize> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let destination = of
        .and_then(Path::file_name)
        .map(|n| n.to_string_lossy().into_owned());
    let mut staged = std::collections::BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // `.<destination>.tdm-staging-<job>-<process>-<number>` and what lies beside it.
        let Some((base, rest)) = name.strip_prefix('.').and_then(|n| n.rsplit_once(MARK)) else {
            continue;
        };
        if destination.as_deref().is_some_and(|wanted| wanted != base) {
            continue;
        }
        let tag = rest
            .strip_suffix(LOCK)
            .or_else(|| rest.strip_suffix("-journal"))
            .unwrap_or(rest);
        staged.insert(directory.join(format!(".{base}{MARK}{tag}")));
    }
    let mut removed = 0;
    for path in staged {
        let mut lock_name = path.clone().into_os_string();
        lock_name.push(LOCK);
        let lock_path = PathBuf::from(lock_name);
        match OpenOptions::new().write(true).open(&lock_path) {
            Ok(lock) => {
                if lock.try_lock().is_err() {
                    continue;
                }
            }
            // A staging file without a lock file: its owner died while cleaning up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        remove_database(&path);
        let _ = std::fs::remove_file(&lock_path);
        removed += 1;
    }
    Ok(removed)
}

/// Removes a database file and what SQLite keeps beside it. Missing files are fine.
pub(super) fn remove_database(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(a), Ok(b)) => a.dev() == b.dev() && a.ino() == b.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_staging_file_stays_and_a_dead_one_goes() {
        let directory = tempfile::tempdir().unwrap();
        let destination = directory.path().join("shop.sqlite");
        let job = JobId(uuid::Uuid::from_u128(7));
        let live = StagingFile::claim(&destination, job).unwrap();
        std::fs::write(live.path(), "live").unwrap();

        let dead = directory
            .path()
            .join(format!(".shop.sqlite{MARK}{job}-1-1"));
        std::fs::write(&dead, "dead").unwrap();
        std::fs::write(format!("{}{LOCK}", dead.display()), "").unwrap();
        std::fs::write(format!("{}-journal", dead.display()), "").unwrap();
        let other = directory
            .path()
            .join(format!(".other.sqlite{MARK}{job}-1-1"));
        std::fs::write(&other, "dead").unwrap();
        let innocent = directory.path().join("notes.tdm-staging-x");
        std::fs::write(&innocent, "").unwrap();

        assert_eq!(
            remove_dead(directory.path(), Some(&destination)).unwrap(),
            1
        );
        assert!(live.path().exists() && other.exists() && innocent.exists() && !dead.exists());
        let path = live.path().to_owned();
        drop(live);
        assert!(!path.exists());
        assert_eq!(remove_dead(directory.path(), None).unwrap(), 1);
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "only the file that is not ours is left");
    }
}
