//! Cancellation without a runtime: a flag that every loop over batches looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::PortError;

/// A shared flag. Clones see the same flag.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A flag that is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag. It stays up.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the flag is up.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Nothing, while the flag is down.
    ///
    /// # Errors
    /// [`PortError::Cancelled`] once it is up.
    pub fn check(&self) -> Result<(), PortError> {
        if self.is_cancelled() {
            Err(PortError::Cancelled)
        } else {
            Ok(())
        }
    }
}
