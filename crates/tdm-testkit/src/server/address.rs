//! Addresses of servers as the tests pass them around: `scheme://user:password@host:port/database?options`.
//!
//! Only what a test server needs. The configuration of the product has its own, richer reader.

use std::fmt;

use super::{Result, ServerError, ServerKind};

/// Where a server listens and who we are there. `Debug` hides the password.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) kind: ServerKind,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: String,
    /// Database named by the address; empty when it names none.
    pub(super) database: String,
    /// Everything after `?`, kept as it came and repeated in every address made from this one.
    pub(super) options: String,
}

impl Address {
    /// Reads the value of `variable`.
    pub(super) fn parse(kind: ServerKind, variable: &'static str, text: &str) -> Result<Self> {
        let wrong = |reason| ServerError::Address { variable, reason };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("no scheme"))?;
        if !kind.schemes().contains(&scheme) {
            return Err(wrong("the scheme belongs to another engine"));
        }
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').ok_or_else(|| wrong("no user"))?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = split_port(place).ok_or_else(|| wrong("the port is not a number"))?;
        if host.is_empty() || user.is_empty() {
            return Err(wrong("host and user must be given"));
        }
        let decode = |part| decode(part).ok_or_else(|| wrong("a percent sequence is broken"));
        Ok(Self {
            kind,
            host: host.to_owned(),
            port: port.unwrap_or(kind.default_port()),
            user: decode(user)?,
            password: decode(password)?,
            database: decode(database)?,
            options: options.to_owned(),
        })
    }

    /// The address of `database` for `user`. Holds the password: hand it to a program, never print it.
    pub(super) fn url(&self, user: &str, password: &str, database: &str) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let mark = if self.options.is_empty() { "" } else { "?" };
        format!(
            "{}://{}:{}@{host}:{}/{}{mark}{}",
            self.kind.schemes()[0],
            encode(user),
            encode(password),
            self.port,
            encode(database),
            self.options,
        )
    }

    /// The value of one option, when it is given.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}:***@{}:{}/{}",
            self.kind.schemes()[0],
            self.user,
            self.host,
            self.port,
            self.database
        )
    }
}

/// Splits `host:port`, `host`, `[v6]:port` and `[v6]`. `None` when the port is not a number.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(inner) = place.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => Some((host, None)),
        };
    }
    match place.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((place, None)),
    }
}

fn encode(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decode(part: &str) -> Option<String> {
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address> {
        Address::parse(ServerKind::Postgres, "VARIABLE", text)
    }

    #[test]
    fn an_address_survives_reading_and_writing() {
        for text in [
            "postgres://tdm:secret@127.0.0.1:5433/shop",
            "postgres://tdm:se%40c%2Fret@db.example:5432/shop?sslmode=require",
            "postgres://tdm:x@[::1]:5432/shop",
        ] {
            let address = parse(text).unwrap();
            let again = address.url(&address.user, &address.password, &address.database);
            assert_eq!(again, text);
        }
    }

    #[test]
    fn defaults_are_filled_in() {
        let address = parse("postgresql://tdm@localhost").unwrap();
        assert_eq!((address.port, address.database.as_str()), (5432, ""));
        assert_eq!(address.password, "");
    }

    #[test]
    fn broken_addresses_are_refused_without_being_repeated() {
        for text in [
            "",
            "localhost",
            "mysql://canary:canary@localhost/x",
            "postgres://localhost/canary",
            "postgres://canary:canary@localhost:port/x",
            "postgres://canary:%zz@localhost/x",
            "postgres://canary:canary@/x",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
        }
    }

    #[test]
    fn debug_hides_the_password() {
        let shown = format!("{:?}", parse("postgres://tdm:canary@localhost/x").unwrap());
        assert!(!shown.contains("canary") && shown.contains("localhost"));
    }

    #[test]
    fn options_are_found_by_name() {
        let address = parse("postgres://u:p@h/d?a=1&sslmode=disable").unwrap();
        assert_eq!(address.option("sslmode"), Some("disable"));
        assert_eq!(address.option("mode"), None);
    }
}
