//! What happens when no server can be had: skipped by name, or failed where servers are required.

use std::env;
use std::error::Error;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;

use super::{Server, ServerError, ServerKind, shared};

/// Why there is no server.
#[derive(Debug, Clone)]
pub struct Skipped {
    kind: ServerKind,
    reason: String,
}

impl Skipped {
    pub(super) fn new(kind: ServerKind, error: &ServerError) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self { kind, reason }
    }

    /// The engine that was asked for.
    #[must_use]
    pub fn kind(&self) -> ServerKind {
        self.kind
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} server ({})", self.kind, self.reason)
    }
}

impl Error for Skipped {}

/// Whether a test without a server must fail: `TDM_REQUIRE_SERVERS` or `CI` is set to anything but an empty text, `0`
/// or `false`. The first decides when both are set.
#[must_use]
pub fn servers_are_required() -> bool {
    ["TDM_REQUIRE_SERVERS", "CI"]
        .iter()
        .find_map(|name| env::var(name).ok())
        .is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The shared server, or `None` after `test` has been reported as skipped.
///
/// Tests use [`require_postgres!`](crate::require_postgres) and [`require_mysql!`](crate::require_mysql), which fill
/// in the name.
///
/// # Panics
///
/// Where servers are required and none can be had.
#[must_use]
pub fn require(kind: ServerKind, test: &str) -> Option<&'static Server> {
    match shared(kind) {
        Ok(server) => Some(server),
        Err(skipped) => {
            skip(test, skipped);
            None
        }
    }
}

/// A server of the test's own, or `None` after `test` has been reported as skipped.
///
/// # Panics
///
/// Where servers are required and none can be started.
#[must_use]
pub fn require_private(kind: ServerKind, test: &str) -> Option<Server> {
    match Server::start(kind) {
        Ok(server) => Some(server),
        Err(error) => {
            skip(test, &Skipped::new(kind, &error));
            None
        }
    }
}

/// Reports `test` as skipped on standard error and in the file that `TDM_SKIPPED_LOG` names.
///
/// # Panics
///
/// Where servers are required.
pub fn skip(test: &str, why: &Skipped) {
    let line = format!("skipped: {test}: {why}");
    assert!(!servers_are_required(), "{line}; servers are required here");
    // Past the capture of the test harness, which hides the output of tests that pass.
    let _ = writeln!(std::io::stderr(), "{line}");
    if let Some(path) = env::var_os("TDM_SKIPPED_LOG")
        && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = writeln!(file, "{line}");
    }
}

/// The path of the function it is used in.
#[doc(hidden)]
#[macro_export]
macro_rules! test_name {
    () => {{
        fn here() {}
        let name = ::std::any::type_name_of_val(&here);
        // An asynchronous test runs inside closures of its function.
        name.trim_end_matches("::here")
            .trim_end_matches("::{{closure}}")
    }};
}

/// `Some(&'static Server)` running PostgreSQL, or `None` after the calling test has been reported as skipped.
#[macro_export]
macro_rules! require_postgres {
    () => {
        $crate::server::require($crate::server::ServerKind::Postgres, $crate::test_name!())
    };
}

/// `Some(&'static Server)` running MariaDB or MySQL, or `None` after the calling test has been reported as skipped.
#[macro_export]
macro_rules! require_mysql {
    () => {
        $crate::server::require($crate::server::ServerKind::MariaDb, $crate::test_name!())
    };
}

/// `Some(Server)` of the given kind that belongs to the calling test alone, or `None` after it has been reported as
/// skipped.
#[macro_export]
macro_rules! require_private_server {
    ($kind:expr) => {
        $crate::server::require_private($kind, $crate::test_name!())
    };
}
