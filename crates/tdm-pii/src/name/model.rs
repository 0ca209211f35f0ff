//! What a name says: phrases found in it, the words around them, the table's word, the type.

use tdm_core::category::Category;
use tdm_core::finding::Evidence;
use tdm_core::types::LogicalType;

use crate::name::frame::Frame;
use crate::name::lexicon::{Lexicon, PHRASE_WORDS, Phrase, Strength};
use crate::name::types;

/// A phrase found at a place in a name.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    start: usize,
    end: usize,
    phrases: Vec<Phrase>,
}

impl Match {
    fn strength(&self) -> Strength {
        self.phrases
            .iter()
            .map(|p| p.strength)
            .max()
            .unwrap_or(Strength::Weak)
    }
}

/// A name taken into phrases and other words.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    words: Vec<String>,
    /// Matches that do not overlap, left to right.
    matches: Vec<Match>,
    /// The match that decides.
    head: Option<usize>,
}

/// What name, table and type say about a column, in nats against `none`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// Scores of the categories that the name speaks of.
    pub(crate) scores: Vec<(Category, f64)>,
    /// Why.
    pub(crate) evidence: Vec<Evidence>,
    /// Whether something rules personal data out: a key, a flag, a word such as `count`.
    pub(crate) vetoed: bool,
    /// Whether the name says anything at all: `c17` and `field3` do not.
    pub(crate) silent: bool,
}

impl Reading {
    /// Category and strength of the deciding match.
    pub(crate) fn head(&self) -> Option<(Category, Strength)> {
        let found = &self.matches[self.head?];
        found
            .phrases
            .iter()
            .max_by_key(|p| p.strength)
            .map(|p| (p.category, p.strength))
    }

    /// Whether a strong phrase of two or more words decides.
    pub(crate) fn decides_by_phrase(&self) -> bool {
        self.head.is_some_and(|head| {
            let found = &self.matches[head];
            found.end - found.start > 1 && found.strength() == Strength::Strong
        })
    }

    /// Whether the name speaks of a number.
    pub(crate) fn speaks_of_numbers(&self) -> bool {
        self.words.iter().any(|w| {
            w.contains("num")
                || w.ends_with("nr")
                || w.contains("numer")
                || matches!(
                    w.as_str(),
                    "no" | "nbr"
                        | "civico"
                        | "number"
                        | "nro"
                        | "nu"
                        | "2"
                        | "house"
                        | "apt"
                        | "flat"
                        | "piso"
                        | "andar"
                        | "postbus"
                )
        })
    }

    /// Whether a word around the deciding match makes the column data about data.
    pub(crate) fn is_vetoed(&self, lexicon: &Lexicon) -> bool {
        self.veto(lexicon).is_some()
    }

    fn veto(&self, lexicon: &Lexicon) -> Option<&str> {
        let head = &self.matches[self.head?];
        let free = |i: usize| !self.matches.iter().any(|m| (m.start..m.end).contains(&i));
        let weak_before = |i: usize| {
            // A phrase of its own that is not the head (description in phone_description) speaks too.
            free(i)
                || self
                    .matches
                    .iter()
                    .any(|m| (m.start..m.end).contains(&i) && m.strength() == Strength::Weak)
        };
        let after = (head.end..self.words.len())
            .filter(|i| weak_before(*i))
            .find(|i| lexicon.roles(&self.words[*i]).after);
        let before = (0..head.start)
            .filter(|i| free(*i))
            .find(|i| lexicon.roles(&self.words[*i]).before);
        after.or(before).map(|i| self.words[i].as_str())
    }
}

