//! Hidden references are found again, and little else is claimed.
//!
//! Every schema under `tests/data/discovery` is filled with rows that keep its keys, its references are hidden, and
//! what discovery infers is compared with them. Schemas of `TDM_INFERENCE_FIXTURES`, a folder of files in the same form
//! with rows of their own, are measured as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use futures_executor::block_on;
use tdm_core::cancel::CancelToken;
use tdm_core::catalog::{ForeignKey, RelationshipKind};
use tdm_core::port::{FixedClock, NoProgress};
use tdm_core::time::UtcMicros;
use tdm_core::types::TypeClass;
use tdm_discovery::{DiscoverContext, DiscoverOptions, Discovery, InferOptions, discover};
use tdm_testkit::fixture::{Fixture, FixtureTable};

/// A number that looks random and is the same each time.
fn draw(seed: &str, number: usize) -> usize {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in seed.bytes().chain(number.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 29;
    usize::try_from(hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).expect("31 bits fit")
}

/// Remarks of a schema file: rows by table, and which columns refer by type.
struct Remarks<'a> {
    rows: BTreeMap<&'a str, usize>,
    poly: Vec<Poly<'a>>,
}

/// Table, type column, key column, and the parents with their labels.
type Poly<'a> = (&'a str, &'a str, &'a str, Vec<(&'a str, &'a str)>);

fn remarks(text: &str) -> Remarks<'_> {
    let mut remarks = Remarks {
        rows: BTreeMap::new(),
        poly: Vec::new(),
    };
    for line in text.lines() {
        if let Some(rows) = line.strip_prefix("-- rows: ") {
            remarks.rows = rows
                .split(", ")
                .filter_map(|part| part.trim().rsplit_once(' '))
                .map(|(table, n)| (table, n.parse().expect("a number of rows")))
                .collect();
        }
        if let Some(poly) = line.strip_prefix("-- poly: ") {
            let (left, right) = poly.split_once(" = ").expect("`columns = types`");
            let left: Vec<&str> = left.split(' ').collect();
            let right = right
                .split(' ')
                .filter_map(|part| part.split_once(':'))
                .collect();
            remarks.poly.push((left[0], left[1], left[2], right));
        }
    }
    remarks
}

/// Fills a schema with rows: keys are unique, references hold, one in eight optional ones is NULL.
fn filled(text: &str) -> Fixture {
    let mut fixture = Fixture::parse(text);
    let remarks = remarks(text);
    for index in 0..fixture.tables.len() {
        let name = fixture.tables[index].schema.table.name.clone();
        let wanted = remarks.rows.get(name.as_str()).copied().unwrap_or(100);
        let schema = fixture.tables[index].schema.clone();
        let keys: Vec<Vec<usize>> = schema
            .primary_key
            .iter()
            .chain(&schema.unique)
            .map(|key| {
                key.columns
                    .iter()
                    .map(|c| position(&fixture.tables[index], c))
                    .collect()
            })
            .collect();
        let mut seen = vec![BTreeSet::new(); keys.len()];
        let mut tries = 0;
        while fixture.tables[index].rows.len() < wanted && tries < wanted * 20 {
            let number = fixture.tables[index].rows.len();
            let mut row: Vec<Option<String>> = schema
                .columns
                .iter()
                .enumerate()
                .map(|(at, column)| {
                    let alone = keys.iter().any(|key| *key == [at]);
                    Some(value(
                        &name,
                        &column.name,
                        column.logical.class(),
                        number,
                        tries,
                        alone,
                    ))
                })
                .collect();
            for reference in &schema.foreign_keys {
                let parent = fixture.table(&reference.parent.name);
                let from = draw(&reference.describe(), tries);
                let optional = reference
                    .columns
                    .iter()
                    .all(|(child, _)| schema.column(child).is_some_and(|c| c.nullable));
                for (child, to) in &reference.columns {
                    let at = position(&fixture.tables[index], child);
                    row[at] = if parent.rows.is_empty() || optional && from.is_multiple_of(8) {
                        None
                    } else {
                        parent.rows[from / 8 % parent.rows.len()][position(parent, to)].clone()
                    };
                }
            }
            for (table, type_column, id_column, types) in &remarks.poly {
                if *table == name {
                    let (parent, label) = types[draw(id_column, tries) % types.len()];
                    let parent = fixture.table(parent);
                    let key = parent.rows[draw(type_column, tries) % parent.rows.len()][0].clone();
                    let at = |column| position(&fixture.tables[index], column);
                    let (kind, id) = (at(type_column), at(id_column));
                    row[kind] = Some(label.to_owned());
                    row[id] = key;
                }
            }
            tries += 1;
            let of_key = |key: &Vec<usize>| -> Vec<Option<String>> {
                key.iter().map(|at| row[*at].clone()).collect()
            };
            let fresh = keys
                .iter()
                .zip(&seen)
                .all(|(key, seen)| !seen.contains(&of_key(key)));
            if fresh {
                for (key, seen) in keys.iter().zip(&mut seen) {
                    seen.insert(of_key(key));
                }
                fixture.tables[index].rows.push(row);
            }
        }
    }
    fixture
}

