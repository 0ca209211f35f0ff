//! References without a parent: kept, set to NULL, dropped with all that hangs on them, or given a parent.

use std::collections::BTreeMap;

use futures_executor::block_on;
use tdm_core::catalog::ForeignKey;
use tdm_core::memory::MemoryTarget;
use tdm_provision::build::Build;
use tdm_provision::subset::{
    EdgeDetail, OrphanPolicy, Seed, SeedRows, SubsetPlan, SubsetSpec, TableSelection,
};

use super::closure::{closed, random_spec};
use super::doubles::TestSource;
use super::load::{AsIs, context, copied, staging};
use super::oracle::{self, Chosen, Rules};
use super::world::{Dice, Edge, Value, World};

type Rows = BTreeMap<String, Vec<Vec<Value>>>;

fn alike(world: &World, edge: &Edge) -> bool {
    let (child, parent) = (&world.tables[edge.child], &world.tables[edge.parent]);
    let mut pairs = edge.child_columns.iter().zip(&edge.parent_columns);
    pairs.all(|(&c, &p)| child.columns[c].text == parent.columns[p].text)
}

/// Whether row `c` refers to something, and whether that is in the source and among `present`.
fn parents(world: &World, edge: &Edge, c: usize, present: &Chosen) -> (bool, bool, bool) {
    let row = &world.tables[edge.child].rows[c];
    let of_type = edge
        .only
        .as_ref()
        .is_none_or(|(column, value)| row[*column].canonical().as_ref() == Some(value));
    let complete = edge.child_columns.iter().all(|&c| row[c] != Value::Null);
    let (mut source, mut chosen) = (false, false);
    for (p, &here) in present[edge.parent].iter().enumerate() {
        if oracle::refers(world, edge, c, p) {
            source = true;
            chosen |= here;
        }
    }
    (of_type && complete, source, chosen)
}

/// The rows that the policies leave of a subset, by trying every rule on every row until nothing changes.
fn settled(world: &World, rules: &Rules, chosen: &Chosen) -> Rows {
    let mut present = chosen.clone();
    loop {
        let mut going = Vec::new();
        for (number, edge) in oracle::live(world, rules) {
            for c in 0..world.tables[edge.child].rows.len() {
                let (refers, source, here) = parents(world, edge, c, &present);
                if !present[edge.child][c] || !refers || here {
                    continue;
                }
                let policy = rules.orphans[number];
                let lost = policy != OrphanPolicy::Null || !alike(world, edge);
                if (!source && policy == OrphanPolicy::Drop) || (source && lost) {
                    going.push((edge.child, c));
                }
            }
        }
        if going.is_empty() {
            break;
        }
        for (table, row) in going {
            present[table][row] = false;
        }
    }
    let mut rows: Rows = BTreeMap::new();
    for (number, table) in world.tables.iter().enumerate() {
        if rules.skipped[number] {
            continue;
        }
        let list = rows.entry(table.name.clone()).or_default();
        for (c, row) in table.rows.iter().enumerate() {
            if !present[number][c] {
                continue;
            }
            let mut row = row.clone();
            for (at, edge) in oracle::live(world, rules) {
                if edge.child == number && rules.orphans[at] == OrphanPolicy::Null {
                    let (refers, _, here) = parents(world, edge, c, &present);
                    if refers && !here {
                        let columns = edge.child_columns.iter();
                        for &column in columns.filter(|&&c| !table.columns[c].not_null) {
                            row[column] = Value::Null;
                        }
                    }
                }
            }
            list.push(row);
        }
    }
    for (number, edge) in oracle::live(world, rules) {
        if rules.orphans[number] != OrphanPolicy::Stub {
            continue;
        }
        for c in 0..world.tables[edge.child].rows.len() {
            let (refers, source, _) = parents(world, edge, c, chosen);
            if chosen[edge.child][c] && refers && !source {
                let stub = made_up(world, edge, c);
                let list = rows.get_mut(&world.tables[edge.parent].name).unwrap();
                if !list.contains(&stub) {
                    list.push(stub);
                }
            }
        }
    }
    rows.values_mut().for_each(|list| list.sort());
    rows
}

