//! Parts of an address, and companies.

use tdm_core::function::{Descriptor, Promise};

use super::person::word_column;
use super::vocabulary::{Draw, Words, locale, words};
use super::{Function, LOCALE, TEXTUAL, UNIQUE, key};
use crate::cells::{Reason, Scratch, TextColumn, TextMask, fold, length_max, like_case};

const WEAKNESS: &str =
    "Frequent places stay frequent; parts of one address do not fit each other on the map.";

pub(crate) const CITY: Function = Function {
    descriptor: Descriptor {
        name: "city",
        summary: "A city of the locale.",
        parameters: &[LOCALE, UNIQUE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| word_column(request, "city", words(locale(request)?, "city")),
};

pub(crate) const REGION: Function = Function {
    descriptor: Descriptor {
        name: "region",
        summary: "A state, province or county of the locale; a short code stays a code.",
        parameters: &[LOCALE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| {
        let draw = |label, list| Draw {
            key: key(request, label),
            words: list,
            length_max: usize::MAX,
        };
        let mask = Coded {
            name: draw("region", words(locale(request)?, "region")),
            two: draw("region code", US_STATES.into()),
            three: None,
            length_max: length_max(request.column),
        };
        Ok(Box::new(TextColumn::new(
            mask,
            request.column,
            promise(request),
        )))
    },
};

pub(crate) const COUNTRY: Function = Function {
    descriptor: Descriptor {
        name: "country",
        summary: "A country; a code of two or three letters stays one.",
        parameters: &[],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| {
        let column = |i: usize| COUNTRIES.iter().map(|row| row[i]).collect::<Words>();
        let draw = |label, list| Draw {
            key: key(request, label),
            words: list,
            length_max: usize::MAX,
        };
        let mask = Coded {
            name: draw("country", column(2)),
            two: draw("country code", column(0)),
            three: Some(draw("country code 3", column(1))),
            length_max: length_max(request.column),
        };
        Ok(Box::new(TextColumn::new(
            mask,
            request.column,
            promise(request),
        )))
    },
};

pub(crate) const STREET: Function = Function {
    descriptor: Descriptor {
        name: "street",
        summary: "A street and house number as the locale writes them.",
        parameters: &[LOCALE, UNIQUE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: WEAKNESS,
    },
    bind: |request| {
        let locale = locale(request)?;
        let unique = request.params.boolean("unique").unwrap_or(false);
        let max = length_max(request.column).unwrap_or(usize::MAX);
        // Room for the number and, on a unique column, for the token.
        let extra = if unique { 4 + UNIQUE_LENGTH + 1 } else { 4 };
        let mask = Street {
            draw: Draw {
                key: key(request, "street"),
                words: words(locale, "street"),
                length_max: max.saturating_sub(extra),
            },
            number_first: matches!(locale, "en" | "fr"),
            length_max: max,
            unique,
        };
        let promise = Promise {
            injective: unique && max >= UNIQUE_LENGTH,
            ..promise(request)
        };
        Ok(Box::new(TextColumn::new(mask, request.column, promise)))
    },
};

pub(crate) const COMPANY: Function = Function {
    descriptor: Descriptor {
        name: "company",
        summary: "A company: a family name and a legal form of the locale.",
        parameters: &[LOCALE, UNIQUE],
        accepts: TEXTUAL,
        promise: Promise::KEYED,
        weakness: "Frequent companies stay frequent.",
    },
    bind: |request| {
        let locale = locale(request)?;
        let suffixes = words(locale, "company");
        // Few legal forms and few hundred names: their product is wide enough to draw from once.
        let list: Vec<&'static str> = words(locale, "last")
            .iter()
            .enumerate()
            .map(|(i, name)| -> &'static str {
                let suffix = suffixes
                    .get(i % suffixes.len().max(1))
                    .copied()
                    .unwrap_or("");
                intern(format!("{name} {suffix}"))
            })
            .collect();
        word_column(request, "company", list.into())
    },
};

/// Words made at bind time live as long as the program, once each.
fn intern(text: String) -> &'static str {
    use std::collections::HashSet;
    use std::sync::{LazyLock, Mutex, PoisonError};
    static KNOWN: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = known.get(text.as_str()) {
        return text;
    }
    let leaked: &'static str = Box::leak(text.into_boxed_str());
    known.insert(leaked);
    leaked
}

const UNIQUE_LENGTH: usize = 12;

fn promise(request: &tdm_core::function::BindRequest<'_>) -> Promise {
    Promise {
        length_max: length_max(request.column).and_then(|n| u32::try_from(n).ok()),
        ..Promise::KEYED
    }
}

#[derive(Debug)]
struct Street {
    draw: Draw,
    number_first: bool,
    length_max: usize,
    unique: bool,
}

impl TextMask for Street {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        use std::fmt::Write as _;
        fold(input, &mut scratch.key);
        let street = self.draw.word(&scratch.key);
        scratch.key.push(0);
        let mut draws = self.draw.key.draws(&scratch.key);
        let number = 1 + draws.below(199);
        let _ = if street.is_empty() {
            write!(out, "{number}")
        } else if self.number_first {
            write!(out, "{number} {street}")
        } else {
            write!(out, "{street} {number}")
        };
        if let Some((cut, _)) = out.char_indices().nth(self.length_max) {
            out.truncate(cut);
        }
        if self.unique {
            let room = self.length_max.saturating_sub(out.chars().count() + 1);
            if room < UNIQUE_LENGTH {
                out.clear();
            } else {
                out.push(' ');
            }
            let mut draws = self.draw.key.draws(input.as_bytes());
            super::token::base32(&mut draws, UNIQUE_LENGTH.min(self.length_max), out);
        }
        Ok(())
    }
}

/// A name, or a code where the value is one.
#[derive(Debug)]
struct Coded {
    name: Draw,
    two: Draw,
    three: Option<Draw>,
    length_max: Option<usize>,
}

impl TextMask for Coded {
    fn mask(&self, input: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let code = input.trim();
        let short = self.length_max.unwrap_or(usize::MAX);
        let alphabetic = code.chars().all(char::is_alphabetic);
        let draw = match (code.chars().count(), &self.three) {
            _ if short < 2 => return Err("the column is too short for a code"),
            (2, _) if alphabetic => &self.two,
            (3, Some(three)) if alphabetic && short >= 3 => three,
            // No name fits such a column, whatever it holds.
            _ if short == 2 => &self.two,
            _ if short == 3 => self.three.as_ref().unwrap_or(&self.two),
            _ => &self.name,
        };
        fold(input, &mut scratch.key);
        let word = draw.word(&scratch.key);
        like_case(input, word, out);
        if let Some((cut, _)) = out.char_indices().nth(short) {
            out.truncate(cut);
        }
        Ok(())
    }
}

/// Postal codes of the states of the USA.
const US_STATES: [&str; 50] = [
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY",
    "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV",
    "WI", "WY",
];

/// ISO 3166-1 codes and names of countries large enough to say little about a person.
const COUNTRIES: &[[&str; 3]] = &[
    ["AR", "ARG", "Argentina"],
    ["AT", "AUT", "Austria"],
    ["AU", "AUS", "Australia"],
    ["BE", "BEL", "Belgium"],
    ["BR", "BRA", "Brazil"],
    ["CA", "CAN", "Canada"],
    ["CH", "CHE", "Switzerland"],
    ["CL", "CHL", "Chile"],
    ["CN", "CHN", "China"],
    ["CO", "COL", "Colombia"],
    ["CZ", "CZE", "Czechia"],
    ["DE", "DEU", "Germany"],
    ["DK", "DNK", "Denmark"],
    ["EG", "EGY", "Egypt"],
    ["ES", "ESP", "Spain"],
    ["FI", "FIN", "Finland"],
    ["FR", "FRA", "France"],
    ["GB", "GBR", "United Kingdom"],
    ["GR", "GRC", "Greece"],
    ["HU", "HUN", "Hungary"],
    ["ID", "IDN", "Indonesia"],
    ["IE", "IRL", "Ireland"],
    ["IN", "IND", "India"],
    ["IT", "ITA", "Italy"],
    ["JP", "JPN", "Japan"],
    ["KE", "KEN", "Kenya"],
    ["KR", "KOR", "South Korea"],
    ["MA", "MAR", "Morocco"],
    ["MX", "MEX", "Mexico"],
    ["NG", "NGA", "Nigeria"],
    ["NL", "NLD", "Netherlands"],
    ["NO", "NOR", "Norway"],
    ["NZ", "NZL", "New Zealand"],
    ["PE", "PER", "Peru"],
    ["PH", "PHL", "Philippines"],
    ["PL", "POL", "Poland"],
    ["PT", "PRT", "Portugal"],
    ["RO", "ROU", "Romania"],
    ["SE", "SWE", "Sweden"],
    ["TH", "THA", "Thailand"],
    ["TR", "TUR", "Turkey"],
    ["UA", "UKR", "Ukraine"],
    ["US", "USA", "United States"],
    ["VN", "VNM", "Vietnam"],
    ["ZA", "ZAF", "South Africa"],
];
