//! A naive judge: holds all rows in memory and checks every constraint by looking.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tdm_core::arrow_array::{Array, ArrayRef};
use tdm_core::batch::{Batch, Cleared};
use tdm_core::catalog::{Column, ForeignKey, TableSchema};
use tdm_core::digest::RowDigest;
use tdm_core::ident::TableRef;
use tdm_core::scalar::{ScalarRef, canonical, cell};
use tdm_core::types::LogicalType;
use tdm_synth::{ExistingKeys, SynthPlan};

/// A cell as canonical text; `None` is NULL.
pub(crate) type Cell = Option<String>;

/// Rows of tables, by table and column.
pub(crate) type Made = BTreeMap<String, BTreeMap<String, Vec<Cell>>>;

pub(crate) fn cells(array: &dyn Array) -> Vec<Cell> {
    (0..array.len())
        .map(|row| match cell(array, row) {
            ScalarRef::Null => None,
            value => {
                let mut out = Vec::new();
                canonical(value, false, &mut out);
                Some(String::from_utf8_lossy(&out).into_owned())
            }
        })
        .collect()
}

/// Makes all rows of a plan, in pieces of different sizes.
pub(crate) fn make_all(plan: &SynthPlan) -> Made {
    let mut made = Made::new();
    for table in plan.tables() {
        let mut columns: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
        let (mut start, mut step) = (0, 1);
        for column in &table.generator.schema().columns {
            columns.insert(column.name.clone(), Vec::new());
        }
        while start < table.rows {
            let end = (start + step).min(table.rows);
            let batch = table.generator.generate(start..end).unwrap();
            for (shape, array) in batch.schema().columns.iter().zip(batch.columns()) {
                columns
                    .get_mut(&shape.name)
                    .unwrap()
                    .extend(cells(array.as_ref()));
            }
            start = end;
            step = step * 3 + 1;
        }
        made.insert(table.table.name.clone(), columns);
    }
    made
}

/// Digest of one table made in `parts` pieces.
pub(crate) fn digest(plan: &SynthPlan, table: &str, parts: u64) -> RowDigest {
    let table = plan
        .tables()
        .into_iter()
        .find(|t| t.table.name == table)
        .unwrap();
    let mut digest = RowDigest::default();
    for part in 0..parts {
        let range = table.rows * part / parts..table.rows * (part + 1) / parts;
        digest.add(&table.generator.generate(range).unwrap());
    }
    digest
}

/// Every violation of keys, references, NOT NULL, lengths, ranges and labels, as text with its place.
pub(crate) fn violations(schemas: &[&TableSchema], made: &Made) -> Vec<String> {
    let mut found = Vec::new();
    for schema in schemas {
        let Some(rows) = made.get(&schema.table.name) else {
            found.push(format!("{}: not made", schema.table));
            continue;
        };
        for column in schema.columns.iter().filter(|c| c.is_written()) {
            let place = schema.table.column(&column.name);
            match rows.get(&column.name) {
                None => found.push(format!("{place}: not made")),
                Some(cells) => judge_column(column, cells, &place.to_string(), &mut found),
            }
        }
        let keys = schema.primary_key.iter().chain(&schema.unique);
        for key in keys {
            judge_unique(schema, &key.columns, rows, &mut found);
        }
        for index in schema.indexes.iter().filter(|i| i.unique) {
            judge_unique(schema, &index.plain_columns(), rows, &mut found);
        }
        for foreign_key in &schema.foreign_keys {
            judge_reference(foreign_key, made, &mut found);
        }
    }
    found
}

fn judge_column(column: &Column, cells: &[Cell], place: &str, found: &mut Vec<String>) {
    for (row, cell) in cells.iter().enumerate() {
        let bad = match cell {
            None => (!column.nullable).then_some("NULL"),
            Some(text) => match &column.logical {
                LogicalType::Text {
                    max_length: Some(n),
                } => (text.chars().count() > *n as usize).then_some("too long"),
                LogicalType::Enum { labels } => (!labels.contains(text)).then_some("no label"),
                LogicalType::Integer { bits, unsigned } => {
                    let value: i128 = text.parse().unwrap();
                    let low = if *unsigned { 0 } else { -(1i128 << (bits - 1)) };
                    let high = 1i128 << (u32::from(*bits) - u32::from(!*unsigned));
                    (value < low || value >= high).then_some("out of range")
                }
                LogicalType::Decimal {
                    precision: Some(p),
                    scale: Some(s),
                } => {
                    let (whole, fraction) = text
                        .trim_start_matches('-')
                        .split_once('.')
                        .unwrap_or((text, ""));
                    let fraction = fraction.trim_end_matches('0');
                    let whole = whole.trim_start_matches('0');
                    let scale = usize::try_from(*s).unwrap();
                    (fraction.len() > scale || whole.len() > *p as usize - scale)
                        .then_some("too many digits")
                }
                _ => None,
            },
        };
        if let Some(bad) = bad {
            found.push(format!("{place}, row {row}: {bad}"));
            return;
        }
    }
}

