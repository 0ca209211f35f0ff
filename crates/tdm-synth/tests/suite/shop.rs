//! A small shop: entities agree within a row, determinism, topping up, recipes, errors.

use serde_json::json;
use tdm_core::catalog::{Check, Column, ForeignKey, Generation, Key, TableSchema};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::function::Params;
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_synth::{
    ColumnRecipe, Registry, SynthError, SynthPlan, SynthRequest, TableRequest, locale_names,
};

use crate::judge::{Loaded, digest, make_all, violations};

pub(crate) fn text(name: &str, ordinal: u32, length: u32) -> Column {
    Column::new(
        name,
        ordinal,
        format!("varchar({length})"),
        LogicalType::Text {
            max_length: Some(length),
        },
    )
    .not_null()
}

pub(crate) fn int(name: &str, ordinal: u32) -> Column {
    Column::new(name, ordinal, "bigint", LogicalType::BIGINT).not_null()
}

pub(crate) fn check(name: &str, expression: &str) -> Check {
    Check {
        name: Some(name.into()),
        expression: expression.into(),
        validated: true,
        exclusion: false,
    }
}

pub(crate) fn refers(child: &mut TableSchema, column: &str, parent: &str) {
    let key = ForeignKey::new(
        child.table.clone(),
        TableRef::new(parent),
        vec![(column.into(), "id".into())],
    );
    child.foreign_keys.push(key);
}

pub(crate) fn customers() -> TableSchema {
    let mut table = TableSchema::new(TableRef::new("customers"));
    table.columns = vec![
        int("id", 1),
        text("first_name", 2, 40),
        text("last_name", 3, 40),
        text("email", 4, 80),
        text("phone", 5, 30),
        text("street", 6, 60),
        text("postal_code", 7, 12),
        text("city", 8, 40),
        text("country", 9, 40),
        Column::new(
            "created_at",
            10,
            "timestamp",
            LogicalType::Timestamp { zoned: false },
        )
        .not_null(),
    ];
    table.columns[0].generation = Generation::Identity { always: false };
    table.primary_key = Some(Key::over(["id"]));
    table.unique = vec![Key::over(["email"])];
    table
}

pub(crate) fn orders() -> TableSchema {
    let mut table = TableSchema::new(TableRef::new("orders"));
    table.columns = vec![
        int("id", 1),
        int("customer_id", 2),
        Column::new("status", 3, "text", LogicalType::TEXT).not_null(),
        Column::new(
            "total",
            4,
            "numeric(8,2)",
            LogicalType::Decimal {
                precision: Some(8),
                scale: Some(2),
            },
        )
        .not_null(),
        Column::new("ordered_on", 5, "date", LogicalType::Date).not_null(),
        Column::new("shipped_on", 6, "date", LogicalType::Date),
    ];
    table.primary_key = Some(Key::over(["id"]));
    table.checks = vec![
        check("status_known", "status IN ('new', 'paid', 'shipped')"),
        check("total_positive", "total > 0 AND total <= 500"),
        check("shipped_later", "shipped_on >= ordered_on"),
        check(
            "shipped_when_shipped",
            "status <> 'shipped' OR shipped_on IS NOT NULL",
        ),
    ];
    refers(&mut table, "customer_id", "customers");
    table
}

fn plan(tables: &[(&TableSchema, u64)], seed: u64) -> SynthPlan {
    let wanted: Vec<TableRequest<'_>> = tables
        .iter()
        .map(|&(schema, rows)| TableRequest { schema, rows })
        .collect();
    SynthPlan::compile(&SynthRequest::new(&wanted, &Registry::new(), seed)).unwrap()
}

