//! Catalogs that stores must keep: one with everything a catalog can say, one with hostile names, one large.

use std::collections::BTreeMap;

use tdm_core::catalog::{
    Action, Catalog, Check, Column, Deferrability, ForeignKey, Generation, Index, IndexPart, Key,
    MatchType, NamedType, RelationshipKind, SchemaObject, Sequence, TableKind, TableSchema,
};
use tdm_core::ident::TableRef;
use tdm_core::types::{Engine, LogicalType};

/// A catalog of one table `name` with a key and one text column.
pub(super) fn small(name: &str) -> Catalog {
    let mut table = TableSchema::new(TableRef::new(name));
    table.columns = vec![
        Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null(),
        Column::new("mail", 2, "text", LogicalType::TEXT),
    ];
    table.primary_key = Some(Key::over(["id"]));
    let mut catalog = Catalog::new(Engine::Postgres, "17.2");
    catalog.tables = vec![table];
    catalog
}

/// A catalog in which every field of every type says something that its default does not.
pub(super) fn rich() -> Catalog {
    let mut catalog = Catalog::new(Engine::Postgres, "PostgreSQL 17.2 (Debian)");
    catalog.tables = vec![account(), account_part(), order_line(), orders(), report()];
    catalog.tables.sort_by(|a, b| a.table.cmp(&b.table));
    catalog.types = vec![
        NamedType {
            name: TableRef::within("shop", "mood"),
            kind: "enum".into(),
            definition: "CREATE TYPE shop.mood AS ENUM ('sad', 'ok')".into(),
            labels: vec!["sad".into(), "ok".into()],
        },
        NamedType {
            name: TableRef::within("shop", "postcode"),
            kind: "domain".into(),
            definition: "CREATE DOMAIN shop.postcode AS text CHECK (VALUE ~ '^[0-9]{5}$')".into(),
            labels: vec![],
        },
    ];
    catalog.sequences = vec![
        Sequence {
            name: TableRef::within("shop", "free_seq"),
            owner: None,
            definition: "CREATE SEQUENCE shop.free_seq INCREMENT BY 10".into(),
        },
        Sequence {
            name: TableRef::within("shop", "orders_no_seq"),
            owner: Some(TableRef::within("shop", "orders").column("no")),
            definition: "CREATE SEQUENCE shop.orders_no_seq".into(),
        },
    ];
    catalog.objects = vec![
        SchemaObject {
            name: TableRef::within("shop", "touch"),
            kind: "trigger".into(),
            table: Some(TableRef::within("shop", "account")),
            definition: Some("CREATE TRIGGER touch BEFORE UPDATE ON shop.account".into()),
        },
        SchemaObject {
            name: TableRef::new("pg_trgm"),
            kind: "extension".into(),
            table: None,
            definition: None,
        },
    ];
    catalog
}

