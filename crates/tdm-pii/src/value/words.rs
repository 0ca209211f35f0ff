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

const FAMILY_ENDINGS: &[&str] = &[
    "son", "sen", "sson", "ez", "ski", "ska", "sky", "skaya", "wicz", "czyk", "czak", "owski",
    "owska", "ov", "ova", "ev", "eva", "enko", "chuk", "yan", "ian", "idze", "shvili", "poulos",
    "opoulos", "idis", "akis", "mann", "meier", "meyer", "maier", "bauer", "schmidt", "berger",
    "hofer", "huber", "stein", "feld", "elli", "etti", "ini", "ucci", "acci", "ello", "etto",
    "ano", "oux", "eau", "eaux", "ault", "ard", "inga", "stra", "ema", "kamp", "ink", "eira",
    "eiro", "ves", "ques", "guez", "quez", "escu", "eanu", "oglu", "ic", "vic", "nen", "lainen",
    "strom", "qvist", "quist", "gren", "lund", "dottir", "ley", "worth", "well", "field", "wood",
    "kins", "moto", "mura", "yama", "awa", "zaki", "shima", "singh", "waala",
];
const CITY_ENDINGS: &[&str] = &[
    "burg", "stadt", "hausen", "heim", "dorf", "furt", "bruck", "brueck", "hafen", "kirchen",
    "bach", "ingen", "ville", "court", "bourg", "ton", "town", "bury", "ford", "shire", "port",
    "mouth", "chester", "cester", "polis", "grad", "ow", "owo", "owice", "ice", "dam", "drecht",
    "veen", "hoven", "olis", "opolis", "ham", "by", "stead", "abad", "pur", "grado", "cielo",
    "furth", "walde", "rode", "leben", "itz",
];
const STREET_ENDINGS: &[&str] = &[
    "strasse",
    "str",
    "str.",
    "weg",
    "allee",
    "gasse",
    "platz",
    "ufer",
    "damm",
    "ring",
    "steig",
    "chaussee",
    "promenade",
    "straat",
    "laan",
    "plein",
    "gracht",
    "kade",
    "dijk",
    "gatan",
    "vagen",
    "gade",
    "vej",
    "veien",
    "katu",
    "tie",
    "hof",
    "markt",
    "berg",
    "pfad",
    "stieg",
];
const HEALTH_ENDINGS: &[&str] = &[
    "itis",
    "osis",
    "aemia",
    "emia",
    "itus",
    "pathy",
    "algia",
    "ectomy",
    "plasty",
    "oma",
    "uria",
    "penia",
    "phobia",
    "plegia",
    "trophy",
    "cillin",
    "mycin",
    "statin",
    "prazole",
    "sartan",
    "olol",
    "azole",
    "zepam",
    "oxacin",
    "pril",
    "idine",
    "profen",
    "formin",
    "dipine",
    "tidine",
    "setron",
    "triptan",
    "mab",
    "vir",
    "itide",
    "ose hereditaire",
    "pathie",
    "thyreose",
    "thyroidism",
    "opathia",
    "rrhoe",
    "rrhea",
];

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
            || word.len() > 5 && STREET_ENDINGS.iter().any(|e| bare.ends_with(e))
        {
            street_word = true;
        }
        if kinds.has(Kinds::HEALTH)
            || word.len() >= 7 && HEALTH_ENDINGS.iter().any(|e| bare.ends_with(e))
        {
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
        ends_last = is_last
            || FAMILY_ENDINGS
                .iter()
                .any(|e| bare.len() > e.len() + 2 && bare.ends_with(e));
        first += usize::from(is_first);
        last += usize::from(is_last);
        either += usize::from(is_first || is_last);
        common += usize::from(kinds.has(Kinds::COMMON));
        harmless += usize::from(kinds.has(Kinds::HARMLESS));
        if count == 1 {
            reading.city_shape = CITY_ENDINGS
                .iter()
                .any(|e| bare.len() > e.len() + 2 && bare.ends_with(e));
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
