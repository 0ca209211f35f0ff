//! The compiled plan of one table, and how a cell, a row and a batch of it are made.
//!
//! Every cell is a function of its row number alone, so that a reference computes the key it needs from the
//! parent's plan instead of reading it back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tdm_core::arrow_array::Array;
use tdm_core::batch::BatchSchema;
use tdm_core::generator::BoundGenerator;
use tdm_core::ident::TableRef;

use super::counted::Counted;
use super::rows::Given;
use super::spread::Spread;
use crate::check::{Condition, Order};
use crate::make::{Draw, Maker, digits};
use crate::number::Decimal;
use crate::permutation::Permutation;
use crate::stream::Stream;
use crate::value::{Fitter, Value};

/// Draws of the same cell that decide whether it is NULL are kept apart from those that decide its value.
const NULL_DRAW: u32 = 0x8000;
/// How often a row is drawn again when a constraint refuses it.
pub(super) const ATTEMPTS_MAX: u32 = 64;

/// Where the cells of a column come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The server computes it.
    Skipped,
    /// Draws.
    Drawn { maker: Box<dyn Maker> },
    /// A rank of the maker's values, different in each row.
    Ranked {
        maker: Box<dyn Maker>,
        scatter: Option<Permutation>,
        rows: u64,
        taken: HashSet<String>,
    },
    /// Drawn, with a mark that is different in each row.
    Marked {
        maker: Box<dyn Maker>,
        scatter: Permutation,
        radix: u32,
        width: u32,
        rows: u64,
        taken: HashSet<String>,
    },
    /// Part of the key of another row.
    Reference { reference: usize, part: usize },
    /// A digit of the rank of a composite key.
    Digit {
        group: usize,
        position: usize,
        maker: Box<dyn Maker>,
    },
    /// A generator of the application, which makes whole columns.
    Given(Box<dyn BoundGenerator>),
}

/// One column.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) stream: Stream,
    pub(super) fitter: Fitter,
    pub(super) null_share: f64,
    pub(super) nullable: bool,
    /// Whether other rows rely on the value of the first attempt: keys and what is referred to.
    pub(super) frozen: bool,
}

/// Rows that may be referred to: those that exist, then those that are made.
#[derive(Debug)]
pub(super) struct Parents {
    /// Values of the referred columns in existing rows, by column.
    pub(super) existing: Vec<Vec<Value>>,
    pub(super) existing_rows: u64,
    /// The table that is made, and its columns that are referred to.
    pub(super) table: Option<usize>,
    pub(super) columns: Vec<usize>,
    pub(super) made_rows: u64,
}

impl Parents {
    pub(super) const fn total(&self) -> u64 {
        self.existing_rows + self.made_rows
    }
}

/// How the row that is referred to is chosen.
#[derive(Debug)]
pub(super) enum Choice {
    /// By a distribution over the parents.
    Spread(Spread),
    /// By counts that were seen in real data.
    Counted(Box<Counted>),
    /// Each parent once at most.
    OneToOne(Permutation),
    /// By the rank of a composite key.
    Key { group: usize, position: usize },
    /// An earlier row of the same table; the first refers to itself or to nothing.
    Earlier { chain: bool, self_allowed: bool },
    /// A row that agrees in columns that another reference decides; `earlier` keeps to rows before.
    Agreeing {
        rows: HashMap<String, Vec<u64>>,
        shared: Vec<usize>,
        earlier: bool,
    },
    /// Nothing: NULL.
    Never,
}

/// One reference.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) parents: Parents,
    pub(super) choice: Choice,
    pub(super) stream: Stream,
    pub(super) null_share: f64,
    /// Whether other rows rely on the choice of the first attempt.
    pub(super) frozen: bool,
    pub(super) described: String,
}

/// A composite key whose parts are the digits of one rank.
#[derive(Debug)]
pub(super) struct KeyGroup {
    /// The reference whose parent comes first, with its distribution.
    pub(super) lead: Option<Spread>,
    /// Number of values of each further part.
    pub(super) sizes: Vec<u64>,
    /// Product of the sizes.
    pub(super) rest: u64,
    /// Whether ranks run in order within a parent.
    pub(super) ordered: bool,
    pub(super) stream: Stream,
}

impl KeyGroup {
    /// The parent of `row` (0 without a lead) and the digit at `position`.
    fn digit(&self, row: u64, position: Option<usize>) -> u64 {
        let (parent, nth) = match &self.lead {
            Some(spread) => spread.locate(row),
            None => (0, row),
        };
        let Some(position) = position else {
            return parent;
        };
        let mut rank = if self.ordered {
            nth
        } else {
            self.stream
                .permutation(self.rest, parent.wrapping_add(1))
                .apply(nth)
        };
        for size in &self.sizes[..position] {
            rank /= size;
        }
        rank % self.sizes[position]
    }
}

