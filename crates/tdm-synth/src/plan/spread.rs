//! Children over parents in closed form: which parent a child belongs to and which of its children it is.
//!
//! The children of a parent are a run of positions whose boundaries follow from the parent's number, so nothing
//! is stored. Counts are between none and twice the mean, with the mean kept exactly.

use crate::permutation::Permutation;
use crate::stream::Stream;

/// The distribution of `children` over `parents`.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    children: u64,
    parents: u64,
    /// Whether counts vary; else they differ by one at most.
    varied: bool,
    stream: Stream,
    /// Scatters the children of a parent over the table; none keeps them together.
    scatter: Option<Permutation>,
}

impl Spread {
    /// `parents` must not be 0. Counts stay at or below `most`, which must not be below the mean rounded up.
    pub(crate) fn new(
        stream: Stream,
        children: u64,
        parents: u64,
        most: u64,
        scattered: bool,
    ) -> Self {
        let mean = children.div_ceil(parents.max(1));
        Self {
            children,
            parents: parents.max(1),
            varied: mean.saturating_mul(2).saturating_add(2) <= most,
            stream,
            scatter: scattered.then(|| stream.permutation(children, 0x5CA7)),
        }
    }

    /// Position before which the children of parents below `parent` lie.
    fn boundary(&self, parent: u64) -> u64 {
        if parent == 0 {
            return 0;
        }
        if parent >= self.parents {
            return self.children;
        }
        // Moved by up to half a parent either way, in parts of 2^32; 2^31 stays where it is.
        let moved = if self.varied {
            u128::from(self.stream.at(parent, 0x7FFF).word())
        } else {
            1 << 31
        };
        let at = (u128::from(parent) << 32) + moved - (1 << 31);
        quotient((at * u128::from(self.children)) >> 32, self.parents).min(self.children)
    }

    /// The parent of a child, and its number among the parent's children.
    pub(crate) fn locate(&self, child: u64) -> (u64, u64) {
        let position = match &self.scatter {
            Some(scatter) => scatter.apply(child),
            None => child,
        };
        let guess = quotient(
            u128::from(position) * u128::from(self.parents),
            self.children.max(1),
        );
        let mut parent = guess.min(self.parents - 1);
        while parent > 0 && self.boundary(parent) > position {
            parent -= 1;
        }
        while parent + 1 < self.parents && self.boundary(parent + 1) <= position {
            parent += 1;
        }
        (parent, position - self.boundary(parent))
    }

    /// Most children that a parent may have, for tests.
    #[cfg(test)]
    pub(crate) fn most(&self) -> u64 {
        let mean = self.children.div_ceil(self.parents);
        if self.varied { mean * 2 + 2 } else { mean }
    }
}

/// `a / b`, in 64 bits where they do: the wide division is several times slower.
fn quotient(a: u128, b: u64) -> u64 {
    match u64::try_from(a) {
        Ok(a) => a / b,
        Err(_) => u64::try_from(a / u128::from(b)).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::TableKey;
    use tdm_core::ident::TableRef;

    fn spread(children: u64, parents: u64, most: u64, scattered: bool) -> Spread {
        let stream = TableKey::new(3, &TableRef::new("t")).stream("fk");
        Spread::new(stream, children, parents, most, scattered)
    }

    #[test]
    fn every_child_has_one_place_and_counts_stay_in_bounds() {
        for (children, parents, most) in [
            (1_000, 10, u64::MAX),
            (1_000, 333, u64::MAX),
            (10, 1_000, u64::MAX),
            (60, 7, 9),
            (1, 1, 1),
            (12, 4, 3),
        ] {
            for scattered in [false, true] {
                let spread = spread(children, parents, most, scattered);
                let mut seen = std::collections::BTreeSet::new();
                let mut counts = std::collections::BTreeMap::new();
                for child in 0..children {
                    let (parent, nth) = spread.locate(child);
                    assert!(parent < parents);
                    assert!(seen.insert((parent, nth)));
                    *counts.entry(parent).or_insert(0u64) += 1;
                }
                // Numbers among siblings run from nought without a gap.
                for (parent, nth) in &seen {
                    assert!(*nth < counts[parent]);
                }
                assert!(counts.values().all(|&c| c <= spread.most() && c <= most));
            }
        }
    }

    #[test]
    fn counts_vary_where_they_may() {
        let spread = spread(10_000, 1_000, u64::MAX, true);
        let mut counts = vec![0u32; 1_000];
        for child in 0..10_000 {
            counts[usize::try_from(spread.locate(child).0).unwrap()] += 1;
        }
        let variance = counts
            .iter()
            .map(|&c| (f64::from(c) - 10.0).powi(2))
            .sum::<f64>()
            / 1_000.0;
        // Triangular on 0 to 20: variance 100 / 6.
        assert!((13.0..20.5).contains(&variance), "{variance}");
    }
}
