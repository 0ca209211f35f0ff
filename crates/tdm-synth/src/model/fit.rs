//! Learns a model from rows: one pass to encode, one over pairs of columns for the tree.

use std::collections::{BTreeMap, HashMap};

use tdm_core::arrow_array::ArrayRef;
use tdm_core::batch::{Batch, Stage};
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::types::LogicalType;

use super::{Code, ColumnModel, RARE, ReferenceModel, TableModel, Unit};
use crate::value::Value;

/// Fewest rows that a model is learned from.
const ROWS_MIN: u64 = 50;
/// Most frequent values of a column that get a code of their own.
const VALUES_MAX: usize = 48;
/// Ranges that the other numbers are cut into.
const RANGES: usize = 16;
/// Quantiles kept inside a range.
const KNOTS: usize = 16;
/// Wide gaps that get a cut of their own.
const GAPS_MAX: usize = 8;
/// Share of a text column's rows that frequent labels must cover; else the column is no category.
const COVERED: f64 = 0.9;
/// Most decimals that floats are learned with.
const FLOAT_SCALE: u32 = 6;

/// What a model is learned from.
#[derive(Debug, Clone, Copy)]
pub struct FitRequest<'a> {
    /// The table.
    pub schema: &'a TableSchema,
    /// Columns whose values must not be learned, whatever they look like: everything classified as personal.
    pub personal: &'a [String],
    /// References to learn, each with the number of rows of its parent.
    pub references: &'a [(&'a ForeignKey, u64)],
}

/// Why nothing can be learned. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few rows.
    #[error(
        "table {table}: {rows} rows are too few to learn from; give at least {least}, or make it from its schema"
    )]
    TooSmall {
        /// The table.
        table: TableRef,
        /// Rows given.
        rows: u64,
        /// Rows needed.
        least: u64,
    },
    /// A batch does not have a column of the table.
    #[error("column {column} is not in the rows to learn from; read it decoded")]
    Missing {
        /// The column.
        column: ColumnRef,
    },
}