fn made_up(world: &World, edge: &Edge, c: usize) -> Vec<Value> {
    let parent = &world.tables[edge.parent];
    let key = edge.parent_columns.iter();
    let columns = parent.columns.iter().enumerate();
    columns
        .map(|(at, column)| {
            let part = key.clone().position(|&p| p == at);
            match part {
                Some(part) => world.tables[edge.child].rows[c][edge.child_columns[part]].clone(),
                None if !column.not_null => Value::Null,
                None if column.text => Value::Text(String::new()),
                None => Value::Int(0),
            }
        })
        .collect()
}

fn random_policies(world: &World, spec: &mut SubsetSpec, dice: &mut Dice) {
    for edge in &world.edges {
        let (child, parent) = (&world.tables[edge.child], &world.tables[edge.parent]);
        if spec.skip.contains(&child.name) || spec.skip.contains(&parent.name) {
            continue;
        }
        let mut key = parent.identity().unwrap_or_default().to_vec();
        let mut given = edge.parent_columns.clone();
        key.sort_unstable();
        given.sort_unstable();
        let same = |other: &&Edge| {
            (other.child, other.parent) == (edge.child, edge.parent)
                && other.child_columns == edge.child_columns
        };
        let alone = world.edges.iter().filter(same).count() == 1;
        let nullable = edge
            .child_columns
            .iter()
            .any(|&c| !child.columns[c].not_null);
        let mut detail = EdgeDetail::new(&child.name, &parent.name);
        detail.columns = world.edge_columns(edge);
        detail.orphans = Some(match dice.below(5) {
            0 => OrphanPolicy::Keep,
            1 | 2 if alone && key == given && alike(world, edge) => OrphanPolicy::Stub,
            1..=3 if nullable => OrphanPolicy::Null,
            _ => OrphanPolicy::Drop,
        });
        spec.details.push(detail);
    }
}

#[test]
fn policies_leave_what_the_rules_tried_one_by_one_leave() {
    let (mut dropped, mut nulled, mut stubs, mut unchanged) = (0, 0, 0, 0);
    for seed in 0..1_500 {
        let world = World::random(seed);
        let mut dice = Dice(seed ^ 0x0bad);
        let mut spec = random_spec(&world, &mut dice);
        random_policies(&world, &mut spec, &mut dice);
        let (schemas, extra) = world.schemas();
        let Ok(plan) = SubsetPlan::compile(&schemas, &extra, &spec) else {
            // A parent that must refer to a parent of its own cannot be made up.
            continue;
        };
        let source = TestSource::new(world.source());
        let (closure, result) = block_on(async {
            let closure = closed(&plan, &source, 1 + dice.below(5)).await;
            let rows = copied(&plan, &closure, &source).await;
            (closure, rows)
        });
        let rules = Rules::resolve(&world, &spec);
        let chosen = oracle::subset(&world, &rules);
        let expected = settled(&world, &rules, &chosen);
        assert_eq!(result, expected, "world {seed}");
        let plain = oracle::rows(&world, &rules, &chosen);
        dropped += closure.dropped.iter().sum::<u64>();
        stubs += closure
            .tables
            .iter()
            .map(TableSelection::stubs)
            .sum::<u64>();
        nulled += u64::from(plain != expected);
        unchanged += u64::from(plain == expected);
    }
    assert!(
        dropped > 80 && nulled > 100 && stubs >= 5 && unchanged > 200,
        "{dropped} dropped, {nulled} changed, {stubs} stubs, {unchanged} unchanged"
    );
}

