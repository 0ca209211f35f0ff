//! What documents say is true: links lead somewhere, every key and every decision is listed, messages exist, words are ours.
//!
//! Commands in documents run in `tdm-cli`'s tests, code blocks as documentation tests of `tdm-examples`.

mod reference;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::root;

/// Longest `ARCHITECTURE.md`: four pages.
const ARCHITECTURE_LINES_MAX: usize = 220;

/// Longest decision: one page.
const DECISION_LINES_MAX: usize = 80;

/// Stems of words that claim more than masking keeps.
const CLAIMS: [&str; 3] = ["anonym", "gdpr compliant", "gdpr-compliant"];

/// Where the glossary names the words that are not used.
const UNUSED_WORDS: &str = "## Words that are not used";

#[test]
fn links_between_documents_lead_to_files_and_headings_that_exist() {
    let mut faults = Vec::new();
    let mut links = 0;
    for document in documents() {
        let text = read(&document);
        for target in link_targets(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            if !path.exists() {
                faults.push(format!("{}: {target} does not exist", shown(&document)));
            } else if !heading.is_empty() && !headings(&read(&path)).contains(heading) {
                faults.push(format!(
                    "{}: {target} has no such heading",
                    shown(&document)
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(links > 30, "only {links} links were found");

    assert_eq!(
        link_targets("[a](b.md#c) ![d](e.png) `[f](g)`"),
        ["b.md#c", "e.png"]
    );
    assert!(headings("# What works today, `now`\n").contains("what-works-today-now"));
}

#[test]
fn the_pages_of_the_book_and_its_summary_are_the_same() {
    let folder = root().join("docs/book/src");
    let listed: BTreeSet<String> = link_targets(&read(&folder.join("SUMMARY.md")))
        .into_iter()
        .collect();
    let mut present: BTreeSet<String> = files_in(&folder)
        .iter()
        .map(|path| file_name(path))
        .collect();
    present.remove("SUMMARY.md");
    assert_eq!(listed, present);
}

#[test]
fn every_decision_is_listed_and_short_and_says_what_would_change_it() {
    let folder = root().join("docs/adr");
    let index = read(&folder.join("README.md"));
    let mut numbers = Vec::new();
    for path in files_in(&folder)
        .iter()
        .filter(|path| !path.ends_with("README.md"))
    {
        let (name, text) = (file_name(path), read(path));
        let number = name.split('-').next().unwrap().to_owned();
        assert!(
            index.contains(&format!("[{number}]({name})")),
            "{name} is not in the index"
        );
        assert!(
            text.starts_with(&format!("# {number}: ")),
            "{name} has another number inside"
        );
        for part in [
            "## Context",
            "## Options",
            "## Choice",
            "## What would change our mind",
        ] {
            assert!(text.contains(part), "{name} has no `{part}`");
        }
        let lines = text.lines().count();
        assert!(
            lines <= DECISION_LINES_MAX,
            "{name} has {lines} lines, at most {DECISION_LINES_MAX}"
        );
        numbers.push(number);
    }
    let expected: Vec<String> = (1..=numbers.len()).map(|n| format!("{n:04}")).collect();
    numbers.sort();
    assert_eq!(numbers, expected);
    assert_eq!(
        index.matches(".md)").count(),
        numbers.len(),
        "the index lists more than there is"
    );
}

#[test]
fn the_architecture_fits_on_four_pages() {
    let lines = read(&root().join("ARCHITECTURE.md")).lines().count();
    assert!(
        lines <= ARCHITECTURE_LINES_MAX,
        "{lines} lines, at most {ARCHITECTURE_LINES_MAX}"
    );
}

#[test]
fn the_architecture_names_every_crate() {
    let text = read(&root().join("ARCHITECTURE.md"));
    for package in crate::workspace::declared().workspace_packages() {
        let name = package.name.as_str();
        if !["tdm-examples", "tdm-tests"].contains(&name) {
            assert!(
                text.contains(&format!("| `{name}` |")),
                "{name} is not in the table of crates"
            );
        }
    }
}

#[test]
fn documents_make_no_claim_that_masking_cannot_keep() {
    let mut faults = Vec::new();
    for document in documents() {
        let text = read(&document);
        // The one place where the words stand is the list of words that are not used.
        let text = if document.ends_with("glossary.md") {
            text.split(UNUSED_WORDS).next().unwrap()
        } else {
            &text
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            if CLAIMS.iter().any(|claim| line.contains(claim)) {
                faults.push(format!("{}:{}: {line}", shown(&document), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(read(&root().join("docs/glossary.md")).contains(UNUSED_WORDS));
}

#[test]
fn a_line_of_prose_is_one_sentence() {
    let mut faults = Vec::new();
    for document in documents() {
        for (number, line) in prose(&read(&document)) {
            if has_two_sentences(&line) {
                faults.push(format!("{}:{number}: {line}", shown(&document)));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));

    assert!(has_two_sentences("It is one. It is two."));
    assert!(!has_two_sentences(
        "See RFC 5869, e.g. version 1.94 or `a. B`."
    ));
}

#[test]
fn the_reference_of_workflow_files_has_every_key_of_the_reader_and_no_other() {
    let reader = files_in(&root().join("crates/tdm/src/workflow"));
    let read_by_program: BTreeSet<String> = reader
        .iter()
        .flat_map(|file| keys_of_the_reader(&read(file)))
        .collect();
    let page = read(&root().join("docs/book/src/workflow-file.md"));
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(key, _)| key.to_owned())
        .collect();
    let missing: Vec<_> = read_by_program.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&read_by_program).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not on the page: {missing:?}; not read: {invented:?}"
    );
    assert!(
        read_by_program.len() > 40,
        "only {} keys were found",
        read_by_program.len()
    );
}

#[test]
fn every_message_in_the_database_guide_is_one_that_a_program_prints() {
    let guide = read(&root().join("docs/database.md"));
    let (_, table) = guide.split_once("## When something is wrong").unwrap();
    let messages: Vec<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .flat_map(|row| code_spans(row.split(" | ").next().unwrap()))
        .collect();
    assert!(messages.len() >= 20, "{messages:?}");
    let sources = product_text();
    let faults: Vec<_> = messages
        .iter()
        .filter(|message| {
            !message
                .split('…')
                .all(|part| sources.contains(part.trim_matches('`').trim()))
        })
        .collect();
    assert!(faults.is_empty(), "nobody prints {faults:#?}");
}

#[test]
fn the_database_guide_describes_every_table() {
    let guide = read(&root().join("docs/database.md"));
    let history = read(&root().join("migration/src/m20261122_000001_create_metadata.rs"));
    let (_, list) = history.split_once("CREATES").unwrap();
    let list = list.split(';').next().unwrap();
    let tables: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(tables.len(), 14, "{tables:?}");
    for table in tables {
        assert!(
            guide.contains(&format!("\n| `{table}` |")),
            "{table} is not in the guide"
        );
    }
}

#[test]
fn changes_that_are_not_released_are_named_after_their_kind() {
    let folder = root().join("docs/changelog.d");
    for path in files_in(&folder)
        .iter()
        .filter(|path| !path.ends_with("README.md"))
    {
        let name = file_name(path);
        let kind = name.trim_end_matches(".md").rsplit('.').next().unwrap();
        assert!(
            ["added", "changed", "fixed", "removed", "security"].contains(&kind),
            "{name}: unknown kind"
        );
        assert!(!read(path).trim().is_empty(), "{name} says nothing");
    }
}

/// Keys that the reader asks for, with the path that its messages use.
fn keys_of_the_reader(source: &str) -> BTreeSet<String> {
    const ASKING: [&str; 9] = [
        ".required(\"",
        ".text(\"",
        ".texts(\"",
        ".count(\"",
        ".number(\"",
        ".boolean(\"",
        ".list(\"",
        ".map(\"",
        ".node(\"",
    ];
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut keys = BTreeSet::new();
    let mut path = "";
    for line in source.lines() {
        let name = line.trim_start_matches("pub(super) ").strip_prefix("fn ");
        if let Some(name) = name.and_then(|rest| rest.split(['(', '<']).next()) {
            path = match name {
                "workflow" => "",
                "discover" => "discover.",
                "classify" => "classify.",
                "subset" => "subset.",
                "seed" => "subset.seeds.",
                "edge" => "subset.edges.",
                "mask" => "mask.",
                "rule" => "mask.rules.",
                "synthesize" => "synthesize.",
                "provision" => "provision.",
                _ => path,
            };
        }
        let asked = ASKING
            .iter()
            .filter_map(|asking| line.split_once(asking))
            .map(|(_, rest)| rest);
        let steps = line
            .split_once("step(&mut fields, \"")
            .map(|(_, rest)| rest);
        for rest in asked.chain(steps) {
            let key = rest.split('"').next().unwrap();
            // The long form of a column's generator is a map within the map.
            let nested = path == "synthesize." && ["generator", "params"].contains(&key);
            keys.insert(format!(
                "{path}{}{key}",
                if nested { "columns." } else { "" }
            ));
        }
    }
    keys
}

/// All documents of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in files_in(&root()) {
        if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// Lines of text that are no code, table, heading or comment, with list marks and code spans taken out.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && !line.starts_with(['|', '#', '<']) {
            lines.push((number + 1, without_code(line)));
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("code")
}

/// Whether a full stop, question or exclamation mark is followed by another sentence. Bold words that open a line are its
/// heading.
fn has_two_sentences(line: &str) -> bool {
    let line = without_code(line);
    let line = line.trim_start().trim_start_matches("- ");
    let heading = line
        .strip_prefix("**")
        .and_then(|rest| rest.split_once("**"));
    let line = heading.map_or(line, |(_, rest)| rest);
    [". ", "? ", "! "].iter().any(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let before = &line[..at];
            let abbreviation = ["e.g", "i.e", "etc"]
                .iter()
                .any(|word| before.ends_with(word));
            let number_of_a_list = before.chars().all(|c| c.is_ascii_digit());
            let next = line[at + mark.len()..].chars().next();
            !abbreviation && !number_of_a_list && next.is_some_and(char::is_uppercase)
        })
    })
}

/// What `[text](target)` leads to, code left out.
fn link_targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // A code span inside the text of a link is part of it; one around a link is not a link.
        let plain = if line.contains("[`") {
            line.to_owned()
        } else {
            without_code(line)
        };
        for (at, _) in plain.match_indices("](") {
            let rest = &plain[at + 2..];
            targets.extend(rest.split_once(')').map(|(target, _)| target.to_owned()));
        }
    }
    targets
}

/// Headings as links name them.
fn headings(text: &str) -> BTreeSet<String> {
    let of = |line: &str| {
        let kept = line
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>()
            .trim()
            .to_lowercase()
            .replace(' ', "-")
    };
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| of(line.trim_start_matches('#')))
        .collect()
}

/// Texts between backticks; a text with backticks stands between two of them.
fn code_spans(cell: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut rest = cell;
    while let Some(start) = rest.find('`') {
        let fence = if rest[start..].starts_with("``") {
            "``"
        } else {
            "`"
        };
        let inside = &rest[start + fence.len()..];
        let Some(end) = inside.find(fence) else { break };
        spans.push(inside[..end].trim().to_owned());
        rest = &inside[end + fence.len()..];
    }
    spans
}

/// Sources of the product as one text, with string continuations joined.
fn product_text() -> String {
    let mut text = String::new();
    let mut folders = vec![root().join("crates"), root().join("migration/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let mut continued = false;
                for line in read(&path).lines() {
                    let line = if continued { line.trim_start() } else { line };
                    continued = line.ends_with('\\');
                    text.push_str(line.trim_end_matches('\\'));
                    text.push_str(if continued { "" } else { "\n" });
                }
            }
        }
    }
    text
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
