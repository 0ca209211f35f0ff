//! From a difference of two catalogs to the steps of a migration, in the order in which every engine can take them.

use std::collections::BTreeMap;

use tdm_core::catalog::Catalog;
use tdm_discovery::{SchemaDiff, TableDiff, diff};

use super::check::without_order;
use super::form::{ColumnForm, Holds, TableForm};

/// Which way a migration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// One change of a table that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    DropReference(String),
    DropCheck(String),
    DropIndex(String),
    Rename(String, String),
    Add(String, Holds),
    AddRequired(String, Holds, &'static str),
    Require(String, Holds, &'static str),
    Relax(String, Holds),
    Index(Vec<String>, bool),
    Drop(String),
    OneOf(String, Vec<String>),
    Reference(String, String, &'static str),
}

impl Op {
    /// Whether SQLite has a statement for it.
    const fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::DropIndex(_) | Self::Rename(..) | Self::Add(..) | Self::Index(..) | Self::Drop(_)
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    RenameTable {
        from: String,
        to: String,
    },
    Create(TableForm),
    /// Changes of a table; `rebuilt` is the whole result where SQLite has to build it anew.
    Change {
        table: String,
        ops: Vec<Op>,
        rebuilt: Option<TableForm>,
    },
    DropTable(String),
    /// Nothing that can be written: there is only something to decide.
    Nothing,
}

/// One step, with what a person has to decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) what: What,
    pub(super) decisions: Vec<String>,
}

/// The tables of one side, by name.
type Side = BTreeMap<String, TableForm>;

/// Both directions of one difference.
pub(super) struct Plan {
    pub(super) up: Vec<Step>,
    pub(super) down: Vec<Step>,
}

impl Plan {
    /// The steps from `older` to `newer` and back; both empty when nothing differs.
    pub(super) fn between(older: &Catalog, newer: &Catalog) -> Self {
        let difference = without_order(diff(older, newer)).0;
        let side = |catalog: &Catalog| -> Side {
            catalog
                .tables
                .iter()
                .map(|table| (table.table.name.clone(), TableForm::of(table)))
                .collect()
        };
        let (older, newer) = (side(older), side(newer));
        let renames = Renames::of(&difference);
        let up = steps(&older, &newer, &renames, Direction::Up);
        let down = steps(&newer, &older, &renames.reversed(), Direction::Down);
        Self { up, down }
    }
}

/// Tables and columns that seem to go by another name now.
struct Renames {
    /// From, to and likeness in percent.
    tables: Vec<(String, String, u32)>,
    /// By the newer name of the table: from, to and likeness in percent.
    columns: BTreeMap<String, Vec<(String, String, u32)>>,
}

impl Renames {
    fn of(difference: &SchemaDiff) -> Self {
        let tables = difference.tables_renamed.iter();
        let columns = |table: &TableDiff| {
            let renamed = table.columns_renamed.iter();
            renamed
                .map(|r| (r.from.clone(), r.to.clone(), percent(r.likeness)))
                .collect()
        };
        Self {
            tables: tables
                .map(|r| (r.from.name.clone(), r.to.name.clone(), percent(r.likeness)))
                .collect(),
            columns: difference
                .tables
                .iter()
                .map(|t| (t.table.name.clone(), columns(t)))
                .collect(),
        }
    }

    fn reversed(&self) -> Self {
        let turned = |all: &[(String, String, u32)]| {
            all.iter()
                .map(|(from, to, percent)| (to.clone(), from.clone(), *percent))
                .collect::<Vec<_>>()
        };
        let tables = turned(&self.tables);
        let older = |table: &String| {
            let renamed = tables.iter().find(|(from, ..)| from == table);
            renamed.map_or_else(|| table.clone(), |(_, to, _)| to.clone())
        };
        Self {
            columns: self
                .columns
                .iter()
                .map(|(table, all)| (older(table), turned(all)))
                .collect(),
            tables,
        }
    }

    fn columns(&self, table: &str) -> &[(String, String, u32)] {
        self.columns.get(table).map_or(&[], Vec::as_slice)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a likeness lies between 0 and 1"
)]
fn percent(likeness: f64) -> u32 {
    (likeness.clamp(0.0, 1.0) * 100.0).round() as u32
}

fn steps(before: &Side, after: &Side, renames: &Renames, direction: Direction) -> Vec<Step> {
    let mut steps = Vec::new();
    for (from, to, percent) in &renames.tables {
        let decision = format!(
            "tables `{from}` and `{to}` look like one under two names ({percent} % alike), so it keeps its rows. If \
             they are two, create the one, drop the other, and say so in CREATES and DROPS."
        );
        steps.push(Step {
            what: What::RenameTable {
                from: from.clone(),
                to: to.clone(),
            },
            decisions: decided(direction, decision),
        });
    }
    let is_renamed = |name: &String| {
        renames
            .tables
            .iter()
            .any(|(from, to, _)| from == name || to == name)
    };
    let created: Vec<&TableForm> = after
        .values()
        .filter(|t| !before.contains_key(&t.name) && !is_renamed(&t.name))
        .collect();
    for form in parents_first(&created) {
        let mut decisions: Vec<String> = form.oddities.iter().map(|odd| unspeakable(odd)).collect();
        if direction == Direction::Down {
            decisions.push(format!(
                "`{}` comes back empty: what it held is gone.",
                form.name
            ));
        }
        steps.push(Step {
            what: What::Create(form.clone()),
            decisions,
        });
    }
    for newer in after.values() {
        let old_name = renames
            .tables
            .iter()
            .find(|(_, to, _)| *to == newer.name)
            .map(|(from, ..)| from);
        if let Some(older) = before.get(old_name.unwrap_or(&newer.name)) {
            steps.extend(change(older, newer, renames, direction));
        }
    }
    let dropped: Vec<&TableForm> = before
        .values()
        .filter(|t| !after.contains_key(&t.name) && !is_renamed(&t.name))
        .collect();
    for form in parents_first(&dropped).into_iter().rev() {
        let decision = format!(
            "what `{}` holds is lost here. Move before this line what must stay.",
            form.name
        );
        steps.push(Step {
            what: What::DropTable(form.name.clone()),
            decisions: decided(direction, decision),
        });
    }
    steps
}

/// A decision that is only asked for on the way up: the way down undoes it, whatever it was.
fn decided(direction: Direction, decision: String) -> Vec<String> {
    if direction == Direction::Up {
        vec![decision]
    } else {
        Vec::new()
    }
}

fn unspeakable(odd: &str) -> String {
    format!("{odd}, and the history has no word for it. Write it by hand, or change the entity.")
}

/// Tables in an order in which each comes after those that it refers to, as far as there is one.
fn parents_first<'a>(tables: &[&'a TableForm]) -> Vec<&'a TableForm> {
    let mut left: Vec<&TableForm> = tables.to_vec();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |form: &TableForm| {
            form.references
                .iter()
                .any(|r| r.parent != form.name && left.iter().any(|other| other.name == r.parent))
        };
        // In a circle, the first by name begins.
        let next = left.iter().position(|form| !waits(form)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

fn change(
    older: &TableForm,
    newer: &TableForm,
    renames: &Renames,
    direction: Direction,
) -> Option<Step> {
    let table = &newer.name;
    let renamed = renames.columns(table);
    let mut ops = Vec::new();
    let mut decisions = Vec::new();
    let now = |name: &str| -> String {
        renamed
            .iter()
            .find(|(from, ..)| from == name)
            .map_or_else(|| name.to_owned(), |(_, to, _)| to.clone())
    };

    for old in older
        .references
        .iter()
        .filter(|r| !newer.references.contains(r))
    {
        ops.push(Op::DropReference(old.name.clone()));
    }
    for old in older.checks.iter().filter(|c| !newer.checks.contains(c)) {
        ops.push(Op::DropCheck(old.name.clone()));
    }
    let replaced = |name: &str| newer.indexes.iter().any(|index| index.name == name);
    let gone: Vec<_> = older
        .indexes
        .iter()
        .filter(|i| !newer.indexes.contains(i))
        .collect();
    for old in gone.iter().filter(|index| replaced(&index.name)) {
        ops.push(Op::DropIndex(old.name.clone()));
    }
    for (from, to, percent) in renamed {
        ops.push(Op::Rename(from.clone(), to.clone()));
        let decision = format!(
            "`{from}` and `{to}` of `{table}` look like one column under two names ({percent} % alike), so it keeps \
             what it holds. If they are two, drop the one and add the other."
        );
        decisions.extend(decided(direction, decision));
    }
    let added: Vec<&ColumnForm> = newer
        .columns
        .iter()
        .filter(|c| {
            older.column(&c.name).is_none() && !renamed.iter().any(|(_, to, _)| *to == c.name)
        })
        .collect();
    let dropped: Vec<&ColumnForm> = older
        .columns
        .iter()
        .filter(|c| {
            newer.column(&c.name).is_none() && !renamed.iter().any(|(from, ..)| *from == c.name)
        })
        .collect();
    for column in &added {
        ops.push(add(table, column, direction, &mut decisions));
    }
    for old in &older.columns {
        let Some(new) = newer.column(&now(&old.name)) else {
            continue;
        };
        ops.extend(alter(table, old, new, direction, &mut decisions));
    }
    for new in newer.indexes.iter().filter(|i| !older.indexes.contains(i)) {
        ops.push(Op::Index(new.columns.clone(), new.unique));
        let had = older
            .indexes
            .iter()
            .any(|i| i.unique && i.columns == new.columns);
        if new.unique && !had && direction == Direction::Up {
            let columns = new.columns.join(", ");
            decisions.push(format!("rows of `{table}` that agree in ({columns}) stop this migration. Say which of them stays."));
        }
    }
    for old in gone.iter().filter(|index| !replaced(&index.name)) {
        ops.push(Op::DropIndex(old.name.clone()));
    }
    for column in &dropped {
        ops.push(Op::Drop(column.name.clone()));
        let same = added
            .iter()
            .filter(|a| a.holds == column.holds)
            .map(|a| format!("`{}`", a.name));
        let same: Vec<String> = same.collect();
        let hint = if same.is_empty() {
            String::new()
        } else {
            format!(
                " If it lives on as {}, rename it instead.",
                same.join(" or ")
            )
        };
        let decision = format!(
            "what `{table}.{}` holds is lost here. Move before this statement what must stay.{hint}",
            column.name
        );
        decisions.extend(decided(direction, decision));
    }
    for new in newer.checks.iter().filter(|c| !older.checks.contains(c)) {
        ops.push(Op::OneOf(new.column.clone(), new.words.clone()));
        let narrower = older
            .checks
            .iter()
            .find(|old| now(&old.column) == new.column)
            .is_none_or(|old| old.words.iter().any(|word| !new.words.contains(word)));
        if narrower && direction == Direction::Up {
            decisions.push(format!("rows of `{table}` whose `{}` is none of these words stop this migration. Say what becomes of them.", new.column));
        }
    }
    for new in newer
        .references
        .iter()
        .filter(|r| !older.references.contains(r))
    {
        ops.push(Op::Reference(
            new.column.clone(),
            new.parent.clone(),
            new.on_delete,
        ));
        let known = older
            .references
            .iter()
            .any(|r| now(&r.column) == new.column && r.parent == new.parent);
        let fresh = added.iter().any(|column| column.name == new.column);
        if !known && !fresh && direction == Direction::Up {
            decisions.push(format!("rows of `{table}` whose `{}` names no row of `{}` stop this migration. Say what becomes of them.", new.column, new.parent));
        }
    }
    // Every oddity begins with the table's name, which may have changed.
    let was: Vec<String> = older
        .oddities
        .iter()
        .map(|odd| odd.replace(&format!("`{}", older.name), &format!("`{table}")))
        .collect();
    let odd = newer.oddities.iter().filter(|odd| !was.contains(odd));
    decisions.extend(odd.map(|odd| unspeakable(odd)));
    let gone = was.iter().filter(|odd| !newer.oddities.contains(odd));
    decisions.extend(gone.map(|odd| {
        format!("no longer true: {odd}. The history has no word for that; undo it by hand.")
    }));

    if ops.is_empty() && decisions.is_empty() {
        return None;
    }
    let rebuilt = (!ops.iter().all(Op::is_plain)).then(|| newer.clone());
    if rebuilt.is_some() && direction == Direction::Up {
        decisions.push(format!(
            "SQLite builds `{table}` anew, exactly as `{}_after` says: look whether it is all there.",
            super::rust::word(table)
        ));
    }
    let what = if ops.is_empty() {
        What::Nothing
    } else {
        What::Change {
            table: table.clone(),
            ops,
            rebuilt,
        }
    };
    Some(Step { what, decisions })
}

fn add(table: &str, column: &ColumnForm, direction: Direction, decisions: &mut Vec<String>) -> Op {
    let ColumnForm {
        name,
        holds,
        required,
    } = column;
    if !required {
        return Op::Add(name.clone(), *holds);
    }
    Op::AddRequired(
        name.clone(),
        *holds,
        fill(table, name, *holds, direction, decisions),
    )
}

/// What rows get that exist. On the way up nobody can know: `NULL` is refused as soon as there is a row. The way down
/// must be open, so it takes a value that says nothing.
fn fill(
    table: &str,
    name: &str,
    holds: Holds,
    direction: Direction,
    decisions: &mut Vec<String>,
) -> &'static str {
    let sentence = match direction {
        Direction::Up => format!(
            "`{table}.{name}` is never empty and has no default: give the rows that exist a value in place of NULL, \
             which stops this migration as soon as there is one."
        ),
        Direction::Down => {
            format!("what `{table}.{name}` held is gone, and rows that exist get this value.")
        }
    };
    decisions.push(sentence);
    if direction == Direction::Up {
        "NULL"
    } else {
        holds.neutral()
    }
}

fn alter(
    table: &str,
    old: &ColumnForm,
    new: &ColumnForm,
    direction: Direction,
    decisions: &mut Vec<String>,
) -> Option<Op> {
    if old.holds == new.holds && old.required == new.required {
        return None;
    }
    let name = &new.name;
    if old.holds != new.holds && direction == Direction::Up {
        decisions.push(format!(
            "`{table}.{name}` changes from {} to {}: PostgreSQL casts what is there, MariaDB converts it, SQLite copies \
             it as it is. Move it yourself where that is not what is meant.",
            old.holds.as_str(),
            new.holds.as_str()
        ));
    }
    if !new.required {
        return Some(Op::Relax(name.clone(), new.holds));
    }
    let fill = if old.required {
        "NULL"
    } else {
        fill(table, name, new.holds, direction, decisions)
    };
    Some(Op::Require(name.clone(), new.holds, fill))
}
