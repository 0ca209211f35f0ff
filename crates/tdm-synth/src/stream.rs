//! From names to draws: the seed, a table and a column name decide a stream; a row number decides a cell.
//!
//! Names are used, never positions, so adding a column or a table moves nothing else.

use sha2::{Digest as _, Sha256};
use tdm_core::ident::TableRef;

use crate::permutation::Permutation;
use crate::philox::CellRng;

/// Key of one table under one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableKey([u8; 32]);

impl TableKey {
    pub(crate) fn new(seed: u64, table: &TableRef) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"tdm-synth/1");
        hash.update(seed.to_le_bytes());
        // A length in front of each name: no two pairs of names read the same.
        for name in [table.namespace.as_deref().unwrap_or(""), &table.name] {
            hash.update((name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// The stream called `name`: a column's name, or a purpose with a leading control character.
    pub(crate) fn stream(&self, name: &str) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(name.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let word =
            |i: usize| u32::from_le_bytes([digest[i], digest[i + 1], digest[i + 2], digest[i + 3]]);
        Stream {
            key: [word(0), word(4)],
            column: word(8),
            permutation: u64::from(word(12)) << 32 | u64::from(word(16)),
        }
    }
}

/// The draws of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    key: [u32; 2],
    column: u32,
    permutation: u64,
}

impl Stream {
    /// The draws of the cell at `row`, at `attempt`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the counter takes the row number in two halves"
    )]
    pub(crate) const fn at(&self, row: u64, attempt: u32) -> CellRng {
        CellRng::new(
            [
                row as u32,
                (row >> 32) as u32,
                self.column,
                attempt.wrapping_shl(16),
            ],
            self.key,
        )
    }

    /// A permutation of `0..size` that belongs to this stream; `salt` makes another one of the same size.
    pub(crate) const fn permutation(&self, size: u64, salt: u64) -> Permutation {
        Permutation::new(
            self.permutation ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            size,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_table_column_row_and_attempt_each_change_the_draw() {
        let draw = |seed, table: &str, column: &str, row, attempt| {
            TableKey::new(seed, &TableRef::new(table))
                .stream(column)
                .at(row, attempt)
                .long()
        };
        let base = draw(1, "t", "c", 0, 0);
        assert_eq!(base, draw(1, "t", "c", 0, 0));
        for other in [
            draw(2, "t", "c", 0, 0),
            draw(1, "u", "c", 0, 0),
            draw(1, "t", "d", 0, 0),
            draw(1, "t", "c", 1, 0),
            draw(1, "t", "c", 1 << 32, 0),
            draw(1, "t", "c", 0, 1),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_namespace_is_not_part_of_a_name() {
        let a = TableKey::new(1, &TableRef::within("ab", "c"));
        let b = TableKey::new(1, &TableRef::within("a", "bc"));
        assert_ne!(a, b);
    }
}
