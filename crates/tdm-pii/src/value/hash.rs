//! A fast hash for short keys that no outsider chooses: the dictionaries are ours.

use std::hash::{BuildHasherDefault, Hasher};

/// Multiply-and-rotate over eight bytes at a time.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct ShortHasher(u64);

impl ShortHasher {
    const fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for ShortHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.add(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        let mut last = [0_u8; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}

/// Builds [`ShortHasher`]s.
pub(crate) type ShortState = BuildHasherDefault<ShortHasher>;