/// Takes a name into phrases, longest first.
pub(crate) fn read(lexicon: &Lexicon, words: Vec<String>) -> Reading {
    let mut found: Vec<Match> = Vec::new();
    let mut joined = String::new();
    for start in 0..words.len() {
        joined.clear();
        for end in start + 1..=words.len().min(start + PHRASE_WORDS) {
            joined.push_str(&words[end - 1]);
            let mut phrases = lexicon.phrases(&joined);
            if phrases.is_empty()
                && let Some(singular) = joined.strip_suffix('s')
                && singular.len() > 3
            {
                phrases = lexicon.phrases(singular);
            }
            if !phrases.is_empty() {
                found.push(Match {
                    start,
                    end,
                    phrases: phrases.to_vec(),
                });
            }
        }
    }
    // Longest phrase first; among equals the stronger one, then the one further right.
    found.sort_by(|a, b| {
        (b.end - b.start)
            .cmp(&(a.end - a.start))
            .then(b.strength().cmp(&a.strength()))
            .then(b.start.cmp(&a.start))
    });
    let mut matches: Vec<Match> = Vec::new();
    for candidate in found {
        if matches
            .iter()
            .all(|m| candidate.end <= m.start || m.end <= candidate.start)
        {
            matches.push(candidate);
        }
    }
    matches.sort_by_key(|m| m.start);
    let head = head(&matches);
    Reading {
        words,
        matches,
        head,
    }
}

/// The match that decides: the strongest; among equals the last, or the first where a language puts its head first.
fn head(matches: &[Match]) -> Option<usize> {
    let strongest = matches.iter().map(Match::strength).max()?;
    let mut candidates = matches
        .iter()
        .enumerate()
        .filter(|(_, m)| m.strength() == strongest);
    let head_first = matches
        .iter()
        .filter(|m| m.strength() == strongest)
        .all(|m| m.phrases.iter().all(|p| p.head_first));
    if head_first {
        candidates.next().map(|(i, _)| i)
    } else {
        candidates.next_back().map(|(i, _)| i)
    }
}

fn evidence(source: &str, feature: String, weight: f64) -> Evidence {
    Evidence {
        source: source.to_owned(),
        feature,
        weight,
        tested: 0,
        matched: 0,
    }
}

/// What the name says within its table.
pub(crate) fn judge(
    lexicon: &Lexicon,
    frame: &Frame,
    column: &str,
    logical: Option<&LogicalType>,
) -> Verdict {
    let reading = frame.reading(lexicon, column);
    let mut verdict = Verdict::default();
    if lexicon.is_denied(&reading.words) {
        verdict.vetoed = true;
        verdict
            .evidence
            .push(evidence("name", "on the deny list".to_owned(), -9.0));
        return verdict;
    }
    let Some(head) = reading.head else {
        verdict.silent = is_silent(lexicon, &reading.words);
        if !verdict.silent
            && let Some(word) = reading.words.iter().find(|w| {
                let roles = lexicon.roles(w);
                roles.thing || roles.after || roles.harmless
            })
        {
            verdict
                .evidence
                .push(evidence("name", format!("word `{word}`"), -1.0));
        }
        return verdict;
    };
    let found = &reading.matches[head];
    let veto = reading.veto(lexicon).map(str::to_owned);
    let around = Around::new(lexicon, frame, &reading, found);
    if found.phrases.iter().any(|p| p.category == Category::None) {
        let name = reading.words[found.start..found.end].join(" ");
        verdict.vetoed = true;
        verdict.evidence.push(evidence(
            "name",
            format!("`{name}` is no personal data"),
            -5.0,
        ));
        return verdict;
    }
    for phrase in &found.phrases {
        let category = phrase.category;
        let (score, mut because) = around.score(frame, phrase, found);
        let name = reading.words[found.start..found.end].join(" ");
        // A short title is a salutation, a long one a job.
        let short = logical
            .and_then(LogicalType::max_length)
            .is_some_and(|length| length <= 12);
        let by_length = match (name.as_str(), category) {
            ("title", Category::Gender) if !short => -0.8,
            ("title", Category::OtherPersonal) if short => -0.8,
            _ => 0.0,
        };
        let score = score + by_length + bare_name(frame, &name, category);
        let mut reasons = vec![evidence("name", format!("`{name}`"), score)];
        let mut score = score;
        if let Some(word) = &veto {
            let coded = special(category)
                && matches!(
                    word.as_str(),
                    "id" | "code"
                        | "is"
                        | "has"
                        | "type"
                        | "status"
                        | "flag"
                        | "flg"
                        | "indicator"
                        | "ind"
                        | "yn"
                        | "tp"
                        | "kz"
                        | "fl"
                        | "ist"
                        | "hat"
                        | "czy"
                        | "ha"
                        | "tem"
                        | "es"
                        | "est"
                        | "heeft"
                        | "tipo"
                        | "typ"
                        | "category"
                        | "group"
                        | "level"
                        | "date"
                        | "tiene"
                        | "possui"
                        | "class"
                        | "source"
                );
            let weight = if coded { -1.0 } else { -7.0 };
            score += weight;
            verdict.vetoed |= !coded;
            reasons.push(evidence("name", format!("word `{word}`"), weight));
        }
        if let Some(reason) =
            logical.and_then(|l| types::veto(category, l, reading.speaks_of_numbers()))
        {
            score -= 8.0;
            reasons.push(evidence("type", reason.to_owned(), -8.0));
        }
        reasons.append(&mut because);
        verdict.scores.push((category, score));
        verdict.evidence.append(&mut reasons);
    }
    if veto.is_some() && verdict.scores.iter().all(|(_, s)| *s < 0.0) {
        verdict.vetoed = true;
    }
    verdict
}

