//! SQLite as source and target, against real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod chinook;
mod conformance;
mod declare;
mod introspect;
mod killed;
mod namespaces;
mod place;
mod publish;
mod scan;
mod snapshot;
mod write;