fn judge_unique(
    schema: &TableSchema,
    columns: &[String],
    rows: &BTreeMap<String, Vec<Cell>>,
    found: &mut Vec<String>,
) {
    if columns.is_empty()
        || columns
            .iter()
            .any(|c| schema.column(c).is_none_or(|c| !c.is_written()))
    {
        return;
    }
    let mut seen = BTreeSet::new();
    for (row, _) in rows[&columns[0]].iter().enumerate() {
        let tuple: Option<Vec<&str>> = columns.iter().map(|c| rows[c][row].as_deref()).collect();
        if let Some(tuple) = tuple
            && !seen.insert(tuple)
        {
            found.push(format!(
                "{} unique ({}), row {row}: repeated",
                schema.table,
                columns.join(", ")
            ));
            return;
        }
    }
}

fn judge_reference(foreign_key: &ForeignKey, made: &Made, found: &mut Vec<String>) {
    let (Some(children), Some(parents)) = (
        made.get(&foreign_key.child.name),
        made.get(&foreign_key.parent.name),
    ) else {
        return;
    };
    let tuple =
        |rows: &BTreeMap<String, Vec<Cell>>, names: &[&str], row: usize| -> Option<Vec<String>> {
            names.iter().map(|n| rows[*n][row].clone()).collect()
        };
    let parent_names = foreign_key.parent_columns();
    let child_names = foreign_key.child_columns();
    let count = parents[parent_names[0]].len();
    let known: BTreeSet<Vec<String>> = (0..count)
        .filter_map(|row| tuple(parents, &parent_names, row))
        .collect();
    for row in 0..children[child_names[0]].len() {
        if let Some(key) = tuple(children, &child_names, row)
            && !known.contains(&key)
        {
            found.push(format!("{}, row {row}: dangling", foreign_key.describe()));
            return;
        }
    }
}

/// Batches that were loaded before, as the target would know them.
#[derive(Debug, Default)]
pub(crate) struct Loaded(pub(crate) Vec<(TableRef, Batch<Cleared>)>);

impl ExistingKeys for Loaded {
    fn keys(&self, table: &TableRef, columns: &[&str]) -> Option<Vec<ArrayRef>> {
        let (_, batch) = self.0.iter().find(|(t, _)| t == table)?;
        columns
            .iter()
            .map(|name| Some(Arc::clone(batch.column(batch.schema().index_of(name)?))))
            .collect()
    }

    fn highest(&self, column: &tdm_core::ident::ColumnRef) -> Option<i64> {
        let arrays = self.keys(&column.table, &[&column.column])?;
        cells(arrays[0].as_ref())
            .iter()
            .flatten()
            .filter_map(|t| t.parse().ok())
            .max()
    }
}

#[test]
fn the_judge_sees_each_kind_of_violation() {
    use tdm_core::catalog::Key;
    let mut table = TableSchema::new(TableRef::new("t"));
    table.columns = vec![
        Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null(),
        Column::new(
            "name",
            2,
            "varchar(3)",
            LogicalType::Text {
                max_length: Some(3),
            },
        ),
    ];
    table.primary_key = Some(Key::over(["id"]));
    table.foreign_keys.push(ForeignKey::new(
        table.table.clone(),
        table.table.clone(),
        vec![("name".into(), "id".into())],
    ));
    let judged = |ids: &[&str], names: &[&str]| {
        let column = |cells: &[&str]| {
            cells
                .iter()
                .map(|c| (!c.is_empty()).then(|| (*c).to_owned()))
                .collect::<Vec<Cell>>()
        };
        let rows = [
            ("id".to_owned(), column(ids)),
            ("name".to_owned(), column(names)),
        ];
        violations(&[&table], &[("t".to_owned(), rows.into())].into()).join(" ")
    };
    assert_eq!(judged(&["1", "2"], &["1", ""]), "");
    assert!(judged(&["1", "1"], &["1", "1"]).contains("repeated"));
    assert!(judged(&["1", "2"], &["1", "3"]).contains("dangling"));
    assert!(judged(&["1", ""], &["1", "1"]).contains("NULL"));
    assert!(judged(&["1", "1234"], &["1", "1234"]).contains("too long"));
}
