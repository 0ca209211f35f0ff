//! Personal data inside text: patterns with validators, cue words, names by dictionary and by their surroundings.

mod cues;
mod names;
mod patterns;

use std::fmt;
use std::sync::Arc;

use tdm_core::category::Category;
use tdm_core::detector::{Span, TextDetector};

use crate::classifier::standard_parts;
use crate::value::Dictionary;
use patterns::Patterns;

/// Finds personal data in free text and in the strings of JSON documents. Spans are in order and do not overlap.
///
/// ```
/// use tdm_core::category::Category;
/// use tdm_core::detector::TextDetector as _;
/// use tdm_pii::SpanDetector;
///
/// let text = "Dear Mrs Okonjo, write to ada@example.org or call +44 20 7946 0018.";
/// let found: Vec<_> = SpanDetector::standard().spans(text).iter().map(|s| s.category).collect();
/// assert_eq!(found, [Category::PersonNameLast, Category::Email, Category::Phone]);
/// ```
#[derive(Clone)]
pub struct SpanDetector {
    dictionary: Arc<Dictionary>,
    patterns: Arc<Patterns>,
}

impl fmt::Debug for SpanDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanDetector").finish_non_exhaustive()
    }
}

/// A claim on a piece of text, before overlaps are settled.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) category: Category,
    pub(crate) confidence: f64,
}

impl Default for SpanDetector {
    fn default() -> Self {
        Self::standard()
    }
}

impl SpanDetector {
    /// The detector with everything that comes with the crate.
    pub fn standard() -> Self {
        Self {
            dictionary: standard_parts().1,
            patterns: Patterns::shared(),
        }
    }

    /// Whether the text names or reaches a person: a name, an address, a number of theirs.
    pub(crate) fn names_someone(&self, text: &str) -> bool {
        self.spans(text).iter().any(|span| {
            span.confidence >= 0.6
                && !matches!(
                    span.category,
                    Category::AddressCity | Category::AddressCountry | Category::PersonNameFirst
                )
        })
    }
}

impl TextDetector for SpanDetector {
    fn spans(&self, text: &str) -> Vec<Span> {
        let mut claims = Vec::new();
        self.patterns.claim(text, &mut claims);
        names::claim(&self.dictionary, text, &mut claims);
        settle(claims)
    }
}

/// Keeps the surer claim where two overlap, the longer one among equals.
fn settle(mut claims: Vec<Claim>) -> Vec<Span> {
    claims.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then((b.end - b.start).cmp(&(a.end - a.start)))
            .then(a.start.cmp(&b.start))
    });
    let mut kept: Vec<Claim> = Vec::new();
    for claim in claims {
        if claim.start < claim.end
            && kept
                .iter()
                .all(|k| claim.end <= k.start || k.end <= claim.start)
        {
            kept.push(claim);
        }
    }
    kept.sort_by_key(|k| k.start);
    kept.into_iter()
        .map(|k| Span {
            range: k.start..k.end,
            category: k.category,
            confidence: k.confidence,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, Category)]) {
        let found: Vec<(String, Category)> = SpanDetector::standard()
            .spans(text)
            .into_iter()
            .map(|s| (text[s.range].to_owned(), s.category))
            .collect();
        let expected: Vec<(String, Category)> = expected
            .iter()
            .map(|(t, c)| ((*t).to_owned(), *c))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn made_up_letters_in_many_languages() {
        use Category as C;
        check(
            "Hello, my name is John Miller, born on 12.03.1984.",
            &[
                ("John Miller", C::PersonNameFull),
                ("12.03.1984", C::DateOfBirth),
            ],
        );
        check(
            "Sehr geehrter Herr Wagner, Ihre IBAN DE89 3704 0044 0532 0130 00 ist falsch.",
            &[
                ("Wagner", C::PersonNameLast),
                ("DE89 3704 0044 0532 0130 00", C::Iban),
            ],
        );
        check(
            "Il habite 12 rue de la Paix, 75002 Paris.",
            &[("12 rue de la Paix, 75002 Paris", C::AddressStreet)],
        );
        check(
            "Card 4111 1111 1111 1111 declined from 203.0.113.7",
            &[
                ("4111 1111 1111 1111", C::CreditCard),
                ("203.0.113.7", C::IpAddress),
            ],
        );
        check("The release 2.10.3 went out on 2024-05-01 at 10:00.", &[]);
        check("Order 4711 was shipped with two boxes.", &[]);
    }

    proptest::proptest! {
        #[test]
        fn spans_are_ordered_apart_and_on_character_boundaries(text in "[\\PC\\n]{0,120}") {
            let mut last = 0;
            for span in SpanDetector::standard().spans(&text) {
                proptest::prop_assert!(span.range.start >= last && span.range.end <= text.len());
                proptest::prop_assert!(text.is_char_boundary(span.range.start) && text.is_char_boundary(span.range.end));
                last = span.range.end;
            }
        }
    }
}