#[test]
fn every_constraint_holds() {
    let (customers, orders) = (customers(), orders());
    let plan = plan(&[(&orders, 3_000), (&customers, 400)], 1);
    let made = make_all(&plan);
    assert_eq!(
        violations(&[&customers, &orders], &made),
        Vec::<String>::new()
    );
    let orders = &made["orders"];
    for row in 0..3_000 {
        let status = orders["status"][row].as_deref().unwrap();
        let total: f64 = orders["total"][row].as_deref().unwrap().parse().unwrap();
        assert!(["new", "paid", "shipped"].contains(&status) && total > 0.0 && total <= 500.0);
        match &orders["shipped_on"][row] {
            Some(shipped) => assert!(shipped >= orders["ordered_on"][row].as_ref().unwrap()),
            None => assert_ne!(status, "shipped"),
        }
    }
    assert!(orders["shipped_on"].iter().any(Option::is_none));
}

#[test]
fn any_split_and_any_run_give_the_same_and_another_seed_does_not() {
    let (customers, orders) = (customers(), orders());
    let tables: &[(&TableSchema, u64)] = &[(&customers, 300), (&orders, 1_000)];
    let first = plan(tables, 7);
    for table in ["customers", "orders"] {
        let whole = digest(&first, table, 1);
        for parts in [2, 7, 40] {
            assert_eq!(
                whole,
                digest(&first, table, parts),
                "{table} in {parts} parts"
            );
        }
        assert_eq!(whole, digest(&plan(tables, 7), table, 3));
        assert_ne!(whole, digest(&plan(tables, 8), table, 1));
    }
    assert_eq!(first.hash(), plan(tables, 7).hash());
    assert_ne!(first.hash(), plan(tables, 8).hash());
}

#[test]
fn another_column_moves_nothing() {
    let customers = customers();
    let mut wider = customers.clone();
    wider.columns.insert(1, text("nickname", 11, 20));
    let (narrow, wide) = (
        make_all(&plan(&[(&customers, 100)], 5)),
        make_all(&plan(&[(&wider, 100)], 5)),
    );
    for (name, cells) in &narrow["customers"] {
        assert_eq!(*cells, wide["customers"][name], "{name}");
    }
}

#[test]
fn one_person_and_one_address_a_row_in_every_locale() {
    let customers = customers();
    let registry = Registry::new();
    let wanted = [TableRequest {
        schema: &customers,
        rows: 60,
    }];
    for locale in locale_names() {
        let request = SynthRequest {
            locale,
            ..SynthRequest::new(&wanted, &registry, 11)
        };
        let made = make_all(&SynthPlan::compile(&request).unwrap());
        assert_eq!(
            violations(&[&customers], &made),
            Vec::<String>::new(),
            "{locale}"
        );
        let rows = &made["customers"];
        let mut cities = std::collections::BTreeMap::new();
        for row in 0..60 {
            let cell = |name: &str| rows[name][row].clone().unwrap();
            let email = cell("email");
            let (local, domain) = email.split_once('@').unwrap();
            assert!(["example.com", "example.org", "example.net"].contains(&domain));
            assert!(email.is_ascii());
            if locale == "en-US" {
                let first = cell("first_name").to_lowercase();
                assert!(local.starts_with(&first), "the e-mail names the person");
                assert!(cell("phone").contains("555-01"));
            }
            // The postcode's first digits belong to the city.
            let area: String = cell("postal_code").chars().take(2).collect();
            cities
                .entry(cell("city"))
                .or_insert_with(std::collections::BTreeSet::new)
                .insert(area);
            assert_eq!(rows["country"][row], rows["country"][0]);
        }
        assert!(cities.len() > 3, "{locale}");
        if locale != "en-GB" {
            assert!(cities.values().all(|areas| areas.len() == 1), "{locale}");
        }
    }
    let request = SynthRequest {
        locale: "tlh",
        ..SynthRequest::new(&wanted, &registry, 11)
    };
    let error = SynthPlan::compile(&request).unwrap_err().to_string();
    assert!(
        error.contains("no locale `tlh`") && error.contains("hi-IN"),
        "{error}"
    );
}

