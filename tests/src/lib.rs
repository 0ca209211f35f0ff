//! Workspace-level tests of TDM: the layering, the house rules and the scenarios over the public API.
//!
//! Everything is in `tests/suite`, one test binary: linking the whole product takes longer than most of the tests.