/// Cells of a column as numbers or labels.
enum Cells {
    Numbers(Unit, u32, Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl TableModel {
    /// Learns from `batches`, decoded rows of one table.
    ///
    /// Left out are keys, references, personal columns and texts that repeat too seldom to be categories: those
    /// are made from the schema.
    ///
    /// # Errors
    /// When there are too few rows, or a batch lacks a column.
    pub fn fit<S: Stage>(request: &FitRequest<'_>, batches: &[Batch<S>]) -> Result<Self, FitError> {
        let schema = request.schema;
        let rows: usize = batches.iter().map(Batch::rows).sum();
        if (rows as u64) < ROWS_MIN {
            return Err(FitError::TooSmall {
                table: schema.table.clone(),
                rows: rows as u64,
                least: ROWS_MIN,
            });
        }
        let arrays = |name: &str| -> Result<Vec<&ArrayRef>, FitError> {
            batches
                .iter()
                .map(|b| b.schema().index_of(name).map(|at| b.column(at)))
                .collect::<Option<_>>()
                .ok_or_else(|| FitError::Missing {
                    column: schema.table.column(name),
                })
        };
        let mut columns = Vec::new();
        let mut codes: Vec<Vec<u16>> = Vec::new();
        for column in &schema.columns {
            let refers = schema
                .foreign_keys
                .iter()
                .chain(request.references.iter().map(|(f, _)| *f))
                .any(|f| f.columns.iter().any(|(c, _)| *c == column.name));
            let alone = schema.is_unique(&[&column.name]);
            if refers || alone || !column.is_written() || request.personal.contains(&column.name) {
                continue;
            }
            let Some(cells) = read(&column.logical, &arrays(&column.name)?) else {
                continue;
            };
            if let Some((model, coded)) = encode(&column.name, cells) {
                columns.push(model);
                codes.push(coded);
            }
        }
        let mut references = Vec::new();
        for (foreign_key, parents) in request.references {
            let names = foreign_key.child_columns();
            let parts: Vec<Vec<&ArrayRef>> =
                names.iter().map(|n| arrays(n)).collect::<Result<_, _>>()?;
            references.push(count_children(&names, &parts, batches, *parents));
        }
        Ok(Self {
            table: schema.table.clone(),
            rows: rows as u64,
            columns: tree(columns, &codes),
            references,
        })
    }
}

fn read(logical: &LogicalType, arrays: &[&ArrayRef]) -> Option<Cells> {
    let all = || {
        arrays
            .iter()
            .flat_map(|a| (0..a.len()).map(|row| Value::read(a.as_ref(), row)))
    };
    let (unit, scale) = match logical {
        LogicalType::Boolean => (Unit::Boolean, 0),
        LogicalType::Integer { .. } => (Unit::Number, 0),
        LogicalType::Decimal { scale, .. } => (
            Unit::Number,
            match scale {
                Some(scale) => u32::try_from(*scale).ok()?.min(9),
                None => all()
                    .filter_map(|v| v.number())
                    .map(|n| n.scale)
                    .max()
                    .unwrap_or(0)
                    .min(9),
            },
        ),
        LogicalType::Float { .. } => (
            Unit::Float,
            all()
                .filter_map(|v| v.number())
                .map(|n| n.scale)
                .max()
                .unwrap_or(0)
                .min(FLOAT_SCALE),
        ),
        LogicalType::Date => (Unit::Day, 0),
        LogicalType::Time => (Unit::TimeMicro, 0),
        LogicalType::Timestamp { .. } => (Unit::TimestampMicro, 0),
        LogicalType::Text { .. } | LogicalType::Enum { .. } => {
            let texts = all().map(|v| match v {
                Value::Text(text) => Some(text),
                _ => None,
            });
            return Some(Cells::Texts(texts.collect()));
        }
        _ => return None,
    };
    let mut numbers = Vec::new();
    for mut value in all() {
        // A target may keep times as text; what does not read as the column's type is learned as nothing.
        if crate::value::Fitter::new(logical.clone())
            .fit(&mut value)
            .is_err()
        {
            return None;
        }
        numbers.push(match value {
            Value::Null => None,
            Value::Boolean(v) => Some(i64::from(v)),
            Value::Date(v) => Some(i64::from(v)),
            Value::Time(v) | Value::Timestamp(v) => Some(v),
            other => Some(i64::try_from(other.number()?.floor_at(scale)).ok()?),
        });
    }
    Some(Cells::Numbers(unit, scale, numbers))
}

/// Codes of a column and of each of its rows; `None` when there is nothing to learn.
fn encode(name: &str, cells: Cells) -> Option<(ColumnModel, Vec<u16>)> {
    let (unit, scale, codes, coded) = match cells {
        Cells::Texts(texts) => {
            let (codes, coded) = encode_texts(&texts)?;
            (Unit::Text, 0, codes, coded)
        }
        Cells::Numbers(unit, scale, numbers) => {
            let (codes, coded) = encode_numbers(&numbers)?;
            (unit, scale, codes, coded)
        }
    };
    let model = ColumnModel {
        name: name.to_owned(),
        scale,
        unit,
        codes,
        parent: None,
        sums: Vec::new(),
    };
    Some((model, coded))
}

fn encode_texts(texts: &[Option<String>]) -> Option<(Vec<Code>, Vec<u16>)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    texts
        .iter()
        .flatten()
        .for_each(|t| *counts.entry(t).or_default() += 1);
    let present: u64 = counts.values().sum();
    let mut frequent: Vec<(&str, u64)> = counts.into_iter().filter(|(_, n)| *n >= RARE).collect();
    frequent.sort_by_key(|(text, n)| (u64::MAX - n, *text));
    frequent.truncate(VALUES_MAX);
    let covered: u64 = frequent.iter().map(|(_, n)| n).sum();
    if frequent.is_empty() || (covered as f64) < COVERED * present as f64 {
        return None;
    }
    let mut codes: Vec<Code> = frequent
        .iter()
        .map(|(t, _)| Code::Label((*t).to_owned()))
        .collect();
    let place: HashMap<&str, u16> = frequent
        .iter()
        .zip(0u16..)
        .map(|((t, _), at)| (*t, at))
        .collect();
    let null = u16::try_from(codes.len()).ok()?;
    codes.push(Code::Null);
    // Rare labels are pooled with the most frequent one.
    let coded = texts.iter().map(|t| {
        t.as_deref()
            .map_or(null, |t| place.get(t).copied().unwrap_or(0))
    });
    Some((codes, coded.collect()))
}

fn encode_numbers(numbers: &[Option<i64>]) -> Option<(Vec<Code>, Vec<u16>)> {
    let mut sorted: Vec<i64> = numbers.iter().flatten().copied().collect();
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_unstable();
    let mut counts: Vec<(i64, u64)> = Vec::new();
    for &n in &sorted {
        match counts.last_mut() {
            Some((last, count)) if *last == n => *count += 1,
            _ => counts.push((n, 1)),
        }
    }
    // A value is frequent when it alone is as likely as a range; few different values are all so.
    let threshold = if counts.len() <= VALUES_MAX {
        RARE
    } else {
        (sorted.len() as u64 / 64).max(RARE)
    };
    let mut atoms: Vec<i64> = counts
        .iter()
        .filter(|(_, n)| *n >= threshold)
        .map(|(v, _)| *v)
        .collect();
    atoms.truncate(VALUES_MAX);
    let mut rest: Vec<i64> = sorted
        .iter()
        .copied()
        .filter(|n| atoms.binary_search(n).is_err())
        .collect();
    if (rest.len() as u64) < RARE && !atoms.is_empty() {
        rest.clear();
    }
    // Extremes are pulled in: by one value in a thousand, and by one at least.
    let pull = if rest.is_empty() {
        0
    } else {
        (rest.len() / 1_000).max(1)
    };
    let kept = if rest.len() > 2 * pull {
        &rest[pull..rest.len() - pull]
    } else {
        &rest[..]
    };
    let mut codes: Vec<Code> = atoms.iter().map(|a| Code::Atom(*a)).collect();
    let mut starts: Vec<i64> = Vec::new();
    for pair in cuts(kept).windows(2) {
        let part = &kept[pair[0]..pair[1]];
        starts.push(part[0]);
        codes.push(Code::Range(
            (0..=KNOTS)
                .map(|k| part[(part.len() - 1) * k / KNOTS])
                .collect(),
        ));
    }
    let first_range = u16::try_from(atoms.len()).ok()?;
    let null = u16::try_from(codes.len()).ok()?;
    codes.push(Code::Null);
    let coded = numbers.iter().map(|n| match n {
        None => null,
        Some(n) => match atoms.binary_search(n) {
            Ok(at) => u16::try_from(at).unwrap_or(0),
            Err(_) if starts.is_empty() => 0,
            Err(_) => {
                let at = starts.partition_point(|s| s <= n).saturating_sub(1);
                first_range + u16::try_from(at).unwrap_or(0)
            }
        },
    });
    Some((codes, coded.collect()))
}

/// Where sorted numbers are cut into ranges: at quantiles, and at wide gaps, which no range may bridge.
fn cuts(sorted: &[i64]) -> Vec<usize> {
    let ranges = RANGES.min(sorted.len());
    let mut cuts: Vec<usize> = (0..=ranges)
        .map(|r| sorted.len() * r / ranges.max(1))
        .collect();
    if let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) {
        let wide = high.abs_diff(low) / 50;
        let mut gaps: Vec<(u64, usize)> = sorted
            .windows(2)
            .enumerate()
            .map(|(at, pair)| (pair[1].abs_diff(pair[0]), at + 1))
            .filter(|(gap, _)| *gap > wide)
            .collect();
        gaps.sort_unstable_by_key(|(gap, at)| (u64::MAX - gap, *at));
        cuts.extend(gaps.into_iter().take(GAPS_MAX).map(|(_, at)| at));
    }
    cuts.sort_unstable();
    cuts.dedup();
    // A range of fewer rows would repeat them.
    let mut kept = vec![0];
    for cut in cuts {
        if (cut - kept[kept.len() - 1]) as u64 >= RARE
            && (sorted.len() - cut == 0 || (sorted.len() - cut) as u64 >= RARE)
        {
            kept.push(cut);
        }
    }
    if kept.last() != Some(&sorted.len()) && !sorted.is_empty() {
        kept.push(sorted.len());
    }
    kept
}