#[test]
fn new_rows_join_those_that_exist() {
    let (customers, orders) = (customers(), orders());
    let base = plan(&[(&customers, 50), (&orders, 80)], 3);
    let tables = base.tables();
    let loaded = Loaded(
        tables
            .iter()
            .map(|t| (t.table.clone(), t.generator.generate(0..t.rows).unwrap()))
            .collect(),
    );
    let registry = Registry::new();
    // The same seed again: without a look at what exists every e-mail would come twice.
    let wanted = [
        TableRequest {
            schema: &customers,
            rows: 50,
        },
        TableRequest {
            schema: &orders,
            rows: 80,
        },
    ];
    let request = SynthRequest {
        existing: &loaded,
        ..SynthRequest::new(&wanted, &registry, 3)
    };
    let more = make_all(&SynthPlan::compile(&request).unwrap());
    let mut all = make_all(&base);
    for (table, columns) in more {
        for (name, cells) in columns {
            all.get_mut(&table)
                .unwrap()
                .get_mut(&name)
                .unwrap()
                .extend(cells);
        }
    }
    assert_eq!(all["customers"]["id"].len(), 100);
    assert_eq!(
        violations(&[&customers, &orders], &all),
        Vec::<String>::new()
    );
    // Orders of the second round refer to old and new customers.
    let refer: Vec<u64> = all["orders"]["customer_id"][80..]
        .iter()
        .map(|c| c.as_deref().unwrap().parse().unwrap())
        .collect();
    assert!(refer.iter().any(|&id| id <= 50) && refer.iter().any(|&id| id > 50));
}

#[test]
fn only_children_of_existing_parents() {
    let (customers, orders) = (customers(), orders());
    let base = plan(&[(&customers, 20)], 3);
    let loaded = Loaded(
        base.tables()
            .iter()
            .map(|t| (t.table.clone(), t.generator.generate(0..t.rows).unwrap()))
            .collect(),
    );
    let registry = Registry::new();
    let wanted = [TableRequest {
        schema: &orders,
        rows: 100,
    }];
    let mut made = make_all(&base);
    let request = SynthRequest {
        existing: &loaded,
        ..SynthRequest::new(&wanted, &registry, 3)
    };
    made.extend(make_all(&SynthPlan::compile(&request).unwrap()));
    assert_eq!(
        violations(&[&customers, &orders], &made),
        Vec::<String>::new()
    );

    let error = SynthPlan::compile(&SynthRequest::new(&wanted, &registry, 3)).unwrap_err();
    assert!(
        matches!(error.0[..], [SynthError::Reference { .. }]),
        "{error}"
    );
}

