//! The crate from outside: made rows against a naive judge of the schema's constraints.

#![expect(
    clippy::needless_range_loop,
    clippy::unwrap_used,
    reason = "rows are compared across columns, and what is not there fails the test"
)]

mod judge;
mod learned;
mod packs;
mod properties;
mod shop;
mod torture;
