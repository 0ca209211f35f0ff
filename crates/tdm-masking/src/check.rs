//! What can be read from a check constraint without a SQL parser: the labels of `column IN ('a', 'b')`.

use tdm_core::catalog::TableSchema;

/// Texts that a check constraint lists for `column`; empty when none does.
pub(crate) fn allowed_labels(table: &TableSchema, column: &str) -> Vec<String> {
    table
        .checks
        .iter()
        .filter(|check| !check.exclusion)
        .find_map(|check| labels_in(&check.expression, column))
        .unwrap_or_default()
}

/// Whether `expression` mentions `column` as a word.
pub(crate) fn mentions(expression: &str, column: &str) -> bool {
    words(expression).any(|word| word.eq_ignore_ascii_case(column))
}

fn words(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// `gender IN ('M', 'F')`, or PostgreSQL's own spelling of it:
/// `((gender)::text = ANY ((ARRAY['M'::character varying, 'F'::character varying])::text[]))`.
fn labels_in(expression: &str, column: &str) -> Option<Vec<String>> {
    let (head, list) = split_list(expression)?;
    // One column and nothing else before the list, or the list is about something else.
    let mut named = words(head).filter(|w| {
        ![
            "text",
            "check",
            "any",
            "array",
            "character",
            "varying",
            "in",
        ]
        .iter()
        .any(|known| w.eq_ignore_ascii_case(known))
    });
    if !named.next()?.eq_ignore_ascii_case(column) || named.next().is_some() {
        return None;
    }
    let mut labels = Vec::new();
    let mut rest = list;
    while let Some(start) = rest.find('\'') {
        rest = &rest[start + 1..];
        let mut label = String::new();
        loop {
            let end = rest.find('\'')?;
            label.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => {
                    label.push('\'');
                    rest = more;
                }
                None => break,
            }
        }
        labels.push(label);
    }
    // Anything behind the list may narrow it.
    let behind = rest.to_ascii_lowercase();
    let narrowed = words(&behind).any(|w| w == "and" || w == "or");
    (!labels.is_empty() && !narrowed).then_some(labels)
}

fn split_list(expression: &str) -> Option<(&str, &str)> {
    let lower = expression.to_ascii_lowercase();
    let at = lower
        .find(" in (")
        .or_else(|| lower.find(" in("))
        .or_else(|| lower.find("= any"))?;
    Some((&expression[..at], &expression[at + 3..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_every_engines_spelling() {
        for expression in [
            "gender IN ('M', 'F')",
            "CHECK (gender in ('M','F'))",
            "`gender` in ('M','F')",
            "((gender)::text = ANY ((ARRAY['M'::character varying, 'F'::character varying])::text[]))",
        ] {
            assert_eq!(
                labels_in(expression, "gender").unwrap(),
                ["M", "F"],
                "{expression}"
            );
        }
        assert_eq!(labels_in("a IN ('it''s')", "a").unwrap(), ["it's"]);
    }

    #[test]
    fn what_is_not_plainly_a_list_is_not_read_as_one() {
        for expression in [
            "length(gender) > 1",
            "gender IN ('M','F') AND age > 3",
            "other IN ('M')",
            "age > 3 OR gender IN ('M')",
        ] {
            assert_eq!(labels_in(expression, "gender"), None, "{expression}");
        }
    }
}
