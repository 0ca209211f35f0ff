//! Which rows a sample takes: runs of neighbouring rows at places that the seed picks, spread over the table.
//!
//! Runs cost a seek each instead of one per row. The same seed over the same state takes the same rows.

use rusqlite::types::Value;
use rusqlite::{Connection, Result};
use tdm_core::ident::TableRef;

use crate::quote::Dialect;

/// Which rows to take of those that the statement returns.
pub(super) enum Choice {
    All,
    /// Each row with a chance of `threshold` in 2^64, decided by its number.
    Chance {
        threshold: u64,
        seed: u64,
    },
}

impl Choice {
    pub(super) const fn takes(&self, row: u64) -> bool {
        match self {
            Self::All => true,
            Self::Chance { threshold, seed } => mix(*seed, row) < *threshold,
        }
    }
}

/// Most runs of one sample.
const RUNS_MAX: u64 = 256;

/// Parameters of `BETWEEN ?1 AND ?2 … LIMIT ?3` for each run, or, for a table without rowids, one pass whose
/// rows are chosen one by one.
pub(super) fn steps(
    connection: &Connection,
    table: &TableRef,
    rowid: Option<&str>,
    wanted: u64,
    seed: u64,
) -> Result<(Vec<Vec<Value>>, Choice)> {
    let name = Dialect::Sqlite.identifier(&table.name).unwrap_or_default();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let wanted_signed = i64::try_from(wanted).unwrap_or(i64::MAX);
    let Some(rowid) = rowid else {
        let total = number(&format!("SELECT count(*) FROM {name}"))?.unwrap_or(0);
        let total = u64::try_from(total).unwrap_or(0);
        if total <= wanted {
            return Ok((vec![Vec::new()], Choice::All));
        }
        let threshold = u128::from(wanted) * (u128::from(u64::MAX) + 1) / u128::from(total);
        let threshold = u64::try_from(threshold).unwrap_or(u64::MAX);
        return Ok((vec![Vec::new()], Choice::Chance { threshold, seed }));
    };
    let run = |from: i64, to: i64, rows: i64| {
        vec![
            Value::Integer(from),
            Value::Integer(to),
            Value::Integer(rows),
        ]
    };
    let bounded = wanted_signed.saturating_add(1);
    let counted = number(&format!(
        "SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {bounded})"
    ))?;
    if counted.unwrap_or(0) <= wanted_signed {
        return Ok((vec![run(i64::MIN, i64::MAX, i64::MAX)], Choice::All));
    }
    let first = number(&format!("SELECT min({rowid}) FROM {name}"))?.unwrap_or(0);
    let last = number(&format!("SELECT max({rowid}) FROM {name}"))?.unwrap_or(0);
    let span = u128::from(last.abs_diff(first)) + 1;

    let runs = wanted.clamp(1, RUNS_MAX);
    let mut starts: Vec<i64> = (0..runs)
        .map(|number| {
            // One start in each of as many equal stretches: spread, and still a matter of the seed.
            let low = span * u128::from(number) / u128::from(runs);
            let stretch = (span / u128::from(runs)).max(1);
            let offset = low + ((u128::from(mix(seed, number)) * stretch) >> 64);
            i64::try_from(i128::from(first).saturating_add_unsigned(offset)).unwrap_or(last)
        })
        .collect();
    starts.dedup();
    let each = i64::try_from(wanted.div_ceil(starts.len() as u64)).unwrap_or(i64::MAX);
    let steps = starts
        .iter()
        .enumerate()
        .map(|(at, start)| {
            let end = starts.get(at + 1).map_or(i64::MAX, |next| next - 1);
            run(*start, end, each)
        })
        .collect();
    Ok((steps, Choice::All))
}

/// SplitMix64 over seed and number: spreads neighbouring inputs over all of u64.
const fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
