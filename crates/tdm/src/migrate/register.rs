//! Entering a new migration in the list of migrations: two files of the `migration` crate, edited as text.

use crate::error::{Error, Result};

/// `lib.rs` with the module `name` after the last migration's.
pub(super) fn in_lib(source: &str, name: &str) -> Result<String> {
    after_last(
        source,
        |line| is_migration(line, "mod "),
        &format!("mod {name};"),
    )
    .ok_or_else(|| unexpected("src/lib.rs", "a line `mod m…;`"))
}

/// `history.rs` with `name` at the end of the list that `entries` returns.
pub(super) fn in_history(source: &str, name: &str) -> Result<String> {
    let file = "src/history.rs";
    let source = after_last(
        source,
        |line| is_migration(line, "use crate::"),
        &format!("use crate::{name};"),
    )
    .ok_or_else(|| unexpected(file, "a line `use crate::m…;`"))?;
    let function = source
        .find("fn entries()")
        .ok_or_else(|| unexpected(file, "a function `entries`"))?;
    let list = "vec![";
    let start = source[function..]
        .find(list)
        .map(|at| function + at + list.len())
        .ok_or_else(|| unexpected(file, "a list in `entries`"))?;
    let end = start
        + closing(&source[start..])
            .ok_or_else(|| unexpected(file, "the end of the list in `entries`"))?;
    let body = &source[start..end];
    // A list of one stands on the line of its bracket; in a longer one each entry has its own indentation.
    let body = if body.starts_with('\n') {
        body.trim_end().trim_end_matches(',').to_owned()
    } else {
        format!(
            "\n        {}",
            body.trim().trim_end_matches(',').replace('\n', "\n    ")
        )
    };
    let entry = format!(
        "        Entry {{\n            migration: Box::new({name}::Migration),\n            \
         creates: {name}::CREATES,\n            drops: {name}::DROPS,\n        }},\n    "
    );
    Ok(format!(
        "{}{body},\n{entry}{}",
        &source[..start],
        &source[end..]
    ))
}

/// Where the bracket closes that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn is_migration(line: &str, before: &str) -> bool {
    line.strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(';'))
        .is_some_and(|name| super::write::Name::parse(name).is_some())
}

fn after_last(source: &str, is: impl Fn(&str) -> bool, new: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let last = lines.iter().rposition(|line| is(line))?;
    let mut all = lines[..=last].to_vec();
    all.push(new);
    all.extend(&lines[last + 1..]);
    Some(format!("{}\n", all.join("\n")))
}

fn unexpected(file: &str, what: &str) -> Error {
    Error::Settings(format!(
        "{file} of the migration crate has another form than expected: {what} is missing"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = include_str!("../../../../migration/src/lib.rs");
    const HISTORY: &str = include_str!("../../../../migration/src/history.rs");

    #[test]
    fn a_migration_is_entered_after_the_last_one() {
        let (first, second) = ("m20300101_000008_a", "m20300102_000009_b");
        let lib = in_lib(&in_lib(LIB, first).unwrap(), second).unwrap();
        assert!(
            lib.contains(&format!("mod {first};\nmod {second};\nmod portable;")),
            "{lib}"
        );
        let one = in_history(HISTORY, first).unwrap();
        let two = in_history(&one, second).unwrap();
        for (text, names) in [(&one, vec![first]), (&two, vec![first, second])] {
            for name in names {
                assert_eq!(text.matches(&format!("use crate::{name};")).count(), 1);
                assert_eq!(
                    text.matches(&format!("Box::new({name}::Migration)"))
                        .count(),
                    1
                );
            }
        }
        assert!(two.find(first) < two.find(second));
        super::super::write::tests::rustfmt_agrees(&one);
        super::super::write::tests::rustfmt_agrees(&two);
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        assert!(in_lib("mod portable;\n", "m20300101_000001_a").is_err());
        assert!(in_history("use crate::m20300101_000001_a;\n", "m20300101_000002_b").is_err());
    }
}
