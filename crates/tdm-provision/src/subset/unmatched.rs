//! Which of the keys that were asked for have been seen.

use std::collections::HashMap;

use tdm_core::arrow_array::ArrayRef;
use tdm_core::scalar::{ScalarRef, canonical, cell};

use super::key::{Key, KeySet};

/// Keys that were asked for and not seen yet.
pub(super) enum Unmatched {
    Literal(KeySet),
    Canonical(HashMap<Vec<u8>, Key>, Vec<bool>),
}

impl Unmatched {
    /// Forgets the keys in these columns.
    pub(super) fn strike(&mut self, columns: &[&ArrayRef], rows: usize) {
        let mut scratch = Vec::new();
        for row in 0..rows {
            match self {
                Self::Literal(keys) => {
                    if let Some(key) = Key::read(columns, row, &mut scratch) {
                        keys.remove(&key);
                    }
                }
                Self::Canonical(keys, decimal) => {
                    let cells = columns.iter().map(|array| cell(array.as_ref(), row));
                    keys.remove(&form(cells, decimal));
                }
            }
        }
    }

    /// The keys that were not seen.
    pub(super) fn rest(self) -> Vec<Key> {
        match self {
            Self::Literal(keys) => keys.into_iter().collect(),
            Self::Canonical(keys, _) => keys.into_values().collect(),
        }
    }
}

/// Canonical bytes of a key, each part behind its length.
pub(super) fn form<'s>(parts: impl Iterator<Item = ScalarRef<'s>>, decimal: &[bool]) -> Vec<u8> {
    let (mut bytes, mut part) = (Vec::new(), Vec::new());
    for (scalar, &decimal) in parts.zip(decimal) {
        part.clear();
        canonical(scalar, decimal, &mut part);
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(&part);
    }
    bytes
}
