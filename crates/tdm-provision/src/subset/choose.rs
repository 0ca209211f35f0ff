//! Choices: which rows of a table are seeds, which children of a parent come first.
//!
//! Every choice is a function of the rows it chooses from: the lowest of a rank that each row has by its key,
//! or of an order with ties broken by key. The order of a scan, its batches and other rows change nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::Serialize;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, Sensitive};
use tdm_core::catalog::Column;
use tdm_core::port::RowFilter;
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::transform::{ColumnRequest, Form};
use tdm_core::types::{LogicalType, TypeClass};

use super::closure::Walk;
use super::key::{Key, KeyReader, KeySet};
use super::project::is_number;
use super::scans::Wanted;
use crate::error::Result;

/// Distinct values up to which a column's values are states of their own.
const STATES_MAX: usize = 32;

/// A state that a coverage seed wants to see. Values are not named: they are the source's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum State {
    /// The column is NULL.
    Null,
    /// The column is not NULL.
    NotNull,
    /// One of the column's few values, by its place among them.
    Value(usize),
    /// The least value.
    Least,
    /// The greatest value.
    Greatest,
    /// The shortest text.
    Shortest,
    /// The longest text.
    Longest,
}

/// How well one state of one column is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// Column name.
    pub column: String,
    /// The state.
    pub state: State,
    /// Rows chosen for it; fewer than asked for when the source has no more.
    pub rows: u64,
}

/// Rows in which every state appears.
pub(super) struct Coverage {
    pub(super) keys: Vec<Key>,
    pub(super) features: Vec<Feature>,
}

/// The lowest of what is offered, at most a given number.
struct Lowest<P> {
    heap: BinaryHeap<(P, Key)>,
    count: usize,
}

impl<P: Ord> Lowest<P> {
    const fn new(count: usize) -> Self {
        Self {
            heap: BinaryHeap::new(),
            count,
        }
    }

    fn offer(&mut self, place: P, key: Key) {
        self.heap.push((place, key));
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }

    fn into_keys(self) -> impl Iterator<Item = Key> {
        self.heap.into_iter().map(|(_, key)| key)
    }
}

/// Where a row stands among its siblings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Rank(u64),
    Up(Sort),
    Down(Reverse<Sort>),
    Null,
}

/// A value that sorts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Number(i64),
    Bytes(Box<[u8]>),
}

fn sort_value(value: ScalarRef<'_>, logical: &LogicalType) -> Option<Sort> {
    Some(match value {
        ScalarRef::Boolean(v) => Sort::Number(i64::from(v)),
        ScalarRef::Int(v) | ScalarRef::Time(v) | ScalarRef::Timestamp(v) => Sort::Number(v),
        ScalarRef::Date(v) => Sort::Number(i64::from(v)),
        ScalarRef::Float(v) => {
            // The total order of IEEE 754 as an order of integers.
            let bits = i64::from_ne_bytes(v.to_ne_bytes());
            Sort::Number(bits ^ (((bits >> 63).cast_unsigned() >> 1).cast_signed()))
        }
        ScalarRef::Text(v) if is_number(logical) => Sort::Bytes(decimal_order(v)),
        ScalarRef::Text(v) => Sort::Bytes(v.as_bytes().into()),
        ScalarRef::Bytes(v) => Sort::Bytes(v.into()),
        _ => return None,
    })
}

/// Bytes that sort as the decimal numbers do that they stand for.
fn decimal_order(text: &str) -> Box<[u8]> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let negative = negative && !(whole.is_empty() && fraction.is_empty());
    let mut bytes = vec![1];
    bytes.extend((whole.len() as u64).to_be_bytes());
    bytes.extend(whole.bytes().chain(fraction.bytes()));
    if negative {
        // Longer means smaller now: a terminator above every digit, then all bytes turned round.
        bytes[0] = 0xff;
        bytes.push(0);
        bytes.iter_mut().for_each(|b| *b = !*b);
    }
    bytes.into()
}

