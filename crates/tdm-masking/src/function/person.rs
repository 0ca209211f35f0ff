//! Names of people. A whole name is masked part by part, with the keys of the columns that hold the parts, so
//! that `Maria Keller` in one column and `Maria`, `Keller` in two others stay one person.

use tdm_core::function::{BindRequest, Descriptor, ParameterKind, Promise};
use tdm_core::types::TypeClass;

use super::vocabulary::{Draw, WordMask, first_names, locale, words};
use super::{Bound, Function, LOCALE, TEXTUAL, UNIQUE, key, key_of, parameter, word};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, fold, length_max, like_case};

const WEAKNESS: &str = "Frequent names stay frequent: the most common pseudonym likely stands for the most common name.";

const GENDER: tdm_core::function::Parameter =
    parameter("gender", ParameterKind::Text, "any", "female, male or any.");

pub(crate) const FIRST_NAME: Function = Function {
    descriptor: Descriptor {
        name: "first_name",
        summary: "A given name of the locale.",
        parameters: &[LOCALE, GENDER, UNIQUE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| {
        let names = first_names(locale(request)?, gender(request)?);
        word_column(request, "first_name", names)
    },
};

pub(crate) const LAST_NAME: Function = Function {
    descriptor: Descriptor {
        name: "last_name",
        summary: "A family name of the locale.",
        parameters: &[LOCALE, UNIQUE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| word_column(request, "last_name", words(locale(request)?, "last")),
};

pub(crate) const FULL_NAME: Function = Function {
    descriptor: Descriptor {
        name: "full_name",
        summary: "A whole name, part by part, in agreement with columns that hold the parts.",
        parameters: &[
            LOCALE,
            GENDER,
            UNIQUE,
            parameter(
                "first_domain",
                ParameterKind::Text,
                "person_name.first",
                "Domain of the column with given names.",
            ),
            parameter(
                "last_domain",
                ParameterKind::Text,
                "person_name.last",
                "Domain of the column with family names.",
            ),
        ],
        accepts: &[TypeClass::Text],
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: full_name,
};

fn gender<'p>(request: &BindRequest<'p>) -> Result<&'p str, tdm_core::function::BindError> {
    word(request, "gender", "any", &["any", "female", "male"])
}

/// A column of single words.
pub(crate) fn word_column(
    request: &BindRequest<'_>,
    label: &str,
    list: super::vocabulary::Words,
) -> Bound {
    let max = length_max(request.column);
    let mask = WordMask::new(request, key(request, label), list, max)?;
    let promise = Promise {
        injective: mask.injective(),
        length_max: max.and_then(|n| u32::try_from(n).ok()),
        ..Promise::KEYED
    };
    Ok(Box::new(TextColumn::new(mask, request.column, promise)))
}

fn full_name(request: &BindRequest<'_>) -> Bound {
    let locale = locale(request)?;
    let domain = |name, default| request.params.text(name).unwrap_or(default);
    let part = |domain, label, list| Draw {
        key: key_of(request, domain, label),
        words: list,
        length_max: usize::MAX,
    };
    let max = length_max(request.column);
    let unique = request.params.boolean("unique").unwrap_or(false);
    let mask = FullName {
        first: part(
            domain("first_domain", "person_name.first"),
            "first_name",
            first_names(locale, gender(request)?),
        ),
        last: part(
            domain("last_domain", "person_name.last"),
            "last_name",
            words(locale, "last"),
        ),
        length_max: max.unwrap_or(usize::MAX),
        unique: unique.then(|| key(request, "full_name").subkey("unique")),
    };
    let promise = Promise {
        injective: unique && max.is_none_or(|max| max >= UNIQUE_LENGTH),
        length_max: max.and_then(|n| u32::try_from(n).ok()),
        ..Promise::KEYED
    };
    Ok(Box::new(TextColumn::new(mask, request.column, promise)))
}

/// Characters of the token that keeps whole names apart.
const UNIQUE_LENGTH: usize = 12;

#[derive(Debug)]
struct FullName {
    first: Draw,
    last: Draw,
    length_max: usize,
    unique: Option<tdm_core::keyring::DomainKey>,
}

/// Words before or after a name that say nothing about who it is.
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "herr", "frau", "m", "mme", "mlle", "sr",
    "sra", "srta", "sig", "dott", "ing", "dhr", "mevr", "pan", "pani", "jr", "ii", "iii", "iv",
    "phd", "md", "esq",
];

/// Words that belong to the family name behind them.
const PARTICLES: &[&str] = &[
    "van", "von", "de", "der", "den", "del", "della", "di", "da", "do", "dos", "das", "du", "la",
    "le", "zu", "zum", "zur", "ter", "ten", "bin", "ibn", "al", "el", "st", "san", "y",
];

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

impl FullName {
    fn word(&self, draw: &Draw, input: &str, scratch: &mut Scratch, out: &mut String) {
        let trimmed = input.trim_matches(|c: char| !c.is_alphanumeric());
        fold(trimmed, &mut scratch.key);
        let word = draw.word(&scratch.key);
        let mut letters = trimmed.chars();
        match (letters.next(), letters.next()) {
            // An initial stays an initial, of another name.
            (Some(_), None) => {
                out.extend(word.chars().take(1).flat_map(char::to_uppercase));
                out.extend(input.ends_with('.').then_some('.'));
            }
            _ => like_case(trimmed, word, out),
        }
    }

    /// Writes given names, then the family name, joined by spaces.
    fn forward(&self, words: &[&str], scratch: &mut Scratch, out: &mut String) {
        let title = |word: &&&str| TITLES.contains(&bare(word).as_str());
        let head = words.iter().take_while(title).count();
        let tail = words[head..].iter().rev().take_while(title).count();
        let (before, rest) = words.split_at(head);
        let (names, after) = rest.split_at(rest.len() - tail);
        let mut first = true;
        let mut space = |out: &mut String| {
            if !std::mem::take(&mut first) {
                out.push(' ');
            }
        };
        for word in before {
            space(out);
            out.push_str(word);
        }
        if let Some(last) = names.len().checked_sub(1) {
            // A first word is never a particle: `Al Green` has a given name.
            let family = (1..last)
                .find(|&i| {
                    let rest = &names[i..last];
                    rest.iter().all(|w| PARTICLES.contains(&bare(w).as_str()))
                })
                .unwrap_or(last);
            for word in &names[..family] {
                space(out);
                self.word(&self.first, word, scratch, out);
            }
            space(out);
            let mut whole = std::mem::take(&mut scratch.text);
            whole.clear();
            for (i, word) in names[family..].iter().enumerate() {
                if i > 0 {
                    whole.push(' ');
                }
                whole.push_str(word);
            }
            self.word(&self.last, &whole, scratch, out);
            scratch.text = whole;
        }
        for word in after {
            space(out);
            out.push_str(word);
        }
    }
}

impl TextMask for FullName {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        match input.split_once(',') {
            // `Keller, Maria`: the family name first, unless only a title follows.
            Some((last, first)) if !TITLES.contains(&bare(first).as_str()) => {
                self.word(&self.last, last.trim(), scratch, out);
                for word in first.split_whitespace() {
                    out.push_str(if out.ends_with(',') || !out.contains(',') {
                        ", "
                    } else {
                        " "
                    });
                    self.word(&self.first, word, scratch, out);
                }
            }
            _ => {
                let words: Vec<&str> = input.split_whitespace().collect();
                self.forward(&words, scratch, out);
            }
        }
        let room = self.length_max.saturating_sub(if self.unique.is_some() {
            UNIQUE_LENGTH + 1
        } else {
            0
        });
        if let Some((cut, _)) = out.char_indices().nth(room) {
            out.truncate(cut);
            out.truncate(out.trim_end_matches([' ', ',']).len());
        }
        if let Some(key) = &self.unique {
            if !out.is_empty() {
                out.push(' ');
            }
            let length = UNIQUE_LENGTH.min(self.length_max);
            super::token::base32(&mut key.draws(input.as_bytes()), length, out);
        }
        Ok(())
    }
}
