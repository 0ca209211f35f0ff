//! A schema by hand with everything at once: composite keys, shared columns, self references, cycles, pairs.

use tdm_core::catalog::{
    Column, ForeignKey, Generation, Index, IndexPart, Key, NamedType, TableSchema,
};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_synth::{Registry, SynthPlan, SynthRequest, TableRequest};

use crate::judge::{digest, make_all, violations};
use crate::shop::{check, int, refers, text};

fn table(name: &str, columns: Vec<Column>, key: &[&str]) -> TableSchema {
    let mut table = TableSchema::new(TableRef::new(name));
    table.columns = columns;
    table.primary_key = Some(Key::over(key.iter().copied()));
    table
}

fn link(child: &mut TableSchema, parent: &str, pairs: &[(&str, &str)]) {
    let columns = pairs
        .iter()
        .map(|(c, p)| ((*c).into(), (*p).into()))
        .collect();
    child.foreign_keys.push(ForeignKey::new(
        child.table.clone(),
        TableRef::new(parent),
        columns,
    ));
}

fn nullable(mut column: Column) -> Column {
    column.nullable = true;
    column
}

fn schemas() -> Vec<TableSchema> {
    let tenants = table("tenants", vec![int("id", 1), text("slug", 2, 12)], &["id"]);
    // Composite key, self reference within the tenant, a reference that shares a column with the key.
    let mut users = table(
        "users",
        vec![
            int("tenant_id", 1),
            int("id", 2),
            text("email", 3, 40),
            nullable(int("boss_id", 4)),
            text("role", 5, 10),
        ],
        &["tenant_id", "id"],
    );
    refers(&mut users, "tenant_id", "tenants");
    link(
        &mut users,
        "users",
        &[("tenant_id", "tenant_id"), ("boss_id", "id")],
    );
    users.indexes = vec![Index {
        name: "users_email".into(),
        parts: vec![IndexPart::Expression {
            sql: "lower(email)".into(),
        }],
        unique: true,
        method: None,
        predicate: None,
        include: vec![],
        valid: true,
        definition: None,
    }];
    users.checks = vec![check(
        "role_known",
        "(role)::text = ANY (ARRAY['admin'::text, 'user'::text])",
    )];
    let mut products = table(
        "products",
        vec![
            int("tenant_id", 1),
            text("sku", 2, 10),
            Column::new(
                "price",
                3,
                "numeric(6,2)",
                LogicalType::Decimal {
                    precision: Some(6),
                    scale: Some(2),
                },
            )
            .not_null(),
            nullable(Column::new(
                "discount",
                4,
                "numeric(6,2)",
                LogicalType::Decimal {
                    precision: Some(6),
                    scale: Some(2),
                },
            )),
            Column::new(
                "size",
                5,
                "enum",
                LogicalType::Enum {
                    labels: vec!["S".into(), "M".into(), "L".into()],
                },
            )
            .not_null(),
        ],
        &["tenant_id", "sku"],
    );
    refers(&mut products, "tenant_id", "tenants");
    products.checks = vec![
        check("discount_below", "discount < price"),
        check("price_round", "price >= 1 AND price * 100 % 5 = 0"),
    ];
    // Two composite references that share the tenant.
    let mut reviews = table(
        "reviews",
        vec![
            int("id", 1),
            int("tenant_id", 2),
            int("user_id", 3),
            text("sku", 4, 10),
            int("stars", 5),
        ],
        &["id"],
    );
    link(
        &mut reviews,
        "users",
        &[("tenant_id", "tenant_id"), ("user_id", "id")],
    );
    link(
        &mut reviews,
        "products",
        &[("tenant_id", "tenant_id"), ("sku", "sku")],
    );
    reviews.checks = vec![check("stars_range", "stars BETWEEN 1 AND 5")];
    // Many to many, with a payload, and one to one.
    let mut badges = table("badges", vec![int("id", 1), text("name", 2, 8)], &["id"]);
    badges.unique = vec![Key::over(["name"])];
    let mut holders = table(
        "holders",
        vec![int("badge_id", 1), int("tenant_id", 2), int("user_id", 3)],
        &["badge_id", "tenant_id", "user_id"],
    );
    refers(&mut holders, "badge_id", "badges");
    link(
        &mut holders,
        "users",
        &[("tenant_id", "tenant_id"), ("user_id", "id")],
    );
    let mut details = table(
        "details",
        vec![int("tenant_id", 1), text("note", 2, 30)],
        &["tenant_id"],
    );
    refers(&mut details, "tenant_id", "tenants");
    // Lines numbered within their review.
    let mut lines = table(
        "lines",
        vec![int("review_id", 1), int("line_no", 2), text("body", 3, 60)],
        &["review_id", "line_no"],
    );
    refers(&mut lines, "review_id", "reviews");
    // A cycle with a nullable side, and one without.
    let mut stores = table("stores", vec![int("id", 1), int("manager_id", 2)], &["id"]);
    refers(&mut stores, "manager_id", "staff");
    let mut staff = table(
        "staff",
        vec![
            int("id", 1),
            int("store_id", 2),
            nullable(int("deputy_id", 3)),
        ],
        &["id"],
    );
    refers(&mut staff, "store_id", "stores");
    refers(&mut staff, "deputy_id", "staff");
    let mut heads = table(
        "heads",
        vec![int("id", 1), nullable(int("body_id", 2))],
        &["id"],
    );
    refers(&mut heads, "body_id", "bodies");
    let mut bodies = table("bodies", vec![int("id", 1), int("head_id", 2)], &["id"]);
    refers(&mut bodies, "head_id", "heads");
    // A reference to a unique column that is no primary key, two to one table, a computed column.
    let mut transfers = table(
        "transfers",
        vec![
            int("id", 1),
            text("badge", 2, 8),
            int("from_id", 3),
            int("to_id", 4),
            int("double_id", 5),
        ],
        &["id"],
    );
    link(&mut transfers, "badges", &[("badge", "name")]);
    refers(&mut transfers, "from_id", "tenants");
    refers(&mut transfers, "to_id", "tenants");
    transfers.columns[4].generation = Generation::Computed {
        expression: "id * 2".into(),
        stored: true,
    };
    transfers.checks = vec![check("not_to_itself", "from_id <> to_id")];
    vec![
        tenants, users, products, reviews, badges, holders, details, lines, stores, staff, heads,
        bodies, transfers,
    ]
}

