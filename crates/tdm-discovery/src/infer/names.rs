//! How far names speak for a reference from a column to a key.

use std::collections::{BTreeMap, BTreeSet};

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::ident::TableRef;

use super::ParentKey;
use super::lexicon::lexicon;
use crate::words::{singular, tokens};

/// Keys whose words begin as one of a column's, beyond which that is no sign.
const ALIKE: usize = 100;

/// A key that a column's name speaks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    /// Number of the key.
    pub(super) key: usize,
    /// How loud, 0 to 1.
    pub(super) score: f64,
    /// Why, in words of the schema.
    pub(super) feature: String,
}

/// Words of a name in the singular.
fn parts(name: &str) -> Vec<String> {
    tokens(name).iter().map(|word| singular(word)).collect()
}

/// A name without its key words, and whether there were any.
fn base(words: &[String]) -> (&[String], bool) {
    let is_key = |word: &String| lexicon().key_words.contains(word);
    match words {
        [rest @ .., last] if is_key(last) => {
            let rest = match rest {
                // `fk_customer_id`
                [first, more @ ..] if !more.is_empty() && is_key(first) => more,
                other => other,
            };
            (rest, true)
        }
        // `id_customer`, `fk_customer`
        [first, rest @ ..] if !rest.is_empty() && is_key(first) => (rest, true),
        other => (other, false),
    }
}

/// Whether a column is called as keys are: `id`, or after its table.
pub(super) fn is_key_like(table: &TableSchema, column: &str) -> bool {
    let words = parts(column);
    let (base, is_key) = base(&words);
    is_key && (base.is_empty() || parts(&table.table.name).ends_with(base))
}

/// What is known of one key's names.
struct KeyNames {
    table: Vec<String>,
    column: Vec<String>,
    /// The key's name without key words and without the table's prefix.
    named_after_table: bool,
    bare: bool,
    /// Whether no other table's name ends with the same word.
    last_is_unique: bool,
}

/// Names of all keys, found by their words.
pub(super) struct NameModel<'a> {
    keys: &'a [ParentKey<'a>],
    names: Vec<KeyNames>,
    by_word: BTreeMap<String, BTreeSet<usize>>,
    by_joined: BTreeMap<String, BTreeSet<usize>>,
    by_table: BTreeMap<&'a TableRef, Vec<usize>>,
    prefix: Option<String>,
}

