//! What the tests store: one of everything, with something in every field.

use std::collections::BTreeMap;

use serde_json::json;
use tdm_core::catalog::{
    Catalog, Check, Column, ForeignKey, Generation, Index, IndexPart, Key, NamedType,
    RelationshipKind, SchemaObject, Sequence, TableKind, TableSchema,
};
use tdm_core::diagnostic::{Diagnostic, Severity};
use tdm_core::ident::TableRef;
use tdm_core::job::NewJob;
use tdm_core::place::{Connection, SecretRef};
use tdm_core::port::{PlaceStore as _, Scan};
use tdm_core::rule::{Disposition, MaskingRule, OnUndecided, RuleSet, Selector};
use tdm_core::time::UtcMicros;
use tdm_core::types::{Engine, LogicalType};
use tdm_model::MetadataDatabase;

use crate::scratch::Scratch;
pub(crate) const NOW: UtcMicros = UtcMicros(1_795_363_477_123_456);

pub(crate) fn connection(name: &str) -> Connection {
    Connection {
        name: name.to_owned(),
        engine: Engine::Postgres,
        location: "postgres://reader@db.example:5432/shop".to_owned(),
        secret: Some(SecretRef::Env("SHOP_PASSWORD".to_owned())),
        options: [("sslmode".to_owned(), json!("require"))]
            .into_iter()
            .collect(),
        lineage_namespace: "postgres://db.example:5432".to_owned(),
    }
}

/// A catalog with something in every field, and names that only differ by case.
pub(crate) fn catalog() -> Catalog {
    let orders = TableRef::within("Sales", "orders");
    let lines = TableRef::within("Sales", "Orders");
    let mut parent = TableSchema::new(orders.clone());
    parent.columns = vec![
        Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null(),
        Column::new(
            "region",
            2,
            "char(2)",
            LogicalType::Text {
                max_length: Some(2),
            },
        )
        .not_null(),
        Column {
            default: Some("'a\0b'::bytea \u{e000}".to_owned()),
            generation: Generation::Identity { always: true },
            collation: Some("de_DE".to_owned()),
            invisible: true,
            comment: Some("zażółć \u{1f980}".to_owned()),
            ..Column::new(
                "ID",
                3,
                "numeric(10,2)",
                LogicalType::Decimal {
                    precision: Some(10),
                    scale: Some(2),
                },
            )
        },
    ];
    parent.primary_key = Some(Key {
        name: Some("orders_pk".to_owned()),
        ..Key::over(["region", "id"])
    });
    parent.row_estimate = Some(u64::MAX);
    parent.bytes_estimate = Some(7);
    let mut child = TableSchema::new(lines.clone());
    child.kind = TableKind::Partitioned;
    child.columns = vec![
        Column::new("order_region", 1, "char(2)", LogicalType::TEXT),
        Column::new("order_id", 2, "bigint", LogicalType::BIGINT),
        Column {
            generation: Generation::Computed {
                expression: "order_id * 2".to_owned(),
                stored: true,
            },
            ..Column::new(
                "twice",
                3,
                "bigint",
                LogicalType::Array {
                    element: Box::new(LogicalType::Other),
                },
            )
        },
    ];
    child.unique = vec![Key::over(["order_id"])];
    child.indexes = vec![Index {
        name: "lines_idx".to_owned(),
        parts: vec![
            IndexPart::Column {
                name: "order_id".to_owned(),
                descending: true,
            },
            IndexPart::Expression {
                sql: "lower(order_region)".to_owned(),
            },
        ],
        unique: true,
        predicate: Some("order_id > 0".to_owned()),
        definition: None,
        method: Some("btree".to_owned()),
        include: vec!["twice".to_owned()],
        valid: true,
    }];
    child.checks = vec![Check {
        name: Some("positive".to_owned()),
        expression: "order_id > 0".to_owned(),
        validated: false,
        exclusion: false,
    }];
    child.foreign_keys = vec![
        ForeignKey {
            name: Some("fk_order".to_owned()),
            validated: false,
            ..ForeignKey::new(
                lines.clone(),
                orders.clone(),
                vec![
                    ("order_region".to_owned(), "region".to_owned()),
                    ("order_id".to_owned(), "id".to_owned()),
                ],
            )
        },
        // The role cannot see this parent.
        ForeignKey::new(
            lines.clone(),
            TableRef::within("hidden", "secrets"),
            vec![("order_id".to_owned(), "id".to_owned())],
        ),
    ];
    child.parent = Some(orders.clone());
    child.definition = Some("CREATE TABLE …".to_owned());
    child.comment = Some("it's \"quoted\" \\ and `ticked`".to_owned());
    child.options = BTreeMap::from([("strict".to_owned(), "yes".to_owned())]);
    let mut catalog = Catalog::new(Engine::Postgres, "15.18 (Debian)");
    catalog.tables = vec![child, parent, TableSchema::new(TableRef::new("bare"))];
    catalog.types = vec![NamedType {
        name: TableRef::within("Sales", "mood"),
        kind: "enum".to_owned(),
        definition: "CREATE TYPE".to_owned(),
        labels: vec!["sad".to_owned(), "\0".to_owned()],
    }];
    catalog.sequences = vec![Sequence {
        name: TableRef::within("Sales", "seq"),
        owner: Some(orders.column("id")),
        definition: "CREATE SEQUENCE".to_owned(),
    }];
    catalog.objects = vec![SchemaObject {
        name: TableRef::new("t"),
        kind: "trigger".to_owned(),
        table: Some(orders),
        definition: None,
    }];
    catalog
}

pub(crate) fn scan(catalog: Catalog) -> Scan {
    let lines = TableRef::within("Sales", "Orders");
    Scan {
        schema: "shop".to_owned(),
        connection: "shop".to_owned(),
        catalog,
        diagnostics: vec![Diagnostic {
            severity: Severity::Warning,
            code: "introspect.unknown_type".to_owned(),
            place: "Sales.Orders.twice".to_owned(),
            message: "left as it is".to_owned(),
        }],
        relationships: vec![
            ForeignKey {
                kind: RelationshipKind::Inferred,
                ..ForeignKey::new(
                    lines.clone(),
                    TableRef::new("bare"),
                    vec![("twice".to_owned(), "id".to_owned())],
                )
            },
            ForeignKey::new(
                lines.clone(),
                lines,
                vec![("order_id".to_owned(), "twice".to_owned())],
            ),
        ],
        discovered: NOW,
    }
}

pub(crate) async fn with_shop(scratch: &Scratch) -> MetadataDatabase {
    let database = scratch.migrated().await;
    database.save_connection(&connection("shop")).await.unwrap();
    database
}

pub(crate) fn rules(name: &str, reason: &str) -> RuleSet {
    RuleSet {
        name: name.to_owned(),
        rules: vec![MaskingRule {
            name: "ids".to_owned(),
            selector: Selector {
                column: Some("*_id".to_owned()),
                ..Selector::default()
            },
            disposition: Disposition::Keep {
                reason: reason.to_owned(),
            },
        }],
        on_undecided: OnUndecided::Null,
    }
}

pub(crate) fn new_job() -> NewJob {
    NewJob {
        operation: "run".to_owned(),
        request: json!({"workflow": "shop", "ratio": 0.1, "zero": "\0"}),
        plan_hash: "ab".repeat(32),
        user: "ann".to_owned(),
    }
}
