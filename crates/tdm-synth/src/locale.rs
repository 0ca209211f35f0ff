//! Locales: names, addresses, telephone plans and words of one language and country, as data files.
//!
//! Where the `fake` crate has a list of the locale's own, it widens ours; a list that it only inherits from
//! English is never taken, so no locale falls back to English without saying so.

use std::sync::OnceLock;

use fake::locales::{DE_DE, Data, EN, FR_FR, IT_IT, NL_NL, PT_BR};
use unicode_normalization::UnicodeNormalization as _;

/// A word with the Latin letters and digits that addresses on the network are made of.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) latin: String,
}

/// City, region and the postcodes that belong to them.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) city: String,
    pub(crate) region: String,
    pub(crate) postcode: String,
}

/// One locale.
#[derive(Debug)]
pub(crate) struct Locale {
    pub(crate) name: &'static str,
    pub(crate) country: String,
    pub(crate) country_code: String,
    pub(crate) full: String,
    pub(crate) street: String,
    pub(crate) phones: Vec<String>,
    pub(crate) legal: Vec<String>,
    pub(crate) first_female: Vec<Word>,
    pub(crate) first_male: Vec<Word>,
    pub(crate) last: Vec<Word>,
    pub(crate) streets: Vec<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) jobs: Vec<String>,
    pub(crate) words: Vec<String>,
}

/// Names of all locales, and their files.
const FILES: &[(&str, &str)] = &[
    ("en-US", include_str!("../data/locales/en-US.txt")),
    ("en-GB", include_str!("../data/locales/en-GB.txt")),
    ("de", include_str!("../data/locales/de.txt")),
    ("fr", include_str!("../data/locales/fr.txt")),
    ("es", include_str!("../data/locales/es.txt")),
    ("it", include_str!("../data/locales/it.txt")),
    ("pt-BR", include_str!("../data/locales/pt-BR.txt")),
    ("nl", include_str!("../data/locales/nl.txt")),
    ("pl", include_str!("../data/locales/pl.txt")),
    ("ja", include_str!("../data/locales/ja.txt")),
    ("zh-CN", include_str!("../data/locales/zh-CN.txt")),
    ("hi-IN", include_str!("../data/locales/hi-IN.txt")),
];

/// The locale that is used when nobody names one.
pub const DEFAULT_LOCALE: &str = "en-US";

/// Names of the locales that there are.
pub fn locale_names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The locale called `name`; nothing stands in for one that is not there.
pub(crate) fn locale(name: &str) -> Option<&'static Locale> {
    static ALL: [OnceLock<Locale>; 12] = [const { OnceLock::new() }; 12];
    let at = FILES.iter().position(|(known, _)| *known == name)?;
    let (name, text) = FILES[at];
    Some(ALL[at].get_or_init(|| Locale::parse(name, text)))
}

impl Locale {
    fn parse(name: &'static str, text: &str) -> Self {
        let list = |key: &str| -> Vec<String> {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(": "))
                .find(|(found, _)| *found == key)
                .map(|(_, entries)| entries.split(" | ").map(|e| e.trim().to_owned()).collect())
                .unwrap_or_default()
        };
        let one = |key: &str| list(key).into_iter().next().unwrap_or_default();
        let words = |key: &str| -> Vec<Word> { list(key).iter().map(|e| Word::parse(e)).collect() };
        let places = list("places")
            .iter()
            .filter_map(|entry| {
                let mut parts = entry.split("; ").map(str::to_owned);
                Some(Place {
                    city: parts.next()?,
                    region: parts.next()?,
                    postcode: parts.next()?,
                })
            })
            .collect();
        let mut last = words("last");
        widen(&mut last, vocabulary(name));
        Self {
            name,
            country: one("country"),
            country_code: one("country_code"),
            full: one("full"),
            street: one("street"),
            phones: list("phone"),
            legal: list("legal"),
            first_female: words("first_female"),
            first_male: words("first_male"),
            last,
            streets: list("streets"),
            places,
            jobs: list("jobs"),
            words: list("words"),
        }
    }
}

impl Word {
    fn parse(entry: &str) -> Self {
        match entry.split_once('/') {
            Some((text, latin)) => Self {
                text: text.to_owned(),
                latin: latin.to_owned(),
            },
            None => Self {
                text: entry.to_owned(),
                latin: latin(entry),
            },
        }
    }
}

/// Family names that the `fake` crate has for a locale of ours in its own right.
fn vocabulary(name: &str) -> &'static [&'static str] {
    let own = |list: &'static [&'static str]| {
        if std::ptr::eq(list, EN::NAME_LAST_NAME) || list == EN::NAME_LAST_NAME {
            &[]
        } else {
            list
        }
    };
    match name {
        "en-US" => EN::NAME_LAST_NAME,
        "de" => own(DE_DE::NAME_LAST_NAME),
        "fr" => own(FR_FR::NAME_LAST_NAME),
        "it" => own(IT_IT::NAME_LAST_NAME),
        "nl" => own(NL_NL::NAME_LAST_NAME),
        "pt-BR" => own(PT_BR::NAME_LAST_NAME),
        _ => &[],
    }
}

fn widen(words: &mut Vec<Word>, more: &[&str]) {
    let known: std::collections::HashSet<String> = words.iter().map(|w| w.text.clone()).collect();
    words.extend(
        more.iter()
            .filter(|text| !known.contains(**text) && !text.is_empty())
            .map(|text| Word::parse(text)),
    );
}

/// Latin letters and digits in lower case: what is left of a word in an e-mail address.
pub(crate) fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            'ø' => out.push('o'),
            other => out.extend(other.to_string().nfd().filter(char::is_ascii_alphanumeric)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_locale_is_whole_and_its_names_have_latin_forms() {
        assert_eq!(FILES.len(), 12);
        for name in locale_names() {
            let locale = locale(name).unwrap();
            assert!(
                locale.first_female.len() >= 24 && locale.first_male.len() >= 24,
                "{name}"
            );
            assert!(
                locale.last.len() >= 40 && locale.streets.len() >= 12,
                "{name}"
            );
            assert!(
                locale.places.len() >= 12 && locale.words.len() == 30,
                "{name}"
            );
            assert!(
                locale.jobs.len() >= 12 && !locale.legal.is_empty(),
                "{name}"
            );
            assert!(locale.full.contains("{first}") && locale.full.contains("{last}"));
            assert!(locale.street.contains("{street}") && locale.street.contains("{number}"));
            assert_eq!(locale.country_code.len(), 2);
            for word in locale
                .first_female
                .iter()
                .chain(&locale.first_male)
                .chain(&locale.last)
            {
                assert!(!word.latin.is_empty(), "{name}: a name without Latin form");
                assert!(
                    word.latin
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                );
            }
        }
        assert!(locale("xx").is_none());
    }

    #[test]
    fn no_locale_of_another_language_shares_the_english_words() {
        let english = &locale("en-US").unwrap().words;
        for name in locale_names().into_iter().filter(|n| !n.starts_with("en")) {
            let own = &locale(name).unwrap().words;
            let shared = own.iter().filter(|w| english.contains(w)).count();
            assert!(shared <= 6, "{name}: {shared} words");
        }
    }

    #[test]
    fn letters_beyond_ascii_have_a_latin_form() {
        assert_eq!(latin("Jürgen Weiß"), "juergenweiss");
        assert_eq!(latin("Łukasz"), "lukasz");
        assert_eq!(latin("Nicolò D'Àngelo"), "nicolodangelo");
    }
}
