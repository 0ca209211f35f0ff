//! Suites that every implementation of a port must pass, whatever is behind it.
//!
//! Each suite has `all(make)` and `all_but(make, names)`. `make` builds a subject; it is called once a case, so
//! cases share nothing unless it says so. The futures name no runtime: any executor runs them. A case that
//! fails panics, and its name is printed beside the panic.

mod catalogs;
pub mod source;
pub mod store;
pub mod target;

use tdm_core::error::{PortError, PortResult};

/// Prints the name of the case that panics while it lives.
struct Running(&'static str);

impl Drop for Running {
    #[expect(
        clippy::print_stderr,
        reason = "a failing test says which case it was, beside the panic's own message"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("conformance case failed: {}", self.0);
        }
    }
}

/// Runs the cases one after the other, each with a subject of its own, those in `$except` left out.
macro_rules! run_cases {
    ($port:literal, $make:expr, $except:expr; $($case:path as $name:literal),+ $(,)?) => {{
        let except: &[&str] = $except;
        for name in except {
            assert!([$($name),+].contains(name), "the suite has no case `{name}`");
        }
        $(if !except.contains(&$name) {
            let running = $crate::conformance::Running(concat!($port, "::", $name));
            let subject = $make().await;
            $case(&subject).await;
            drop(running);
        })+
    }};
}
use run_cases;

/// The value of a call that must succeed.
#[track_caller]
fn ok<T>(result: PortResult<T>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: must succeed, failed with: {error}"),
    }
}

/// The error of a call that must fail.
#[track_caller]
fn failed<T>(result: PortResult<T>, what: &str) -> PortError {
    match result {
        Ok(_) => panic!("{what}: must fail, succeeded"),
        Err(error) => error,
    }
}

/// Asserts that a call says that something does not exist.
#[track_caller]
fn not_found<T>(result: PortResult<T>, what: &str) {
    let error = failed(result, what);
    assert!(
        matches!(error, PortError::NotFound { .. }),
        "{what}: must be `NotFound`, is: {error}"
    );
}

/// Asserts that a call says that something is in the way.
#[track_caller]
fn conflict<T>(result: PortResult<T>, what: &str) {
    let error = failed(result, what);
    assert!(
        matches!(error, PortError::Conflict { .. }),
        "{what}: must be `Conflict`, is: {error}"
    );
}