/// Information that two columns share, in nats, less what chance alone would show.
fn shared(a: &[u16], b: &[u16], width_a: usize, width_b: usize) -> f64 {
    let mut joint = vec![0u32; width_a * width_b];
    for (&x, &y) in a.iter().zip(b) {
        joint[usize::from(x) * width_b + usize::from(y)] += 1;
    }
    let mut left = vec![0u64; width_a];
    let mut right = vec![0u64; width_b];
    for (at, &n) in joint.iter().enumerate() {
        left[at / width_b] += u64::from(n);
        right[at % width_b] += u64::from(n);
    }
    let total = a.len() as f64;
    let information: f64 = joint
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(at, &n)| {
            let n = f64::from(n);
            n / total * (n * total / (left[at / width_b] as f64 * right[at % width_b] as f64)).ln()
        })
        .sum();
    let used = |side: &[u64]| side.iter().filter(|n| **n > 0).count().saturating_sub(1) as f64;
    information - used(&left) * used(&right) / (2.0 * total)
}

/// Puts the columns into a tree of greatest shared information (Prim), parents first, with their shares.
fn tree(columns: Vec<ColumnModel>, codes: &[Vec<u16>]) -> Vec<ColumnModel> {
    let count = columns.len();
    let mut best: Vec<(f64, Option<usize>)> = vec![(0.0, None); count];
    let mut placed: Vec<Option<usize>> = vec![None; count];
    let mut order: Vec<(usize, Option<usize>)> = Vec::new();
    while order.len() < count {
        let next = (0..count)
            .filter(|&c| placed[c].is_none())
            .max_by(|&a, &b| best[a].0.total_cmp(&best[b].0).then(b.cmp(&a)))
            .unwrap_or(0);
        placed[next] = Some(order.len());
        order.push((next, best[next].1));
        for other in 0..count {
            if placed[other].is_none() {
                let widths = (columns[next].codes.len(), columns[other].codes.len());
                let information = shared(&codes[next], &codes[other], widths.0, widths.1);
                if information > best[other].0 {
                    best[other] = (information, Some(next));
                }
            }
        }
    }
    let mut slots: Vec<Option<ColumnModel>> = columns.into_iter().map(Some).collect();
    let widths: Vec<usize> = slots.iter().flatten().map(|c| c.codes.len()).collect();
    order
        .into_iter()
        .filter_map(|(column, parent)| {
            let mut model = slots[column].take()?;
            let groups = parent.map_or(1, |p| widths[p]);
            let mut counts = vec![vec![0u64; widths[column]]; groups];
            for (row, &code) in codes[column].iter().enumerate() {
                let group = parent.map_or(0, |p| usize::from(codes[p][row]));
                counts[group][usize::from(code)] += 1;
            }
            model.parent = parent.and_then(|p| placed[p]);
            model.sums = counts.iter().map(|group| running(group)).collect();
            Some(model)
        })
        .collect()
}