/// One table.
#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) table: TableRef,
    pub(super) schema: Arc<BatchSchema>,
    pub(super) rows: u64,
    /// All columns of the catalog, in order.
    pub(super) columns: Vec<ColumnPlan>,
    /// Positions of the columns that are made, in batch order.
    pub(super) written: Vec<usize>,
    pub(super) references: Vec<Reference>,
    pub(super) groups: Vec<KeyGroup>,
    pub(super) conditions: Vec<Condition>,
    pub(super) orders: Vec<Order>,
}

/// All tables of a plan: a cell of one may need a key of another.
#[derive(Debug, Default)]
pub(super) struct Plans {
    pub(super) tables: Vec<TablePlan>,
}

/// Why a row could not be made.
#[derive(Debug)]
pub(super) enum Fault {
    /// A value does not fit its column.
    Column { column: usize, reason: &'static str },
    /// A constraint refused every attempt.
    Condition { condition: usize },
    /// No row can be referred to.
    Reference { reference: usize },
}

impl Plans {
    /// The cell of `column` at `row`.
    pub(super) fn cell(
        &self,
        table: usize,
        column: usize,
        row: u64,
        attempt: u32,
        out: &mut Value,
    ) -> Result<(), Fault> {
        let plan = &self.tables[table];
        let made = &plan.columns[column];
        let attempt = if made.frozen { 0 } else { attempt };
        let fault = |reason| Fault::Column { column, reason };
        if made.null_share > 0.0
            && made.stream.at(row, NULL_DRAW | attempt).unit() < made.null_share
        {
            *out = Value::Null;
            return Ok(());
        }
        match &made.source {
            Source::Skipped => *out = Value::Null,
            Source::Drawn { maker } => maker.make(&mut Draw::new(&made.stream, row, attempt), out),
            Source::Ranked {
                maker,
                scatter,
                rows,
                taken,
            } => {
                let mut candidate = row;
                loop {
                    maker.unrank(scatter.map_or(candidate, |s| s.apply(candidate)), out);
                    if taken.is_empty() || !is_taken(taken, out) {
                        break;
                    }
                    candidate += rows.max(&1);
                    if maker.capacity().is_none_or(|c| candidate >= c) {
                        return Err(fault(
                            "every value that is left exists in the target already",
                        ));
                    }
                }
            }
            Source::Marked {
                maker,
                scatter,
                radix,
                width,
                rows,
                taken,
            } => {
                maker.make(&mut Draw::new(&made.stream, row, attempt), out);
                let mut mark = String::new();
                let mut candidate = row;
                loop {
                    mark.clear();
                    digits(scatter.apply(candidate), *radix, *width, &mut mark);
                    if let Value::Text(text) = out {
                        maker.mark(&mark, text);
                    }
                    if taken.is_empty() || !is_taken(taken, out) {
                        break;
                    }
                    candidate += rows.max(&1);
                    if candidate >= scatter.size() {
                        return Err(fault(
                            "every value that is left exists in the target already",
                        ));
                    }
                    maker.make(&mut Draw::new(&made.stream, row, attempt), out);
                }
            }
            Source::Digit {
                group,
                position,
                maker,
            } => {
                maker.unrank(plan.groups[*group].digit(row, Some(*position)), out);
            }
            Source::Reference { reference, part } => {
                match self.parent(table, *reference, row, attempt)? {
                    Some(parent) => {
                        self.key(&plan.references[*reference].parents, *part, parent, out)?;
                    }
                    None if !made.nullable => {
                        return Err(Fault::Reference {
                            reference: *reference,
                        });
                    }
                    None => *out = Value::Null,
                }
            }
            Source::Given(bound) => {
                let array = bound.generate(row..row + 1).map_err(fault)?;
                if array.len() != 1 {
                    return Err(fault(
                        "the generator made another number of rows than it was asked for",
                    ));
                }
                *out = Value::read(array.as_ref(), 0);
            }
        }
        if out.is_null() && !made.nullable && !matches!(made.source, Source::Skipped) {
            return Err(fault(
                "the generator made a NULL and the column does not allow one",
            ));
        }
        made.fitter.fit(out).map_err(fault)
    }

    /// The value of the referred column `part` in the parent at `index`.
    pub(super) fn key(
        &self,
        parents: &Parents,
        part: usize,
        index: u64,
        out: &mut Value,
    ) -> Result<(), Fault> {
        if index < parents.existing_rows {
            let row = usize::try_from(index).unwrap_or(0);
            out.set(&parents.existing[part][row]);
            return Ok(());
        }
        match parents.table {
            Some(table) => self
                .cell(
                    table,
                    parents.columns[part],
                    index - parents.existing_rows,
                    0,
                    out,
                )
                .map_err(|fault| match fault {
                    // The place of a fault is in the child's table; the parent is named by its own run.
                    Fault::Column { reason, .. } => Fault::Column { column: 0, reason },
                    _ => Fault::Column {
                        column: 0,
                        reason: "the row that is referred to cannot be made",
                    },
                }),
            None => {
                *out = Value::Null;
                Ok(())
            }
        }
    }

