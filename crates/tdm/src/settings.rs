//! Settings: which two databases, and where the masking key is. Environment over `tdm.toml` over defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tdm_core::place::SecretRef;
use tdm_core::redact::Secret;

use crate::error::{Error, Result};

/// File that may hold settings, in the working directory.
pub const SETTINGS_FILE: &str = "tdm.toml";

/// Everything the facade needs to know about where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// URL of the metadata database. May hold a password, hence a secret.
    pub metadata_url: Secret,
    /// URL of the data database.
    pub target_url: Secret,
    /// Where the root key of masking is.
    pub key: SecretRef,
    /// Whether the key file may be made when it is missing: only for the default place.
    pub key_may_be_made: bool,
    /// Directory that relative paths are relative to.
    pub directory: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    target_database_url: Option<String>,
    key: Option<String>,
}

impl Settings {
    /// Settings for `directory`: `DATABASE_URL`, `TARGET_DATABASE_URL` and `TDM_KEY` from the process's environment,
    /// else `database_url`, `target_database_url` and `key` from `tdm.toml`, else embedded databases and a key
    /// file under `.tdm/`.
    ///
    /// `TDM_KEY` holds the key itself (64 hexadecimal digits); `key` in the file is a reference: `env:NAME`,
    /// `file:PATH` or `cmd:COMMAND`.
    ///
    /// # Errors
    /// When the file cannot be read, has unknown keys, or a reference has another form.
    pub fn load(directory: &Path) -> Result<Self> {
        // These three and no other: another variable may hold anything, and is nobody's business here.
        let names = ["DATABASE_URL", "TARGET_DATABASE_URL", "TDM_KEY"];
        let mut environment = BTreeMap::new();
        for name in names {
            if let Some(value) = std::env::var_os(name) {
                let value = value
                    .into_string()
                    .map_err(|_| Error::Settings(format!("{name} is not valid UTF-8")))?;
                environment.insert(name.to_owned(), value);
            }
        }
        Self::resolve(directory, &environment)
    }

    /// The same with a given environment.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn resolve(directory: &Path, environment: &BTreeMap<String, String>) -> Result<Self> {
        let path = directory.join(SETTINGS_FILE);
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str::<File>(&text).map_err(|error| {
                // The message names the key and the place; it is cut at its first line, before any excerpt.
                let line = error.span().map_or(1, |span| {
                    text[..span.start.min(text.len())].lines().count().max(1)
                });
                Error::Settings(format!("{}:{line}: {}", path.display(), error.message()))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(error) => return Err(Error::file(path, &error)),
        };
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let state = directory.join(".tdm");
        let url = |name: &str, configured: Option<String>, default: &str| {
            let default = || format!("sqlite:{}", state.join(default).display());
            Secret::new(set(name).cloned().or(configured).unwrap_or_else(default))
        };
        let default_key = SecretRef::File(state.join("key").display().to_string());
        let (key, key_may_be_made) = if set("TDM_KEY").is_some() {
            (SecretRef::Env("TDM_KEY".to_owned()), false)
        } else if let Some(reference) = file.key {
            let parsed = reference
                .parse()
                .map_err(|error| Error::Settings(format!("{}: key: {error}", path.display())))?;
            (parsed, false)
        } else {
            (default_key, true)
        };
        Ok(Self {
            metadata_url: url("DATABASE_URL", file.database_url, "tdm.sqlite"),
            target_url: url(
                "TARGET_DATABASE_URL",
                file.target_database_url,
                "tdm_target.sqlite",
            ),
            key,
            key_may_be_made,
            directory: directory.to_path_buf(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn nothing_set_means_embedded_databases_under_the_working_directory() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::resolve(directory.path(), &environment(&[])).unwrap();
        assert!(settings.metadata_url.expose().ends_with(".tdm/tdm.sqlite"));
        assert!(
            settings
                .target_url
                .expose()
                .ends_with(".tdm/tdm_target.sqlite")
        );
        assert!(settings.key_may_be_made);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_no_password_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join(SETTINGS_FILE),
            "database_url = \"sqlite:a\"\nkey = \"env:K\"\n",
        )
        .unwrap();
        let set = environment(&[("DATABASE_URL", "postgres://u:hunter2@h/d")]);
        let settings = Settings::resolve(directory.path(), &set).unwrap();
        assert_eq!(settings.metadata_url.expose(), "postgres://u:hunter2@h/d");
        assert_eq!(settings.key, SecretRef::Env("K".to_owned()));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join(SETTINGS_FILE),
            "\ndatabse_url = \"x\"\n",
        )
        .unwrap();
        let error = Settings::resolve(directory.path(), &environment(&[]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tdm.toml:") && error.contains("databse_url"),
            "{error}"
        );
    }
}