fn rows(name: &str) -> u64 {
    match name {
        "tenants" => 12,
        "users" => 400,
        "products" => 300,
        "reviews" => 900,
        "badges" => 20,
        "holders" => 2_500,
        "details" => 9,
        "lines" => 2_000,
        "stores" => 10,
        "staff" => 60,
        _ => 150,
    }
}

#[test]
fn the_torture_schema_holds_and_its_order_can_be_loaded() {
    let schemas = schemas();
    let registry = Registry::new();
    for (seed, fill_cycles) in [(1, false), (2, true), (3, false)] {
        let wanted: Vec<TableRequest<'_>> = schemas
            .iter()
            .map(|schema| TableRequest {
                schema,
                rows: rows(&schema.table.name),
            })
            .collect();
        let request = SynthRequest {
            fill_cycles,
            ..SynthRequest::new(&wanted, &registry, seed)
        };
        let plan = SynthPlan::compile(&request).unwrap_or_else(|e| panic!("{e}"));
        let made = make_all(&plan);
        let all: Vec<&TableSchema> = schemas.iter().collect();
        assert_eq!(violations(&all, &made), Vec::<String>::new(), "seed {seed}");

        // Computed columns are left to the server, self references have roots and children.
        assert!(!made["transfers"].contains_key("double_id"));
        let bosses = &made["users"]["boss_id"];
        assert!(bosses.iter().any(Option::is_none) && bosses.iter().any(Option::is_some));
        for row in 0..150 {
            assert_ne!(
                made["transfers"]["from_id"][row],
                made["transfers"]["to_id"][row]
            );
        }
        for row in 0..300 {
            let number = |name: &str| {
                made["products"][name][row]
                    .as_deref()
                    .map(|t| t.parse::<f64>().unwrap())
            };
            assert!(number("discount").is_none_or(|d| d < number("price").unwrap()));
        }
        let broken = made["heads"]["body_id"].iter().flatten().count();
        assert_eq!(broken > 0, fill_cycles);
        let late = plan.late_references();
        assert!(
            late.iter()
                .any(|l| l.contains("stores") && l.contains("staff"))
        );
        assert_eq!(late.len(), if fill_cycles { 2 } else { 1 });

        let order: Vec<String> = plan.tables().into_iter().map(|t| t.table.name).collect();
        let place = |name: &str| order.iter().position(|o| o == name).unwrap();
        for schema in &schemas {
            for key in &schema.foreign_keys {
                if key.parent != key.child
                    && !late.contains(&key.describe())
                    && key.child.name != "heads"
                {
                    assert!(
                        place(&key.parent.name) < place(&key.child.name),
                        "{}",
                        key.describe()
                    );
                }
            }
        }
        for table in ["users", "holders", "reviews", "lines", "staff"] {
            let whole = digest(&plan, table, 1);
            assert!(
                [2, 7, 40]
                    .iter()
                    .all(|&parts| digest(&plan, table, parts) == whole)
            );
        }
    }
}

#[test]
fn self_references_point_back_so_that_rows_load_in_order() {
    let schemas = schemas();
    let staff = schemas.iter().find(|s| s.table.name == "staff").unwrap();
    let stores = schemas.iter().find(|s| s.table.name == "stores").unwrap();
    let wanted = [
        TableRequest {
            schema: staff,
            rows: 500,
        },
        TableRequest {
            schema: stores,
            rows: 5,
        },
    ];
    let plan = SynthPlan::compile(&SynthRequest::new(&wanted, &Registry::new(), 1)).unwrap();
    let made = make_all(&plan);
    for row in 0..500 {
        let id: u64 = made["staff"]["id"][row]
            .as_deref()
            .unwrap()
            .parse()
            .unwrap();
        if let Some(deputy) = &made["staff"]["deputy_id"][row] {
            assert!(deputy.parse::<u64>().unwrap() < id);
        }
    }
}

#[test]
fn constraints_of_domains_hold() {
    let mut film = table(
        "film",
        vec![
            int("id", 1),
            Column::new(
                "made_in",
                2,
                "public.year",
                LogicalType::Integer {
                    bits: 32,
                    unsigned: false,
                },
            )
            .not_null(),
        ],
        &["id"],
    );
    film.columns[1].nullable = false;
    let types = [NamedType {
        name: TableRef::within("public", "year"),
        kind: "domain".into(),
        definition:
            "CREATE DOMAIN public.year AS integer CHECK (((VALUE >= 1901) AND (VALUE <= 2155)))"
                .into(),
        labels: vec![],
    }];
    let wanted = [TableRequest {
        schema: &film,
        rows: 300,
    }];
    let registry = Registry::new();
    let request = SynthRequest {
        types: &types,
        ..SynthRequest::new(&wanted, &registry, 1)
    };
    let made = make_all(&SynthPlan::compile(&request).unwrap());
    for year in made["film"]["made_in"].iter().flatten() {
        assert!((1901..=2155).contains(&year.parse::<i32>().unwrap()));
    }
}
