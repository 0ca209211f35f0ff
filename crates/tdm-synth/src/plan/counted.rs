//! Children over parents after counts that were seen in real data: as many parents with each count, exactly.

use crate::permutation::Permutation;
use crate::stream::Stream;

/// Parents between two stored sums: what a lookup may have to add up.
const BLOCK: u64 = 32;

/// The distribution of `children` over `parents` after a histogram.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    children: u64,
    parents: u64,
    /// Number of children, and how many of the histogram's parents have so many or fewer.
    steps: Vec<(u64, u64)>,
    total: u64,
    /// Which parent gets which quantile.
    ranks: Permutation,
    /// Children of the parents before each block.
    sums: Vec<u64>,
    scatter: Permutation,
}

impl Counted {
    /// `None` when the histogram has no children at all.
    pub(crate) fn new(
        stream: &Stream,
        children: u64,
        parents: u64,
        counts: &[(u64, u64)],
    ) -> Option<Self> {
        let mut total = 0u64;
        let steps: Vec<(u64, u64)> = counts
            .iter()
            .map(|(count, parents)| {
                total += parents;
                (*count, total)
            })
            .collect();
        let mut counted = Self {
            children,
            parents,
            steps,
            total,
            ranks: stream.permutation(parents, 0xC0),
            sums: Vec::new(),
            scatter: stream.permutation(children, 0x5CA7),
        };
        if total == 0 || parents == 0 {
            return None;
        }
        let mut sum = 0;
        for parent in 0..parents {
            if parent % BLOCK == 0 {
                counted.sums.push(sum);
            }
            sum += counted.count(parent);
        }
        counted.sums.push(sum);
        (sum > 0).then_some(counted)
    }

    /// Children of `parent` before the wanted number is reached by stretching.
    fn count(&self, parent: u64) -> u64 {
        let rank = u128::from(self.ranks.apply(parent));
        let quantile = (rank * u128::from(self.total)) / u128::from(self.parents);
        let at = self
            .steps
            .partition_point(|(_, upto)| u128::from(*upto) <= quantile);
        self.steps.get(at).map_or(0, |(count, _)| *count)
    }

    /// The parent of a child.
    pub(crate) fn parent(&self, child: u64) -> u64 {
        let drawn = *self.sums.last().unwrap_or(&1);
        let position = u128::from(self.scatter.apply(child)) * u128::from(drawn)
            / u128::from(self.children.max(1));
        let position = u64::try_from(position).unwrap_or(0);
        let block = self
            .sums
            .partition_point(|sum| *sum <= position)
            .saturating_sub(1);
        let mut sum = self.sums[block];
        let mut parent = block as u64 * BLOCK;
        while parent + 1 < self.parents {
            sum += self.count(parent);
            if sum > position {
                break;
            }
            parent += 1;
        }
        parent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::TableKey;
    use tdm_core::ident::TableRef;

    fn histogram(children: u64, parents: u64, counts: &[(u64, u64)]) -> Vec<u64> {
        let stream = TableKey::new(3, &TableRef::new("t")).stream("fk");
        let counted = Counted::new(&stream, children, parents, counts).unwrap();
        let mut found = vec![0; usize::try_from(parents).unwrap()];
        (0..children).for_each(|child| found[usize::try_from(counted.parent(child)).unwrap()] += 1);
        found
    }

    #[test]
    fn the_histogram_is_kept_exactly_at_its_own_size_and_in_proportion_at_another() {
        let counts = [(0, 30), (1, 50), (7, 20)];
        let found = histogram(190, 100, &counts);
        for (count, parents) in counts {
            assert_eq!(
                found.iter().filter(|n| **n == count).count() as u64,
                parents
            );
        }
        let tenfold = histogram(1_900, 1_000, &counts);
        assert_eq!(tenfold.iter().filter(|n| **n == 7).count(), 200);
        let stretched = histogram(380, 100, &counts);
        assert_eq!(stretched.iter().sum::<u64>(), 380);
        assert_eq!(stretched.iter().filter(|n| **n == 0).count(), 30);
    }
}
