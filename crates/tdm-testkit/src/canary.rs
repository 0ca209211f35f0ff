//! Canaries: made-up values, one a category, that must be found nowhere but where they were planted.
//!
//! Plant them in a source, run a job, then look through everything the job left behind. A canary that is found
//! panics with the category and the place, never with what stands around it.
//!
//! ```
//! use tdm_core::category::Category;
//! use tdm_testkit::canary;
//! let mail = canary::token(Category::Email);
//! canary::assert_absent_in_text("a report", "3 columns masked");
//! assert!(!canary::found_in(mail.as_bytes()).is_empty());
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use tdm_core::category::Category;

/// One made-up value a category. Each is in the form of its category and occurs nowhere else in the world.
const TOKENS: &str = include_str!("canary/tokens.txt");

/// A canary that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Which canary.
    pub category: Category,
    /// In which form: `text`, `utf-16` or `hexadecimal`.
    pub form: &'static str,
    /// Byte offset.
    pub offset: usize,
}

/// The canaries by category.
pub fn tokens() -> &'static BTreeMap<Category, &'static str> {
    static ALL: OnceLock<BTreeMap<Category, &'static str>> = OnceLock::new();
    ALL.get_or_init(|| {
        TOKENS
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(category, token)| {
                let category = category.trim().parse().expect("a category of ours");
                (category, token.trim())
            })
            .collect()
    })
}

/// The canary of a category.
///
/// # Panics
/// For [`Category::None`], which is not personal.
#[track_caller]
pub fn token(category: Category) -> &'static str {
    tokens()
        .get(&category)
        .unwrap_or_else(|| panic!("there is no canary of `{category}`"))
}

struct Net {
    patterns: AhoCorasick,
    meaning: Vec<(Category, &'static str)>,
}

fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut meaning = Vec::new();
        for (category, token) in tokens() {
            let utf16 = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let hexadecimal = tdm_core::catalog::hex(token.as_bytes()).into_bytes();
            for (form, pattern) in [
                ("text", token.as_bytes().to_vec()),
                ("utf-16", utf16),
                ("hexadecimal", hexadecimal),
            ] {
                patterns.push(pattern);
                meaning.push((*category, form));
            }
        }
        Net {
            patterns: AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(patterns)
                .expect("a hundred short patterns make an automaton"),
            meaning,
        }
    })
}

/// Canaries in `bytes`, in any case of letters, as text, UTF-16 or hexadecimal; the first of each kind.
pub fn found_in(bytes: &[u8]) -> Vec<Sighting> {
    let net = net();
    let mut found: Vec<Sighting> = Vec::new();
    for hit in net.patterns.find_overlapping_iter(bytes) {
        let (category, form) = net.meaning[hit.pattern().as_usize()];
        if !found
            .iter()
            .any(|s| (s.category, s.form) == (category, form))
        {
            found.push(Sighting {
                category,
                form,
                offset: hit.start(),
            });
        }
    }
    found
}

/// Asserts that no canary is in `bytes`.
///
/// # Panics
/// Naming `place`, categories and offsets when one is.
#[track_caller]
pub fn assert_absent(place: &str, bytes: &[u8]) {
    report(
        found_in(bytes)
            .into_iter()
            .map(|s| (place.to_owned(), s))
            .collect(),
    );
}

/// Asserts that no canary is in `text`.
///
/// # Panics
/// Naming `place`, categories and offsets when one is.
#[track_caller]
pub fn assert_absent_in_text(place: &str, text: &str) {
    assert_absent(place, text.as_bytes());
}

/// Asserts that no canary is in any file below `folder`, those of `except` left out; databases are looked through
/// as raw bytes, with their journals.
///
/// # Panics
/// Naming files, categories and offsets when one is, or when nothing could be read.
#[track_caller]
pub fn assert_absent_below(folder: &Path, except: &[&Path]) {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(
        !files.is_empty(),
        "{}: nothing to look through",
        folder.display()
    );
    let left_out = |path: &PathBuf| except.iter().any(|e| path == e);
    let mut found = Vec::new();
    for path in files.iter().filter(|path| !left_out(path)) {
        match fs::read(path) {
            Ok(bytes) => {
                let place = path.display().to_string();
                found.extend(found_in(&bytes).into_iter().map(|s| (place.clone(), s)));
            }
            Err(error) => panic!("{}: cannot be read: {}", path.display(), error.kind()),
        }
    }
    report(found);
}

#[track_caller]
fn report(found: Vec<(String, Sighting)>) {
    let lines: Vec<String> = found
        .into_iter()
        .map(|(place, s)| {
            format!(
                "canary `{}` as {} in {place}, byte {}",
                s.category, s.form, s.offset
            )
        })
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn there_is_one_distinct_canary_a_personal_category() {
        let personal = Category::ALL.iter().filter(|c| c.is_personal());
        assert!(personal.clone().all(|c| token(*c).len() >= 9));
        let distinct: BTreeSet<_> = tokens().values().collect();
        assert_eq!(distinct.len(), personal.count());
        for (category, one) in tokens() {
            let sightings = found_in(one.as_bytes());
            assert_eq!(sightings.len(), 1, "{category} is part of another");
        }
    }

    #[test]
    fn every_form_is_found_and_the_report_holds_no_canary() {
        let one = token(Category::Email);
        let utf16: Vec<u8> = one.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let forms = [
            format!("x{}x", one.to_uppercase()).into_bytes(),
            utf16,
            tdm_core::catalog::hex(one.as_bytes()).into_bytes(),
        ];
        for bytes in forms {
            let caught = catch_unwind(AssertUnwindSafe(|| assert_absent("here", &bytes)));
            let message = caught.unwrap_err();
            let message = message.downcast_ref::<String>().unwrap();
            assert!(message.contains("here"), "{message}");
            assert!(!message.contains(one) && !message.contains("canary.tdm"));
        }
    }

    #[test]
    fn files_are_found_below_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a");
        fs::create_dir(&inner).unwrap();
        let file = inner.join("shop.db");
        fs::write(&file, format!("\0\u{1}{}", token(Category::Iban))).unwrap();
        assert!(catch_unwind(|| assert_absent_below(folder.path(), &[])).is_err());
        assert_absent_below(folder.path(), &[&file]);
        fs::write(&file, "harmless").unwrap();
        assert_absent_below(folder.path(), &[]);
    }
}
