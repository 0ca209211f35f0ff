//! What a specification may not say, and how it is told.

use tdm_core::catalog::{ForeignKey, TableKind, TableSchema};
use tdm_core::ident::TableRef;
use tdm_provision::Error;
use tdm_provision::subset::{Down, EdgePolicy, Seed, SeedRows, SubsetPlan, SubsetSpec};

use super::world::World;

fn shop() -> Vec<TableSchema> {
    World::shop(1, 1).schemas().0
}

fn seed(table: &str, rows: SeedRows) -> SubsetSpec {
    SubsetSpec {
        seeds: vec![Seed {
            table: table.to_owned(),
            rows,
        }],
        ..SubsetSpec::default()
    }
}

fn refused(tables: &[TableSchema], spec: &SubsetSpec) -> String {
    SubsetPlan::compile(tables, &[], spec)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_misspelt_table_is_named_with_what_was_meant() {
    let message = refused(&shop(), &seed("costumer", SeedRows::All));
    assert!(
        message.contains("`costumer`") && message.contains("`customer`"),
        "{message}"
    );
    for list in 0..4 {
        let mut spec = seed("customer", SeedRows::All);
        let name = "oders".to_owned();
        match list {
            0 => spec.whole.push(name),
            1 => spec.schema_only.push(name),
            2 => spec.skip.push(name),
            _ => spec
                .edges
                .push(EdgePolicy::new("oders", "customer", Down::All)),
        }
        let message = refused(&shop(), &spec);
        assert!(message.contains("`orders`"), "{message}");
    }
}

#[test]
fn a_name_that_may_mean_two_tables_is_refused_and_a_full_one_is_not() {
    let mut tables = shop();
    tables.push(TableSchema::new(TableRef::within("archive", "invoice")));
    tables.push(TableSchema::new(TableRef::within("sales", "invoice")));
    let message = refused(&tables, &seed("invoice", SeedRows::All));
    assert!(
        message.contains("archive.invoice") && message.contains("sales.invoice"),
        "{message}"
    );
    SubsetPlan::compile(&tables, &[], &seed("sales.invoice", SeedRows::All)).unwrap();
}

#[test]
fn a_table_without_namespace_is_meant_by_its_bare_name() {
    let mut tables = shop();
    tables.push(TableSchema::new(TableRef::within("archive", "customer")));
    let plan = SubsetPlan::compile(&tables, &[], &seed("customer", SeedRows::All)).unwrap();
    assert_eq!(
        plan.seeds().next().unwrap().0.table,
        TableRef::new("customer")
    );
    let everything = SubsetPlan::everything(&tables, &[], &[]).unwrap();
    assert_eq!(everything.seeds().count(), 3);
}

#[test]
fn everything_copes_with_names_that_cannot_be_written() {
    let tables = vec![
        TableSchema::new(TableRef::new("a\nb")),
        TableSchema::new(TableRef::new("s.t")),
        TableSchema::new(TableRef::within("s", "t")),
    ];
    let plan = SubsetPlan::everything(&tables, &[], &[]).unwrap();
    assert_eq!(plan.seeds().count(), 3);
}

#[test]
fn a_view_and_a_skipped_table_are_told_apart_from_one_that_does_not_exist() {
    let mut tables = shop();
    let mut view = TableSchema::new(TableRef::new("recent_orders"));
    view.kind = TableKind::View;
    tables.push(view);
    let message = refused(&tables, &seed("recent_orders", SeedRows::All));
    assert!(message.contains("no rows of its own"), "{message}");
    let mut spec = seed("customer", SeedRows::All);
    spec.skip.push("customer".to_owned());
    let message = refused(&tables, &spec);
    assert!(message.contains("skip"), "{message}");
}

#[test]
fn contradictions_are_refused() {
    let empty = refused(&shop(), &SubsetSpec::default());
    assert!(empty.contains("no seed"), "{empty}");
    let mut both = seed("orders", SeedRows::All);
    both.schema_only.push("orders".to_owned());
    assert!(refused(&shop(), &both).contains("schema only"));
    let mut asked = seed("customer", SeedRows::All);
    asked.schema_only.push("orders".to_owned());
    asked
        .edges
        .push(EdgePolicy::new("orders", "customer", Down::All));
    assert!(refused(&shop(), &asked).contains("schema only"));
    let share = seed("customer", SeedRows::Percent(101.0));
    assert!(refused(&shop(), &share).contains("between 0 and 100"));
    let share = seed("customer", SeedRows::Percent(f64::NAN));
    assert!(refused(&shop(), &share).contains("between 0 and 100"));
    let mut none = seed("customer", SeedRows::All);
    none.edges
        .push(EdgePolicy::new("customer", "orders", Down::All));
    assert!(refused(&shop(), &none).contains("no such reference"));
}

#[test]
fn a_table_without_a_key_cannot_be_counted_or_capped() {
    let mut tables = shop();
    tables[1].primary_key = None;
    let count = refused(&tables, &seed("orders", SeedRows::Count(3)));
    assert!(
        count.contains("orders") && count.contains("no key"),
        "{count}"
    );
    let mut capped = seed("customer", SeedRows::All);
    capped
        .edges
        .push(EdgePolicy::new("orders", "customer", Down::Cap(1)));
    assert!(refused(&tables, &capped).contains("no key"));
}

#[test]
fn a_virtual_reference_is_checked_against_the_catalog() {
    let reference = |child: &str, column: &str, parent: &str, key: &str| {
        ForeignKey::new(
            TableRef::new(child),
            TableRef::new(parent),
            vec![(column.to_owned(), key.to_owned())],
        )
    };
    let compile = |fk| SubsetPlan::compile(&shop(), &[fk], &seed("customer", SeedRows::All));
    compile(reference("orders", "v", "customer", "v")).unwrap();
    let message = compile(reference("orders", "custmer_id", "customer", "id"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("custmer_id") && message.contains("`customer_id`"),
        "{message}"
    );
    let message = compile(reference("orders", "v", "customer", "key"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("customer.key"), "{message}");
    let unknown = compile(reference("orders", "v", "costumer", "id")).unwrap_err();
    assert!(matches!(unknown, Error::UnknownTable { .. }), "{unknown}");
    let empty = ForeignKey::new(TableRef::new("orders"), TableRef::new("customer"), vec![]);
    assert!(compile(empty).is_err());
}

#[test]
fn references_out_of_the_set_are_removed_and_listed() {
    let mut spec = seed("orders", SeedRows::All);
    spec.skip.push("customer".to_owned());
    let link = ForeignKey::new(
        TableRef::new("orders"),
        TableRef::new("customer"),
        vec![("v".to_owned(), "v".to_owned())],
    );
    let plan = SubsetPlan::compile(&shop(), &[link], &spec).unwrap();
    assert_eq!(plan.tables().len(), 1);
    assert!(plan.tables()[0].foreign_keys.is_empty());
    assert_eq!(plan.dropped().len(), 2);
    assert!(plan.edges().is_empty());
}
