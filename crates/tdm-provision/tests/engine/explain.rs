//! Explanations: of every row of random subsets, a chain that exists and that none is shorter than.

use futures_executor::block_on;
use tdm_core::cancel::CancelToken;
use tdm_provision::subset::{KeyText, Link, Rule, Seed, SeedRows, SubsetPlan, SubsetSpec, explain};

use super::closure::{closed, random_spec};
use super::doubles::TestSource;
use super::oracle::{self, Rules};
use super::world::{Dice, Value, World};

/// Links from the nearest seed to each chosen row, itself included.
fn lengths(world: &World, rules: &Rules) -> Vec<Vec<Option<u32>>> {
    let mut length: Vec<Vec<Option<u32>>> = oracle::distances(world, rules);
    loop {
        let mut moved = false;
        for (_, edge) in oracle::live(world, rules) {
            for c in 0..world.tables[edge.child].rows.len() {
                let Some(next) = length[edge.child][c].map(|l| l + 1) else {
                    continue;
                };
                for (p, here) in length[edge.parent].iter_mut().enumerate() {
                    if here.is_none_or(|l| l > next) && oracle::refers(world, edge, c, p) {
                        *here = Some(next);
                        moved = true;
                    }
                }
            }
        }
        if !moved {
            return length;
        }
    }
}

/// Whether each link follows from the one before by a reference of the plan.
fn holds_together(plan: &SubsetPlan, chain: &[Link]) -> bool {
    let fits = |from: &Link, to: &Link| {
        let mut edges = plan.graph().edges().iter().map(|edge| &edge.foreign_key);
        edges.any(|fk| {
            let ends = match to.rule {
                Rule::Seed => return false,
                Rule::Child => (fk.parent.to_string(), fk.child.to_string()),
                Rule::Parent => (fk.child.to_string(), fk.parent.to_string()),
            };
            ends == (from.table.clone(), to.table.clone())
                && to.reference.as_ref() == Some(&fk.describe())
        })
    };
    chain[0].rule == Rule::Seed && chain.windows(2).all(|pair| fits(&pair[0], &pair[1]))
}

#[test]
fn every_row_is_explained_by_a_shortest_chain_and_no_other_row_is() {
    let (mut chains, mut long) = (0, 0);
    for seed in 0..500 {
        let world = World::random(seed);
        let spec = random_spec(&world, &mut Dice(seed ^ 0x4e11));
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let closure = block_on(closed(&plan, &source, 3));
        let rules = Rules::resolve(&world, &spec);
        let lengths = lengths(&world, &rules);
        for (number, table) in world.tables.iter().enumerate() {
            let Some(identity) = table.identity() else {
                continue;
            };
            if rules.skipped[number] {
                continue;
            }
            for (row, cells) in table.rows.iter().enumerate() {
                let key = identity.iter().map(|&c| cells[c].canonical().unwrap());
                let key = KeyText(key.collect());
                let cancel = CancelToken::new();
                let why = explain(&plan, &closure, &source, &table.name, &key, &cancel);
                let chain = block_on(why).unwrap();
                let links = chain.as_ref().map(Vec::len);
                let expected = lengths[number][row].map(|l| l as usize + 1);
                assert_eq!(links, expected, "world {seed}, {} row {row}", table.name);
                if let Some(chain) = chain {
                    assert!(holds_together(&plan, &chain), "world {seed}: {chain:?}");
                    assert_eq!(chain.last().unwrap().table, table.name);
                    chains += 1;
                    long += usize::from(chain.len() > 2);
                }
            }
        }
    }
    assert!(chains > 1_000 && long > 100, "{chains} chains, {long} long");
}

#[test]
fn a_chain_names_tables_and_references_and_no_value() {
    let mut world = World::shop(4, 2);
    let lines = (0..8).map(|i| vec![Value::Int(4_000 + i), Value::Int(i), Value::Null]);
    world.tables.push(super::world::keyed(
        "line",
        &["order_id", "v"],
        lines.collect(),
    ));
    world.edges.push(super::world::reference((2, 1), 1));
    let (schemas, extra) = world.schemas();
    let spec = SubsetSpec {
        seeds: vec![Seed {
            table: "customer".to_owned(),
            rows: SeedRows::Keys(vec![KeyText(vec!["2".to_owned()])]),
        }],
        ..SubsetSpec::default()
    };
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let source = TestSource::new(world.source());
    let closure = block_on(closed(&plan, &source, 3));
    let why = |table: &'static str, key: &str| {
        let key = KeyText(vec![key.to_owned()]);
        block_on(explain(
            &plan,
            &closure,
            &source,
            table,
            &key,
            &CancelToken::new(),
        ))
    };
    let chain = why("line", "4004").unwrap().unwrap();
    let told: Vec<_> = chain.iter().map(|l| (l.table.as_str(), l.rule)).collect();
    assert_eq!(
        told,
        [
            ("customer", Rule::Seed),
            ("orders", Rule::Child),
            ("line", Rule::Child)
        ]
    );
    assert_eq!(
        chain[2].reference.as_deref(),
        Some("line(order_id) -> orders(id)")
    );
    assert!(!format!("{chain:?}").contains("4004"));
    assert_eq!(why("line", "4000").unwrap(), None);
    assert_eq!(why("line", "1").unwrap(), None);
    assert!(why("lines", "1").is_err());
    let wrong = why("line", "many").unwrap_err().to_string();
    assert!(
        wrong.contains("line.id") && !wrong.contains("many"),
        "{wrong}"
    );
}