impl Walk<'_> {
    /// Keys of the `count` rows of `table` with the lowest ranks.
    pub(super) async fn lowest_ranks(&mut self, table: usize, count: u64) -> Result<Vec<Key>> {
        let mut lowest = Lowest::new(usize::try_from(count).unwrap_or(usize::MAX));
        let seed = self.tables[table].rank_seed(self.plan.seed);
        self.each_key(table, |key, _, _| lowest.offer(key.rank(seed), key))
            .await?;
        Ok(sorted(lowest.into_keys()))
    }

    /// Keys of `percent` of the rows of `table`, each row by its own rank.
    pub(super) async fn share(&mut self, table: usize, percent: f64) -> Result<Vec<Key>> {
        // 53 bits of the rank: exact as a float.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float's mantissa")]
        let position = |rank: u64| (rank >> 11) as f64 / (1u64 << 53) as f64;
        let seed = self.tables[table].rank_seed(self.plan.seed);
        let mut keys = Vec::new();
        self.each_key(table, |key, _, _| {
            if position(key.rank(seed)) * 100.0 < percent {
                keys.push(key);
            }
        })
        .await?;
        Ok(sorted(keys))
    }

    /// For each value of column `by`, the keys of the `rows` rows with the lowest ranks.
    pub(super) async fn strata(&mut self, table: usize, by: &str, rows: u64) -> Result<Vec<Key>> {
        let count = usize::try_from(rows).unwrap_or(usize::MAX);
        let seed = self.tables[table].rank_seed(self.plan.seed);
        let at = self.tables[table].position(by).unwrap_or_default();
        let mut strata: BTreeMap<Option<Key>, Lowest<u64>> = BTreeMap::new();
        self.each_key(table, |key, batch, row| {
            let stratum = Key::of(&[cell(batch.column(at).as_ref(), row)]);
            let lowest = strata.entry(stratum).or_insert_with(|| Lowest::new(count));
            lowest.offer(key.rank(seed), key);
        })
        .await?;
        Ok(sorted(strata.into_values().flat_map(Lowest::into_keys)))
    }

    /// For each parent key, the `cap` children that come first.
    pub(super) async fn first_children(
        &mut self,
        edge: usize,
        parents: Vec<Key>,
        cap: u64,
        among: Option<&KeySet>,
    ) -> Result<Vec<Key>> {
        let child = self.child_of(edge);
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        let seed = self.tables[child].rank_seed(self.plan.seed);
        let order = self.plan.edges[edge].order.as_ref();
        let order = order.and_then(|o| Some((self.tables[child].position(&o.column)?, o)));
        let columns = self.edges[edge].child.clone();
        let binding = self.edges[edge].to_children.clone();
        let step = if self.plan.edges[edge].indexed {
            self.keys_max
        } else {
            usize::MAX
        };
        let mut chosen = Vec::new();
        // A family may be cut by the end of a batch but not by the end of a group of keys.
        for group in parents.chunks(step.min(parents.len()).max(1)) {
            let mut families: BTreeMap<Key, Lowest<Place>> = BTreeMap::new();
            let wanted = Wanted::Keys {
                binding: binding.clone(),
                keys: group.to_vec(),
                step,
            };
            let tables = &self.tables;
            let logical = order.map(|(at, _)| &tables[child].request[at].column.logical);
            let mut scratch = Vec::new();
            let mut scans = self.begin(child, wanted);
            while let Some(batch) = scans.next().await? {
                let reader = self.identity_of(child, &batch);
                let family: Vec<&ArrayRef> = columns.iter().map(|&i| batch.column(i)).collect();
                for row in 0..batch.rows() {
                    let Some(family) = Key::read(&family, row, &mut scratch) else {
                        continue;
                    };
                    let Some(key) = reader.read(row, &mut scratch) else {
                        continue;
                    };
                    let key = key.to_key();
                    if among.is_some_and(|among| !among.contains(&key)) {
                        continue;
                    }
                    let place = match (order, logical) {
                        (Some((at, order)), Some(logical)) => {
                            let value = sort_value(cell(batch.column(at).as_ref(), row), logical);
                            match value {
                                None => Place::Null,
                                Some(value) if order.descending => Place::Down(Reverse(value)),
                                Some(value) => Place::Up(value),
                            }
                        }
                        _ => Place::Rank(key.rank(seed)),
                    };
                    families
                        .entry(family)
                        .or_insert_with(|| Lowest::new(cap))
                        .offer(place, key);
                }
            }
            self.scans += scans.started;
            chosen.extend(families.into_values().flat_map(Lowest::into_keys));
        }
        Ok(sorted(chosen))
    }

    /// For each state of each column, the keys of the `times` rows with the lowest ranks that are in it.
    pub(super) async fn coverage(&mut self, table: usize, times: u64) -> Result<Coverage> {
        let times = usize::try_from(times).unwrap_or(usize::MAX);
        let seed = self.tables[table].rank_seed(self.plan.seed);
        let own = self.tables[table].identity.len();
        let columns: Vec<Column> = self.tables[table].schema.columns.clone();
        let mut request = self.request(table, RowFilter::All);
        request.columns.truncate(own);
        request.columns.extend(columns.iter().map(|column| {
            let column = column.clone();
            let form = Form::Decoded;
            ColumnRequest { column, form }
        }));
        let mut seen: Vec<Seen> = columns.iter().map(|c| Seen::new(c, times)).collect();
        let mut scans = self.begin_with(request, Wanted::One(RowFilter::All));
        let mut scratch = Vec::new();
        while let Some(batch) = scans.next().await? {
            let reader = self.identity_of(table, &batch);
            for row in 0..batch.rows() {
                let Some(key) = reader.read(row, &mut scratch) else {
                    continue;
                };
                let key = key.to_key();
                let rank = key.rank(seed);
                for (number, seen) in seen.iter_mut().enumerate() {
                    seen.offer(cell(batch.column(own + number).as_ref(), row), rank, &key);
                }
            }
        }
        self.scans += scans.started;
        let mut keys = KeySet::default();
        let mut features = Vec::new();
        for seen in seen {
            for (feature, chosen) in seen.finish() {
                features.push(feature);
                keys.extend(chosen);
            }
        }
        Ok(Coverage {
            keys: sorted(keys),
            features,
        })
    }

    fn identity_of<'b>(&self, table: usize, batch: &'b Batch<Sensitive>) -> KeyReader<'b> {
        let identity = self.tables[table].identity.iter();
        KeyReader::new(identity.map(|&i| batch.column(i)).collect())
    }

    /// Shows every key of a table that has one, with its row.
    async fn each_key(
        &mut self,
        table: usize,
        mut use_key: impl FnMut(Key, &Batch<Sensitive>, usize),
    ) -> Result<()> {
        let mut scans = self.begin(table, Wanted::One(RowFilter::All));
        let mut scratch = Vec::new();
        while let Some(batch) = scans.next().await? {
            let reader = self.identity_of(table, &batch);
            for row in 0..batch.rows() {
                if let Some(key) = reader.read(row, &mut scratch) {
                    use_key(key.to_key(), &batch, row);
                }
            }
        }
        self.scans += scans.started;
        Ok(())
    }
}