#[test]
fn categories_and_recipes_decide() {
    let mut table = customers();
    table.columns.push(text("x1", 11, 60));
    table.columns.push(text("x2", 12, 60));
    let registry = Registry::new();
    let wanted = [TableRequest {
        schema: &table,
        rows: 50,
    }];
    let classified = [Classification {
        finding: Finding {
            column: table.table.column("x1"),
            category: Category::Iban,
            technique: "t".into(),
            confidence: 1.0,
            evidence: vec![],
        },
        decision: Decision::Confirmed,
        decided_by: "me".into(),
    }];
    let params = |value: serde_json::Value| Params(value.as_object().unwrap().clone());
    let recipes = [ColumnRecipe {
        column: table.table.column("x2"),
        generator: "pattern".into(),
        params: params(json!({"pattern": "K-[0-9]{3}"})),
    }];
    let request = SynthRequest {
        classifications: &classified,
        recipes: &recipes,
        ..SynthRequest::new(&wanted, &registry, 1)
    };
    let plan = SynthPlan::compile(&request).unwrap();
    let made = make_all(&plan);
    let rows = &made["customers"];
    assert!(rows["x1"].iter().flatten().all(|v| v.starts_with("GB")));
    assert!(
        rows["x2"]
            .iter()
            .flatten()
            .all(|v| v.starts_with("K-") && v.len() == 5)
    );
    let reason = |name: &str| {
        plan.coverage()
            .iter()
            .find(|c| c.column.column == name)
            .unwrap()
            .reason
            .clone()
    };
    assert_eq!(
        (reason("x1"), reason("x2")),
        ("category iban".into(), "recipe".into())
    );
    assert_eq!(plan.lineage(&table.table).len(), 12);
    assert!(
        plan.lineage(&table.table)
            .iter()
            .all(|l| l.source.is_none() && l.masked)
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_a_remedy() {
    let mut table = TableSchema::new(TableRef::new("t"));
    table.columns = vec![
        Column::new("flag", 1, "boolean", LogicalType::Boolean).not_null(),
        int("low", 2),
        text("code", 3, 2),
        Column::new("shape", 4, "geometry", LogicalType::Other).not_null(),
        int("when_made", 5),
        text("named", 6, 20),
        Column::new(
            "tiny",
            7,
            "tinyint",
            LogicalType::Integer {
                bits: 8,
                unsigned: false,
            },
        )
        .not_null(),
    ];
    table.unique = vec![Key::over(["flag"]), Key::over(["code"])];
    table.checks = vec![
        check("impossible", "low > 10 AND low < 5"),
        check("clock", "when_made < now()"),
    ];
    let registry = Registry::new();
    let wanted = [TableRequest {
        schema: &table,
        rows: 5_000,
    }];
    let recipes = [
        ColumnRecipe {
            column: table.table.column("named"),
            generator: "full_nam".into(),
            params: Params::default(),
        },
        ColumnRecipe {
            column: table.table.column("tiny"),
            generator: "integer".into(),
            params: Params(
                json!({"min": 5_000, "max": 9_000})
                    .as_object()
                    .unwrap()
                    .clone(),
            ),
        },
    ];
    let request = SynthRequest {
        recipes: &recipes,
        ..SynthRequest::new(&wanted, &registry, 1)
    };
    let errors = SynthPlan::compile(&request).unwrap_err();
    let text = errors.to_string();
    for part in [
        "unique (flag): 5000 rows are asked for and there are 2 different values",
        "unique (code): 5000 rows",
        "t.low",
        "t.shape",
        "constraint `clock`",
        "there is no generator `full_nam`",
        "outside what the column's type holds",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(errors.0.len() >= 6);
}

#[test]
fn tables_shrink_to_what_their_keys_allow_when_that_is_asked_for() {
    let mut pairs = TableSchema::new(TableRef::new("pairs"));
    pairs.columns = vec![int("customer_id", 1), int("order_id", 2)];
    pairs.primary_key = Some(Key::over(["customer_id", "order_id"]));
    refers(&mut pairs, "customer_id", "customers");
    refers(&mut pairs, "order_id", "orders");
    let (customers, orders) = (customers(), orders());
    let registry = Registry::new();
    let wanted = [
        TableRequest {
            schema: &customers,
            rows: 3,
        },
        TableRequest {
            schema: &orders,
            rows: 4,
        },
        TableRequest {
            schema: &pairs,
            rows: 50,
        },
    ];
    let request = SynthRequest::new(&wanted, &registry, 1);
    let error = SynthPlan::compile(&request).unwrap_err();
    assert!(
        error.to_string().contains("there are 12 different values"),
        "{error}"
    );
    let request = SynthRequest {
        shrink: true,
        ..request
    };
    let plan = SynthPlan::compile(&request).unwrap();
    assert_eq!(plan.shrunk(), [(pairs.table.clone(), 50, 12)]);
    let made = make_all(&plan);
    assert_eq!(made["pairs"]["order_id"].len(), 12);
    assert_eq!(
        violations(&[&customers, &orders, &pairs], &made),
        Vec::<String>::new()
    );
}