/// Running sums in parts of 2^32; a group without rows is never asked.
fn running(counts: &[u64]) -> Vec<u64> {
    let total: u64 = counts.iter().sum::<u64>().max(1);
    let mut sum: u128 = 0;
    counts
        .iter()
        .map(|count| {
            sum += u128::from(*count);
            u64::try_from((sum << 32) / u128::from(total)).unwrap_or(1 << 32)
        })
        .collect()
}

fn count_children<S: Stage>(
    names: &[&str],
    parts: &[Vec<&ArrayRef>],
    batches: &[Batch<S>],
    parents: u64,
) -> ReferenceModel {
    let mut children: HashMap<String, u64> = HashMap::new();
    let (mut rows, mut nulls) = (0u64, 0u64);
    for (at, batch) in batches.iter().enumerate() {
        for row in 0..batch.rows() {
            rows += 1;
            let mut key = String::new();
            let mut null = false;
            for part in parts {
                let value = Value::read(part[at].as_ref(), row);
                null |= value.is_null();
                value.write(&mut key);
                key.push('\u{1}');
            }
            if null {
                nulls += 1;
            } else {
                *children.entry(key).or_default() += 1;
            }
        }
    }
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let childless = parents.saturating_sub(children.len() as u64);
    if childless > 0 {
        counts.insert(0, childless);
    }
    for count in children.into_values() {
        *counts.entry(count).or_default() += 1;
    }
    ReferenceModel {
        columns: names.iter().map(|n| (*n).to_owned()).collect(),
        null_share: if rows == 0 {
            0.0
        } else {
            nulls as f64 / rows as f64
        },
        counts: counts.into_iter().collect(),
    }
}
