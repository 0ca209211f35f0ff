//! Reference pages that are written from what functions, generators and categories say about themselves.
//!
//! `TDM_WRITE_REFERENCE=1 cargo test -p tdm-tests reference` writes them; without the variable they are compared.

use std::fmt::Write as _;
use std::fs;

use tdm::core::category::Category;
use tdm::core::function::{Descriptor, Promise};
use tdm::masking::{policy, registry::Registry};

use crate::workspace::root;

const MASKING: &str = "\
# Masking functions

Written from the descriptors of the functions; `tdm functions` prints the same.

A **deterministic** function gives the same output for the same input, key and domain, in every table, database and run.
An **injective** one gives different outputs for different inputs, so it may sit on keys and unique columns.
A rule that asks a function for more than it promises is refused before a row is read.
";

const GENERATORS: &str = "\
# Generators

Written from the descriptors of the generators; `tdm functions` prints the same.

A cell is a function of seed, table, column name and row number, so any row can be made without the others.
Unless a workflow names a generator, one is chosen by the column's name, type, category and constraints.
";

const CATEGORIES: &str = "\
# Categories of personal data

Written from the program.
The identifiers are what `classify.confirm`, rules and the metadata database use.
The last column says what `policy: default` does with a column of the category, by type where types differ.

| category | means | by default |
| --- | --- | --- |
";

#[test]
fn the_reference_of_masking_functions_is_what_they_say() {
    let registry = Registry::standard();
    check(
        "masking-functions.md",
        &page(MASKING, registry.descriptors().copied()),
    );
}

#[test]
fn the_reference_of_generators_is_what_they_say() {
    let registry = tdm::synth::Registry::new();
    check(
        "generators.md",
        &page(GENERATORS, registry.descriptors().into_iter()),
    );
}

#[test]
fn the_reference_of_categories_is_what_the_program_knows() {
    let policy = policy::standard();
    let mut text = CATEGORIES.to_owned();
    for category in Category::ALL {
        let rules = policy
            .rules
            .iter()
            .filter(|rule| rule.selector.category == Some(*category));
        let by_type: Vec<String> = rules
            .map(|rule| {
                let kind = rule
                    .selector
                    .type_class
                    .map_or("other".to_owned(), |class| class.as_str().to_owned());
                let json = serde_json::to_value(&rule.disposition).unwrap();
                let what = json
                    .get("function")
                    .or_else(|| json.get("action"))
                    .and_then(|v| v.as_str())
                    .unwrap()
                    .to_owned();
                (kind, what)
            })
            .fold(
                Vec::new(),
                |mut groups: Vec<(Vec<String>, String)>, (kind, what)| {
                    match groups.iter_mut().find(|(_, known)| *known == what) {
                        Some((kinds, _)) => kinds.push(kind),
                        None => groups.push((vec![kind], what)),
                    }
                    groups
                },
            )
            .into_iter()
            .map(|(kinds, what)| {
                if kinds == ["other"] {
                    format!("`{what}`")
                } else {
                    format!("`{what}` ({})", kinds.join(", "))
                }
            })
            .collect();
        assert!(
            !by_type.is_empty(),
            "the default policy says nothing about {category}"
        );
        writeln!(
            text,
            "| `{category}` | {} | {} |",
            category.describe(),
            by_type.join("; ")
        )
        .unwrap();
    }
    check("categories.md", &text);
}

fn page(head: &str, descriptors: impl Iterator<Item = Descriptor>) -> String {
    let descriptors: Vec<Descriptor> = descriptors.collect();
    assert!(descriptors.len() > 10, "nothing to write");
    let mut text = head.to_owned();
    text.push_str("\n| name | what it does |\n| --- | --- |\n");
    for d in &descriptors {
        writeln!(text, "| [`{0}`](#{0}) | {1} |", d.name, cell(d.summary)).unwrap();
    }
    for d in &descriptors {
        let accepts: Vec<&str> = d.accepts.iter().map(|class| class.as_str()).collect();
        writeln!(text, "\n## {}\n", d.name).unwrap();
        writeln!(text, "| | |\n| --- | --- |").unwrap();
        writeln!(text, "| does | {} |", cell(d.summary)).unwrap();
        writeln!(text, "| accepts | {} |", accepts.join(", ")).unwrap();
        writeln!(text, "| promises | {} |", promises(&d.promise)).unwrap();
        writeln!(text, "| weakness | {} |", cell(d.weakness)).unwrap();
        if !d.parameters.is_empty() {
            text.push_str(
                "\n| parameter | type | default | meaning |\n| --- | --- | --- | --- |\n",
            );
            for p in d.parameters {
                let default = match p.default {
                    None => "required".to_owned(),
                    Some("") => "none".to_owned(),
                    Some(value) => format!("`{}`", cell(value)),
                };
                writeln!(
                    text,
                    "| `{}` | {} | {default} | {} |",
                    p.name,
                    p.kind.as_str(),
                    cell(p.summary)
                )
                .unwrap();
            }
        }
    }
    text
}

fn promises(promise: &Promise) -> String {
    let mut words: Vec<String> = [
        (promise.deterministic, "deterministic"),
        (promise.injective, "injective"),
        (promise.null_preserving, "keeps NULL"),
        (
            promise.format_preserving,
            "keeps length and character classes",
        ),
    ]
    .iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, word)| (*word).to_owned())
    .collect();
    words.extend(
        promise
            .length_max
            .map(|n| format!("at most {n} characters")),
    );
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}

/// A text as it may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn check(name: &str, expected: &str) {
    let path = root().join("docs/book/src").join(name);
    if std::env::var_os("TDM_WRITE_REFERENCE").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{name} is out of date; TDM_WRITE_REFERENCE=1 cargo test -p tdm-tests reference"
    );
}