/// What was seen of one column.
struct Seen {
    column: Column,
    times: usize,
    null: Lowest<u64>,
    not_null: Lowest<u64>,
    /// Rows by value while there are few values; `None` once there are too many.
    values: Option<BTreeMap<Key, Lowest<u64>>>,
    least: Extreme<Sort>,
    greatest: Extreme<Reverse<Sort>>,
    shortest: Extreme<usize>,
    longest: Extreme<Reverse<usize>>,
}

/// The rows that share the lowest measure.
struct Extreme<M> {
    best: Option<(M, Lowest<u64>)>,
}

impl<M: Ord> Extreme<M> {
    const fn new() -> Self {
        Self { best: None }
    }

    fn offer(&mut self, measure: M, rank: u64, key: &Key, times: usize) {
        match &mut self.best {
            Some((best, _)) if *best < measure => {}
            Some((best, rows)) if *best == measure => rows.offer(rank, key.clone()),
            _ => {
                let mut rows = Lowest::new(times);
                rows.offer(rank, key.clone());
                self.best = Some((measure, rows));
            }
        }
    }

    fn into_keys(self) -> Vec<Key> {
        self.best
            .map_or_else(Vec::new, |(_, rows)| rows.into_keys().collect())
    }
}

impl Seen {
    fn new(column: &Column, times: usize) -> Self {
        Self {
            column: column.clone(),
            times,
            null: Lowest::new(times),
            not_null: Lowest::new(times),
            values: Some(BTreeMap::new()),
            least: Extreme::new(),
            greatest: Extreme::new(),
            shortest: Extreme::new(),
            longest: Extreme::new(),
        }
    }

