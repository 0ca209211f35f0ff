//! What can go wrong around a test server. No variant holds a password, a statement or a row.

use std::io;

use super::ServerKind;

/// Result of an operation on a test server.
pub type Result<T, E = ServerError> = std::result::Result<T, E>;

/// A test server could not be had, driven or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program is neither on `PATH` nor in the usual places.
    #[error("no program `{program}` found; install the system package {package}")]
    MissingProgram {
        /// File name of the program.
        program: &'static str,
        /// Debian and Ubuntu package that holds it.
        package: &'static str,
    },
    /// Running as root, and no unprivileged account exists to run the server as.
    #[error("{kind} refuses to run as root and none of these accounts exists: {accounts}")]
    NoAccount {
        /// The server that was to start.
        kind: ServerKind,
        /// Names that were tried.
        accounts: String,
    },
    /// An operating system call failed.
    #[error("cannot {action}")]
    Io {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The data directory could not be made.
    #[error("`{program}` failed: {detail}")]
    Initialise {
        /// File name of the program.
        program: &'static str,
        /// The end of what it printed.
        detail: String,
    },
    /// The server ended while it was starting.
    #[error("{kind} ended while starting: {detail}")]
    Start {
        /// The server.
        kind: ServerKind,
        /// The end of its log since this start.
        detail: String,
    },
    /// The server did not answer, or did not stop, in time.
    #[error("{kind} did not {action} within {limit_s} s")]
    Timeout {
        /// The server.
        kind: ServerKind,
        /// What it was to do.
        action: &'static str,
        /// The limit in seconds.
        limit_s: u64,
    },
    /// The server refused a statement, or could not be reached.
    #[error("{kind} refused the statement: {code}")]
    Statement {
        /// The server.
        kind: ServerKind,
        /// Error code and line, without the message: messages quote data.
        code: String,
    },
    /// An address given in the environment cannot be used.
    #[error("{variable} is not a usable server address: {reason}")]
    Address {
        /// Name of the environment variable.
        variable: &'static str,
        /// What is wrong with it, without repeating it.
        reason: &'static str,
    },
    /// The server was not started here, so it is not ours to stop.
    #[error("{kind} was given by its address and is not ours to {action}")]
    NotOurs {
        /// The server.
        kind: ServerKind,
        /// What was asked for.
        action: &'static str,
    },
}

impl ServerError {
    /// Builds the `map_err` argument for an operating system call.
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