fn account() -> TableSchema {
    let mut table = TableSchema::new(TableRef::within("shop", "account"));
    table.kind = TableKind::Partitioned;
    let mut id = Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null();
    id.generation = Generation::Identity { always: true };
    let mut mail = Column::new(
        "mail",
        2,
        "character varying(120)",
        LogicalType::Text {
            max_length: Some(120),
        },
    )
    .not_null();
    mail.collation = Some("de-x-icu".into());
    mail.comment = Some("where to write to; 'quoted', and a second\nline".into());
    let mut lower = Column::new("mail_lower", 3, "text", LogicalType::TEXT);
    lower.generation = Generation::Computed {
        expression: "lower(mail)".into(),
        stored: true,
    };
    let mut age = Column::new(
        "age",
        4,
        "smallint",
        LogicalType::Integer {
            bits: 16,
            unsigned: true,
        },
    );
    age.generation = Generation::Computed {
        expression: "1 + 1".into(),
        stored: false,
    };
    age.invisible = true;
    let mood = LogicalType::Enum {
        labels: vec!["sad".into(), "ok".into()],
    };
    let mut state = Column::new("mood", 5, "shop.mood", mood).not_null();
    state.default = Some("'ok'::shop.mood".into());
    let mut serial = Column::new("serial", 6, "integer", LogicalType::BIGINT);
    serial.generation = Generation::Identity { always: false };
    let tags = LogicalType::Array {
        element: Box::new(LogicalType::Decimal {
            precision: Some(10),
            scale: Some(-2),
        }),
    };
    table.columns = vec![
        id,
        mail,
        lower,
        age,
        state,
        serial,
        Column::new("tags", 7, "numeric(10,-2)[]", tags),
        Column::new("area", 8, "tsrange", LogicalType::Other),
        Column::new(
            "seen",
            9,
            "timestamptz",
            LogicalType::Timestamp { zoned: true },
        ),
    ];
    table.primary_key = Some(Key {
        name: Some("account_pk".into()),
        columns: vec!["mail".into(), "id".into()],
        nulls_not_distinct: false,
        deferrability: Deferrability::Deferrable,
    });
    table.unique = vec![
        Key {
            name: Some("account_mood".into()),
            columns: vec!["mood".into(), "age".into()],
            nulls_not_distinct: true,
            deferrability: Deferrability::Deferred,
        },
        Key::over(["serial"]),
    ];
    table.indexes = vec![
        Index {
            name: "account_lower".into(),
            parts: vec![
                IndexPart::Expression {
                    sql: "lower(mail)".into(),
                },
                IndexPart::Column {
                    name: "seen".into(),
                    descending: true,
                },
            ],
            unique: true,
            method: Some("btree".into()),
            predicate: Some("age > 17".into()),
            include: vec!["mood".into(), "tags".into()],
            valid: false,
            definition: Some("CREATE UNIQUE INDEX account_lower ON …".into()),
        },
        Index {
            name: "account_seen".into(),
            parts: vec![IndexPart::Column {
                name: "seen".into(),
                descending: false,
            }],
            unique: false,
            method: None,
            predicate: None,
            include: vec![],
            valid: true,
            definition: None,
        },
    ];
    table.checks = vec![
        Check {
            name: Some("adult".into()),
            expression: "(age >= 18)".into(),
            validated: false,
            exclusion: false,
        },
        Check {
            name: None,
            expression: "EXCLUDE USING gist (area WITH &&)".into(),
            validated: true,
            exclusion: true,
        },
    ];
    table.definition = Some("PARTITION BY RANGE (seen)".into());
    table.comment = Some("people".into());
    table.row_estimate = Some(9_000_000_000);
    table.bytes_estimate = Some(0);
    table.options = BTreeMap::from([
        ("unlogged".to_owned(), String::new()),
        ("fillfactor".to_owned(), "70".to_owned()),
    ]);
    table
}

fn account_part() -> TableSchema {
    let mut table = TableSchema::new(TableRef::within("shop", "account_2024"));
    table.kind = TableKind::Partition;
    table.parent = Some(TableRef::within("shop", "account"));
    table.definition = Some("FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')".into());
    table.columns = vec![Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null()];
    table
}

fn orders() -> TableSchema {
    let mut table = TableSchema::new(TableRef::within("shop", "orders"));
    table.columns = vec![
        Column::new("no", 1, "integer", LogicalType::BIGINT).not_null(),
        Column::new("account_id", 2, "bigint", LogicalType::BIGINT),
        Column::new("account_mail", 3, "text", LogicalType::TEXT),
        Column::new("replaces", 4, "integer", LogicalType::BIGINT),
    ];
    table.primary_key = Some(Key::over(["no"]));
    let mut to_account = ForeignKey::new(
        table.table.clone(),
        TableRef::within("shop", "account"),
        // Neither the order of the columns nor that of the alphabet: key order must be kept.
        vec![
            ("account_mail".into(), "mail".into()),
            ("account_id".into(), "id".into()),
        ],
    );
    to_account.name = Some("orders_account_fk".into());
    to_account.match_type = MatchType::Full;
    to_account.on_delete = Action::SetNull;
    to_account.on_update = Action::Cascade;
    to_account.deferrability = Deferrability::Deferred;
    to_account.validated = false;
    let mut to_itself = ForeignKey::new(
        table.table.clone(),
        table.table.clone(),
        vec![("replaces".into(), "no".into())],
    );
    to_itself.on_delete = Action::Restrict;
    to_itself.on_update = Action::SetDefault;
    table.foreign_keys = vec![to_account, to_itself];
    table
}

fn order_line() -> TableSchema {
    let mut table = TableSchema::new(TableRef::within("shop", "order_line"));
    table.columns = vec![
        Column::new("order_no", 1, "integer", LogicalType::BIGINT).not_null(),
        Column::new("line_no", 2, "integer", LogicalType::BIGINT).not_null(),
    ];
    // A key in another order than the columns.
    table.primary_key = Some(Key::over(["line_no", "order_no"]));
    let mut to_order = ForeignKey::new(
        table.table.clone(),
        TableRef::within("shop", "orders"),
        vec![("order_no".into(), "no".into())],
    );
    // The same name as a constraint of another table: names are unique within a table only.
    to_order.name = Some("orders_account_fk".into());
    let elsewhere = ForeignKey::new(
        table.table.clone(),
        TableRef::within("archive", "gone"),
        vec![("line_no".into(), "no".into())],
    );
    table.foreign_keys = vec![to_order, elsewhere];
    table
}