impl<'a> NameModel<'a> {
    pub(super) fn new(tables: &[&TableSchema], keys: &'a [ParentKey<'a>]) -> Self {
        let prefix = common_prefix(tables);
        let mut model = Self {
            keys,
            names: Vec::new(),
            by_word: BTreeMap::new(),
            by_joined: BTreeMap::new(),
            by_table: BTreeMap::new(),
            prefix: prefix.clone(),
        };
        let mut endings: BTreeMap<String, usize> = BTreeMap::new();
        for table in tables {
            if let Some(last) = parts(&table.table.name).pop() {
                *endings.entry(last).or_default() += 1;
            }
        }
        for (number, key) in keys.iter().enumerate() {
            model
                .by_table
                .entry(&key.table.table)
                .or_default()
                .push(number);
            let table = table_words(key.table, prefix.as_deref());
            let column = parts(&key.column.name);
            let (key_base, _) = base(&column);
            let joined = key_base.concat();
            let named_after_table = !key_base.is_empty()
                && (table.ends_with(key_base)
                    || key_base.ends_with(&table)
                    || joined == table.concat()
                    || unglued(&column.concat()).any(|base| base == table.concat()));
            let words = table.iter().chain(&column);
            for word in words.chain([&table.concat(), &column.concat()]) {
                model
                    .by_word
                    .entry(word.clone())
                    .or_default()
                    .insert(number);
            }
            for joined in [table.concat(), column.concat()] {
                model.by_joined.entry(joined).or_default().insert(number);
            }
            model.names.push(KeyNames {
                bare: key_base.is_empty(),
                last_is_unique: table.last().and_then(|last| endings.get(last)) == Some(&1),
                table,
                column,
                named_after_table,
            });
        }
        model
    }

    /// Keys that the name of `column` speaks for, loudest first.
    pub(super) fn candidates(&self, table: &TableSchema, column: &Column) -> Vec<Named> {
        let child = Child::new(table, column, self.prefix.as_deref());
        if child.base.is_empty() && child.words.len() < 2 {
            // `id` alone names its own table.
            return Vec::new();
        }
        let mut near = BTreeSet::new();
        // `id` is in the name of every key and says nothing about which.
        let speaking = child
            .words
            .iter()
            .filter(|word| !lexicon().key_words.contains(word));
        for word in speaking {
            near.extend(self.by_word.get(word).into_iter().flatten());
            // `customerid` and `cust`: a word that another begins or that begins another. Where hundreds of names
            // begin alike the beginning says nothing.
            let start = prefix_of(word);
            let alike: BTreeSet<usize> = self
                .by_word
                .range(start.clone()..)
                .take_while(|(other, _)| other.starts_with(&start))
                .flat_map(|(_, keys)| keys)
                .take(ALIKE + 1)
                .copied()
                .collect();
            if alike.len() <= ALIKE {
                near.extend(alike);
            }
            for role in lexicon().roles.get(word).into_iter().flatten() {
                near.extend(self.by_word.get(role).into_iter().flatten());
            }
        }
        // `mgrempid` ends with the key `empid`; what is shorter ends too many.
        for (start, _) in child.joined.char_indices() {
            let ending = &child.joined[start..];
            if start == 0 || ending.len() >= 4 {
                near.extend(self.by_joined.get(ending).into_iter().flatten());
            }
        }
        near.extend(self.by_table.get(&table.table).into_iter().flatten());
        let mut named: Vec<Named> = near
            .into_iter()
            .filter(|number| {
                let key = &self.keys[*number];
                !(key.table.table == table.table && key.column.name == column.name)
            })
            .filter_map(|number| {
                let own = self.keys[number].table.table == table.table;
                let (score, feature) = child.speaks_for(&self.names[number], own)?;
                // What identifies the rows of one table refers to another only when its name says so plainly.
                if child.is_own_key && score < 0.9 {
                    return None;
                }
                Some(Named {
                    key: number,
                    score,
                    feature,
                })
            })
            .collect();
        named.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
        named
    }
}

/// What is left of a name written in one word when a key word at its end is taken away.
fn unglued(joined: &str) -> impl Iterator<Item = &str> {
    let bases = lexicon()
        .key_words
        .iter()
        .filter_map(|word| joined.strip_suffix(word.as_str()));
    bases.filter(|base| base.len() >= 2)
}

fn prefix_of(word: &str) -> String {
    word.chars().take(3).collect()
}

/// Words of a table's name without the prefix that most tables share.
fn table_words(table: &TableSchema, prefix: Option<&str>) -> Vec<String> {
    let mut words = parts(&table.table.name);
    if words.len() > 1 && Some(words[0].as_str()) == prefix {
        words.remove(0);
    }
    words
}

/// The first word that most tables share: `wp` in `wp_posts`, `wp_users`.
fn common_prefix(tables: &[&TableSchema]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for table in tables {
        let words = parts(&table.table.name);
        if let [first, _, ..] = words.as_slice() {
            *counts.entry(first.clone()).or_default() += 1;
        }
    }
    let (prefix, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= 3 && count * 10 >= tables.len() * 7).then_some(prefix)
}

/// The names around a child column.
struct Child {
    words: Vec<String>,
    base: Vec<String>,
    joined: String,
    has_key_word: bool,
    /// Whether the column alone is its own table's key.
    is_own_key: bool,
    /// Whether the key word stands in front, as in `id_ciudad_nacimiento`; roles then stand behind.
    key_word_first: bool,
    /// Words of its own table's name.
    table: Vec<String>,
}

impl Child {
    fn new(table: &TableSchema, column: &Column, prefix: Option<&str>) -> Self {
        let words = parts(&column.name);
        let (base, has_key_word) = base(&words);
        let joined = words.concat();
        Self {
            base: base.to_vec(),
            joined,
            has_key_word,
            is_own_key: table.is_unique(&[column.name.as_str()]),
            table: table_words(table, prefix),
            key_word_first: has_key_word && words.first() != base.first(),
            words,
        }
    }

