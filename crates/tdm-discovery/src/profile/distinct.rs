//! Distinct values: counted exactly while there are few, estimated by HyperLogLog beyond.

use std::collections::HashSet;

/// Hashes that are kept before the estimate takes over.
const EXACT: usize = 4_096;
/// Index bits: 2^12 registers, a standard error of 1.6 %.
const BITS: u32 = 12;

/// Counts distinct 64-bit hashes in at most 64 KiB.
#[derive(Debug)]
pub(super) enum Distinct {
    Exact(HashSet<u64>),
    Estimated(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(HashSet::new())
    }
}

impl Distinct {
    pub(super) fn add(&mut self, hash: u64) {
        match self {
            Self::Exact(seen) => {
                seen.insert(hash);
                if seen.len() > EXACT {
                    let mut registers = vec![0; 1 << BITS];
                    seen.iter().for_each(|hash| register(&mut registers, *hash));
                    *self = Self::Estimated(registers);
                }
            }
            Self::Estimated(registers) => register(registers, hash),
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Exact(seen) => seen.len() as u64,
            Self::Estimated(registers) => estimate(registers),
        }
    }
}

fn register(registers: &mut [u8], hash: u64) {
    let index = usize::try_from(hash >> (64 - BITS)).expect("twelve bits fit");
    // The guard bit ends the run of zeros when the rest of the hash is zero.
    let rest = hash << BITS | 1 << (BITS - 1);
    let rank = u8::try_from(rest.leading_zeros() + 1).expect("at most 53");
    registers[index] = registers[index].max(rank);
}

/// Flajolet et al. 2007, without the corrections for small counts, which are exact, and for large ones, which
/// 64-bit hashes do not need.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate of a count is positive and far below 2^53"
)]
fn estimate(registers: &[u8]) -> u64 {
    let m = registers.len() as f64;
    let sum: f64 = registers
        .iter()
        .map(|rank| (-f64::from(*rank)).exp2())
        .sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let empty = registers.iter().filter(|rank| **rank == 0).count();
    if raw <= 2.5 * m && empty > 0 {
        return (m * (m / empty as f64).ln()).round() as u64;
    }
    raw.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    fn counted(n: u64) -> u64 {
        let mut distinct = Distinct::default();
        for i in (0..n).chain(0..n) {
            distinct.add(xxh3_64(&i.to_le_bytes()));
        }
        distinct.count()
    }

    #[test]
    fn few_values_are_counted_exactly_and_many_within_five_percent() {
        for n in [0, 1, 100, 4_096] {
            assert_eq!(counted(n), n);
        }
        for n in [4_097, 10_000, 12_000, 50_000, 300_000] {
            let estimate = counted(n);
            assert!(estimate.abs_diff(n) * 20 <= n, "{estimate} for {n}");
        }
    }
}