#[test]
fn what_is_nulled_or_dropped_does_not_dangle() {
    for seed in 0..400 {
        let world = World::random(seed);
        let mut dice = Dice(seed);
        let mut spec = random_spec(&world, &mut dice);
        for edge in &world.edges {
            let (child, parent) = (&world.tables[edge.child], &world.tables[edge.parent]);
            if !spec.skip.contains(&child.name) && !spec.skip.contains(&parent.name) {
                let nullable = edge
                    .child_columns
                    .iter()
                    .any(|&c| !child.columns[c].not_null);
                let mut detail = EdgeDetail::new(&child.name, &parent.name);
                detail.columns = world.edge_columns(edge);
                detail.orphans = Some(if nullable && dice.percent(50) {
                    OrphanPolicy::Null
                } else {
                    OrphanPolicy::Drop
                });
                spec.details.push(detail);
            }
        }
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        block_on(async {
            let closure = closed(&plan, &source, 7).await;
            let target = MemoryTarget::new("t");
            let mut build = Build::begin(&target, staging(&plan), "plan", "subset")
                .await
                .unwrap();
            for selection in &closure.tables {
                let transform = AsIs::new(&selection.table, &source);
                let receipt = build
                    .copy(&source, selection, &transform, &context())
                    .await
                    .unwrap();
                assert!(receipt.balances());
            }
            let strict = |_: &ForeignKey| false;
            let verified = build.verify(&extra, &strict, &context()).await;
            assert!(verified.is_ok(), "world {seed}: {:?}", verified.err());
        });
    }
}

/// Orders of which one has no customer, and their lines.
fn shop() -> World {
    let mut world = World::shop(4, 2);
    world.tables[1].rows[3][1] = Value::Int(99);
    let lines = (0..16).map(|i| vec![Value::Int(i), Value::Int(i / 2), Value::Null]);
    world.tables.push(super::world::keyed(
        "line",
        &["order_id", "v"],
        lines.collect(),
    ));
    world.edges.push(super::world::reference((2, 1), 1));
    world.edges[0].declared = false;
    world
}

fn with(policy: OrphanPolicy) -> Rows {
    let world = shop();
    let (schemas, extra) = world.schemas();
    let spec = SubsetSpec {
        seeds: vec![Seed {
            table: "line".to_owned(),
            rows: SeedRows::All,
        }],
        orphans: policy,
        ..SubsetSpec::default()
    };
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let source = TestSource::new(world.source());
    block_on(async {
        let closure = closed(&plan, &source, 100).await;
        assert_eq!(closure.edges.iter().map(|e| e.orphans).sum::<u64>(), 1);
        copied(&plan, &closure, &source).await
    })
}

#[test]
fn each_policy_does_what_it_says() {
    assert_eq!(with(OrphanPolicy::Keep)["orders"][3][1], Value::Int(99));
    assert_eq!(with(OrphanPolicy::Null)["orders"][3][1], Value::Null);
    let dropped = with(OrphanPolicy::Drop);
    assert_eq!((dropped["orders"].len(), dropped["line"].len()), (7, 14));
    let stubbed = with(OrphanPolicy::Stub);
    assert_eq!(stubbed["customer"][4], [Value::Int(99), Value::Null]);
    assert_eq!(stubbed["orders"].len(), 8);
}

#[test]
fn a_policy_that_cannot_be_followed_is_refused() {
    let mut world = shop();
    world.tables[1].columns[1].not_null = true;
    let (schemas, extra) = world.schemas();
    let spec = |policy| {
        let mut detail = EdgeDetail::new("orders", "customer");
        detail.orphans = Some(policy);
        SubsetSpec {
            seeds: vec![Seed {
                table: "line".to_owned(),
                rows: SeedRows::All,
            }],
            details: vec![detail],
            ..SubsetSpec::default()
        }
    };
    let refused = SubsetPlan::compile(&schemas, &extra, &spec(OrphanPolicy::Null));
    assert!(refused.unwrap_err().to_string().contains("NOT NULL"));
    world.tables[0].pk = None;
    let (schemas, extra) = world.schemas();
    let refused = SubsetPlan::compile(&schemas, &extra, &spec(OrphanPolicy::Stub));
    assert!(refused.unwrap_err().to_string().contains("made up"));
}
