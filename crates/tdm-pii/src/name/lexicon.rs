//! The words of column and table names, read from data files: phrases with a category, and words with a role.

use std::collections::HashMap;

use tdm_core::category::Category;

use crate::error::LexiconError;
use crate::name::tokens;

/// How far a phrase decides by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Needs a table or a word about people.
    Weak,
    /// Yields to a table of things.
    Medium,
    /// Decides alone.
    Strong,
}

impl Strength {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "strong" => Self::Strong,
            "medium" => Self::Medium,
            "weak" => Self::Weak,
            _ => return None,
        })
    }
}

/// A phrase of the lexicon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phrase {
    pub(crate) category: Category,
    pub(crate) strength: Strength,
    /// Whether its language puts the head noun first.
    pub(crate) head_first: bool,
}

/// Roles that a word may play around a match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) person: bool,
    pub(crate) place: bool,
    pub(crate) thing: bool,
    pub(crate) after: bool,
    pub(crate) before: bool,
    pub(crate) neutral: bool,
    pub(crate) harmless: bool,
    pub(crate) talk: bool,
}

/// All phrases and roles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lexicon {
    phrases: HashMap<String, Vec<Phrase>>,
    roles: HashMap<String, Roles>,
    /// Words that a run-together name may be taken apart into.
    pieces: HashMap<String, ()>,
    /// Names that are never personal, folded and joined.
    denied: HashMap<String, ()>,
}

/// Longest phrase in words.
pub(crate) const PHRASE_WORDS: usize = 6;
const PIECE_MIN: usize = 3;
const PIECES_MAX: usize = 5;

const BUILT_IN: [(&str, &str); 8] = [
    ("en", include_str!("../../data/lexicon/en.txt")),
    ("de", include_str!("../../data/lexicon/de.txt")),
    ("fr", include_str!("../../data/lexicon/fr.txt")),
    ("es", include_str!("../../data/lexicon/es.txt")),
    ("pt", include_str!("../../data/lexicon/pt.txt")),
    ("it", include_str!("../../data/lexicon/it.txt")),
    ("nl", include_str!("../../data/lexicon/nl.txt")),
    ("pl", include_str!("../../data/lexicon/pl.txt")),
];
const CONTEXT: &str = include_str!("../../data/context.txt");

impl Lexicon {
    /// The lexicons that come with the crate.
    pub(crate) fn standard() -> Self {
        let mut lexicon = Self::default();
        for (language, text) in BUILT_IN {
            lexicon
                .add(language, text)
                .expect("a test reads every built-in lexicon");
        }
        lexicon.add_context(CONTEXT);
        lexicon
    }

