//! `tdm migrate new`: the next migration, written from the difference between history and entities.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Serialize;
use tdm_core::catalog::Catalog;

use super::plan::Plan;
use super::register;
use super::render::{Rendered, render};
use super::scratch::{Scratch, read};
use crate::error::{Error, Result};

/// Longest description in a name.
const DESCRIPTION_CHARS_MAX: usize = 60;

/// A migration that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Files in which it was entered.
    pub registered: Vec<PathBuf>,
    /// What a person has to decide before it is applied; each is a comment in the file too.
    pub decisions: Vec<String>,
}

impl fmt::Display for NewReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {}", self.file.display())?;
        for path in &self.registered {
            write!(f, "\nentered in {}", path.display())?;
        }
        match self.decisions.len() {
            0 => {}
            1 => f.write_str("\n\n1 thing to decide, marked `DECIDE` in the file:")?,
            many => write!(
                f,
                "\n\n{many} things to decide, marked `DECIDE` in the file:"
            )?,
        }
        self.decisions
            .iter()
            .try_for_each(|decision| write!(f, "\n  - {decision}"))
    }
}

/// Writes the next migration into the `migration` crate at `directory` and enters it there.
///
/// It takes the database from what the history makes today to what the entities of this program describe, and back. Where
/// a person must decide, a comment that starts with `// DECIDE:` says so. `empty` asks for one without changes, to move
/// data for example; without it, a difference is needed.
///
/// # Errors
/// [`Error::Settings`] when the description holds no letter or digit, nothing differs, the date lies before the newest
/// migration's, or the crate in `directory` is not the one that this program was built from; [`Error::File`] when a file
/// cannot be read or written. Nothing is written then, except that a file of the crate may have been replaced before
/// the next one failed.
pub async fn new(
    description: &str,
    directory: &Path,
    date: NaiveDate,
    empty: bool,
) -> Result<NewReport> {
    let description = snake_case(description)?;
    let scratch = Scratch::new()?;
    let (history, known) = scratch.by_history().await?;
    let source = directory.join("src");
    let newest = newest(&source, &known)?;
    let name = next_name(&newest, date, &description)?;
    let rendered = if empty {
        render(
            &title(&description),
            &Plan {
                up: Vec::new(),
                down: Vec::new(),
            },
        )
    } else {
        let entities = scratch.by_entities().await?;
        draft(
            &description,
            &read(&history).await?,
            &read(&entities).await?,
        )?
    };

    let [lib, list] = ["lib.rs", "history.rs"].map(|file| source.join(file));
    let edited_lib = register::in_lib(&text(&lib)?, &name)?;
    let edited_list = register::in_history(&text(&list)?, &name)?;
    let file = source.join(format!("{name}.rs"));
    let mut created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .map_err(|error| Error::file(&file, &error))?;
    write_all(&mut created, &file, &rendered.source)?;
    replace(&list, &edited_list)?;
    replace(&lib, &edited_lib)?;
    Ok(NewReport {
        name,
        file,
        registered: vec![list, lib],
        decisions: rendered.decisions,
    })
}

/// The migration from `history` to `entities`.
fn draft(description: &str, history: &Catalog, entities: &Catalog) -> Result<Rendered> {
    let plan = Plan::between(history, entities);
    if plan.up.is_empty() && plan.down.is_empty() {
        return Err(Error::Settings(
            "entities and history agree, so there is nothing to write; `--empty` asks for a migration without changes"
                .to_owned(),
        ));
    }
    Ok(render(&title(description), &plan))
}

/// The name of a migration: `m<date>_<number>_<description>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    date: &'a str,
    number: u32,
}

impl<'a> Name<'a> {
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (date, rest) = name.strip_prefix('m')?.split_once('_')?;
        let (number, description) = rest.split_once('_')?;
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        (digits(date, 8) && digits(number, 6) && !description.is_empty())
            .then(|| number.parse().ok().map(|number| Self { date, number }))?
    }
}

/// The newest migration of the crate, which must have exactly the migrations that this program knows.
fn newest(source: &Path, known: &[String]) -> Result<String> {
    let failed = |error: std::io::Error| Error::file(source, &error);
    let mut there = Vec::new();
    for entry in std::fs::read_dir(source).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".rs"));
        there.extend(
            name.filter(|name| Name::parse(name).is_some())
                .map(str::to_owned),
        );
    }
    there.sort();
    let mut known = known.to_vec();
    known.sort();
    match there.pop() {
        Some(newest) if [there.as_slice(), std::slice::from_ref(&newest)].concat() == known => {
            Ok(newest)
        }
        _ => Err(Error::Settings(format!(
            "the migrations in {} are not those that this program was built with; build it again",
            source.display()
        ))),
    }
}

fn next_name(newest: &str, date: NaiveDate, description: &str) -> Result<String> {
    let date = date.format("%Y%m%d").to_string();
    let Some(last) = Name::parse(newest).filter(|last| last.date <= date.as_str()) else {
        return Err(Error::Settings(format!(
            "the newest migration is `{newest}`, and a new one of {date} would come before it"
        )));
    };
    Ok(format!("m{date}_{:06}_{description}", last.number + 1))
}

/// Letters and digits in lower case with single underscores between words.
fn snake_case(description: &str) -> Result<String> {
    let mut name = String::new();
    let mut lower_before = false;
    for c in description.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && lower_before {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
            lower_before = !c.is_ascii_uppercase();
        } else {
            if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
            lower_before = false;
        }
    }
    name.truncate(DESCRIPTION_CHARS_MAX);
    let name = name.trim_end_matches('_');
    if name.is_empty() {
        return Err(Error::Settings(
            "the description holds no letter or digit that a name may hold".to_owned(),
        ));
    }
    Ok(name.to_owned())
}

/// The description as the first words of the file.
fn title(description: &str) -> String {
    let words = description.replace('_', " ");
    let (first, rest) = words.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::file(path, &error))
}

/// Writes beside `path` and renames, so that no half file is left.
fn replace(path: &Path, content: &str) -> Result<()> {
    let next = path.with_extension("rs.next");
    let mut file = File::create(&next).map_err(|error| Error::file(&next, &error))?;
    write_all(&mut file, &next, content)?;
    std::fs::rename(&next, path).map_err(|error| Error::file(path, &error))
}

fn write_all(file: &mut File, path: &Path, content: &str) -> Result<()> {
    file.write_all(content.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::file(path, &error))
}

#[cfg(test)]
pub(super) mod tests;
