//! Entity-relationship diagrams in Mermaid's language.

use std::fmt::Write as _;

use tdm_core::catalog::RelationshipKind;
use tdm_core::ident::TableRef;

use super::{Picture, View, is_optional, is_single, marks};
use crate::error::Error;

/// The diagram. Dashed lines are references that the schema does not declare.
///
/// # Errors
/// When the table of the view does not exist or is ambiguous.
pub fn mermaid(picture: &Picture<'_>, view: &View) -> Result<String, Error> {
    let tables = picture.tables(view)?;
    let references = picture.references_among(&tables);
    let categories = picture.categories();
    let mut text = String::from("erDiagram\n");
    let name = |table: &TableRef| -> String {
        let number = tables
            .iter()
            .position(|t| t.table == *table)
            .unwrap_or_default();
        format!("t{number}")
    };
    for table in &tables {
        let _ = writeln!(
            text,
            "    {}[\"{}\"] {{",
            name(&table.table),
            quoted(&table.table.to_string())
        );
        for column in &table.columns {
            let marks = marks(table, &column.name, &references).join(", ");
            let place = table.table.column(&column.name);
            let mut notes = Vec::new();
            let word = word(&column.name);
            if word != column.name {
                notes.push(quoted(&column.name));
            }
            notes.extend(categories.get(&place).map(ToString::to_string));
            let space = if marks.is_empty() { "" } else { " " };
            let note = if notes.is_empty() {
                String::new()
            } else {
                format!(" \"{}\"", notes.join(", "))
            };
            let kind = type_word(&column.logical.to_string());
            let _ = writeln!(text, "        {kind} {word}{space}{marks}{note}");
        }
        text.push_str("    }\n");
    }
    for reference in references {
        let child = tables.iter().find(|t| t.table == reference.child).copied();
        let parent_end = if is_optional(child, reference) {
            "|o"
        } else {
            "||"
        };
        let child_end = if is_single(child, reference) {
            "o|"
        } else {
            "o{"
        };
        let line = if reference.kind == RelationshipKind::Declared {
            "--"
        } else {
            ".."
        };
        let columns = quoted(&reference.child_columns().join(", "));
        let (parent, child) = (name(&reference.parent), name(&reference.child));
        let _ = writeln!(
            text,
            "    {parent} {parent_end}{line}{child_end} {child} : \"{columns}\""
        );
    }
    Ok(text)
}

/// Inside double quotes nothing but a double quote and a line's end has a meaning; entities are Mermaid's escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("#quot;"),
            '#' => quoted.push_str("#35;"),
            '<' => quoted.push_str("#lt;"),
            '>' => quoted.push_str("#gt;"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted
}

/// Attribute names are words: letters, digits, `_`, `-`, beginning with a letter.
fn word(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    let word: String = name.chars().map(plain).collect();
    if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        word
    } else {
        format!("c{word}")
    }
}

/// `decimal(10,2)` without the comma, which a type word cannot have.
fn type_word(kind: &str) -> String {
    kind.replace(',', "_")
}