    /// The parent row that `row` refers to.
    fn parent(
        &self,
        table: usize,
        reference: usize,
        row: u64,
        attempt: u32,
    ) -> Result<Option<u64>, Fault> {
        let plan = &self.tables[table];
        let made = &plan.references[reference];
        let attempt = if made.frozen { 0 } else { attempt };
        let total = made.parents.total();
        if total == 0 || matches!(made.choice, Choice::Never) {
            return Ok(None);
        }
        if made.null_share > 0.0
            && made.stream.at(row, NULL_DRAW | attempt).unit() < made.null_share
        {
            return Ok(None);
        }
        Ok(Some(match &made.choice {
            Choice::Never => return Ok(None),
            Choice::Spread(_) if attempt > 0 => made.stream.at(row, attempt).below(total),
            Choice::Spread(spread) => spread.locate(row).0,
            Choice::Counted(_) if attempt > 0 => made.stream.at(row, attempt).below(total),
            Choice::Counted(counted) => counted.parent(row),
            Choice::OneToOne(permutation) => permutation.apply(row),
            Choice::Key { group, position } => {
                plan.groups[*group].digit(row, position.checked_sub(1))
            }
            Choice::Earlier {
                chain,
                self_allowed,
            } => {
                let before = made.parents.existing_rows + row;
                if before == 0 {
                    return Ok(self_allowed.then_some(0));
                }
                if *chain {
                    before - 1
                } else {
                    made.stream.at(row, attempt).below(before)
                }
            }
            Choice::Agreeing {
                rows,
                shared,
                earlier,
            } => {
                let mut key = String::new();
                let mut value = Value::Null;
                for column in shared {
                    self.cell(table, *column, row, 0, &mut value)?;
                    if value.is_null() {
                        return Ok(None);
                    }
                    value.write(&mut key);
                    key.push('\u{1}');
                }
                let found: &[u64] = rows.get(&key).map_or(&[], Vec::as_slice);
                let own = made.parents.existing_rows + row;
                let usable = if *earlier {
                    found.partition_point(|&r| r < own)
                } else {
                    found.len()
                };
                if usable == 0 {
                    return Ok(None);
                }
                let at = made.stream.at(row, attempt).below(usable as u64);
                found[usize::try_from(at).unwrap_or(0)]
            }
        }))
    }

    /// Makes the row into `slots`, one for each column of the catalog.
    pub(super) fn row(
        &self,
        table: usize,
        row: u64,
        given: &Given,
        slots: &mut [Value],
    ) -> Result<(), Fault> {
        let plan = &self.tables[table];
        for (column, slot) in slots.iter_mut().enumerate() {
            match given.column(column, row) {
                Some(value) => {
                    *slot = value;
                    plan.columns[column]
                        .fitter
                        .fit(slot)
                        .map_err(|reason| Fault::Column { column, reason })?;
                }
                None => self.cell(table, column, row, 0, slot)?,
            }
        }
        if plan.conditions.is_empty() {
            return Ok(());
        }
        arrange(plan, slots);
        let mut attempt = 0;
        while let Some(refused) = plan.conditions.iter().position(|c| !c.holds(slots)) {
            attempt += 1;
            if attempt > ATTEMPTS_MAX {
                return Err(Fault::Condition { condition: refused });
            }
            for condition in &plan.conditions {
                if condition.holds(slots) {
                    continue;
                }
                for &column in &condition.columns {
                    if !plan.columns[column].frozen {
                        self.cell(table, column, row, attempt, &mut slots[column])?;
                    }
                }
            }
            arrange(plan, slots);
        }
        Ok(())
    }
}

fn is_taken(taken: &HashSet<String>, value: &Value) -> bool {
    let mut text = String::new();
    value.write(&mut text);
    taken.contains(&text)
}

/// Brings columns that must be in order into order, by exchanging their values.
fn arrange(plan: &TablePlan, slots: &mut [Value]) {
    for _ in 0..plan.orders.len() {
        for order in &plan.orders {
            let (low, high) = (order.low, order.high);
            if plan.columns[low].frozen || plan.columns[high].frozen {
                continue;
            }
            match crate::check::compare(&slots[low], &slots[high]) {
                Some(found) if found.is_gt() => slots.swap(low, high),
                Some(found) if found.is_eq() && order.strict => step_up(&mut slots[high]),
                _ => continue,
            }
        }
    }
}

/// The next higher value of its kind.
fn step_up(value: &mut Value) {
    match value {
        Value::Number(Decimal { units, .. }) => *units += 1,
        Value::Float(float) => *float += 1.0,
        Value::Date(days) => *days += 1,
        Value::Time(micros) | Value::Timestamp(micros) => *micros += 1_000_000,
        _ => {}
    }
}
