//! Which rule decides a column.
//!
//! Every part of a selector must hold. Of several rules that select a column the one with the more specific
//! kind of selector wins: an exact column, then a pattern (a column or table with `*`, or a table alone), then
//! a category, then a type. Among equals the first wins; a user's rules stand before a policy's.

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::category::Category;
use tdm_core::ident::TableRef;
use tdm_core::rule::{MaskingRule, Selector};

/// How specific a selector is. Greater wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Specificity {
    /// Nothing was said, or only that the column is not personal: gives way inside a reference group.
    NotPersonal,
    Type,
    Category,
    Pattern,
    Exact,
}

pub(crate) fn specificity(selector: &Selector) -> Option<Specificity> {
    let exact = |text: &Option<String>| text.as_ref().is_none_or(|t| !t.contains('*'));
    match selector {
        Selector {
            column: Some(_), ..
        } if exact(&selector.column) && exact(&selector.table) => Some(Specificity::Exact),
        Selector {
            column: Some(_), ..
        }
        | Selector { table: Some(_), .. } => Some(Specificity::Pattern),
        Selector {
            category: Some(Category::None),
            ..
        } => Some(Specificity::NotPersonal),
        Selector {
            category: Some(_), ..
        } => Some(Specificity::Category),
        Selector {
            type_class: Some(_),
            ..
        } => Some(Specificity::Type),
        _ => None,
    }
}

/// Whether `selector` applies to `column`.
pub(crate) fn selects(
    selector: &Selector,
    table: &TableSchema,
    column: &Column,
    category: Option<Category>,
) -> bool {
    selector
        .table
        .as_deref()
        .is_none_or(|pattern| selects_table(pattern, &table.table))
        && selector
            .column
            .as_deref()
            .is_none_or(|pattern| matches(pattern, &column.name))
        && selector
            .category
            .is_none_or(|wanted| category == Some(wanted))
        && selector
            .type_class
            .is_none_or(|wanted| column.logical.class() == wanted)
}

pub(crate) fn selects_table(pattern: &str, table: &TableRef) -> bool {
    matches(pattern, &table.name)
        || table
            .namespace
            .as_ref()
            .is_some_and(|namespace| matches(pattern, &format!("{namespace}.{}", table.name)))
}

/// Whether `text` fits `pattern`, where `*` stands for any run of characters; case does not matter.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// The winning rule among `rules`, which stand in order.
pub(crate) fn winner<'r>(
    rules: &[&'r MaskingRule],
    table: &TableSchema,
    column: &Column,
    category: Option<Category>,
) -> Option<(Specificity, &'r MaskingRule)> {
    let mut best: Option<(Specificity, &MaskingRule)> = None;
    for rule in rules {
        let Some(rank) = specificity(&rule.selector) else {
            continue;
        };
        // "Not personal" is a category like any other here; it gives way inside a reference group only.
        let order = |rank: Specificity| match rank {
            Specificity::NotPersonal => Specificity::Category,
            other => other,
        };
        if best.is_none_or(|(known, _)| order(rank) > order(known))
            && selects(&rule.selector, table, column, category)
        {
            best = Some((rank, rule));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "x"),
            ("email", "EMAIL"),
            ("*mail*", "e_mail_2"),
            ("a*b*c", "a__b__c"),
            ("*_id", "x_id"),
            ("a*", "a"),
            ("*a*a", "aa"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("email", "emails"),
            ("*_id", "id"),
            ("a*b", "ac"),
            ("*a*a", "a"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
