//! The only place that prints.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// Prints a result to standard output. A reader that went away is not an error of ours.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Prints a line to standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error and gives its exit code.
pub(crate) fn fail(code: u8, message: &str) -> ExitCode {
    say(&format!("error: {message}"));
    ExitCode::from(code)
}

/// Prints `value` as JSON, or `text` for people.
pub(crate) fn show<T: Serialize>(json: bool, value: &T, text: impl FnOnce(&T) -> String) {
    if json {
        match serde_json::to_string_pretty(value) {
            Ok(text) => print(&text),
            Err(error) => say(&format!("error: {error}")),
        }
    } else {
        print(&text(value));
    }
}
