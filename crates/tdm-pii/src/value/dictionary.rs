//! Words that values are looked up in: names, places, and the small vocabularies of sensitive columns.

use std::collections::HashMap;

use super::hash::ShortState;
use crate::name::fold_into;

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
}

impl Dictionary {
    /// The dictionaries that come with the crate.
    pub(crate) fn standard() -> Self {
        let mut dictionary = Self::default();
        for (kinds, text) in FILES {
            dictionary.add(*kinds, text);
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

    /// Kinds of a folded word or phrase.
    pub(crate) fn kinds(&self, folded: &str) -> Kinds {
        self.words.get(folded).copied().unwrap_or_default()
    }
}
