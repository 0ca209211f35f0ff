//! All workspace-level tests in one binary, one module for each subject.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod documents;
mod layering;
mod tidy;
mod workspace;
