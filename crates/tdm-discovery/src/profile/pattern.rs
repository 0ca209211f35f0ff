//! Character-class patterns: the shape of a text without its letters and digits.

use std::collections::HashMap;

use tdm_core::profile::PatternShare;

/// Patterns that are told apart; values of later ones count for the rest.
const PATTERNS: usize = 512;
/// Classes of one pattern; longer ones are cut.
const LENGTH: usize = 40;
/// Patterns that a profile keeps.
const KEPT: usize = 12;
/// Share below which a pattern is not kept.
const SHARE: f64 = 0.01;

/// The pattern of a text: `A` for upper-case letters, `a` for all other letters, `9` for digits, `_` for white space
/// that is not a plain space, `?` for control characters, others as they are; runs of more than one get a `+`.
///
/// ```
/// assert_eq!(tdm_discovery::pattern_of("Ada.L@shop.example"), "Aa+.A@a+.a+");
/// assert_eq!(tdm_discovery::pattern_of("+49 30 1234"), "+9+ 9+ 9+");
/// ```
pub fn pattern_of(text: &str) -> String {
    let mut pattern = String::new();
    let mut classes = 0;
    let mut chars = text.chars().map(class).peekable();
    while let Some(current) = chars.next() {
        if classes == LENGTH {
            pattern.push('…');
            break;
        }
        classes += 1;
        pattern.push(current);
        let mut run = false;
        while chars.next_if_eq(&current).is_some() {
            run = true;
        }
        if run {
            pattern.push('+');
        }
    }
    pattern
}

fn class(c: char) -> char {
    match c {
        c if c.is_uppercase() => 'A',
        c if c.is_alphabetic() => 'a',
        c if c.is_numeric() => '9',
        ' ' => ' ',
        c if c.is_control() => '?',
        c if c.is_whitespace() => '_',
        // Beyond ASCII a sign can be as telling as a letter.
        c if c.is_ascii() => c,
        _ => '?',
    }
}

/// Counts patterns in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    counts: HashMap<String, u64>,
    total: u64,
}

impl Patterns {
    pub(super) fn add(&mut self, text: &str) {
        self.total += 1;
        let pattern = pattern_of(text);
        if let Some(count) = self.counts.get_mut(&pattern) {
            *count += 1;
        } else if self.counts.len() < PATTERNS {
            self.counts.insert(pattern, 1);
        }
    }

    /// Frequent patterns, most frequent first. One that few values have could be a value in disguise.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 53 bits"
    )]
    pub(super) fn shares(self, count_min: u64) -> Vec<PatternShare> {
        let total = self.total as f64;
        let mut kept: Vec<(String, u64)> = self
            .counts
            .into_iter()
            .filter(|(_, count)| *count >= count_min && *count as f64 >= SHARE * total)
            .collect();
        kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(KEPT);
        kept.into_iter()
            .map(|(pattern, count)| PatternShare {
                pattern,
                share: count as f64 / total,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_keep_shape_and_no_letter_or_digit() {
        for (text, pattern) in [
            ("", ""),
            ("ABC-12", "A+-9+"),
            ("Ünal\tx", "Aa+?a"),
            ("a\u{1F600}", "a?"),
            ("{\"a\": 1}", "{\"a\": 9}"),
        ] {
            assert_eq!(pattern_of(text), pattern);
        }
        assert!(pattern_of(&"a1".repeat(1_000)).chars().count() <= LENGTH + 1);
    }

    #[test]
    fn rare_patterns_are_dropped() {
        let mut patterns = Patterns::default();
        (0..99).for_each(|_| patterns.add("abc"));
        patterns.add("Rare One");
        let shares = patterns.shares(5);
        assert_eq!(shares.len(), 1);
        assert_eq!(shares[0].pattern, "a+");
        assert!((shares[0].share - 0.99).abs() < 1e-9);
    }
}