fn position(table: &FixtureTable, column: &str) -> usize {
    let mut columns = table.schema.columns.iter();
    columns
        .position(|c| c.name == column)
        .expect("the column is there")
}

/// A value of a column that refers to nothing: keys count up, numbers are small more often than not.
fn value(
    table: &str,
    column: &str,
    class: TypeClass,
    number: usize,
    tries: usize,
    alone: bool,
) -> String {
    let drawn = draw(&format!("{table}.{column}"), tries);
    let part_of_key = ["no", "nr", "line", "position", "seq"]
        .iter()
        .any(|w| column.ends_with(w));
    match class {
        TypeClass::Uuid => {
            let high = draw(
                &format!("{table}.{column}.high"),
                if alone { number } else { tries },
            );
            let low = draw(
                &format!("{table}.{column}.low"),
                if alone { number } else { tries },
            );
            format!("{high:08x}-{:04x}-4000-8000-{low:012x}", number % 65_536)
        }
        TypeClass::Text | TypeClass::Enum if alone => format!("{}{number}", &table[..1]),
        TypeClass::Text | TypeClass::Enum => format!("word{}", drawn % 50),
        TypeClass::Boolean => drawn.is_multiple_of(2).to_string(),
        TypeClass::Integer if alone => (number + 1).to_string(),
        TypeClass::Integer if part_of_key => (drawn % 30 + 1).to_string(),
        TypeClass::Integer => (drawn % [5, 50, 1_000, 100_000][draw(column, 0) % 4]).to_string(),
        _ => format!("{}", drawn % 1_000),
    }
}

/// What was found, what was not, and what was claimed beside.
#[derive(Debug, Default)]
struct Score {
    found: BTreeSet<String>,
    missed: BTreeSet<String>,
    wrong: Vec<String>,
}

fn discovered(fixture: &Fixture) -> Discovery {
    let mut hidden = fixture.clone();
    for table in &mut hidden.tables {
        table.schema.foreign_keys.clear();
    }
    let source = hidden.source("hidden");
    let options = DiscoverOptions {
        infer: Some(InferOptions::default()),
        ..DiscoverOptions::default()
    };
    let context = DiscoverContext {
        cancel: &CancelToken::new(),
        progress: &NoProgress,
        clock: &FixedClock(UtcMicros(0)),
    };
    block_on(discover(&source, &source, &options, context)).expect("memory can be read")
}

fn described(reference: &ForeignKey) -> String {
    let mut sorted = reference.clone();
    sorted.columns.sort();
    sorted.describe()
}

fn measured(fixture: &Fixture) -> Score {
    let declared: BTreeSet<String> = fixture
        .tables
        .iter()
        .flat_map(|table| &table.schema.foreign_keys)
        .map(described)
        .collect();
    let found = discovered(fixture);
    let mut score = Score::default();
    for candidate in found.candidates.iter().filter(|c| c.accepted) {
        if candidate.reference.kind == RelationshipKind::Polymorphic {
            continue;
        }
        let name = described(&candidate.reference);
        if declared.contains(&name) {
            score.found.insert(name);
        } else {
            score.wrong.push(candidate.explain());
        }
    }
    for name in declared.difference(&score.found) {
        let near: Vec<String> = found
            .candidates
            .iter()
            .filter(|c| {
                c.reference
                    .child_columns()
                    .iter()
                    .any(|col| name.contains(col))
                    && name.starts_with(&c.reference.child.name)
            })
            .map(tdm_discovery::Relationship::explain)
            .collect();
        score.missed.insert(format!("{name}; candidates: {near:?}"));
    }
    score
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Measures every schema; gives recall, share of wrong claims, and a table to read.
fn measured_all(paths: &[PathBuf]) -> (f64, f64, String) {
    let (mut found, mut missed, mut wrong) = (0, 0, 0);
    let mut table = String::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("a schema can be read");
        let score = measured(&filled(&text));
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let all = score.found.len() + score.missed.len();
        let claimed = score.found.len() + score.wrong.len();
        table.push_str(&format!(
            "{name:16} found {:3} of {all:3} ({:.2}), wrong {:2} ({:.2})\n",
            score.found.len(),
            share(score.found.len(), all),
            score.wrong.len(),
            share(score.wrong.len(), claimed),
        ));
        for line in &score.missed {
            table.push_str(&format!("    missed {line}\n"));
        }
        for line in &score.wrong {
            table.push_str(&format!("    wrong  {line}\n"));
        }
        found += score.found.len();
        missed += score.missed.len();
        wrong += score.wrong.len();
    }
    let (recall, error) = (share(found, found + missed), share(wrong, found + wrong));
    table.push_str(&format!("all: recall {recall:.3}, wrong {error:.3}\n"));
    (recall, error, table)
}