fn report() -> TableSchema {
    let mut table = TableSchema::new(TableRef::within("shop", "report"));
    table.kind = TableKind::View;
    table.definition = Some("SELECT no FROM shop.orders".into());
    table.columns = vec![Column::new("no", 1, "integer", LogicalType::BIGINT)];
    table
}

/// References that no catalog declares, of each kind.
pub(super) fn undeclared() -> Vec<ForeignKey> {
    let reference = |kind, child: &str, parent: &str, columns: &[(&str, &str)]| {
        let columns = columns
            .iter()
            .map(|(c, p)| ((*c).to_owned(), (*p).to_owned()))
            .collect();
        let mut key = ForeignKey::new(
            TableRef::within("shop", child),
            TableRef::within("shop", parent),
            columns,
        );
        key.kind = kind;
        key.validated = false;
        key
    };
    let mut polymorphic = reference(
        RelationshipKind::Polymorphic,
        "orders",
        "orders",
        &[("account_id", "no")],
    );
    polymorphic.predicate = Some(("account_mail".into(), "Shop::Order".into()));
    vec![
        polymorphic,
        reference(
            RelationshipKind::Virtual,
            "order_line",
            "account",
            &[("order_no", "serial"), ("line_no", "id")],
        ),
        reference(
            RelationshipKind::Inferred,
            "orders",
            "account",
            &[("account_id", "serial")],
        ),
    ]
}

/// Names that quoting, collation and trimming get wrong. All are different names.
pub(super) const HOSTILE: [&str; 14] = [
    "users",
    "Users",
    "USERS",
    "users ",
    "us\u{e9}rs",
    "use\"r`s'",
    "select",
    "a.b",
    "a;DROP TABLE x;--",
    "line\nbreak\ttab",
    "\u{1f600}\u{202e}rtl",
    "%_\\",
    "{\"json\": 1}",
    "\u{4e2d}\u{6587}\u{8868}",
];

/// A catalog whose namespaces, tables, columns and constraints have hostile names.
pub(super) fn hostile() -> Catalog {
    let mut catalog = Catalog::new(Engine::MySql, "11.4.2-MariaDB");
    for (number, name) in HOSTILE.iter().enumerate() {
        let reference = if number % 2 == 0 {
            TableRef::within(HOSTILE[HOSTILE.len() - 1 - number], *name)
        } else {
            TableRef::new(*name)
        };
        let mut table = TableSchema::new(reference);
        table.columns = (1..)
            .zip(HOSTILE)
            .map(|(ordinal, name)| Column::new(name, ordinal, name, LogicalType::TEXT))
            .collect();
        table.primary_key = Some(Key {
            name: Some((*name).to_owned()),
            ..Key::over([HOSTILE[3], HOSTILE[0]])
        });
        let mut itself = ForeignKey::new(
            table.table.clone(),
            table.table.clone(),
            vec![(HOSTILE[5].into(), HOSTILE[4].into())],
        );
        itself.name = Some((*name).to_owned());
        table.foreign_keys = vec![itself];
        catalog.tables.push(table);
    }
    catalog.tables.sort_by(|a, b| a.table.cmp(&b.table));
    catalog
}

/// A catalog of `tables` tables with `columns` columns each, every table but the first with a reference.
pub(super) fn large(tables: usize, columns: u32) -> Catalog {
    let mut catalog = Catalog::new(Engine::Postgres, "17.2");
    catalog.tables = (0..tables)
        .map(|number| {
            let mut table = TableSchema::new(TableRef::within("big", format!("t{number:05}")));
            table.columns = (1..=columns)
                .map(|i| Column::new(format!("c{i:03}"), i, "bigint", LogicalType::BIGINT))
                .collect();
            table.primary_key = Some(Key::over(["c001"]));
            if number > 0 {
                table.foreign_keys = vec![ForeignKey::new(
                    table.table.clone(),
                    TableRef::within("big", format!("t{:05}", number - 1)),
                    vec![("c002".into(), "c001".into())],
                )];
            }
            table
        })
        .collect();
    catalog
}
