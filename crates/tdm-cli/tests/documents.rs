//! Every command in a document runs here, in order, in an empty directory, and prints what the document shows.
//!
//! A `console` block holds commands after `$ `; the other lines must appear in what they print, where `…` stands for
//! anything within a line. Before a block, `<!-- exit: 3 -->` says how its last command ends, and `<!-- file: NAME -->`
//! before any other block writes that file. `cargo tdm` means the program that was built with this test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that are not run here: running all tests inside a test would never end.
const NOT_RUN: [&str; 1] = ["scripts/test"];

#[derive(Debug, PartialEq, Eq)]
enum Part {
    File {
        name: String,
        text: String,
    },
    Console {
        line: usize,
        exit: i32,
        text: String,
    },
}

#[test]
fn the_commands_of_the_readme_run() {
    run("README.md");
}

#[test]
fn the_commands_of_the_database_guide_run() {
    run("docs/database.md");
}

#[test]
fn the_commands_of_the_first_ten_minutes_run() {
    run("docs/book/src/first-ten-minutes.md");
}

#[test]
fn the_commands_of_the_exit_codes_run() {
    run("docs/book/src/exit-codes.md");
}

#[test]
fn no_other_document_shows_commands() {
    let known = [
        "README.md",
        "docs/database.md",
        "docs/book/src/first-ten-minutes.md",
        "docs/book/src/exit-codes.md",
    ];
    let mut folders = vec![root().join("docs")];
    let mut documents = vec![
        root().join("README.md"),
        root().join("ARCHITECTURE.md"),
        root().join("CONTRIBUTING.md"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                documents.push(path);
            }
        }
    }
    let mut seen = 0;
    for path in documents {
        let shows = fs::read_to_string(&path).is_ok_and(|text| text.contains("```console"));
        let name = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(shows, known.contains(&name.as_str()), "{name}");
        seen += usize::from(shows);
    }
    assert_eq!(seen, known.len());
}

#[test]
fn the_workflow_of_the_readme_is_short() {
    let files = parts(&fs::read_to_string(root().join("README.md")).unwrap());
    let lines: Vec<usize> = files
        .iter()
        .filter_map(|part| match part {
            Part::File { text, .. } => Some(text.lines().count()),
            Part::Console { .. } => None,
        })
        .collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0] <= 30, "{} lines", lines[0]);
}

#[test]
fn blocks_are_understood() {
    let text = "<!-- file: a.yaml -->\n```yaml\nx: 1\n```\n\n<!-- exit: 3 -->\n```console\n$ tdm doctor\nwrong\n```\n```sh\npg_dump\n```\n";
    let expected = [
        Part::File {
            name: "a.yaml".to_owned(),
            text: "x: 1\n".to_owned(),
        },
        Part::Console {
            line: 7,
            exit: 3,
            text: "$ tdm doctor\nwrong\n".to_owned(),
        },
    ];
    assert_eq!(parts(text), expected);
    assert!(
        appears("a … c", "x\n  a   b c d\n")
            && appears("a b", "a   b")
            && !appears("c … a", "a b c")
    );
}

fn run(document: &str) {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut commands = 0;
    for part in parts(&text) {
        match part {
            Part::File { name, text } => {
                let path = directory.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Part::Console { line, exit, text } => {
                let place = format!("{document}:{line}");
                commands += console(&place, directory.path(), exit, &text);
            }
        }
    }
    assert!(commands > 0, "{document} shows no command");
}

/// Runs the commands of one block; all but the last must end well.
fn console(place: &str, directory: &Path, exit: i32, text: &str) -> usize {
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command, Vec::new())),
            (None, Some((_, expected))) => expected.push(line),
            (None, None) => panic!("{place}: output before any command"),
        }
    }
    for (number, (command, expected)) in steps.iter().enumerate() {
        if NOT_RUN.contains(command) {
            assert!(
                root().join(command).is_file(),
                "{place}: {command} is not there"
            );
            continue;
        }
        let wanted = if number + 1 == steps.len() { exit } else { 0 };
        let (code, said) = shell(directory, command);
        assert_eq!(
            code,
            Some(wanted),
            "{place}: `{command}` ended with another status:\n{said}"
        );
        for line in expected {
            assert!(
                appears(line, &said),
                "{place}: `{command}` does not print `{line}`:\n{said}"
            );
        }
    }
    steps.len()
}

fn shell(directory: &Path, command: &str) -> (Option<i32>, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_tdm"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &command.replace("cargo tdm", "tdm")])
        .current_dir(directory)
        .env("PATH", path)
        .env("USER", "reader")
        .env_remove("DATABASE_URL")
        .env_remove("TARGET_DATABASE_URL")
        .env_remove("TDM_KEY")
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), said)
}

/// Whether some line of `said` holds the parts of `shown` in order, blanks counted as one.
fn appears(shown: &str, said: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = squeeze(shown);
    let parts: Vec<&str> = shown
        .split('…')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    said.lines().map(squeeze).any(|line| {
        let mut rest = line.as_str();
        parts.iter().all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut file, mut exit) = (None, 0);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            if let Some(name) = comment.strip_prefix("file: ") {
                file = Some(name.to_owned());
            } else if let Some(code) = comment.strip_prefix("exit: ") {
                exit = code.parse().unwrap();
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let mut block = String::new();
            for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
                block.push_str(line);
                block.push('\n');
            }
            if language == "console" {
                parts.push(Part::Console {
                    line: number + 1,
                    exit,
                    text: block,
                });
            } else if let Some(name) = file.take() {
                parts.push(Part::File { name, text: block });
            }
            exit = 0;
        }
    }
    parts
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}
