//! What time it is.

use std::fmt;

use crate::time::UtcMicros;

/// Tells the time. Only the composition root reads a real one.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> UtcMicros;
}

/// A clock that stands still, for tests and reproducible builds.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub UtcMicros);

impl Clock for FixedClock {
    fn now(&self) -> UtcMicros {
        self.0
    }
}