    fn speaks_for(&self, key: &KeyNames, own: bool) -> Option<(f64, String)> {
        // A key that is called after its own table names that table, whoever else uses the name.
        let table = key.table.concat();
        let equal = |a: &[String], b: &[String]| a.concat() == b.concat();
        let says = |score: f64, text: &str| Some((score, text.to_owned()));
        if !own {
            if equal(&self.words, &key.column) && key.named_after_table {
                return says(
                    0.95,
                    "has the name of the key, which is named after its table",
                );
            }
            let base = self.base.concat();
            let glued = unglued(&self.joined).any(|base| base == table);
            if (self.has_key_word && base == table) || (glued && !table.is_empty()) {
                return if key.bare || key.named_after_table {
                    says(0.95, "is named after the table and its key")
                } else {
                    says(0.8, "is named after the table")
                };
            }
            let longer = self.words.len() > key.column.len();
            if longer && self.words.ends_with(&key.column) && key.named_after_table {
                return says(0.85, "is the name of the key in a role");
            }
            if self.has_key_word
                && self.base.len() > key.table.len()
                && self.base.ends_with(&key.table)
            {
                return says(0.85, "is the name of the table in a role");
            }
            if let Some((score, feature)) = self.names_ending(key) {
                return says(score, feature);
            }
            if self.key_word_first && self.base.starts_with(&key.table) {
                return says(0.72, "is the name of the table with a role behind it");
            }
            let key_joined = key.column.concat();
            let in_role =
                self.joined.len() > key_joined.len() && self.joined.ends_with(&key_joined);
            if key.named_after_table && key_joined.len() >= 5 && in_role {
                return says(0.78, "ends with the name of the key");
            }
            if !self.has_key_word && base == table {
                return says(0.72, "is the name of the table");
            }
            if let Some(score) = self.plays(key) {
                return says(score, "names a role that rows of the table play");
            }
            let shared = common_suffix(&self.words, &key.column);
            let says_table = key.table.iter().any(|table| {
                let names = |word: &String| {
                    word == table || word.len() >= 4 && table.starts_with(word.as_str())
                };
                self.base.iter().any(names)
            });
            if shared >= 2 && says_table {
                return says(0.62, "ends as the key and names the table");
            }
            if self.has_key_word && abbreviates(&self.base, &key.table) {
                return says(0.58, "abbreviates the name of the table");
            }
            let last = |words: &[String]| {
                words
                    .last()
                    .map(|word| vec![word.clone()])
                    .unwrap_or_default()
            };
            if self.has_key_word
                && self.base.len() > 1
                && abbreviates(&last(&self.base), &last(&key.table))
            {
                return says(0.55, "abbreviates the last word of the table's name");
            }
            if !self.has_key_word && self.base.len() > 1 && self.base.ends_with(&key.table) {
                return says(0.55, "ends with the name of the table");
            }
            if equal(&self.words, &key.column) && !key.bare && !self.is_own_key {
                return says(0.45, "has the name of the key");
            }
            return None;
        }
        if self.is_own_key {
            return None;
        }
        let own_words = lexicon().own.iter().any(|words| {
            let found = self.words.windows(words.len().max(1));
            let mut singular_words = words.iter().map(|word| singular(word));
            let singular_words: Vec<String> = singular_words.by_ref().collect();
            found.into_iter().any(|window| *window == *singular_words)
        });
        let key_joined = key.column.concat();
        let longer = self.joined.len() > key_joined.len() && key_joined.len() >= 4;
        if longer && self.joined.ends_with(&key_joined) && key.named_after_table {
            return says(0.85, "is the table's own key in a role");
        }
        if self.has_key_word && self.base.len() > key.table.len() && self.base.ends_with(&key.table)
        {
            return says(0.8, "is the table's own name in a role");
        }
        if own_words {
            return says(0.66, "names another row of the same table");
        }
        self.plays(key)
            .map(|score| (score, "names a role that rows of the table play".to_owned()))
    }

