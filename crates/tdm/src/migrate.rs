//! `tdm migrate`: the metadata schema's history, applied, rolled back, looked at, checked and continued.
//!
//! The history itself, and how a migration runs, is the `migration` crate's. Here is what needs more than that: reports,
//! the question before metadata is lost, the comparison of history and entities ([`check`]) and the next migration
//! written from that comparison ([`new`]).

mod check;
mod form;
mod plan;
mod register;
mod render;
mod rust;
mod scratch;
mod verbs;
mod write;

pub use check::{CheckReport, check, compare};
pub use verbs::{
    ChangeReport, MigrationState, MigrationStatus, StatusReport, down, fresh, status, up,
};
pub use write::{NewReport, new};
