//! Differences between schemas: what is said of them, and that nothing is missed.

use proptest::prelude::*;
use tdm_core::catalog::{
    Action, Catalog, Check, Column, ForeignKey, Generation, Index, IndexPart, Key, NamedType,
    TableSchema,
};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::types::{Engine, LogicalType};
use tdm_discovery::{SchemaDiff, carried_over, diff, drift};
use tdm_testkit::fixture::Fixture;

fn catalog(text: &str) -> Catalog {
    let mut catalog = Catalog::new(Engine::Memory, "1");
    catalog.tables = Fixture::parse(text).schemas(Engine::Memory);
    catalog.tables.sort_by(|a, b| a.table.cmp(&b.table));
    catalog
}

const OLDER: &str = "
    [customer]
      id: bigint pk | surname: text(40) | mail: text(80) not null | age: smallint | fax: text
    [invoice]
      id: bigint pk | customer_id: bigint | total: decimal(10,2)
      @fk customer_id -> customer(id)
    [basket]
      id: bigint pk | customer_id: bigint | opened: timestamp | note: text
    [legacy]
      a: int";

const NEWER: &str = "
    [customer]
      id: bigint pk | family_name: text(40) | mail: text(200) unique | age: int not null | phone: text(20) | birthday: date
    [invoice]
      id: bigint pk | customer_id: bigint | total: decimal(12,2)
      @index customer_id
    [shopping_basket]
      id: bigint pk | customer_id: bigint | opened: timestamp | note: text
    [audit_log]
      at: timestamp | what: text";

fn changed() -> (Catalog, Catalog) {
    let (mut older, mut newer) = (catalog(OLDER), catalog(NEWER));
    for (catalog, column) in [(&mut older, "surname"), (&mut newer, "family_name")] {
        let customer = &mut catalog
            .tables
            .iter_mut()
            .find(|t| t.table.name == "customer")
            .expect("the fixture has it");
        let column = customer
            .columns
            .iter_mut()
            .find(|c| c.name == column)
            .expect("the fixture has it");
        column.comment = Some("as in the passport".into());
    }
    newer.types = vec![NamedType {
        name: TableRef::new("mood"),
        kind: "enum".into(),
        definition: "CREATE TYPE mood AS ENUM ('ok')".into(),
        labels: vec!["ok".into()],
    }];
    (older, newer)
}

#[test]
fn a_person_can_read_what_changed() {
    let (older, newer) = changed();
    let shown = diff(&older, &newer).to_string();
    let expected = include_str!("difference.txt");
    assert_eq!(shown, expected, "\n{shown}");
}

#[test]
fn consequences_name_what_must_be_decided() {
    let (older, newer) = changed();
    let diff = diff(&older, &newer);
    let decided = |table: &str, column: &str, category, decision| Classification {
        finding: Finding {
            column: TableRef::new(table).column(column),
            category,
            technique: "fused".into(),
            confidence: 0.9,
            evidence: Vec::new(),
        },
        decision,
        decided_by: "ann".into(),
    };
    let classifications = [
        decided(
            "customer",
            "surname",
            Category::PersonNameLast,
            Decision::Confirmed,
        ),
        decided("customer", "mail", Category::Email, Decision::Confirmed),
        decided("customer", "fax", Category::Phone, Decision::Suggested),
        decided("customer", "id", Category::None, Decision::Rejected),
        decided("basket", "note", Category::FreeText, Decision::Rejected),
    ];
    let broken = ForeignKey::new(
        TableRef::new("legacy"),
        TableRef::new("customer"),
        vec![("a".into(), "id".into())],
    );
    let fine = ForeignKey::new(
        TableRef::new("basket"),
        TableRef::new("customer"),
        vec![("customer_id".into(), "id".into())],
    );
    let drift = drift(&diff, &newer, &classifications, &[broken, fine]);
    assert_eq!(
        drift.to_string(),
        "4 new columns undecided\n    audit_log.at\n    audit_log.what\n    customer.birthday\n    customer.phone\n\
         1 classified column has another type\n    customer.mail\n\
         1 classified column is gone\n    customer.fax\n\
         classification moves with its column: customer.surname -> customer.family_name\n\
         classification moves with its column: basket.note -> shopping_basket.note\n\
         relationship no longer fits: legacy(a) -> customer(id)\n"
    );
    let carried: Vec<(String, Decision)> = carried_over(&diff, &newer, &classifications)
        .into_iter()
        .map(|c| (c.finding.column.to_string(), c.decision))
        .collect();
    assert_eq!(
        carried,
        [
            ("customer.family_name".to_owned(), Decision::Suggested),
            ("customer.mail".to_owned(), Decision::Suggested),
            ("customer.id".to_owned(), Decision::Rejected),
        ],
        "a rejection does not follow a column that was renamed"
    );
}

