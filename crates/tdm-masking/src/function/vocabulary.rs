//! Word lists by locale, and the draw of one word for one value.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use tdm_core::function::{BindError, BindRequest};
use tdm_core::keyring::DomainKey;

use super::bad;
use crate::cells::{Reason, Scratch, TextMask, fold, like_case};
use crate::function::token::base32;

/// Words of one kind in one language.
pub(crate) type Words = Arc<[&'static str]>;

const FILES: &[(&str, &str)] = &[
    ("de", include_str!("../../data/de.txt")),
    ("en", include_str!("../../data/en.txt")),
    ("es", include_str!("../../data/es.txt")),
    ("fr", include_str!("../../data/fr.txt")),
    ("it", include_str!("../../data/it.txt")),
    ("nl", include_str!("../../data/nl.txt")),
    ("pl", include_str!("../../data/pl.txt")),
    ("pt", include_str!("../../data/pt.txt")),
];

/// Sections of a file: `[kind]`, then words between commas, any number of lines.
static LISTS: LazyLock<HashMap<(&'static str, &'static str), Words>> = LazyLock::new(|| {
    let mut lists = HashMap::new();
    for (locale, file) in FILES {
        for section in file.split("\n[").map(|s| s.trim_start_matches('[')) {
            let Some((kind, body)) = section.split_once(']') else {
                continue;
            };
            let mut words: Vec<&'static str> = body
                .split([',', '\n'])
                .map(str::trim)
                .filter(|w| !w.is_empty())
                .collect();
            let mut seen = std::collections::HashSet::new();
            words.retain(|word| seen.insert(*word));
            lists.insert((*locale, kind), words.into());
        }
    }
    lists
});

/// The locale that the parameters name.
pub(crate) fn locale(request: &BindRequest<'_>) -> Result<&'static str, BindError> {
    let wanted = request.params.text("locale").unwrap_or("en");
    // `de_DE` and `de-AT` mean `de`.
    let language = wanted.split(['_', '-']).next().unwrap_or(wanted);
    FILES
        .iter()
        .map(|(name, _)| *name)
        .find(|name| language.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            let known: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
            bad("locale", format!("must be one of {}", known.join(", ")))
        })
}

/// The words of `kind` in `locale`.
pub(crate) fn words(locale: &'static str, kind: &'static str) -> Words {
    LISTS.get(&(locale, kind)).cloned().unwrap_or_default()
}

/// Given names, of one gender or of both.
pub(crate) fn first_names(locale: &'static str, gender: &str) -> Words {
    match gender {
        "female" => words(locale, "first.female"),
        "male" => words(locale, "first.male"),
        _ => {
            let (female, male) = (words(locale, "first.female"), words(locale, "first.male"));
            female.iter().chain(male.iter()).copied().collect()
        }
    }
}

/// Draws one word for one value: the same for the same value, never the value itself.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    pub(crate) key: DomainKey,
    pub(crate) words: Words,
    /// Longest word in characters.
    pub(crate) length_max: usize,
}

impl Draw {
    /// The word for `folded`, see [`fold`]. Words that are too long are drawn again, so that a shorter
    /// column agrees with a longer one wherever it can.
    pub(crate) fn word(&self, folded: &[u8]) -> &'static str {
        const DRAWS_MAX: u32 = 64;
        let mut draws = self.key.draws(folded);
        let same =
            |word: &str| word.len() == folded.len() && word.to_lowercase().as_bytes() == folded;
        for _ in 0..DRAWS_MAX {
            match draws.pick(&self.words) {
                Some(word)
                    if word.len() > self.length_max && word.chars().count() > self.length_max => {}
                Some(word) if same(word) => {}
                Some(word) => return word,
                None => break,
            }
        }
        ""
    }
}

/// Replaces a value by a word, in the value's case, with a token when values must not meet.
#[derive(Debug)]
pub(crate) struct WordMask {
    draw: Draw,
    /// Key of the token.
    apart: DomainKey,
    /// Characters of the token; 0 for none.
    token: usize,
}

impl WordMask {
    /// Words of up to `max` characters in total.
    pub(crate) fn new(
        request: &BindRequest<'_>,
        key: DomainKey,
        words: Words,
        max: Option<usize>,
    ) -> Result<Self, BindError> {
        const TOKEN: usize = 12;
        let unique = request.params.boolean("unique").unwrap_or(false);
        let max = max.unwrap_or(usize::MAX);
        let token = if unique { TOKEN.min(max) } else { 0 };
        let room = if unique {
            max.saturating_sub(TOKEN + 1)
        } else {
            max
        };
        if !unique && !words.iter().any(|word| word.chars().count() <= max) {
            return Err(BindError::Other(
                "no word of the vocabulary is as short as the column; use `token` or `scramble`"
                    .to_owned(),
            ));
        }
        Ok(Self {
            apart: key.subkey("unique"),
            draw: Draw {
                key,
                words,
                length_max: room,
            },
            token,
        })
    }

    /// Whether no two values can meet.
    pub(crate) const fn injective(&self) -> bool {
        self.token >= 12
    }
}

impl TextMask for WordMask {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        fold(input, &mut scratch.key);
        let word = self.draw.word(&scratch.key);
        like_case(input, word, out);
        if self.token > 0 {
            if !word.is_empty() {
                out.push('-');
            }
            // Values that differ in case or in spaces alone are different values to a unique index.
            base32(&mut self.apart.draws(input.as_bytes()), self.token, out);
        } else if word.is_empty() {
            return Err("no word of the vocabulary fits the column");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_list_and_no_word_twice() {
        for (locale, _) in FILES {
            for (kind, least) in [
                ("first.female", 60),
                ("first.male", 60),
                ("last", 120),
                ("street", 25),
                ("city", 40),
                ("region", 8),
                ("company", 4),
            ] {
                let list = words(locale, kind);
                assert!(list.len() >= least, "{locale} {kind}: {}", list.len());
            }
        }
    }
}
