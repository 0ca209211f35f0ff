//! One answer from all evidence: scores of name, type, table and values add up per category; a softmax with an
//! explicit `none` makes them probabilities.

use std::collections::BTreeMap;

use tdm_core::category::Category;
use tdm_core::finding::Evidence;

use crate::name::Verdict;
use crate::value::Weighing;

/// Sharpness of the softmax; fitted so that confidences match the share of right answers on the development set.
const TEMPERATURE: f64 = 1.25;
/// A name score from which a name decides alone.
const DECISIVE: f64 = 3.0;

/// Evidence beyond name and values, in nats.
#[derive(Debug, Clone)]
pub(crate) struct Extra {
    pub(crate) category: Category,
    pub(crate) evidence: Evidence,
}

/// The winner with its confidence and reasons.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) category: Category,
    pub(crate) confidence: f64,
    pub(crate) evidence: Vec<Evidence>,
}

/// Log-likelihood of values in nats on the scale of names: more of the same evidence says ever less.
fn value_nats(score: f64, best: f64) -> f64 {
    if score <= 0.0 {
        return (score / 4.0).max(-4.0);
    }
    8.0 * (score / 16.0).tanh() - ((best - score) / 6.0).min(8.0)
}

/// Combines everything.
pub(crate) fn fuse(name: &Verdict, values: &Weighing, extras: &[Extra]) -> Answer {
    let mut totals: BTreeMap<Category, f64> = BTreeMap::new();
    let mut evidence = name.evidence.clone();
    let decisive = name.scores.iter().any(|(_, s)| *s >= DECISIVE);
    for (category, score) in &name.scores {
        *totals.entry(*category).or_default() += *score;
    }
    let best = values
        .scores
        .iter()
        .map(|(_, s)| *s)
        .fold(0.0_f64, f64::max);
    for (category, score) in &values.scores {
        let mut nats = value_nats(*score, best);
        if *category == Category::None && decisive {
            // Values that look harmless do not acquit a column whose name is plain.
            nats = nats.min(1.5);
        }
        if *category != Category::None && nats < 0.0 && !totals.contains_key(category) {
            continue;
        }
        *totals.entry(*category).or_default() += nats;
    }
    evidence.extend(values.evidence.iter().take(4).cloned());
    for (category, reason) in &values.vetoes {
        if let Some(total) = totals.get_mut(category)
            && *category != Category::None
        {
            *total -= 9.0;
            evidence.push(Evidence {
                source: "values".to_owned(),
                feature: format!("not {category}: {reason}"),
                weight: -9.0,
                tested: 0,
                matched: 0,
            });
        }
    }
    let prior = if name.vetoed {
        5.0
    } else if name.silent {
        1.8
    } else if name.scores.iter().all(|(_, s)| *s < 0.0) {
        // A name that speaks of things, or of nothing the lexicon knows.
        2.0
    } else {
        0.0
    };
    *totals.entry(Category::None).or_default() += prior;
    for extra in extras {
        *totals.entry(extra.category).or_default() += extra.evidence.weight;
        evidence.push(extra.evidence.clone());
    }
    let (category, top) = totals
        .iter()
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))
        .map_or((Category::None, 0.0), |(c, s)| (*c, *s));
    let sum: f64 = totals
        .values()
        .map(|s| ((s - top) / TEMPERATURE).exp())
        .sum();
    evidence.retain(|e| e.weight != 0.0);
    Answer {
        category,
        confidence: (1.0 / sum).clamp(0.01, 0.995),
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_none_and_more_value_evidence_never_lowers_a_claim() {
        let silent = Verdict {
            silent: true,
            ..Verdict::default()
        };
        assert_eq!(
            fuse(&silent, &Weighing::default(), &[]).category,
            Category::None
        );
        let mut last = f64::NEG_INFINITY;
        for score in [1.0, 4.0, 9.0, 30.0, 90.0] {
            let nats = value_nats(score, score);
            assert!(nats > last);
            last = nats;
        }
    }
}
