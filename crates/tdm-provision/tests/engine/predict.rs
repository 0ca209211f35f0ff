//! Predictions: exact where the statistics are, honest where they are not, and budgets that are met.

use std::collections::BTreeMap;

use futures_executor::block_on;
use tdm_core::catalog::{Index, IndexPart};
use tdm_core::profile::ColumnProfile;
use tdm_provision::subset::{
    Down, EdgePolicy, Seed, SeedRows, Statistics, SubsetPlan, SubsetSpec, predict, propose,
};

use super::closure::closed;
use super::doubles::TestSource;
use super::world::{World, keyed, reference};

/// Customers of countries, their orders, and the lines of these.
fn world() -> World {
    use super::world::Value::{Int, Null};
    let mut world = World::shop(1_000, 5);
    let lines = (0..20_000).map(|i| vec![Int(i), Int(i / 4), Null]);
    world
        .tables
        .push(keyed("line", &["order_id", "v"], lines.collect()));
    world.edges.push(reference((2, 1), 1));
    let countries = (0..50).map(|i| vec![Int(i), Null]);
    world
        .tables
        .push(keyed("country", &["v"], countries.collect()));
    world.tables[0].columns.push(super::world::Col {
        name: "country_id".to_owned(),
        text: false,
        not_null: false,
    });
    for (number, row) in world.tables[0].rows.iter_mut().enumerate() {
        row.push(Int(i64::try_from(number).unwrap() % 50));
    }
    world.edges.push(reference((0, 2), 3));
    world
}

fn statistics(world: &World) -> Statistics {
    let mut statistics = Statistics::default();
    let (schemas, _) = world.schemas();
    for (schema, table) in schemas.iter().zip(&world.tables) {
        let rows = table.rows.len() as u64;
        statistics.rows.insert(schema.table.clone(), rows);
        for (at, column) in table.columns.iter().enumerate() {
            let mut values: Vec<_> = table.rows.iter().map(|row| &row[at]).collect();
            values.sort();
            values.dedup();
            let profile = ColumnProfile {
                rows,
                distinct: values.len() as u64,
                complete: true,
                ..ColumnProfile::default()
            };
            statistics
                .columns
                .insert(schema.table.column(&column.name), profile);
        }
    }
    statistics
}

fn spec(rows: SeedRows) -> SubsetSpec {
    SubsetSpec {
        seeds: vec![Seed {
            table: "customer".to_owned(),
            rows,
        }],
        ..SubsetSpec::default()
    }
}

#[test]
fn predictions_come_near_what_a_closure_finds() {
    let world = world();
    let (schemas, extra) = world.schemas();
    let cap = |spec: SubsetSpec| SubsetSpec {
        edges: vec![
            EdgePolicy::new("orders", "customer", Down::Cap(2)),
            EdgePolicy::new("line", "orders", Down::Cap(3)),
        ],
        ..spec
    };
    for spec in [
        spec(SeedRows::Percent(1.0)),
        spec(SeedRows::Percent(10.0)),
        spec(SeedRows::Count(300)),
        cap(spec(SeedRows::Percent(20.0))),
        spec(SeedRows::All),
    ] {
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let told = predict(&plan, &statistics(&world));
        let source = TestSource::new(world.source());
        let closure = block_on(closed(&plan, &source, 10_000));
        let mut found = BTreeMap::new();
        for selection in &closure.tables {
            found.insert(selection.table.table.to_string(), selection.rows());
        }
        for table in &told.tables {
            let real = found[&table.table];
            // A percentage of a thousand rows is itself a draw: five standard deviations.
            let slack = 20.max(real / 2);
            assert!(
                table.rows.abs_diff(real) <= slack,
                "{}: {} told, {real} found",
                table.table,
                table.rows
            );
            assert!(!table.guessed);
        }
    }
}

#[test]
fn the_plan_names_missing_indexes_cycles_and_tables_without_a_key() {
    let mut world = world();
    world.tables[2].pk = None;
    let mut schemas = world.schemas().0;
    schemas[2].indexes.push(Index {
        name: "line_order".to_owned(),
        parts: vec![IndexPart::Column {
            name: "order_id".to_owned(),
            descending: false,
        }],
        unique: false,
        method: None,
        predicate: None,
        include: Vec::new(),
        valid: true,
        definition: None,
    });
    let plan = SubsetPlan::compile(&schemas, &[], &spec(SeedRows::All)).unwrap();
    let told = predict(&plan, &Statistics::default());
    assert_eq!(told.keyless, ["line"]);
    assert!(told.tables.iter().all(|t| t.guessed));
    let hint = |reference: &str| {
        let edges = told.edges.iter();
        let mut edges = edges.filter(|e| e.reference.starts_with(reference));
        edges.next().unwrap().missing_index.clone()
    };
    assert_eq!(hint("orders"), Some("orders(customer_id)".to_owned()));
    assert_eq!(hint("line"), None);
    assert!(told.cycles.is_empty());

    let chain = World::chain(3);
    let (mut schemas, extra) = chain.schemas();
    let spec = SubsetSpec {
        whole: vec!["employee".to_owned()],
        ..SubsetSpec::default()
    };
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let cycle = &predict(&plan, &Statistics::default()).cycles[0];
    assert_eq!(cycle.tables, ["employee"]);
    assert!(!cycle.rigid);
    schemas[0].columns[1].nullable = false;
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    assert!(predict(&plan, &Statistics::default()).cycles[0].rigid);
}

#[test]
fn a_budget_is_met_by_caps_that_hold_in_the_closure() {
    let world = world();
    let (schemas, extra) = world.schemas();
    let mut spec = spec(SeedRows::Percent(20.0));
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let statistics = statistics(&world);
    let before = predict(&plan, &statistics).rows;
    let budget = propose(&plan, &statistics, before / 3);
    assert!(budget.reached && !budget.proposals.is_empty());
    for proposal in &budget.proposals {
        let edges = plan.graph().edges().iter().map(|e| &e.foreign_key);
        let mut named = edges.filter(|fk| fk.describe() == proposal.reference);
        let fk = named.next().unwrap();
        let down = Down::Cap(proposal.cap);
        let policy = EdgePolicy::new(&fk.child.name, &fk.parent.name, down);
        spec.edges.push(policy);
    }
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let source = TestSource::new(world.source());
    let closure = block_on(closed(&plan, &source, 10_000));
    let rows: u64 = closure
        .tables
        .iter()
        .map(tdm_provision::subset::TableSelection::rows)
        .sum();
    assert!(rows < before / 2, "{rows} of {before}");
    let hopeless = propose(&plan, &statistics, 1);
    assert!(
        !hopeless.reached,
        "seeds and required parents cannot be capped"
    );
}
