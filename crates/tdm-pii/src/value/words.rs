//! Values made of words: names, places, streets, companies and the small vocabularies.

use super::dictionary::{Dictionary, Kinds};

/// What a value of words looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// Kinds of the whole value as one phrase.
    pub(crate) whole: Kinds,
    /// One word that ends or begins as family names do.
    pub(crate) family_shape: bool,
    /// Two to five words that are a person's name by the dictionaries.
    pub(crate) full_name: bool,
    /// Two to four capitalised words of which one is in a dictionary of names.
    pub(crate) name_shape: bool,
    /// A street, with or without a house number.
    pub(crate) street: bool,
    /// A legal form or a word of companies.
    pub(crate) company: bool,
    /// A word about health.
    pub(crate) health: bool,
    /// An occupation by its head word.
    pub(crate) occupation: bool,
    /// One word that ends as place names do.
    pub(crate) city_shape: bool,
    /// Words of the language rather than names.
    pub(crate) common: bool,
    pub(crate) words: usize,
}

/// Reads the folded words of a value. `digits` says that it holds any.
pub(crate) fn read(dictionary: &Dictionary, folded: &str, digits: usize) -> Reading {
    let mut reading = Reading {
        whole: dictionary.kinds(folded),
        ..Reading::default()
    };
    let mut count = 0;
    let mut first = 0;
    let mut last = 0;
    let mut either = 0;
    let mut common = 0;
    let mut harmless = 0;
    let mut initials = 0;
    let mut title = false;
    let mut street_word = false;
    let mut health = 0;
    let mut ends_last = false;
    let mut alphabetic = true;
    for (i, word) in folded
        .split([' ', ',', '/', '(', ')', ';'])
        .filter(|w| !w.is_empty())
        .enumerate()
    {
        count += 1;
        if i >= 8 {
            continue;
        }
        let bare = word.trim_matches(['.', '\'', '"', ':']);
        let kinds = dictionary.kinds(bare);
        let ending = dictionary.ending(bare);
        let has_digit = word.bytes().any(|b| b.is_ascii_digit());
        alphabetic &= !has_digit;
        if kinds.has(Kinds::TITLE) {
            title = true;
            count -= 1;
            continue;
        }
        if kinds.has(Kinds::COMPANY) {
            reading.company = true;
        }
        if kinds.has(Kinds::STREET) && (digits > 0 || i == 0 || word.len() > 3)
            || word.len() > 5 && ending.has(Kinds::STREET)
        {
            street_word = true;
        }
        if kinds.has(Kinds::HEALTH) || word.len() >= 7 && ending.has(Kinds::HEALTH) {
            health += 1;
        }
        if kinds.has(Kinds::OCCUPATION) {
            reading.occupation = true;
        }
        if bare.chars().count() == 1 {
            initials += 1;
            ends_last = false;
            continue;
        }
        // Double names: Anne-Marie, Smith-Jones.
        let parts = || bare.split('-').filter(|p| p.len() > 1);
        let any = |k: Kinds| {
            kinds.has(k) || bare.contains('-') && parts().any(|p| dictionary.kinds(p).has(k))
        };
        let is_first = any(Kinds::FIRST);
        let is_last = any(Kinds::LAST);
        ends_last = is_last || ending.has(Kinds::LAST);
        first += usize::from(is_first);
        last += usize::from(is_last);
        either += usize::from(is_first || is_last);
        common += usize::from(kinds.has(Kinds::COMMON));
        harmless += usize::from(kinds.has(Kinds::HARMLESS));
        if count == 1 {
            reading.city_shape = ending.has(Kinds::CITY);
        }
    }
    reading.words = count;
    if count == 1 {
        reading.family_shape = ends_last && alphabetic;
    } else {
        reading.city_shape = false;
    }
    reading.common = common + harmless > 0 && (common + harmless) * 2 >= count.max(1);
    reading.health = health > 0;
    let named = alphabetic
        && !reading.company
        && common + harmless == 0
        && (2..=5).contains(&(count + usize::from(title)));
    reading.full_name = named
        && ((first >= 1 && (last >= 1 || either >= 2 || ends_last))
            || (title && either >= 1)
            || (initials >= 1 && last >= 1));
    reading.name_shape = named && count >= 2 && (first >= 1 || last >= 1 || title);
    reading.street = street_word && !reading.company && (digits > 0 || count <= 4);
    reading
}
