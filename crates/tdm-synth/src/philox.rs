//! Philox4x32-10, the counter-based generator behind every draw, and its face as a `rand` generator.
//!
//! Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). The output is a pure
//! function of a 128-bit counter and a 64-bit key, so a cell needs no state and no neighbour. It is no secret:
//! masking keys come from elsewhere.

use std::convert::Infallible;

use rand::TryRng;

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// One block: four words from a counter and a key.
pub(crate) const fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0;
    while round < ROUNDS {
        let (high0, low0) = wide(MULTIPLIER[0], counter[0]);
        let (high1, low1) = wide(MULTIPLIER[1], counter[2]);
        counter = [
            high1 ^ counter[1] ^ key[0],
            low1,
            high0 ^ counter[3] ^ key[1],
            low0,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        round += 1;
    }
    counter
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves of a product are what is wanted"
)]
const fn wide(a: u32, b: u32) -> (u32, u32) {
    let product = a as u64 * b as u64;
    ((product >> 32) as u32, product as u32)
}

/// The draws of one cell at one attempt, as a generator for `rand` and `fake`.
///
/// Draw `n` comes from block `n / 4`; the last counter word counts blocks in its low half and holds the
/// attempt in its high half.
#[derive(Clone)]
pub struct CellRng {
    counter: [u32; 4],
    key: [u32; 2],
    words: [u32; 4],
    used: usize,
}

impl std::fmt::Debug for CellRng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CellRng")
    }
}

impl CellRng {
    pub(crate) const fn new(counter: [u32; 4], key: [u32; 2]) -> Self {
        Self {
            counter,
            key,
            words: [0; 4],
            used: 4,
        }
    }

    /// The next 32 bits.
    pub const fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.words = block(self.counter, self.key);
            self.counter[3] = self.counter[3].wrapping_add(1);
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }

    /// The next 64 bits.
    pub const fn long(&mut self) -> u64 {
        let low = self.word() as u64;
        (self.word() as u64) << 32 | low
    }

    /// A whole number below `bound`, by multiplication; 0 when `bound` is 0.
    ///
    /// The bias is below `bound / 2^64` for each value.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.long() as u128 * bound as u128) >> 64) as u64
    }

    /// A whole number below `bound`, from 32 bits; 0 when `bound` is 0.
    pub const fn pick(&mut self, bound: u32) -> u32 {
        ((self.word() as u64 * bound as u64) >> 32) as u32
    }

    /// An index below `length` that prefers low ones: its density falls like one over the square root.
    ///
    /// Lists of names are sorted by frequency, and this is exact on every platform.
    pub const fn skewed(&mut self, length: usize) -> usize {
        let u = self.word() as u64;
        let squared = (u * u) >> 32;
        ((squared * length as u64) >> 32) as usize
    }

    /// A number in the open interval from 0 to 1.
    pub const fn unit(&mut self) -> f64 {
        ((self.long() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }
}

impl TryRng for CellRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.long())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn the_known_answers_of_random123_hold() {
        let vectors = include_str!("../../../tests/data/synth/philox4x32_10.txt");
        let mut seen = 0;
        for line in vectors.lines().filter(|l| !l.starts_with('#')) {
            let words: Vec<u32> = line
                .split_whitespace()
                .map(|w| u32::from_str_radix(w, 16).unwrap())
                .collect();
            let [counter @ .., k0, k1, o0, o1, o2, o3] = words.as_slice() else {
                panic!("a line of ten words");
            };
            let found = block(counter.try_into().unwrap(), [*k0, *k1]);
            assert_eq!(found, [*o0, *o1, *o2, *o3]);
            seen += 1;
        }
        assert_eq!(seen, 3);
    }

    #[test]
    fn it_draws_for_rand() {
        let mut rng = CellRng::new([1, 2, 3, 0], [4, 5]);
        let mean = (0..4_000).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() / 4_000.0;
        // Standard error 0.0046: five of them.
        assert!((mean - 0.5).abs() < 0.023, "{mean}");
    }

    #[test]
    fn bounded_draws_cover_their_range_evenly() {
        let mut rng = CellRng::new([0; 4], [7, 7]);
        let mut counts = [0u32; 10];
        for _ in 0..10_000 {
            counts[usize::try_from(rng.below(10)).unwrap()] += 1;
        }
        let chi: f64 = counts
            .iter()
            .map(|&c| (f64::from(c) - 1_000.0).powi(2) / 1_000.0)
            .sum();
        // Nine degrees of freedom: 27.9 is exceeded once in a thousand.
        assert!(chi < 27.9, "{chi}");
        assert_eq!(rng.below(0), 0);
        assert!((0..100).all(|_| rng.skewed(3) < 3));
    }
}
