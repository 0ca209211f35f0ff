//! What of a driver's message may leave this crate: names of schema objects, never values.
//!
//! An allow list of message shapes whose variable part is a schema name. Any other text is dropped and only
//! the engine's code stays.

use rusqlite::ffi;

/// One line without control characters.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_unicode());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// A sentence about an SQLite failure that holds no value.
///
/// `statement` is SQL text that a person wrote; a name in the message is shown only when that text has it as
/// a bare word. In double quotes it may well be a value that the person meant as a string.
pub(crate) fn sqlite(error: ffi::Error, message: &str, statement: Option<&str>) -> String {
    // The driver appends the statement to messages about preparing it.
    let message = message.split(" in ").next().unwrap_or(message);
    for prefix in ["no such column: ", "no such function: ", "no such table: "] {
        if let Some(name) = message.strip_prefix(prefix) {
            let shown = statement.is_none_or(|sql| has_bare_word(sql, name));
            return if shown {
                one_line(message)
            } else {
                let mut kind = prefix.trim_end_matches([':', ' ']).to_owned();
                kind.push_str(" (name withheld; strings are written in single quotes)");
                kind
            };
        }
    }
    if message.starts_with("near ") && message.ends_with("syntax error") {
        return "syntax error".to_owned();
    }
    const FIXED: [&str; 10] = [
        "incomplete input",
        "database is locked",
        "database table is locked",
        "database schema is locked",
        "attempt to write a readonly database",
        "unable to open database file",
        "file is not a database",
        "database disk image is malformed",
        "database or disk is full",
        "disk I/O error",
    ];
    if FIXED.contains(&message) {
        return format!("{message} (code {})", error.extended_code);
    }
    for prefix in [
        "ambiguous column name: ",
        "no such module: ",
        "no such collation sequence: ",
    ] {
        if message.starts_with(prefix) && statement.is_none() {
            return one_line(message);
        }
    }
    format!("SQLite error, code {}", error.extended_code)
}

/// Whether `name` (also `table.column`) stands in `sql` outside quotes.
fn has_bare_word(sql: &str, name: &str) -> bool {
    let Ok(tokens) = crate::sqlite::token::tokens(sql) else {
        return false;
    };
    name.split('.').all(|part| {
        tokens
            .iter()
            .any(|t| t.kind == crate::sqlite::token::Kind::Word && t.text == part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(message: &str, statement: Option<&str>) -> String {
        sqlite(ffi::Error::new(1), message, statement)
    }

    #[test]
    fn a_value_in_double_quotes_is_withheld_and_a_misspelt_name_is_shown() {
        let shown = scrubbed("no such column: nmae", Some("nmae = 'x'"));
        assert_eq!(shown, "no such column: nmae");
        let hidden = scrubbed("no such column: canary", Some("name = \"canary\""));
        assert!(!hidden.contains("canary"));
    }

    #[test]
    fn unknown_messages_leave_only_their_code() {
        let text = scrubbed("bad JSON path: 'canary'", None);
        assert_eq!(text, "SQLite error, code 1");
        assert!(!scrubbed("near \"canary\": syntax error", None).contains("canary"));
    }

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(one_line("a\nb"), "a\\u{a}b");
    }
}