    fn offer(&mut self, value: ScalarRef<'_>, rank: u64, key: &Key) {
        if value.is_null() {
            self.null.offer(rank, key.clone());
            return;
        }
        self.not_null.offer(rank, key.clone());
        let times = self.times;
        if let Some(sort) = sort_value(value, &self.column.logical) {
            self.least.offer(sort.clone(), rank, key, times);
            self.greatest.offer(Reverse(sort), rank, key, times);
        }
        if let ScalarRef::Text(text) = value {
            self.shortest.offer(text.len(), rank, key, times);
            self.longest.offer(Reverse(text.len()), rank, key, times);
        }
        let Some(values) = &mut self.values else {
            return;
        };
        if let Some(value) = Key::of(&[value]) {
            let rows = values.entry(value).or_insert_with(|| Lowest::new(times));
            rows.offer(rank, key.clone());
        }
        if values.len() > STATES_MAX {
            self.values = None;
        }
    }

    fn finish(self) -> Vec<(Feature, Vec<Key>)> {
        let text = matches!(self.column.logical.class(), TypeClass::Text);
        let mut found: Vec<(State, Vec<Key>)> = vec![
            (State::Null, self.null.into_keys().collect()),
            (State::NotNull, self.not_null.into_keys().collect()),
        ];
        if let Some(values) = self.values {
            let values = values.into_values().enumerate();
            found.extend(values.map(|(n, rows)| (State::Value(n), rows.into_keys().collect())));
        } else {
            found.push((State::Least, self.least.into_keys()));
            found.push((State::Greatest, self.greatest.into_keys()));
            if text {
                found.push((State::Shortest, self.shortest.into_keys()));
                found.push((State::Longest, self.longest.into_keys()));
            }
        }
        let column = self.column.name;
        found.retain(|(state, rows)| {
            !(rows.is_empty() && *state == State::Null && !self.column.nullable)
        });
        found
            .into_iter()
            .map(|(state, keys)| {
                let feature = Feature {
                    column: column.clone(),
                    state,
                    rows: keys.len() as u64,
                };
                (feature, keys)
            })
            .collect()
    }
}

fn sorted(keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_sort_as_numbers() {
        let numbers = [
            "-100", "-20.5", "-20.45", "-3", "-0.10", "-0.01", "0", "0.01", "0.1", "3", "20.45",
            "20.5", "0100", "1000",
        ];
        let order: Vec<_> = numbers.iter().map(|n| decimal_order(n)).collect();
        assert!(order.is_sorted());
        assert_eq!(decimal_order("-0.0"), decimal_order("0"));
        assert_eq!(decimal_order("7.50"), decimal_order("+07.5"));
    }

    #[test]
    fn floats_sort_in_total_order() {
        let numbers = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-9, 2.5, f64::INFINITY];
        let order: Vec<_> = numbers
            .iter()
            .map(|&n| sort_value(ScalarRef::Float(n), &LogicalType::Float { bits: 64 }))
            .collect();
        assert!(order.is_sorted());
    }
}
