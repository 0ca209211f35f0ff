//! In-memory doubles of the ports: complete, public, for tests, documentation and small tools.

mod source;
mod store;
mod target;

pub use source::{MemorySource, MemoryTable};
pub use store::MemoryStore;
pub use target::MemoryTarget;