#[test]
fn a_difference_survives_storing() {
    let (older, newer) = changed();
    let diff = diff(&older, &newer);
    let text = serde_json::to_string(&diff).unwrap();
    assert_eq!(serde_json::from_str::<SchemaDiff>(&text).unwrap(), diff);
    assert_eq!(SchemaDiff::default().to_string(), "no difference\n");
}

#[test]
fn control_characters_in_names_do_not_reach_the_terminal() {
    let (older, mut newer) = changed();
    newer.tables[0].table.name = "a\u{1b}[2J\nb".into();
    newer.tables[1].columns[0].name = "c\u{7}\n+ table fake".into();
    let shown = diff(&older, &newer).to_string();
    let lines_begin = |line: &str| line.trim_start().starts_with(['+', '-', '~']);
    assert!(shown.lines().all(lines_begin), "{shown}");
    assert!(
        !shown.replace('\n', "").chars().any(char::is_control),
        "{shown}"
    );
    assert!(!shown.contains("\n+ table fake"), "{shown}");
}

/// One change of a catalog that a difference must not miss.
fn mutate(catalog: &mut Catalog, which: usize, at: usize) {
    let tables = catalog.tables.len();
    let table: &mut TableSchema = &mut catalog.tables[at % tables];
    let columns = table.columns.len();
    let column = &mut table.columns[at % columns];
    match which {
        0 => column.nullable = !column.nullable,
        1 => column.default = Some("42".into()),
        2 => column.native = "other".into(),
        3 => column.generation = Generation::Identity { always: true },
        4 => column.collation = Some("C".into()),
        5 => column.comment = Some("new".into()),
        6 => column.invisible = !column.invisible,
        7 => table
            .columns
            .push(Column::new("brand_new", 99, "bytes", LogicalType::Date)),
        8 => table.primary_key = Some(Key::over(["nothing"])),
        9 => table.unique.push(Key::over(["nothing"])),
        10 => table.foreign_keys.push(ForeignKey::new(
            table.table.clone(),
            TableRef::new("gone"),
            vec![("a".into(), "b".into())],
        )),
        11 => table.checks.push(Check {
            name: None,
            expression: "1 = 1".into(),
            validated: true,
            exclusion: false,
        }),
        12 => table.indexes.push(Index {
            name: "i".into(),
            parts: vec![IndexPart::Expression {
                sql: "a + 1".into(),
            }],
            unique: true,
            method: None,
            predicate: None,
            include: vec![],
            valid: true,
            definition: None,
        }),
        13 => table.comment = Some("new".into()),
        14 => {
            table.options.insert("strict".into(), String::new());
        }
        15 => table.kind = tdm_core::catalog::TableKind::View,
        16 => {
            catalog.tables.remove(at % tables);
        }
        17 => catalog.tables[at % tables].table.name.push('x'),
        18 => column.logical = LogicalType::Boolean,
        _ => {
            if let Some(key) = table.foreign_keys.first_mut() {
                key.on_delete = Action::Cascade;
            } else {
                column.nullable = !column.nullable;
            }
        }
    }
}

proptest! {
    #[test]
    fn no_change_is_no_difference_and_any_change_is_one(which in 0usize..20, at in 0usize..40) {
        let older = catalog(OLDER);
        let mut newer = older.clone();
        prop_assert!(diff(&older, &newer).is_empty());
        mutate(&mut newer, which, at);
        let there = diff(&older, &newer);
        prop_assert!(!there.is_empty(), "change {which} was missed");
        prop_assert!(!diff(&newer, &older).is_empty(), "change {which} was missed backwards");
        prop_assert!(!there.to_string().is_empty());
        // What the fingerprint leaves out is no difference.
        let mut counted = older.clone();
        counted.tables[0].row_estimate = Some(at as u64);
        counted.server_version = "2".into();
        prop_assert!(diff(&older, &counted).is_empty());
    }
}

#[test]
fn renames_are_found_among_many() {
    let mut older = catalog(OLDER);
    older.tables.retain(|t| t.table.name == "customer");
    let mut newer = older.clone();
    newer.tables[0].columns[1].name = "surname_2".into();
    let found = diff(&older, &newer);
    assert_eq!(found.tables[0].columns_renamed.len(), 1);
    assert_eq!(found.tables[0].columns_added, Vec::<String>::new());
    let moved: ColumnRef = newer.tables[0].table.column("surname_2");
    assert!(
        drift(&found, &newer, &[], &[]).undecided.is_empty(),
        "{moved}"
    );
}
