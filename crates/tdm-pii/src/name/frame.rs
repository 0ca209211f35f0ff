//! The table around a column: what kind of table it is, and what its other columns say.

use std::collections::{BTreeSet, HashMap};

use tdm_core::category::Category;
use tdm_core::types::LogicalType;

use crate::name::lexicon::{Lexicon, Strength};
use crate::name::model::{self, Reading};

/// What the table says about its columns. Made once per table.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Words of the table's name.
    pub(crate) table: Vec<String>,
    /// Whether the table's head word speaks of people, addresses or things.
    pub(crate) person: bool,
    pub(crate) place: bool,
    pub(crate) thing: bool,
    /// Categories that the table's own name stands for: a table of cities, of countries.
    pub(crate) lookup: Vec<Category>,
    /// Whether the table holds what people write.
    pub(crate) talk: bool,
    /// Personal categories that columns speak of by themselves.
    siblings: BTreeSet<Category>,
    /// How many different ones of them speak of a person.
    pub(crate) person_siblings: usize,
    /// How many columns speak of an address by themselves.
    pub(crate) place_siblings: usize,
    /// Prefix words common to most columns, left out when reading a name.
    prefix: Vec<String>,
    readings: HashMap<String, Reading>,
}

impl Frame {
    /// Reads a table and all its columns.
    pub(crate) fn new<'a>(
        lexicon: &Lexicon,
        table: &str,
        columns: impl IntoIterator<Item = (&'a str, Option<&'a LogicalType>)>,
    ) -> Self {
        let mut table = lexicon.split(table);
        // Marks of a naming scheme, not words: tbl_customer, t_kunde, dim_customer.
        while table.len() > 1
            && matches!(
                table[0].as_str(),
                "tbl" | "t" | "tb" | "dim" | "fact" | "stg" | "tab" | "v" | "vw" | "app" | "auth"
            )
        {
            table.remove(0);
        }
        let split: Vec<(&str, Vec<String>, Option<&LogicalType>)> = columns
            .into_iter()
            .map(|(name, logical)| (name, lexicon.split(name), logical))
            .collect();
        let prefix = common_prefix(&split);
        let mut frame = Self {
            lookup: lookup(lexicon, &table),
            table,
            person: false,
            place: false,
            thing: false,
            talk: false,
            siblings: BTreeSet::new(),
            person_siblings: 0,
            place_siblings: 0,
            prefix,
            readings: HashMap::new(),
        };
        frame.class(lexicon);
        for (name, mut words, logical) in split {
            let full = words.clone();
            if words.len() > frame.prefix.len() && words.starts_with(&frame.prefix) {
                words.drain(..frame.prefix.len());
            }
            let mut reading = model::read(lexicon, words);
            // A phrase may begin with the prefix: comment_author among comment_id and comment_date.
            if reading.head().is_none_or(|(_, s)| s != Strength::Strong) {
                let whole = model::read(lexicon, full);
                if whole.decides_by_phrase() {
                    reading = whole;
                }
            }
            if let Some((category, Strength::Strong)) = reading.head()
                && logical.is_none_or(|l| {
                    super::types::veto(category, l, reading.speaks_of_numbers()).is_none()
                })
                && !reading.is_vetoed(lexicon)
            {
                use Category as C;
                let fresh = frame.siblings.insert(category);
                match category {
                    C::PersonNameFirst
                    | C::PersonNameLast
                    | C::Email
                    | C::DateOfBirth
                    | C::Gender
                    | C::NationalId
                    | C::PasswordHash
                    | C::Passport => frame.person_siblings += usize::from(fresh),
                    C::AddressStreet | C::AddressPostcode | C::AddressCity => {
                        frame.place_siblings += 1;
                    }
                    _ => {}
                }
            }
            frame.readings.insert(name.to_owned(), reading);
        }
        frame
    }

    /// The reading of a column that the frame was made of, or a fresh one.
    pub(crate) fn reading(&self, lexicon: &Lexicon, column: &str) -> Reading {
        self.readings
            .get(column)
            .cloned()
            .unwrap_or_else(|| model::read(lexicon, lexicon.split(column)))
    }

    /// Whether another column speaks of the category by itself.
    pub(crate) fn has(&self, category: Category) -> bool {
        self.siblings.contains(&category)
    }

    fn class(&mut self, lexicon: &Lexicon) {
        let roles: Vec<_> = self.table.iter().map(|w| lexicon.roles(w)).collect();
        let Some(head) = roles.last() else { return };
        self.talk = roles.iter().any(|r| r.talk);
        self.place = head.place || roles.iter().any(|r| r.place) && !head.thing;
        if head.person {
            self.person = true;
        } else if head.thing {
            self.thing = true;
            // Head-first languages: clientes_tipo is rare, fichas de clientes is not.
            self.person = false;
        } else {
            self.person = roles.iter().any(|r| r.person);
            self.thing = !self.person && roles.iter().any(|r| r.thing);
        }
    }
}

/// Categories that a table named by these words lists.
fn lookup(lexicon: &Lexicon, table: &[String]) -> Vec<Category> {
    let Some(word) = table.last() else {
        return Vec::new();
    };
    let singular = [
        Some(word.clone()),
        word.strip_suffix("ies").map(|stem| format!("{stem}y")),
        word.strip_suffix("es").map(str::to_owned),
        word.strip_suffix('s').map(str::to_owned),
        word.strip_suffix("en").map(str::to_owned),
    ];
    let mut found = Vec::new();
    for form in singular.iter().flatten() {
        for phrase in lexicon.phrases(form) {
            use Category as C;
            if matches!(
                phrase.category,
                C::AddressCity
                    | C::AddressRegion
                    | C::AddressCountry
                    | C::AddressPostcode
                    | C::Religion
                    | C::Ethnicity
                    | C::Gender
                    | C::Health
                    | C::Political
                    | C::Union
            ) {
                found.push(phrase.category);
            }
        }
    }
    for (word, category) in [
        ("cities", Category::AddressCity),
        ("countries", Category::AddressCountry),
        ("laender", Category::AddressCountry),
        ("laenderliste", Category::AddressCountry),
        ("staedte", Category::AddressCity),
        ("ciudades", Category::AddressCity),
        ("paises", Category::AddressCountry),
        ("kraje", Category::AddressCountry),
        ("miasta", Category::AddressCity),
        ("nazioni", Category::AddressCountry),
        ("comuni", Category::AddressCity),
        ("landen", Category::AddressCountry),
        ("cidades", Category::AddressCity),
        ("wojewodztwa", Category::AddressRegion),
        ("estados", Category::AddressRegion),
    ] {
        if table.last().is_some_and(|t| t == word) {
            found.push(category);
        }
    }
    found
}

/// The first word, when at least four fifths of four or more columns share it.
fn common_prefix(columns: &[(&str, Vec<String>, Option<&LogicalType>)]) -> Vec<String> {
    if columns.len() < 4 {
        return Vec::new();
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, words, _) in columns.iter().filter(|(_, words, _)| words.len() > 1) {
        *counts.entry(words[0].as_str()).or_default() += 1;
    }
    counts
        .into_iter()
        .find(|(_, count)| count * 5 >= columns.len() * 4)
        .map(|(word, _)| vec![word.to_owned()])
        .unwrap_or_default()
}
