//! House rules that no compiler checks: words, file sizes, leftovers, places.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::root;

/// Folders at the top that are not hidden. `target` is never committed.
const TOP_FOLDERS: [&str; 7] = [
    "crates",
    "docs",
    "examples",
    "migration",
    "scripts",
    "target",
    "tests",
];

/// Folders that hold Rust sources of the product.
const SOURCE_FOLDERS: [&str; 3] = ["crates", "examples", "migration"];

/// Longest source file, in lines.
const LINES_MAX: usize = 600;

/// Source files that are one long table, which splitting would not make easier to read.
const DATA_TABLES: [&str; 0] = [];

/// What unfinished work leaves behind.
const LEFTOVERS: [&str; 6] = [
    "TODO",
    "FIXME",
    "todo!(",
    "unimplemented!(",
    "//! To come.",
    "not yet implemented",
];

/// Claims that no masking keeps.
const CLAIMS: [&str; 6] = [
    "anonymised",
    "anonymized",
    "anonymisation",
    "anonymization",
    "gdpr compliant",
    "gdpr-compliant",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];

/// Folders of one machine.
const MACHINE_PATHS: [&str; 4] = ["/root/", "/home/", "/Users/", "/work/"];

/// Where packages come from is the business of the machine that builds, not of the repository.
const REGISTRIES: [&str; 6] = [
    "index.crates.io",
    "static.crates.io",
    "crates.io-index",
    "replace-with",
    "sparse+http",
    "registry+http",
];

#[test]
fn the_top_of_the_repository_holds_the_known_folders_only() {
    let unknown: Vec<String> = fs::read_dir(root())
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !TOP_FOLDERS.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn sources_hold_no_leftovers() {
    let faults = faults_in(&product_sources(), |line| {
        LEFTOVERS.iter().any(|word| has_word(line, word))
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    assert!(has_word("    // TODO: more", "TODO") && has_word("todo!()", "todo!("));
    assert!(!has_word("let mastodon = TODOS;", "TODO"));
}

#[test]
fn names_and_docs_make_no_claim_that_masking_cannot_keep() {
    let faults = faults_in(&product_sources(), makes_a_claim);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    assert!(makes_a_claim("/// Rows come out anonymised."));
    assert!(makes_a_claim("pub fn anonymize_rows() {"));
    assert!(makes_a_claim("//! GDPR compliant by construction"));
    assert!(!makes_a_claim("/// Rows come out pseudonymised."));
}

#[test]
fn source_files_stay_readable() {
    let mut faults = Vec::new();
    for path in product_sources() {
        let name = shown(&path);
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if name.contains("/src/") && lines > LINES_MAX && !DATA_TABLES.contains(&name.as_str()) {
            faults.push(format!("{name}: {lines} lines, at most {LINES_MAX}"));
        }
    }
    for table in DATA_TABLES {
        assert!(root().join(table).exists(), "{table} is gone");
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let faults: Vec<String> = product_sources()
        .iter()
        .filter(|path| {
            path.strip_prefix(root())
                .unwrap()
                .iter()
                .filter_map(|part| part.to_str())
                .any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
        })
        .map(|path| shown(path))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let faults: Vec<String> = product_sources()
        .iter()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"))
        .map(|path| shown(path))
        .collect();
    assert!(
        faults.is_empty(),
        "no `//!` at the top:\n{}",
        faults.join("\n")
    );
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let files: Vec<PathBuf> = text_files()
        .into_iter()
        .filter(|path| !path.ends_with("suite/tidy.rs"))
        .collect();
    let faults = faults_in(&files, names_a_machine_or_a_registry);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    assert!(names_a_machine_or_a_registry("path = \"/home/me/data\""));
    assert!(names_a_machine_or_a_registry("replace-with = \"mirror\""));
    assert!(!names_a_machine_or_a_registry("see docs/work/plan.md"));
}

#[test]
fn every_locked_package_comes_from_the_one_registry() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock"))
        .unwrap()
        .parse()
        .unwrap();
    let packages = lock["package"].as_array().unwrap();
    let sources: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package.get("source")?.as_str())
        .collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(
        sources
            .iter()
            .all(|source| source.ends_with("/crates.io-index")),
        "{sources:?}"
    );
}

fn makes_a_claim(line: &str) -> bool {
    let text = line.trim_start();
    let lower = text.to_lowercase();
    let is_doc = text.starts_with("//");
    let is_public = text.starts_with("pub ");
    (is_doc && CLAIMS.iter().any(|claim| lower.contains(claim)))
        || (is_public && lower.contains("anonym"))
}

fn names_a_machine_or_a_registry(line: &str) -> bool {
    let machine = MACHINE_PATHS.iter().any(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            // `docs/home/` is a relative path, `"/home/` is not.
            !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*}".contains(c))
        })
    });
    machine || REGISTRIES.iter().any(|registry| line.contains(registry))
}

/// `word` in `line`, not as a part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after =
            word.ends_with(is_part) && line[at + word.len()..].chars().next().is_some_and(is_part);
        !before && !after
    })
}

fn faults_in(files: &[PathBuf], is_fault: impl Fn(&str) -> bool) -> Vec<String> {
    assert!(!files.is_empty(), "nothing was looked at");
    let mut faults = Vec::new();
    for path in files {
        // A file that is not text has no lines to look at.
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if is_fault(line) {
                faults.push(format!("{}:{}: {}", shown(path), number + 1, line.trim()));
            }
        }
    }
    faults
}

fn product_sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in SOURCE_FOLDERS {
        collect(&root().join(folder), &mut files);
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files
}

/// Everything people write: sources, scripts, settings and documents, without data.
fn text_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in TOP_FOLDERS
        .into_iter()
        .filter(|name| *name != "target")
        .chain([".ci", ".cargo"])
    {
        collect(&root().join(folder), &mut files);
    }
    files.extend(
        fs::read_dir(root())
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file()),
    );
    files.retain(|path| !path.ends_with("Cargo.lock") && !path.iter().any(|part| part == "data"));
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if !path.is_dir() {
            files.push(path);
        } else if !path.ends_with("target") {
            collect(&path, files);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
