//! Keyed bijections: the one primitive behind every function that may sit on a key.
//!
//! A Feistel network over a mixed radix, with SipHash-2-4 (Aumasson and Bernstein 2012), a pseudorandom function
//! with a key of 128 bits, as the round function. It is a permutation for any key, any radices and any size by construction, so two different inputs of one shape can never meet. What it is
//! not: FF1. It has no published proof and promises uniqueness and repeatability, not resistance against
//! somebody who may ask for chosen values.

use tdm_core::keyring::DomainKey;

/// Rounds of the network. Luby and Rackoff need four for a strong pseudorandom permutation; small halves
/// ask for more.
const ROUNDS: u64 = 8;

/// Largest product of the radices of one half. Sums of two values below it stay below 2^64.
const HALF_MAX: u128 = 1 << 62;

/// A family of permutations: one for each tweak and each list of radices.
#[derive(Clone)]
pub(crate) struct Permutation {
    key: (u64, u64),
}

impl std::fmt::Debug for Permutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permutation(<redacted>)")
    }
}

/// A value below a modulus: one half of the network's state.
#[derive(Clone, Copy)]
struct Half {
    value: u64,
    modulus: u64,
}

impl Permutation {
    /// The family of `key`.
    pub(crate) fn new(key: &DomainKey) -> Self {
        let hash = key.hash(b"permutation");
        let word = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&hash[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Self {
            key: (word(0), word(8)),
        }
    }

    /// 64 pseudorandom bits for `value` under `tweak`.
    fn round(&self, value: u64, tweak: u64) -> u64 {
        sip(self.key, value, tweak)
    }

    fn network(&self, mut a: Half, mut b: Half, tweak: u64) -> (u64, u64) {
        if a.modulus == 1 || b.modulus == 1 {
            return (self.alone(a, tweak), self.alone(b, tweak));
        }
        // The sizes belong to the tweak: values of different shapes must not share round functions.
        let tweak = self.round(a.modulus ^ b.modulus.rotate_left(32), tweak);
        for round in 0..ROUNDS {
            let bits = self.round(b.value, tweak.wrapping_add(round));
            let sum = a.value + below(bits, a.modulus);
            let next = Half {
                value: if sum >= a.modulus {
                    sum - a.modulus
                } else {
                    sum
                },
                modulus: a.modulus,
            };
            a = b;
            b = next;
        }
        // An even number of swaps: both halves are where they started.
        (a.value, b.value)
    }

    /// Permutes a half whose counterpart is empty.
    fn alone(&self, half: Half, tweak: u64) -> u64 {
        if half.modulus > 3 {
            return self.below(half.value, half.modulus, tweak);
        }
        // So few values have no halves of their own; a keyed rotation is left.
        let shift = below(self.round(half.modulus, tweak), half.modulus);
        (half.value + shift) % half.modulus
    }

    /// Permutes the numbers below `bound`.
    ///
    /// # Panics
    /// When `value` is not below `bound`.
    pub(crate) fn below(&self, value: u64, bound: u64, tweak: u64) -> u64 {
        assert!(
            value < bound,
            "a permutation needs a value inside its range"
        );
        let root = bound.isqrt();
        let high = root + u64::from(root * root < bound);
        let low = bound.div_ceil(high);
        // The grid high × low exceeds the bound by less than one row. Walking the cycle until it comes
        // back inside is still a bijection, and ends because the walk started inside.
        let half = |value, modulus| Half { value, modulus };
        let (mut a, mut b) = (value / low, value % low);
        loop {
            (a, b) = self.network(half(a, high), half(b, low), tweak);
            let result = u128::from(a) * u128::from(low) + u128::from(b);
            match u64::try_from(result) {
                Ok(result) if result < bound => return result,
                _ => {}
            }
        }
    }

    /// Permutes a text of `digits`, each below the radix at its position.
    pub(crate) fn symbols(&self, digits: &mut [u32], radices: &[u32], tweak: u64) {
        debug_assert_eq!(digits.len(), radices.len());
        // Texts of up to 18 letters and digits, which is most of them: two halves of at most 2^47.
        if digits.len() <= 18 && radices.iter().all(|&radix| radix <= 36) {
            self.chunk(digits, radices, radices.len() / 2, tweak);
            return;
        }
        let mut cuts = Cuts::new(radices);
        let Some(first) = cuts.next() else { return };
        if first == digits.len() {
            self.chunk(digits, radices, middle(radices), tweak);
            return;
        }
        // Longer than one network takes: each part is permuted under a tweak made of all the others. The
        // first depends on the originals behind it, the others on results before them, so it can be undone
        // from the end and stays a bijection.
        let (mut start, mut end) = (0, first);
        let mut chain = self.absorb(tweak, &digits[first..]);
        loop {
            let part = &radices[start..end];
            self.chunk(&mut digits[start..end], part, middle(part), chain);
            let Some(next) = cuts.next() else { return };
            chain = self.absorb(chain_start(tweak, start), &digits[..end]);
            (start, end) = (end, next);
        }
    }

    fn absorb(&self, tweak: u64, digits: &[u32]) -> u64 {
        digits
            .iter()
            .fold(tweak, |state, &digit| self.round(u64::from(digit), state))
    }

    fn chunk(&self, digits: &mut [u32], radices: &[u32], middle: usize, tweak: u64) {
        let half = |range: std::ops::Range<usize>| {
            let mut half = Half {
                value: 0,
                modulus: 1,
            };
            for i in range {
                half.value = half.value * u64::from(radices[i]) + u64::from(digits[i]);
                half.modulus *= u64::from(radices[i]);
            }
            half
        };
        let (mut a, mut b) = self.network(half(0..middle), half(middle..digits.len()), tweak);
        let mut write = |range: std::ops::Range<usize>, value: &mut u64| {
            for i in range.rev() {
                let radix = u64::from(radices[i]);
                digits[i] = u32::try_from(*value % radix).expect("below a 32-bit radix");
                *value /= radix;
            }
        };
        write(middle..radices.len(), &mut b);
        write(0..middle, &mut a);
    }
}

/// SipHash-2-4 of the sixteen bytes that two little-endian words spell.
fn sip(key: (u64, u64), first: u64, second: u64) -> u64 {
    let mut v = [
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ];
    // The last word holds the length in bytes.
    for word in [first, second, 16 << 56] {
        v[3] ^= word;
        sip_round(&mut v);
        sip_round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for _ in 0..4 {
        sip_round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[inline]
const fn sip_round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

const fn chain_start(tweak: u64, start: usize) -> u64 {
    tweak
        .wrapping_add(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(start as u64)
}

/// `bits` mapped evenly onto the numbers below `bound`.
fn below(bits: u64, bound: u64) -> u64 {
    u64::try_from((u128::from(bits) * u128::from(bound)) >> 64).expect("below a 64-bit bound")
}

/// Where to cut one part in two halves of similar size.
fn middle(radices: &[u32]) -> usize {
    let product = |part: &[u32]| part.iter().fold(1u128, |p, &r| p.saturating_mul(r.into()));
    let mut middle = radices.len() / 2;
    while middle < radices.len() && product(&radices[middle..]) > HALF_MAX {
        middle += 1;
    }
    while middle > 0 && product(&radices[..middle]) > HALF_MAX {
        middle -= 1;
    }
    middle
}

/// Ends of the parts that one network takes each.
struct Cuts<'a> {
    radices: &'a [u32],
    at: usize,
}

impl<'a> Cuts<'a> {
    const fn new(radices: &'a [u32]) -> Self {
        Self { radices, at: 0 }
    }
}

impl Iterator for Cuts<'_> {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        // Two halves of at most 2^62, and a symbol of up to 2^15 may tip either: 2^90 leaves room.
        const PART_MAX: u128 = 1 << 90;
        if self.at == self.radices.len() {
            return None;
        }
        let mut product = 1u128;
        let start = self.at;
        while let Some(&radix) = self.radices.get(self.at) {
            product = product.saturating_mul(radix.into());
            if product > PART_MAX && self.at > start {
                break;
            }
            self.at += 1;
        }
        Some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn permutation() -> Permutation {
        Permutation::new(&DomainKey::new(&[3; 32]))
    }

    #[test]
    fn the_round_function_is_siphash_2_4() {
        // The reference vectors: key 00 01 .. 0f, message 00 01 .. 0f of 16 bytes.
        let key = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(sip(key, key.0, key.1), 0x3f2a_cc7f_57c2_9bdb);
    }

    #[test]
    fn every_small_range_is_permuted_onto_itself() {
        let p = permutation();
        for bound in (1..200).chain([1_000, 4_096, 10_007]) {
            let images: HashSet<u64> = (0..bound).map(|v| p.below(v, bound, 1)).collect();
            assert_eq!(images.len() as u64, bound);
            assert!(images.iter().all(|&v| v < bound));
        }
    }

    #[test]
    fn the_largest_ranges_stay_inside() {
        let p = permutation();
        for bound in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1, 1 << 62] {
            let images: HashSet<u64> = (0..1_000)
                .map(|i| p.below(bound - 1 - i, bound, 1))
                .collect();
            assert_eq!(images.len(), 1_000);
        }
    }

    #[test]
    fn mixed_radices_are_permuted_without_a_collision() {
        let p = permutation();
        let radices = [9, 10, 26, 7];
        let mut images = HashSet::new();
        for n in 0..9 * 10 * 26 * 7u32 {
            let mut digits = [n / 1_820, n / 182 % 10, n / 7 % 26, n % 7];
            p.symbols(&mut digits, &radices, 5);
            assert!(digits.iter().zip(radices).all(|(d, r)| *d < r));
            assert!(images.insert(digits));
        }
    }

    #[test]
    fn long_texts_are_permuted_and_every_symbol_counts() {
        let p = permutation();
        for length in [1, 2, 18, 19, 27, 28, 40, 80, 200] {
            let radices = vec![10; length];
            let mut images = HashSet::new();
            for position in 0..length {
                for digit in 0..10 {
                    let mut digits = vec![0; length];
                    digits[position] = digit;
                    if digit == 0 && position > 0 {
                        continue;
                    }
                    p.symbols(&mut digits, &radices, 5);
                    assert!(images.insert(digits));
                }
            }
        }
    }

    #[test]
    fn no_output_is_favoured() {
        // The trap of a modulo into a range: with 3 * 2^62 as bound the lower third would come twice.
        let p = permutation();
        let bound = 3u64 << 62;
        let low = (0..9_000)
            .filter(|&v| p.below(v, bound, 0) < 1 << 62)
            .count();
        // Binomial with a mean of 3,000 and a deviation of 45: five deviations.
        assert!((2_775..=3_225).contains(&low), "{low}");
    }
}
