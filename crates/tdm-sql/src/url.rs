//! Database URLs: which engine, where, with what password, and a spelling that can be shown.

use std::fmt;
use std::path::{Path, PathBuf};

use tdm_core::redact::Secret;
use tdm_core::types::Engine;

use crate::error::SqlError;

/// A database by URL.
///
/// `sqlite:path`, `sqlite://path` (both relative to the working directory unless the path is absolute),
/// `sqlite:///absolute/path`, `postgres://` or `postgresql://user:password@host:port/database?options`,
/// `mysql://` or `mariadb://` likewise. `%XX` is decoded in SQLite paths; their only option is `mode`, which
/// is accepted and not looked at: TDM opens sources read only whatever it says.
///
/// `Debug` and `Display` show neither password nor options.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    engine: Engine,
    location: Location,
}

#[derive(Clone, PartialEq, Eq)]
enum Location {
    File(PathBuf),
    Server { full: Secret, shown: String },
}

impl DatabaseUrl {
    /// Understands `text`.
    ///
    /// # Errors
    /// [`SqlError::Url`] with a reason that does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, SqlError> {
        let bad = |reason| SqlError::Url { reason };
        let (scheme, rest) = text.split_once(':').ok_or(bad("it has no scheme"))?;
        let engine = match scheme {
            "sqlite" => return sqlite(rest),
            "postgres" | "postgresql" => Engine::Postgres,
            "mysql" | "mariadb" => Engine::MySql,
            _ => {
                return Err(bad(
                    "the scheme is none of sqlite, postgres, postgresql, mysql, mariadb",
                ));
            }
        };
        let rest = rest
            .strip_prefix("//")
            .ok_or(bad("`//` is missing after the scheme"))?;
        let (authority, tail) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        // The last `@` ends the user part: a password may hold one that was not encoded.
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if tail.contains('@') {
            return Err(bad("`/` and `?` in a password are written as %2F and %3F"));
        }
        let database = tail.split('?').next().unwrap_or_default();
        let name = user.map(|u| u.split(':').next().unwrap_or_default());
        let shown = match name {
            Some(name) => format!("{scheme}://{name}@{host}{database}"),
            None => format!("{scheme}://{host}{database}"),
        };
        Ok(Self {
            engine,
            location: Location::Server {
                full: Secret::new(text),
                shown,
            },
        })
    }

    /// A SQLite file.
    pub fn sqlite_file(path: impl Into<PathBuf>) -> Self {
        Self {
            engine: Engine::Sqlite,
            location: Location::File(path.into()),
        }
    }

    /// The same URL with `password` in place of the one it has, if any. SQLite files have none and stay as
    /// they are.
    ///
    /// # Errors
    /// When a server URL names no user.
    pub fn with_password(&self, password: &Secret) -> Result<Self, SqlError> {
        let Location::Server { full, shown } = &self.location else {
            return Ok(self.clone());
        };
        let no_user = SqlError::Url {
            reason: "a password needs a user name",
        };
        let text = full.expose();
        let start = text.find("//").map_or(0, |at| at + 2);
        let end = text[start..]
            .find(['/', '?'])
            .map_or(text.len(), |at| start + at);
        let authority = &text[start..end];
        let (user, host) = authority.rsplit_once('@').ok_or(no_user)?;
        let name = user.split(':').next().unwrap_or_default();
        let encoded = percent_encoded(password.expose());
        let full = format!("{}{name}:{encoded}@{host}{}", &text[..start], &text[end..]);
        Ok(Self {
            engine: self.engine,
            location: Location::Server {
                full: Secret::new(full),
                shown: shown.clone(),
            },
        })
    }

    /// The same URL with a relative SQLite path taken from `directory`.
    #[must_use]
    pub fn relative_to(&self, directory: &Path) -> Self {
        match &self.location {
            Location::File(path) => Self::sqlite_file(directory.join(path)),
            Location::Server { .. } => self.clone(),
        }
    }

    /// The engine.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Path of a SQLite file.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.location {
            Location::File(path) => Some(path),
            Location::Server { .. } => None,
        }
    }

    /// The whole URL of a server, password included, for the driver alone.
    pub const fn server_url(&self) -> Option<&Secret> {
        match &self.location {
            Location::File(_) => None,
            Location::Server { full, .. } => Some(full),
        }
    }

    /// Whether the URL itself holds a password.
    pub fn has_password(&self) -> bool {
        let Some(full) = self.server_url() else {
            return false;
        };
        let text = full.expose();
        let authority = text.split_once("//").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
            || text
                .split_once('?')
                .is_some_and(|(_, options)| options.contains("password="))
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = SqlError;
    fn from_str(text: &str) -> Result<Self, SqlError> {
        Self::parse(text)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::File(path) => write!(f, "sqlite:{}", path.display()),
            Location::Server { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, SqlError> {
    let bad = |reason| SqlError::Url { reason };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    if options
        .split('&')
        .any(|option| !option.is_empty() && !option.starts_with("mode="))
    {
        return Err(bad("the only option of a SQLite URL is `mode`"));
    }
    if path.is_empty() {
        return Err(bad("the path is empty"));
    }
    if path == ":memory:" || options.contains("mode=memory") {
        return Err(bad(
            "a database in memory cannot be shared between steps; name a file",
        ));
    }
    let path = percent_decoded(path).ok_or(bad("the path is not UTF-8 once %XX is decoded"))?;
    if path.contains('\0') {
        return Err(bad("the path holds a NUL character"));
    }
    Ok(DatabaseUrl::sqlite_file(path))
}

/// `None` when the decoded bytes are not UTF-8. A `%` that starts no escape stands for itself.
fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).ok()
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> String {
        let url = DatabaseUrl::parse(text).unwrap();
        url.sqlite_path().unwrap().display().to_string()
    }

    #[test]
    fn sqlite_urls_name_files() {
        assert_eq!(path("sqlite:a/b.db"), "a/b.db");
        assert_eq!(path("sqlite://a/b.db?mode=rwc"), "a/b.db");
        assert_eq!(path("sqlite:///var/b.db"), "/var/b.db");
        assert_eq!(path("sqlite:/var/my%20file.db"), "/var/my file.db");
        assert_eq!(path("sqlite:100%.db"), "100%.db");
        for bad in [
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?cache=shared",
            "a.db",
            "oracle://x",
        ] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
        let moved = DatabaseUrl::parse("sqlite:a.db").unwrap();
        let moved = moved.relative_to(Path::new("/srv"));
        assert_eq!(moved.sqlite_path(), Some(Path::new("/srv/a.db")));
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://ann:s3cr3t@host:5432/shop?sslmode=require",
            "mysql://ann:p@s3cr3t@host/shop",
            "mariadb://ann@host/shop?password=s3cr3t",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("s3cr3t"), "{shown}");
            assert!(shown.contains("ann@host"), "{shown}");
            assert!(url.has_password());
            assert_eq!(url.server_url().unwrap().expose(), text);
        }
        let error = DatabaseUrl::parse("postgres://ann:s3/cr3t@host/shop").unwrap_err();
        assert!(!error.to_string().contains("cr3t"));
    }

    #[test]
    fn a_password_is_put_in_encoded() {
        let url = DatabaseUrl::parse("postgres://ann@host:1/shop?a=b").unwrap();
        let full = url.with_password(&Secret::new("p@ /1")).unwrap();
        assert_eq!(
            full.server_url().unwrap().expose(),
            "postgres://ann:p%40%20%2F1@host:1/shop?a=b"
        );
        let nobody = DatabaseUrl::parse("postgres://host/shop").unwrap();
        assert!(nobody.with_password(&Secret::new("x")).is_err());
    }
}
