//! Names of people in running text: by dictionary, by the words before them, by the form of a signature.

use tdm_core::category::Category;

use super::Claim;
use super::cues::{CUES, NOT_NAMES, PARTICLES, TITLES};
use crate::name::fold_into;
use crate::value::{Dictionary, Kinds};

struct Word<'a> {
    start: usize,
    end: usize,
    text: &'a str,
    folded: String,
    capital: bool,
}

/// Claims of names.
pub(crate) fn claim(dictionary: &Dictionary, text: &str, claims: &mut Vec<Claim>) {
    let words = split(text);
    let mut i = 0;
    while i < words.len() {
        let used = at(dictionary, text, &words, i, claims);
        i += used.max(1);
    }
    places(dictionary, text, &words, claims);
}

fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut push = |from: usize, to: usize| {
        let piece = text[from..to].trim_end_matches(['-', '\'', '’']);
        let mut folded = String::new();
        fold_into(piece, &mut folded);
        words.push(Word {
            start: from,
            end: from + piece.len(),
            text: piece,
            folded,
            capital: piece.chars().next().is_some_and(char::is_uppercase),
        });
    };
    for (at, c) in text.char_indices() {
        let inner = c.is_alphabetic()
            || ('\u{300}'..='\u{36f}').contains(&c)
            || (matches!(c, '\'' | '’' | '-') && start.is_some());
        match (inner, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                push(from, at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        push(from, text.len());
    }
    words
}

/// Tries a name at word `i`; returns how many words it took.
fn at(
    dictionary: &Dictionary,
    text: &str,
    words: &[Word<'_>],
    i: usize,
    claims: &mut Vec<Claim>,
) -> usize {
    let word = &words[i];
    if !word.capital
        || CUES.contains(&word.folded.as_str()) && !dictionary.kinds(&word.folded).has(Kinds::FIRST)
    {
        return 0;
    }
    let before = i.checked_sub(1).map(|p| &words[p]);
    let near = before.is_some_and(|b| {
        let gap = &text[b.end..word.start];
        gap.len() <= 4
            && gap
                .chars()
                .all(|c| matches!(c, ' ' | '.' | ':' | ',' | '\n' | '\r'))
            && (!gap.contains('.') || TITLES.contains(&b.folded.as_str()))
    });
    let titled = near && before.is_some_and(|b| TITLES.contains(&b.folded.as_str()));
    let said = near
        && (before.is_some_and(|b| CUES.contains(&b.folded.as_str())) || said_before(words, i));
    // The run of capitalised words and particles from here on.
    let mut end = i + 1;
    let mut parts = vec![i];
    while end < words.len() && parts.len() < 4 {
        let gap = &text[words[end - 1].end..words[end].start];
        let initial = words[end - 1].text.chars().count() == 1;
        if !(gap == " " || gap == ". " && initial || gap == "." && initial) {
            break;
        }
        let next = &words[end];
        if next.capital {
            if is_barred(&next.folded) && !dictionary.kinds(&next.folded).has(Kinds::LAST) {
                break;
            }
            parts.push(end);
            end += 1;
        } else if PARTICLES.contains(&next.folded.as_str())
            && words
                .get(end + 1)
                .is_some_and(|w| w.capital || PARTICLES.contains(&w.folded.as_str()))
        {
            end += 1;
        } else {
            break;
        }
    }
    // A particle may not be last.
    while !words[end - 1].capital {
        end -= 1;
    }
    let kinds: Vec<Kinds> = parts
        .iter()
        .map(|p| lookup(dictionary, &words[*p].folded))
        .collect();
    let usual = |k: &Kinds| k.has(Kinds(Kinds::COMMON.0 | Kinds::HARMLESS.0));
    let company = kinds.iter().any(|k| k.has(Kinds::COMPANY))
        || words
            .get(end)
            .is_some_and(|w| dictionary.kinds(&w.folded).has(Kinds::COMPANY) && w.capital);
    let street = kinds.iter().any(|k| k.has(Kinds::STREET)) && parts.len() > 1;
    if company || street {
        return 0;
    }
    let first = kinds[0].has(Kinds::FIRST) && !is_barred(&word.folded)
        || kinds[0].has(Kinds::FIRST) && kinds.get(1).is_some_and(|k| k.has(Kinds::LAST));
    let mut push = |to: usize, category: Category, confidence: f64| {
        claims.push(Claim {
            start: word.start,
            end: words[to - 1].end,
            category,
            confidence,
        });
        to - i
    };
    if parts.len() >= 2 {
        let rest_last = kinds[1..].iter().any(|k| k.has(Kinds::LAST));
        let initial = word.text.chars().count() == 1 && rest_last;
        if first && (rest_last || !usual(&kinds[1])) || titled || initial {
            let confidence = if first && rest_last || titled {
                0.92
            } else {
                0.8
            };
            return push(end, Category::PersonNameFull, confidence);
        }
        if said && !usual(&kinds[0]) && !is_barred(&word.folded) && !usual(&kinds[1]) {
            return push(end, Category::PersonNameFull, 0.85);
        }
        // Family name first: Nowak Jan.
        if kinds[0].has(Kinds::LAST)
            && kinds[1].has(Kinds::FIRST)
            && !usual(&kinds[0])
            && !is_barred(&word.folded)
        {
            return push(end, Category::PersonNameFull, 0.75);
        }
    }
    if titled && !is_barred(&word.folded) {
        return push(i + 1, Category::PersonNameLast, 0.9);
    }
    if said
        && !usual(&kinds[0])
        && !is_barred(&word.folded)
        && (kinds[0].has(Kinds::FIRST)
            || kinds[0].has(Kinds::LAST)
            || is_letter_head(before, words, i))
    {
        let category = if kinds[0].has(Kinds::FIRST) {
            Category::PersonNameFirst
        } else {
            Category::PersonNameLast
        };
        return push(i + 1, category, 0.85);
    }
    if first
        && !usual(&kinds[0])
        && word.text.chars().count() >= 3
        && !kinds[0].has(Kinds(Kinds::CITY.0 | Kinds::COUNTRY.0 | Kinds::REGION.0))
    {
        return push(i + 1, Category::PersonNameFirst, 0.62);
    }
    if kinds[0].has(Kinds::LAST)
        && !usual(&kinds[0])
        && !is_barred(&word.folded)
        && word.text.chars().count() >= 5
        && before.is_some_and(|b| !b.capital)
        && !kinds[0].has(Kinds(
            Kinds::CITY.0 | Kinds::OCCUPATION.0 | Kinds::COUNTRY.0,
        ))
        && has_foreign_mark(word.text)
    {
        return push(i + 1, Category::PersonNameLast, 0.6);
    }
    0
}

/// Cities after words of place.
fn places(dictionary: &Dictionary, text: &str, words: &[Word<'_>], claims: &mut Vec<Claim>) {
    const BEFORE: &[&str] = &[
        "in", "from", "at", "near", "aus", "nach", "bei", "a", "en", "de", "em", "da", "di", "te",
        "uit", "w", "z", "we", "to", "lives", "live", "wohnt", "habite", "vive", "mora", "abita",
        "woont", "mieszka",
    ];
    for (i, word) in words.iter().enumerate() {
        if !word.capital || i == 0 {
            continue;
        }
        let two = words
            .get(i + 1)
            .filter(|n| n.capital && &text[word.end..n.start] == " ");
        let pair = two.map(|n| format!("{} {}", word.folded, n.folded));
        let whole = pair
            .as_deref()
            .map(|p| dictionary.kinds(p))
            .filter(|k| k.has(Kinds::CITY));
        let (kinds, end) = match (whole, two) {
            (Some(kinds), Some(next)) => (kinds, next.end),
            _ => (dictionary.kinds(&word.folded), word.end),
        };
        let placed = BEFORE.contains(&words[i - 1].folded.as_str())
            && &text[words[i - 1].end..word.start] == " ";
        if kinds.has(Kinds::CITY) && placed {
            claims.push(Claim {
                start: word.start,
                end,
                category: Category::AddressCity,
                confidence: 0.66,
            });
        }
    }
}

/// Kinds of a word; a double name has the kinds that its halves share.
fn lookup(dictionary: &Dictionary, folded: &str) -> Kinds {
    let whole = dictionary.kinds(folded);
    if whole.0 != 0 {
        return whole;
    }
    match folded.split_once('-') {
        Some((a, b)) => Kinds(
            dictionary.kinds(a).0 & (Kinds::FIRST.0 | Kinds::LAST.0)
                | dictionary.kinds(b).0 & (Kinds::FIRST.0 | Kinds::LAST.0),
        ),
        None => whole,
    }
}

fn is_barred(folded: &str) -> bool {
    NOT_NAMES.contains(&folded)
}

fn has_foreign_mark(text: &str) -> bool {
    !text.is_ascii()
}

/// "My name is X", "je m'appelle X", "mi chiamo X", "nazywam się X", "ich bin X", "this is X", "soy X", "sono X".
fn said_before(words: &[Word<'_>], i: usize) -> bool {
    let back = |n: usize| i.checked_sub(n).map_or("", |p| words[p].folded.as_str());
    matches!(
        (back(2), back(1)),
        ("name", "is" | "was")
            | ("ich", "bin")
            | ("this", "is")
            | ("je", "suis")
            | ("name", "ist")
            | ("nome", "e")
            | ("nombre", "es")
            | ("naam", "is")
            | ("nazywam", "sie")
            | ("me", "llamo")
            | ("signed", "by")
            | ("spoke", "with" | "to")
            | ("speak", "with" | "to")
            | ("behalf", "of")
            | ("chamo", "me")
            | ("nom", "est")
            | ("imie", "i")
    )
}

/// Dear X, Hallo X: any capitalised word is a name.
fn is_letter_head(before: Option<&Word<'_>>, _words: &[Word<'_>], _i: usize) -> bool {
    before.is_some_and(|b| {
        matches!(
            b.folded.as_str(),
            "dear"
                | "hi"
                | "hello"
                | "hey"
                | "liebe"
                | "lieber"
                | "cher"
                | "chere"
                | "querido"
                | "querida"
                | "estimado"
                | "estimada"
                | "caro"
                | "cara"
                | "beste"
                | "drogi"
                | "droga"
                | "called"
                | "named"
                | "namens"
                | "appelle"
                | "llamo"
                | "chiamo"
                | "heet"
                | "prezado"
                | "prezada"
                | "gentile"
                | "sincerely"
                | "regards"
        )
    })
}