    /// Adds a lexicon in the format of the data files.
    pub(crate) fn add(&mut self, language: &str, text: &str) -> Result<(), LexiconError> {
        let head_first = matches!(language, "fr" | "es" | "pt" | "it" | "pl");
        let mut section = None;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |reason| LexiconError {
                line: number + 1,
                reason,
            };
            if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let (category, strength) = head.split_once(' ').unwrap_or((head, "strong"));
                let category: Category = category.parse().map_err(|_| bad("unknown category"))?;
                let strength = Strength::parse(strength).ok_or_else(|| bad("unknown strength"))?;
                section = Some((category, strength));
                continue;
            }
            let (category, strength) =
                section.ok_or_else(|| bad("a phrase before the first section"))?;
            for phrase in line.split(',') {
                self.phrase(phrase, category, strength, head_first);
            }
        }
        Ok(())
    }

    /// Adds one phrase.
    pub(crate) fn phrase(
        &mut self,
        phrase: &str,
        category: Category,
        strength: Strength,
        head_first: bool,
    ) {
        let words = tokens::words(phrase);
        if words.is_empty() {
            return;
        }
        for word in &words {
            if word.len() >= PIECE_MIN {
                self.pieces.insert(word.clone(), ());
            }
        }
        let known = self.phrases.entry(words.concat()).or_default();
        // The first file to name a category for a phrase wins within equal strength: English comes first.
        if !known.iter().any(|p| p.category == category) {
            known.push(Phrase {
                category,
                strength,
                head_first,
            });
        }
    }

    /// Names that are never personal, whatever else speaks.
    pub(crate) fn deny(&mut self, name: &str) {
        self.denied.insert(tokens::words(name).concat(), ());
    }

    /// Whether the name was denied.
    pub(crate) fn is_denied(&self, words: &[String]) -> bool {
        !self.denied.is_empty() && self.denied.contains_key(&words.concat())
    }

    fn add_context(&mut self, text: &str) {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = head;
                continue;
            }
            for entry in line.split(',') {
                let words = tokens::words(entry);
                if words.is_empty() {
                    continue;
                }
                let single = words.len() == 1;
                let key = words.concat();
                if section != "harmless" && single && key.len() >= PIECE_MIN {
                    self.pieces.insert(key.clone(), ());
                }
                let roles = self.roles.entry(key).or_default();
                match section {
                    "person" => roles.person = true,
                    "place" => roles.place = true,
                    "thing" => roles.thing = true,
                    "after" => roles.after = true,
                    "before" => roles.before = true,
                    "talk" => roles.talk = true,
                    "neutral" => roles.neutral = true,
                    _ => roles.harmless = true,
                }
            }
        }
    }

    /// Phrases whose words, joined, are `joined`.
    pub(crate) fn phrases(&self, joined: &str) -> &[Phrase] {
        self.phrases.get(joined).map_or(&[], Vec::as_slice)
    }

    /// Roles of a word; a plural has the roles of its singular.
    pub(crate) fn roles(&self, word: &str) -> Roles {
        if let Some(roles) = self.roles.get(word) {
            return *roles;
        }
        word.strip_suffix("es")
            .and_then(|stem| self.roles.get(stem))
            .or_else(|| word.strip_suffix('s').and_then(|stem| self.roles.get(stem)))
            .copied()
            .unwrap_or_default()
    }

    fn is_known(&self, word: &str) -> bool {
        self.phrases.contains_key(word) || self.roles.contains_key(word)
    }

    /// The words of a column name, run-together ones taken apart when the lexicon knows every part.
    pub(crate) fn split(&self, name: &str) -> Vec<String> {
        let mut out = Vec::new();
        for word in tokens::words(name) {
            if word.len() < 6 || !word.is_ascii() || self.is_known(&word) {
                out.push(word);
                continue;
            }
            match self.take_apart(&word) {
                Some(parts) => out.extend(parts),
                None => out.push(word),
            }
        }
        out
    }

    /// Fewest known pieces that make up `word`; German linking letters between them are dropped.
    fn take_apart(&self, word: &str) -> Option<Vec<String>> {
        // best[i]: fewest pieces that cover the first i bytes, and where the last of them starts.
        let mut best: Vec<Option<(usize, usize, usize)>> = vec![None; word.len() + 1];
        best[0] = Some((0, 0, 0));
        for start in 0..word.len() {
            let Some((count, _, _)) = best[start] else {
                continue;
            };
            if count == PIECES_MAX {
                continue;
            }
            for end in (start + 2..=word.len()).rev() {
                let piece = &word[start..end];
                let short = end == word.len()
                    && start > 0
                    && matches!(piece, "id" | "nr" | "no" | "dt" | "nm" | "ip");
                if !short && (piece.len() < PIECE_MIN || !self.is_piece(piece)) {
                    continue;
                }
                // A linking letter (Geburt-s-datum, Kunde-n-name) may follow a piece.
                for link in 0..=usize::from(
                    end + PIECE_MIN <= word.len() && matches!(word.as_bytes()[end], b's' | b'n'),
                ) {
                    let to = end + link;
                    let better = best[to].is_none_or(|(c, _, _)| count + 1 < c);
                    if better {
                        best[to] = Some((count + 1, start, end));
                    }
                }
            }
        }
        let mut parts = Vec::new();
        let mut at = word.len();
        while at > 0 {
            let (_, start, end) = best[at]?;
            parts.push(word[start..end].to_owned());
            at = start;
        }
        parts.reverse();
        (parts.len() > 1).then_some(parts)
    }

    fn is_piece(&self, piece: &str) -> bool {
        self.pieces.contains_key(piece) || self.phrases.contains_key(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_together_names_are_taken_apart() {
        let lexicon = Lexicon::standard();
        for (name, expected) in [
            ("custfname", "cust fname"),
            ("kundenemail", "kunden email"),
            ("lieferstrasse", "lieferstrasse"),
            ("CUSTNAME", "custname"),
            ("billingzipcode", "billing zipcode"),
            ("template", "template"),
            ("temperature", "temperature"),
            ("xyzzyplugh", "xyzzyplugh"),
        ] {
            assert_eq!(lexicon.split(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn a_bad_lexicon_is_refused_with_its_line() {
        let mut lexicon = Lexicon::default();
        assert_eq!(lexicon.add("en", "# x\nfoo").unwrap_err().line, 2);
        assert_eq!(lexicon.add("en", "[emial strong]").unwrap_err().line, 1);
        assert_eq!(lexicon.add("en", "[email loud]").unwrap_err().line, 1);
    }

    #[test]
    fn every_language_knows_the_common_categories() {
        for (language, text) in BUILT_IN {
            let mut lexicon = Lexicon::default();
            lexicon.add(language, text).unwrap();
            for category in [
                Category::PersonNameFirst,
                Category::Phone,
                Category::AddressStreet,
                Category::DateOfBirth,
                Category::Health,
                Category::Religion,
            ] {
                assert!(
                    lexicon
                        .phrases
                        .values()
                        .flatten()
                        .any(|p| p.category == category),
                    "{language} lacks {category}"
                );
            }
        }
    }
}
