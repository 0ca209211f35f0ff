//! References that a person wrote, and names that a person writes: checked against the schema.

use tdm_core::catalog::{Catalog, ForeignKey, RelationshipKind};
use tdm_core::ident::TableRef;
use tdm_core::suggest::nearest;
use tdm_core::types::{LogicalType, TypeClass};

use crate::error::Error;

/// The one table that `name` (`table` or `namespace.table`) means.
///
/// # Errors
/// When there is none, or when there are several.
pub fn find(catalog: &Catalog, name: &str) -> Result<TableRef, Error> {
    let found = catalog.find(name);
    match found.as_slice() {
        [table] => Ok(table.table.clone()),
        [] => {
            let names = catalog.tables.iter().map(|table| table.table.name.as_str());
            Err(Error::UnknownTable {
                name: name.to_owned(),
                suggestion: nearest(name, names).map(str::to_owned),
            })
        }
        several => {
            // A full name wins over a bare one that reads the same.
            let exact = several.iter().find(|table| table.table.to_string() == name);
            match exact {
                Some(table) => Ok(table.table.clone()),
                None => Err(Error::AmbiguousTable {
                    name: name.to_owned(),
                    candidates: several.iter().map(|t| t.table.to_string()).collect(),
                }),
            }
        }
    }
}

/// Written references with their tables and columns found in the schema. One that the schema declares already is
/// left out.
///
/// # Errors
/// When a table or column does not exist, a key is empty, types do not go together, or the parent's columns are
/// not unique and the reference is not polymorphic.
pub fn checked(catalog: &Catalog, written: &[ForeignKey]) -> Result<Vec<ForeignKey>, Error> {
    let mut found = Vec::new();
    for reference in written {
        let mut reference = reference.clone();
        if reference.kind == RelationshipKind::Declared {
            reference.kind = RelationshipKind::Virtual;
        }
        let fault = |reason: String| Error::Relationship {
            kind: reference.kind,
            relationship: reference.describe(),
            reason,
        };
        let child = find(catalog, &written_name(&reference.child))?;
        let parent = find(catalog, &written_name(&reference.parent))?;
        let (Some(child_table), Some(parent_table)) =
            (catalog.table(&child), catalog.table(&parent))
        else {
            continue;
        };
        if reference.columns.is_empty() {
            return Err(fault("no columns".to_owned()));
        }
        for (child_name, parent_name) in &reference.columns {
            let of = |table: &tdm_core::catalog::TableSchema, name: &str| {
                table.column(name).cloned().ok_or_else(|| {
                    let names = table.columns.iter().map(|c| c.name.as_str());
                    let hint = nearest(name, names)
                        .map(|near| format!("; did you mean `{near}`?"))
                        .unwrap_or_default();
                    fault(format!(
                        "column {} does not exist{hint}",
                        table.table.column(name)
                    ))
                })
            };
            let (a, b) = (of(child_table, child_name)?, of(parent_table, parent_name)?);
            if !comparable(&a.logical, &b.logical) {
                return Err(fault(format!(
                    "{child_name} ({}) and {parent_name} ({}) cannot be compared",
                    a.native, b.native
                )));
            }
        }
        reference.child = child;
        reference.parent = parent;
        let declared = child_table
            .foreign_keys
            .iter()
            .any(|declared| same(declared, &reference));
        if !declared && !found.iter().any(|other| same(other, &reference)) {
            found.push(reference);
        }
    }
    Ok(found)
}

fn written_name(table: &TableRef) -> String {
    table.to_string()
}

/// Whether two references pair the same columns of the same tables, in any order.
pub(crate) fn same(a: &ForeignKey, b: &ForeignKey) -> bool {
    a.child == b.child
        && a.parent == b.parent
        && a.predicate == b.predicate
        && a.columns.len() == b.columns.len()
        && a.columns.iter().all(|pair| b.columns.contains(pair))
}

/// Whether values of the two types can be equal as keys.
pub(crate) fn comparable(a: &LogicalType, b: &LogicalType) -> bool {
    use TypeClass::{Date, Decimal, Enum, Integer, Text, Timestamp, Uuid};
    let whole = |kind: &LogicalType| {
        matches!(kind.class(), Integer)
            || matches!(kind, LogicalType::Decimal { scale, .. } if scale.is_none_or(|s| s <= 0))
    };
    let texts = |kind: &LogicalType| matches!(kind.class(), Text | Enum);
    let uuids = |kind: &LogicalType| {
        kind.class() == Uuid || kind.class() == Text && kind.max_length().is_none_or(|n| n >= 32)
    };
    (whole(a) && whole(b))
        || (texts(a) && texts(b))
        || ((a.class() == Uuid || b.class() == Uuid) && uuids(a) && uuids(b))
        || (a.class() == b.class() && matches!(a.class(), Date | Timestamp | Decimal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdm_core::types::Engine;
    use tdm_testkit::fixture::Fixture;

    fn shop() -> Catalog {
        let mut catalog = Catalog::new(Engine::Memory, "1");
        catalog.tables = Fixture::parse(
            "[customer]
               id: bigint pk | mail: text
             [invoice]
               id: bigint pk | customer_id: int | paid_by: int
               @fk customer_id -> customer(id)",
        )
        .schemas(Engine::Memory);
        catalog
    }

    fn reference(columns: &[(&str, &str)], parent: &str) -> ForeignKey {
        let pair = |(c, p): &(&str, &str)| ((*c).to_owned(), (*p).to_owned());
        let columns = columns.iter().map(pair).collect();
        ForeignKey::new(TableRef::new("invoice"), TableRef::new(parent), columns)
    }

    #[test]
    fn a_written_reference_becomes_virtual_and_declared_ones_are_left_out() {
        let written = [
            reference(&[("paid_by", "id")], "customer"),
            reference(&[("customer_id", "id")], "customer"),
        ];
        let found = checked(&shop(), &written).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, RelationshipKind::Virtual);
    }

    #[test]
    fn what_does_not_fit_is_named_with_a_suggestion() {
        for (written, message) in [
            (
                reference(&[("paid_bi", "id")], "customer"),
                "virtual relationship invoice(paid_bi) -> customer(id): column invoice.paid_bi does not exist; did you mean `paid_by`?",
            ),
            (
                reference(&[("paid_by", "id")], "custmer"),
                "table `custmer` does not exist; did you mean `customer`?",
            ),
            (
                reference(&[("paid_by", "mail")], "customer"),
                "virtual relationship invoice(paid_by) -> customer(mail): paid_by (int32) and mail (text) cannot be compared",
            ),
            (
                reference(&[], "customer"),
                "virtual relationship invoice() -> customer(): no columns",
            ),
        ] {
            assert_eq!(
                checked(&shop(), &[written]).unwrap_err().to_string(),
                message
            );
        }
    }
}
