//! Keyed permutations of `0..size` in constant memory: how unique values are made without remembering any.
//!
//! A Feistel network over a rectangle a × b that barely covers the domain (Black and Rogaway, "Ciphers with
//! arbitrary finite domains", CT-RSA 2002), with cycle walking over the few points outside.

const ROUNDS: u32 = 6;

/// A bijection on `0..size`, forwards and backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutation {
    key: u64,
    size: u64,
    a: u64,
    b: u64,
}

impl Permutation {
    /// The permutation of `0..size` that `key` chooses.
    pub const fn new(key: u64, size: u64) -> Self {
        let root = size.isqrt();
        let a = if root * root == size { root } else { root + 1 };
        let a = if a == 0 { 1 } else { a };
        Self {
            key,
            size,
            a,
            b: size.div_ceil(a),
        }
    }

    /// Number of points.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Where `point` goes. A point outside the domain stays where it is.
    pub const fn apply(&self, mut point: u64) -> u64 {
        if point >= self.size || self.size < 2 {
            return point;
        }
        loop {
            point = self.forward(point);
            if point < self.size {
                return point;
            }
        }
    }

    /// Where `point` comes from: the inverse of [`Permutation::apply`].
    pub const fn invert(&self, mut point: u64) -> u64 {
        if point >= self.size || self.size < 2 {
            return point;
        }
        loop {
            point = self.backward(point);
            if point < self.size {
                return point;
            }
        }
    }

    // A point is (x, y) with x < a and y < b. Odd rounds move x by a function of y, even ones y by one of x:
    // each round is a bijection of the rectangle whatever the function is.
    const fn forward(&self, point: u64) -> u64 {
        let (mut x, mut y) = (point % self.a, point / self.a);
        let mut round = 0;
        while round < ROUNDS {
            if round.is_multiple_of(2) {
                x = add(x, self.step(round, y) % self.a, self.a);
            } else {
                y = add(y, self.step(round, x) % self.b, self.b);
            }
            round += 1;
        }
        y * self.a + x
    }

    const fn backward(&self, point: u64) -> u64 {
        let (mut x, mut y) = (point % self.a, point / self.a);
        let mut round = ROUNDS;
        while round > 0 {
            round -= 1;
            if round.is_multiple_of(2) {
                x = add(x, self.a - self.step(round, y) % self.a, self.a);
            } else {
                y = add(y, self.b - self.step(round, x) % self.b, self.b);
            }
        }
        y * self.a + x
    }

    const fn step(&self, round: u32, half: u64) -> u64 {
        let mut z = half
            .wrapping_add(self.key)
            .wrapping_add((round as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// `x + y` modulo `m` without overflow, for `x < m` and `y <= m`.
const fn add(x: u64, y: u64, m: u64) -> u64 {
    let room = m - x;
    if y >= room { y - room } else { x + y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_bijection_on_every_small_domain() {
        for size in (0..600).chain([1_000, 4_095, 4_096, 4_097, 10_007]) {
            for key in [0, 1, 0xDEAD_BEEF_0BAD_CAFE] {
                let permutation = Permutation::new(key, size);
                let mut seen = vec![false; usize::try_from(size).unwrap()];
                for point in 0..size {
                    let image = permutation.apply(point);
                    assert!(!std::mem::replace(
                        &mut seen[usize::try_from(image).unwrap()],
                        true
                    ));
                    assert_eq!(permutation.invert(image), point, "size {size}");
                }
            }
        }
    }

    #[test]
    fn it_inverts_on_the_largest_domains() {
        for size in [u64::from(u32::MAX) + 2, 1 << 62, u64::MAX / 2 + 3] {
            let permutation = Permutation::new(42, size);
            for point in (0..1_000).map(|i| size / 1_000 * i) {
                let image = permutation.apply(point);
                assert!(image < size);
                assert_eq!(permutation.invert(image), point);
            }
        }
    }

    #[test]
    fn neighbours_scatter() {
        let permutation = Permutation::new(9, 100_000);
        let near = (0..10_000u64)
            .filter(|&i| permutation.apply(i).abs_diff(permutation.apply(i + 1)) < 1_000)
            .count();
        // Two random points are that near with probability 0.0199; 199 expected, deviation 14.
        assert!((120..280).contains(&near), "{near}");
    }
}