/// What a bare word for name means depends on its neighbours: beside a family name it is the given one.
fn bare_name(frame: &Frame, name: &str, category: Category) -> f64 {
    if !matches!(name, "name" | "nom" | "nombre" | "nome" | "naam") {
        return 0.0;
    }
    let first = frame.has(Category::PersonNameFirst);
    let last = frame.has(Category::PersonNameLast);
    let meant = match (first, last) {
        (true, false) => Category::PersonNameLast,
        (false, true) => Category::PersonNameFirst,
        _ => Category::PersonNameFull,
    };
    if category == meant { 0.5 } else { -2.0 }
}

/// Categories whose codes and flags are as sensitive as the words.
pub(crate) const fn special(category: Category) -> bool {
    matches!(
        category,
        Category::Health
            | Category::Religion
            | Category::Ethnicity
            | Category::SexualOrientation
            | Category::Political
            | Category::Union
            | Category::Gender
            | Category::Biometric
    )
}

/// The words and the table around a match.
struct Around {
    person_word: bool,
    thing_word: Option<String>,
    unknown: usize,
}

impl Around {
    fn new(lexicon: &Lexicon, frame: &Frame, reading: &Reading, found: &Match) -> Self {
        let mut around = Self {
            person_word: false,
            thing_word: None,
            unknown: 0,
        };
        for (i, word) in reading.words.iter().enumerate() {
            if (found.start..found.end).contains(&i) {
                continue;
            }
            let roles = lexicon.roles(word);
            if roles.person || roles.place {
                around.person_word = true;
            } else if roles.thing {
                around.thing_word = Some(word.clone());
            } else if !(roles.neutral
                || roles.after
                || roles.before
                || word.bytes().all(|b| b.is_ascii_digit())
                || frame.table.contains(word)
                || reading
                    .matches
                    .iter()
                    .any(|m| (m.start..m.end).contains(&i)))
            {
                around.unknown += 1;
            }
        }
        around
    }

