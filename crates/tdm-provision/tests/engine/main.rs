//! The engine over doubles: closures against a naive fixpoint, builds and deployments against liars.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by panicking"
)]

mod build;
mod checker;
mod closure;
mod deploy;
mod doubles;
mod explain;
mod load;
mod names;
mod oracle;
mod orphans;
mod predict;
mod seeds;
mod world;