    /// Whether the name is the end of the table's name: `category_id` in `issues` for `issue_categories`, `partner_id`
    /// for `res_partner`.
    fn names_ending(&self, key: &KeyNames) -> Option<(f64, &'static str)> {
        if !self.has_key_word || self.base.is_empty() {
            return None;
        }
        let ends = key.table.len() > self.base.len() && key.table.ends_with(&self.base);
        if ends && key.table[..key.table.len() - self.base.len()] == self.table {
            return Some((0.84, "is the name of a table that belongs to its own"));
        }
        if ends && key.last_is_unique {
            return Some((0.72, "is the end of one table's name"));
        }
        if ends {
            return Some((0.5, "is the end of the table's name, and of others'"));
        }
        let shared = common_suffix(&self.base, &key.table) > 0;
        (shared && key.last_is_unique).then_some((0.6, "ends as one table's name in a role"))
    }

    /// Whether a word of the name is a role of the table's rows.
    fn plays(&self, key: &KeyNames) -> Option<f64> {
        let table = key.table.last()?;
        let mut best: Option<f64> = None;
        for word in &self.base {
            let tables = lexicon()
                .roles
                .get(word)
                .map(Vec::as_slice)
                .unwrap_or_default();
            if let Some(rank) = tables.iter().position(|name| name == table) {
                let rank = f64::from(u8::try_from(rank).unwrap_or(u8::MAX));
                // The whole table name, not just its last word, is what the list means.
                let whole = if key.table.len() == 1 { 0.0 } else { 0.1 };
                let score = 0.64 - 0.05 * rank.min(4.0) - whole;
                best = Some(best.map_or(score, |b: f64| b.max(score)));
            }
        }
        best
    }
}

fn common_suffix(a: &[String], b: &[String]) -> usize {
    a.iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
}

/// `cust` for `customer`, `prod cat` for `product category`, `dept` for `department`.
fn abbreviates(short: &[String], long: &[String]) -> bool {
    let one = |short: &str, long: &str| {
        let mut rest = long.chars();
        let subsequence = short.chars().all(|c| rest.any(|l| l == c));
        short.chars().count() >= 3
            && short.len() < long.len()
            && short.chars().next() == long.chars().next()
            && (long.starts_with(short) || subsequence && short.len() * 2 >= long.len())
    };
    short.len() == long.len()
        && short.iter().zip(long).all(|(s, l)| s == l || one(s, l))
        && short.iter().zip(long).any(|(s, l)| s != l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_testkit::fixture::Fixture;

    /// The loudest key for each column that has one, as `table.column -> parent`.
    fn loudest(text: &str) -> Vec<String> {
        let fixture = Fixture::parse(text);
        let tables: Vec<&TableSchema> = fixture.tables.iter().map(|t| &t.schema).collect();
        let keys = super::super::parent_keys(&tables, &BTreeMap::new());
        let model = NameModel::new(&tables, &keys);
        let mut lines = Vec::new();
        for table in &tables {
            for column in &table.columns {
                if let Some(best) = model.candidates(table, column).first() {
                    let parent = &keys[best.key].table.table;
                    lines.push(format!("{}.{} -> {parent}", table.table, column.name));
                }
            }
        }
        lines
    }

    #[test]
    fn the_usual_ways_to_name_a_reference_are_understood() {
        let lines = loudest(
            "[Customers]
               id: bigint pk | name: text
             [mediaType]
               MediaTypeId: int pk
             [shop_order]
               orderid: int pk | customer_id: int | billing_customer_id: int | cust_id: int | mediatypeid: int
             [artist]
               id: int pk
             [recording]
               id: int pk | artist: int | name: text | length: int",
        );
        assert_eq!(
            lines,
            [
                "shop_order.customer_id -> Customers",
                "shop_order.billing_customer_id -> Customers",
                "shop_order.cust_id -> Customers",
                "shop_order.mediatypeid -> mediaType",
                "recording.artist -> artist",
            ]
        );
    }

    #[test]
    fn roles_and_references_to_the_same_table_are_understood() {
        let lines = loudest(
            "[Employee]
               EmployeeId: int pk | ReportsTo: int | Title: text
             [Customer]
               CustomerId: int pk | SupportRepId: int | Company: text
             [category]
               id: int pk | parent_id: int | name: text",
        );
        assert_eq!(
            lines,
            [
                "Employee.ReportsTo -> Employee",
                "Customer.SupportRepId -> Employee",
                "category.parent_id -> category",
            ]
        );
    }
}