    fn score(&self, frame: &Frame, phrase: &Phrase, found: &Match) -> (f64, Vec<Evidence>) {
        let mut because = Vec::new();
        let mut add = |source: &str, feature: String, weight: f64| {
            because.push(evidence(source, feature, weight));
            weight
        };
        let category = phrase.category;
        let address = matches!(
            category,
            Category::AddressCity
                | Category::AddressRegion
                | Category::AddressCountry
                | Category::AddressPostcode
                | Category::AddressStreet
        );
        #[expect(clippy::cast_precision_loss, reason = "a phrase has at most six words")]
        let length = (found.end - found.start - 1) as f64;
        let (base, unknown) = match phrase.strength {
            Strength::Strong => (4.0, 0.15),
            Strength::Medium => (2.2, 0.6),
            Strength::Weak => (0.6, 0.8),
        };
        let mut score = base + 0.3 * length;
        if self.unknown > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a name has few words")]
            let weight = -unknown * self.unknown.min(4) as f64;
            score += add("name", "words the lexicon does not know".to_owned(), weight);
        }
        let person_table = frame.person || frame.person_siblings >= 2;
        let place_table = frame.place || frame.place_siblings >= 2;
        // A table of things needs more than a contact to be one of people.
        let person_table = person_table && (!frame.thing || frame.person_siblings >= 3);
        let personal = person_table || address && place_table;
        let table = frame.table.join(" ");
        if frame.lookup.contains(&category)
            && frame.person_siblings == 0
            && (frame.place_siblings < 2 || category == Category::AddressCountry)
            && !frame.person
        {
            score += add("table", format!("`{table}` lists reference data"), -6.0);
        }
        match phrase.strength {
            Strength::Strong => {
                if self.thing_word.is_some() {
                    score += add("name", "a word about things".to_owned(), -0.6);
                }
                if frame.thing && !personal {
                    let located = matches!(
                        category,
                        Category::GeoLat
                            | Category::GeoLon
                            | Category::AddressCity
                            | Category::AddressPostcode
                    ) && !frame.has(Category::AddressStreet);
                    let weight = if located { -4.5 } else { -1.0 };
                    score += add("table", format!("`{table}` holds things"), weight);
                } else if personal {
                    score += add("table", format!("`{table}` holds people or addresses"), 0.6);
                }
            }
            Strength::Medium => {
                if let Some(word) = &self.thing_word {
                    score += add("name", format!("word `{word}` speaks of things"), -2.2);
                }
                if personal || self.person_word {
                    score += add("table", format!("`{table}` holds people or addresses"), 1.0);
                } else if frame.thing {
                    score += add("table", format!("`{table}` holds things"), -2.0);
                }
            }
            Strength::Weak => {
                if let Some(word) = &self.thing_word {
                    score += add("name", format!("word `{word}` speaks of things"), -3.0);
                }
                if category == Category::FreeText && frame.talk && self.thing_word.is_none() {
                    score += add("table", format!("`{table}` holds what people write"), 2.2);
                } else if self.person_word && (!frame.thing || personal) {
                    score += add("name", "a word about people".to_owned(), 2.2);
                } else if personal && self.unknown == 0 {
                    score += add("table", format!("`{table}` holds people or addresses"), 2.2);
                } else {
                    score += add("table", "no word about people".to_owned(), -2.2);
                }
            }
        }
        (score, because)
    }
}

/// Whether the name carries no meaning at all.
fn is_silent(lexicon: &Lexicon, words: &[String]) -> bool {
    words.iter().all(|word| {
        let roles = lexicon.roles(word);
        word.len() <= 1
            || word.bytes().all(|b| b.is_ascii_digit())
            || matches!(
                word.as_str(),
                "col"
                    | "column"
                    | "field"
                    | "fld"
                    | "attr"
                    | "attribute"
                    | "custom"
                    | "udf"
                    | "val"
                    | "value"
                    | "data"
                    | "var"
                    | "spalte"
                    | "feld"
                    | "colonne"
                    | "champ"
                    | "campo"
                    | "coluna"
                    | "colonna"
                    | "kolom"
                    | "veld"
                    | "kolumna"
                    | "pole"
                    | "zf"
                    | "generic"
                    | "misc"
                    | "ext"
                    | "extra"
                    | "f"
                    | "c"
                    | "x"
                    | "key"
                    | "unnamed"
                    | "text"
                    | "string"
                    | "str"
            )
            || roles.neutral && word.len() <= 3
    })
}
