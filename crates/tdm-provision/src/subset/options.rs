//! How a closure runs: batch sizes, readers, memory.

/// How a closure runs. Nothing here changes which rows are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseOptions {
    /// Keys bound in one query, at most.
    pub keys_max: usize,
    /// Scans at once, where the source allows several.
    pub readers: usize,
    /// Bytes of memory that the key sets may take, about; `None` is no limit.
    pub memory_max: Option<usize>,
}

impl Default for CloseOptions {
    fn default() -> Self {
        Self {
            keys_max: 10_000,
            readers: 4,
            memory_max: None,
        }
    }
}

impl CloseOptions {
    /// At most this many keys in one query.
    #[must_use]
    pub const fn keys_max(mut self, keys: usize) -> Self {
        self.keys_max = keys;
        self
    }

    /// At most this many scans at once.
    #[must_use]
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// At most about this many bytes of memory for key sets.
    #[must_use]
    pub const fn memory_max(mut self, bytes: usize) -> Self {
        self.memory_max = Some(bytes);
        self
    }
}
