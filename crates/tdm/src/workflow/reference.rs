//! References as people write them.

use std::fmt;

/// A reference as a person writes it: `child(a, b) -> parent(x, y)`.
///
/// Names with blanks, dots, commas, parentheses or quotes stand in double quotes, doubled inside. The columns may be
/// left out on both sides where the tables alone say which reference is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceText {
    /// Child table.
    pub child: String,
    /// Its columns; empty when left out.
    pub child_columns: Vec<String>,
    /// Parent table.
    pub parent: String,
    /// Its columns; empty when left out.
    pub parent_columns: Vec<String>,
}

impl ReferenceText {
    /// Reads `child(a, b) -> parent(x, y)`.
    ///
    /// # Errors
    /// When the text has another form: a sentence that says which.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (child, parent) = split_outside_quotes(text, "->")
            .ok_or("a reference is written `child(column) -> parent(column)`")?;
        let (child, child_columns) = side(child)?;
        let (parent, parent_columns) = side(parent)?;
        if child_columns.len() != parent_columns.len() {
            return Err("both sides need the same number of columns".to_owned());
        }
        Ok(Self {
            child,
            child_columns,
            parent,
            parent_columns,
        })
    }
}

impl fmt::Display for ReferenceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = |list: &[String]| {
            if list.is_empty() {
                String::new()
            } else {
                format!("({})", list.join(", "))
            }
        };
        write!(
            f,
            "{}{} -> {}{}",
            self.child,
            columns(&self.child_columns),
            self.parent,
            columns(&self.parent_columns)
        )
    }
}

fn side(text: &str) -> Result<(String, Vec<String>), String> {
    let text = text.trim();
    let Some((table, rest)) = split_outside_quotes(text, "(") else {
        return Ok((name(text)?, Vec::new()));
    };
    let inside = rest.trim().strip_suffix(')').ok_or("a `)` is missing")?;
    let mut columns = Vec::new();
    let mut rest = inside;
    loop {
        match split_outside_quotes(rest, ",") {
            Some((column, more)) => {
                columns.push(name(column)?);
                rest = more;
            }
            None => {
                columns.push(name(rest)?);
                break;
            }
        }
    }
    Ok((name(table)?, columns))
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let unquoted = match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => text.to_owned(),
    };
    if unquoted.is_empty() {
        Err("a name is missing".to_owned())
    } else {
        Ok(unquoted)
    }
}

fn split_outside_quotes<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if !quoted && text[at..].starts_with(separator) {
            return Some((&text[..at], &text[at + separator.len()..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_composite_names_are_read() {
        let reference =
            ReferenceText::parse(r#"sales.items(order_id, "line, no") -> "the orders"(id, no)"#)
                .unwrap();
        assert_eq!(reference.child, "sales.items");
        assert_eq!(reference.child_columns, ["order_id", "line, no"]);
        assert_eq!(reference.parent, "the orders");
        assert_eq!(reference.parent_columns, ["id", "no"]);
        assert!(
            ReferenceText::parse("a -> b")
                .unwrap()
                .child_columns
                .is_empty()
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "a(b)",
            "a(b) -> c(d, e)",
            "a(b -> c(d)",
            "a() -> b()",
            "-> b",
            "",
        ] {
            assert!(ReferenceText::parse(text).is_err(), "{text}");
        }
    }
}
