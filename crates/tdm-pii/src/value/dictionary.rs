//! Words that values are looked up in: names, places, and the small vocabularies of sensitive columns.

use std::collections::HashMap;

use super::hash::ShortState;
use crate::name::fold_into;

/// Endings by kind.
const ENDINGS: &str = include_str!("../../data/dict/endings.txt");

/// What a word may be. One word may be several: `Paris` is a city and a given name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kinds(pub(crate) u32);

macro_rules! kinds {
    ($($name:ident = $bit:literal, $file:literal;)+) => {
        impl Kinds {
            $(pub(crate) const $name: Self = Self(1 << $bit);)+
        }
        const FILES: &[(Kinds, &str)] = &[$((Kinds::$name, include_str!(concat!("../../data/dict/", $file)))),+];
    };
}

kinds! {
    FIRST = 0, "first.txt";
    LAST = 1, "last.txt";
    CITY = 2, "city.txt";
    COUNTRY = 3, "country.txt";
    REGION = 4, "region.txt";
    GENDER = 5, "gender.txt";
    RELIGION = 6, "religion.txt";
    ETHNICITY = 7, "ethnicity.txt";
    ORIENTATION = 8, "orientation.txt";
    POLITICAL = 9, "political.txt";
    MARITAL = 10, "marital.txt";
    HEALTH = 11, "health.txt";
    OCCUPATION = 12, "occupation.txt";
    HARMLESS = 13, "harmless.txt";
    STREET = 14, "street.txt";
    COMPANY = 15, "company.txt";
    TITLE = 16, "title.txt";
    BLOOD = 17, "blood.txt";
    COMMON = 18, "common.txt";
    UNION = 19, "union.txt";
}

impl Kinds {
    /// Whether it shares a kind with `other`.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// All words with their kinds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    words: HashMap<Box<str>, Kinds, ShortState>,
    /// Endings of words, with the kinds that they suggest.
    endings: HashMap<Box<str>, Kinds, ShortState>,
}

/// Longest ending in bytes.
const ENDING_MAX: usize = 10;

impl Dictionary {
    /// The dictionaries that come with the crate.
    pub(crate) fn standard() -> Self {
        let mut dictionary = Self::default();
        for (kinds, text) in FILES {
            dictionary.add(*kinds, text);
        }
        for line in ENDINGS.lines().filter(|l| !l.starts_with('#')) {
            let (kind, endings) = line.split_once(':').unwrap_or_default();
            let kinds = match kind {
                "family" => Kinds::LAST,
                "city" => Kinds::CITY,
                "street" => Kinds::STREET,
                "health" => Kinds::HEALTH,
                _ => continue,
            };
            for ending in endings.split(',').map(str::trim) {
                dictionary.endings.entry(ending.into()).or_default().0 |= kinds.0;
            }
        }
        dictionary
    }

    /// Adds words, separated by commas or lines.
    pub(crate) fn add(&mut self, kinds: Kinds, text: &str) {
        let mut folded = String::new();
        for word in text
            .lines()
            .filter(|l| !l.starts_with('#'))
            .flat_map(|l| l.split(','))
        {
            folded.clear();
            fold_into(word.trim(), &mut folded);
            if !folded.is_empty() {
                self.words.entry(folded.as_str().into()).or_default().0 |= kinds.0;
            }
        }
    }

    /// Kinds that the ending of a folded word suggests; three letters must stand before it.
    pub(crate) fn ending(&self, folded: &str) -> Kinds {
        let mut kinds = Kinds::default();
        let longest = ENDING_MAX.min(folded.len().saturating_sub(3));
        for length in 2..=longest {
            let at = folded.len() - length;
            if folded.is_char_boundary(at)
                && let Some(found) = self.endings.get(&folded[at..])
            {
                kinds.0 |= found.0;
            }
        }
        kinds
    }

    /// Kinds of a folded word or phrase.
    pub(crate) fn kinds(&self, folded: &str) -> Kinds {
        self.words.get(folded).copied().unwrap_or_default()
    }
}
