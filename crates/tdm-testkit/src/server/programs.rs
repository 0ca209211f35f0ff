//! Finding server and client programs: `PATH` first, then where distributions hide them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Result, ServerError};

/// Folders outside `PATH` where packages put server programs.
const USUAL_FOLDERS: [&str; 6] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/libexec/mysqld",
];

/// Parents of one folder per PostgreSQL version, each holding `bin`.
const VERSIONED_FOLDERS: [(&str, &str); 3] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
];

/// The first of `names` that exists. `package` is what to install when none does.
pub(super) fn find(names: &[&'static str], package: &'static str) -> Result<PathBuf> {
    let folders = folders();
    names
        .iter()
        .find_map(|name| {
            folders
                .iter()
                .map(|folder| folder.join(name))
                .find(|path| is_program(path))
        })
        .ok_or(ServerError::MissingProgram {
            program: names[0],
            package,
        })
}

/// `name` in the folder of `other`, symbolic links resolved: programs of one version belong together.
pub(super) fn beside(other: &Path, name: &'static str, package: &'static str) -> Result<PathBuf> {
    fs::canonicalize(other)
        .ok()
        .and_then(|real| Some(real.parent()?.join(name)))
        .filter(|path| is_program(path))
        .map_or_else(|| find(&[name], package), Ok)
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    for (parent, prefix) in VERSIONED_FOLDERS {
        folders.extend(
            newest_first(Path::new(parent), prefix)
                .into_iter()
                .map(|folder| folder.join("bin")),
        );
    }
    folders.extend(USUAL_FOLDERS.iter().map(PathBuf::from));
    folders
}

/// Folders `<parent>/<prefix><version>`, highest version first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let major = name
                .to_str()?
                .strip_prefix(prefix)?
                .split('.')
                .next()?
                .parse()
                .ok()?;
            Some((major, entry.path()))
        })
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, path)| path).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "17", "notes"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found: Vec<_> = newest_first(parent.path(), "")
            .into_iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, ["17", "15", "9.6"]);
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = find(&["no-such-program-anywhere"], "the-package").unwrap_err();
        assert!(error.to_string().contains("the-package"));
        assert!(find(&["no-such-program-anywhere", "sh"], "dash").is_ok());
    }
}