fn schemas(folder: &str) -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/discovery");
    let found = files(&data.join(folder));
    assert!(found.len() >= 4, "the schemas are there");
    found
}

#[test]
fn hidden_references_are_found_again_and_little_else() {
    let mut paths = schemas(".");
    if let Some(more) = std::env::var_os("TDM_INFERENCE_FIXTURES") {
        paths.extend(files(Path::new(&more)));
    }
    let (recall, error, table) = measured_all(&paths);
    println!("{table}");
    assert!(recall >= 0.95, "recall {recall:.3}\n{table}");
    assert!(error <= 0.05, "wrong {error:.3}\n{table}");
}

/// Schemas whose names had no part in writing the rules.
#[test]
fn schemas_that_were_held_back_are_found_nearly_as_well() {
    let (recall, error, table) = measured_all(&schemas("held_back"));
    println!("{table}");
    assert!(recall >= 0.8, "recall {recall:.3}\n{table}");
    assert!(error <= 0.1, "wrong {error:.3}\n{table}");
}

#[test]
fn references_by_type_are_found_with_the_type_that_they_hold_for() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/discovery/polymorphic.txt");
    let text = fs::read_to_string(path).expect("a schema can be read");
    let found = discovered(&filled(&text));
    let mut claimed: Vec<String> = found
        .relationships
        .iter()
        .filter(|r| r.kind == RelationshipKind::Polymorphic)
        .map(|r| {
            let (column, label) = r
                .predicate
                .as_ref()
                .expect("a polymorphic reference has a type");
            format!("{} where {column} = {label}", r.describe())
        })
        .collect();
    claimed.sort();
    let mut expected = Vec::new();
    for (table, kind, id, types) in remarks(&text).poly {
        for (parent, label) in types {
            expected.push(format!(
                "{table}({id}) -> {parent}(id) where {kind} = {label}"
            ));
        }
    }
    expected.sort();
    assert_eq!(claimed, expected);
}

#[test]
fn orphans_beyond_the_limit_refute_a_name() {
    let text = |orphans: usize| {
        let mut text = "[customer]\n id: bigint pk\n".to_owned();
        (1..=100).for_each(|id| text.push_str(&format!("{id}\n")));
        text.push_str("[invoice]\n id: bigint pk | customer_id: bigint\n");
        for id in 1..=100 {
            let customer = if id <= orphans { 900 + id } else { id };
            text.push_str(&format!("{id} | {customer}\n"));
        }
        text
    };
    for (orphans, accepted) in [(0, true), (4, true), (20, false), (100, false)] {
        let found = discovered(&Fixture::parse(&text(orphans)));
        let candidate = &found.candidates[0];
        assert_eq!(candidate.accepted, accepted, "{}", candidate.explain());
        assert_eq!(candidate.orphans, orphans as u64);
        let rate = candidate.orphan_rate().expect("values were looked up");
        assert!((rate - share(orphans, 100)).abs() < 1e-9);
        assert_eq!(found.relationships.len(), usize::from(accepted));
    }
}

#[test]
fn no_value_is_in_candidates_or_their_evidence() {
    let token = tdm_testkit::canary::token(tdm_core::category::Category::DeviceId);
    let text = format!(
        "[device]\n id: text(40) pk\n{token}\n[reading]\n id: bigint pk | device_id: text(40)\n1 | {token}\n2 | x{token}"
    );
    let found = discovered(&Fixture::parse(&text));
    assert!(!found.candidates.is_empty());
    tdm_testkit::canary::assert_absent_in_text("candidates", &format!("{:?}", found.candidates));
    for candidate in &found.candidates {
        tdm_testkit::canary::assert_absent_in_text("an explanation", &candidate.explain());
    }
}

#[test]
fn a_thousand_tables_with_names_alike_are_gone_through() {
    let mut text = String::new();
    for table in 0..1_000 {
        text.push_str(&format!("[t{table:05}]\n tenant_id: bigint | id: bigint"));
        for column in 0..15 {
            text.push_str(&format!(
                " | t{:05}_id{column}: bigint",
                (table * 7 + column) % 1_000
            ));
        }
        text.push_str(&format!(
            " | t{:05}_id: bigint\n @pk tenant_id, id\n @unique id\n",
            (table + 1) % 1_000
        ));
    }
    let found = discovered(&Fixture::parse(&text));
    let accepted = found.candidates.iter().filter(|c| c.accepted).count();
    assert!(
        accepted >= 1_000,
        "{accepted} of 1000 plain references by name alone"
    );
}
