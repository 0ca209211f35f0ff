//! Closures of thousands of random databases, held against the naive fixpoint and two independent judges.

use futures_executor::block_on;
use tdm_core::cancel::CancelToken;
use tdm_core::port::NoProgress;
use tdm_provision::subset::{
    CloseOptions, Closure, Down, EdgeDetail, EdgePolicy, KeyText, Order, Seed, SeedRows,
    SubsetPlan, SubsetSpec, TableSelection, close, close_with,
};

use super::checker;
use super::doubles::{TestSource, Twist};
use super::load::copied;
use super::oracle::{self, Rules};
use super::world::{Dice, Edge, Table, World};

/// A random specification that the plan accepts.
pub(crate) fn random_spec(world: &World, dice: &mut Dice) -> SubsetSpec {
    let mut spec = SubsetSpec {
        seed: dice.roll(),
        down: if dice.percent(80) {
            Down::All
        } else {
            Down::None
        },
        depth: dice
            .percent(40)
            .then(|| u32::try_from(dice.below(4)).unwrap()),
        ..SubsetSpec::default()
    };
    let mut free: Vec<usize> = (0..world.tables.len()).collect();
    for _ in 0..=dice.below(2).min(free.len() - 1) {
        let table = &world.tables[free.swap_remove(dice.below(free.len()))];
        let keyed = table.identity().is_some();
        let rows = match dice.below(if keyed { 7 } else { 2 }) {
            0 => SeedRows::All,
            1 | 2 => SeedRows::Where(format!("v < {}", dice.below(5))),
            3 => SeedRows::Count(dice.below(4) as u64),
            4 => listed(table, dice),
            5 => SeedRows::Stratified {
                by: table.columns[dice.below(table.columns.len())].name.clone(),
                rows: dice.below(3) as u64,
            },
            _ => SeedRows::Percent([0.0, 20.0, 50.0, 100.0][dice.below(4)]),
        };
        spec.seeds.push(Seed {
            table: table.name.clone(),
            rows,
        });
    }
    for (share, list) in [
        (15, &mut spec.whole),
        (15, &mut spec.schema_only),
        (10, &mut spec.skip),
    ] {
        if !free.is_empty() && dice.percent(share) {
            let table = free.swap_remove(dice.below(free.len()));
            list.push(world.tables[table].name.clone());
        }
    }
    for edge in &world.edges {
        let (child, parent) = (&world.tables[edge.child], &world.tables[edge.parent]);
        let banned = |name| spec.skip.contains(name) || spec.schema_only.contains(name);
        if banned(&child.name) || spec.skip.contains(&parent.name) || !dice.percent(35) {
            continue;
        }
        let down = match dice.below(if child.identity().is_some() { 4 } else { 2 }) {
            0 => Down::All,
            1 => Down::None,
            _ => Down::Cap(dice.below(3) as u64),
        };
        let mut policy = EdgePolicy::new(&child.name, &parent.name, down);
        if dice.percent(70) {
            policy.columns = world.edge_columns(edge);
        }
        // A policy without columns may name an edge whose child must not be capped.
        spec.edges.push(policy);
    }
    random_details(world, &mut spec, dice);
    spec
}

/// Some keys of a table and one that it does not have.
fn listed(table: &Table, dice: &mut Dice) -> SeedRows {
    let identity = table.identity().unwrap();
    let mut keys: Vec<KeyText> = Vec::new();
    for row in &table.rows {
        if dice.percent(30) {
            let parts = identity.iter().map(|&c| row[c].canonical().unwrap());
            keys.push(KeyText(parts.collect()));
        }
    }
    keys.push(KeyText(vec!["4711".to_owned(); identity.len()]));
    SeedRows::Keys(keys)
}

/// Orders for edges that are capped, and depths.
fn random_details(world: &World, spec: &mut SubsetSpec, dice: &mut Dice) {
    let rules = Rules::resolve(world, spec);
    for (number, edge) in world.edges.iter().enumerate() {
        let (child, parent) = (&world.tables[edge.child], &world.tables[edge.parent]);
        let skipped = |name| spec.skip.contains(name);
        if skipped(&child.name) || skipped(&parent.name) || !dice.percent(40) {
            continue;
        }
        let mut detail = EdgeDetail::new(&child.name, &parent.name);
        detail.columns = world.edge_columns(edge);
        let same = |other: &&Edge| {
            (other.child, other.parent) == (edge.child, edge.parent)
                && other.child_columns == edge.child_columns
        };
        let alone = world.edges.iter().filter(same).count() == 1;
        if alone && matches!(rules.down[number], Down::Cap(_)) {
            detail.order = Some(Order {
                column: child.columns[dice.below(child.columns.len())].name.clone(),
                descending: dice.percent(50),
            });
        }
        if dice.percent(30) {
            detail.depth = Some(u32::try_from(dice.below(3)).unwrap());
        }
        if dice.percent(25) {
            detail.condition = Some(format!("v < {}", dice.below(4)));
        }
        spec.details.push(detail);
    }
}

/// The closure of a specification.
pub(crate) async fn closed(plan: &SubsetPlan, source: &TestSource, keys_max: usize) -> Closure {
    close(plan, source, keys_max, &CancelToken::new(), &NoProgress)
        .await
        .unwrap()
}

#[test]
fn closures_equal_the_naive_fixpoint_row_for_row() {
    let (mut rows, mut capped, mut deep) = (0, 0, 0);
    for seed in 0..2_500 {
        let world = World::random(seed);
        let mut dice = Dice(seed ^ 0xface);
        let spec = random_spec(&world, &mut dice);
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let keys_max = [1, 2, 3, 7, 100, 10_000][dice.below(6)];
        let result = block_on(async {
            let closure = closed(&plan, &source, keys_max).await;
            copied(&plan, &closure, &source).await
        });
        let rules = Rules::resolve(&world, &spec);
        let expected = oracle::subset(&world, &rules);
        assert_eq!(
            result,
            oracle::rows(&world, &rules, &expected),
            "world {seed}, {keys_max} keys"
        );
        let chosen = checker::located(&world, &result);
        assert_eq!(
            checker::dangling(&world, &rules, &chosen),
            0,
            "world {seed}"
        );
        assert_eq!(
            checker::underivable(&world, &rules, &chosen),
            0,
            "world {seed}"
        );
        rows += result.values().map(Vec::len).sum::<usize>();
        capped += usize::from(rules.down.iter().any(|d| matches!(d, Down::Cap(_))));
        deep += usize::from(spec.depth.is_some());
    }
    // The worlds are not all empty or trivial.
    assert!(rows > 8_000, "{rows} rows");
    assert!(capped > 300 && deep > 300);
}

#[test]
fn the_judges_notice_a_row_too_few_and_a_row_too_many() {
    let (mut few, mut many) = (0, 0);
    for seed in 0..300 {
        let world = World::random(seed);
        let spec = random_spec(&world, &mut Dice(seed));
        let rules = Rules::resolve(&world, &spec);
        let right = oracle::subset(&world, &rules);
        for table in 0..right.len() {
            for row in 0..right[table].len() {
                let mut wrong = right.clone();
                wrong[table][row] ^= true;
                if right[table][row] {
                    few += checker::dangling(&world, &rules, &wrong);
                } else {
                    many += checker::underivable(&world, &rules, &wrong);
                }
            }
        }
    }
    assert!(few > 100 && many > 100, "{few} and {many}");
}

#[test]
fn batch_sizes_and_the_order_of_tables_change_nothing() {
    for seed in 0..250 {
        let world = World::random(seed);
        let mut dice = Dice(seed ^ 0xbeef);
        let spec = random_spec(&world, &mut dice);
        let (schemas, extra) = world.schemas();
        let mut seen = None;
        for keys_max in [1, 2, 5, 64, 10_000] {
            let (mut schemas, mut extra) = (schemas.clone(), extra.clone());
            for list in 1..schemas.len() {
                schemas.swap(list, dice.below(list + 1));
            }
            extra.reverse();
            let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
            let source = TestSource::new(world.source()).batches_of(1 + dice.below(9));
            let options = CloseOptions::default()
                .keys_max(keys_max)
                .readers(1 + dice.below(4));
            let result = block_on(async {
                let (cancel, progress) = (CancelToken::new(), NoProgress);
                let closing = close_with(&plan, &source, options, &cancel, &progress);
                let closure = closing.await.unwrap();
                copied(&plan, &closure, &source).await
            });
            match &seen {
                None => seen = Some(result),
                Some(first) => assert_eq!(*first, result, "world {seed}, {keys_max} keys"),
            }
        }
    }
}

#[test]
fn everything_equals_the_source() {
    for seed in 0..300 {
        let world = World::random(seed);
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::everything(&schemas, &extra, &[]).unwrap();
        let source = TestSource::new(world.source());
        let result = block_on(async {
            let closure = closed(&plan, &source, 10_000).await;
            copied(&plan, &closure, &source).await
        });
        for table in &world.tables {
            let mut rows = table.rows.clone();
            rows.sort();
            assert_eq!(result[&table.name], rows, "world {seed}");
        }
    }
}

#[test]
fn contributions_and_seeds_add_up_to_the_rows() {
    for seed in 0..500 {
        let world = World::random(seed);
        let spec = random_spec(&world, &mut Dice(seed ^ 0xc0de));
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let closure = block_on(closed(&plan, &source, 3));
        let rows: u64 = closure.tables.iter().map(TableSelection::rows).sum();
        let brought: u64 = closure.edges.iter().map(|e| e.children + e.parents).sum();
        assert_eq!(
            rows,
            brought + closure.seeds.iter().sum::<u64>(),
            "world {seed}"
        );
    }
}

#[test]
fn orphans_are_counted_whether_their_parent_table_is_whole_or_not() {
    let mut counted = 0;
    for seed in 0..1_500 {
        let world = World::random(seed);
        let spec = random_spec(&world, &mut Dice(seed ^ 0x0ff));
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let closure = block_on(closed(&plan, &source, 3));
        let rules = Rules::resolve(&world, &spec);
        let chosen = oracle::subset(&world, &rules);
        for (number, edge) in plan.graph().edges().iter().enumerate() {
            let (_, own) = oracle::live(&world, &rules)
                .find(|(_, e)| {
                    let fk = &edge.foreign_key;
                    let parents = e.parent_columns.iter();
                    world.tables[e.child].name == fk.child.name
                        && world.tables[e.parent].name == fk.parent.name
                        && world.edge_columns(e) == fk.child_columns()
                        && e.only.as_ref().map(|(_, value)| value)
                            == fk.predicate.as_ref().map(|(_, value)| value)
                        && parents
                            .map(|&c| world.tables[e.parent].columns[c].name.as_str())
                            .eq(fk.parent_columns())
                })
                .unwrap();
            let mut keys: Vec<Vec<Option<String>>> = Vec::new();
            for (c, row) in world.tables[own.child].rows.iter().enumerate() {
                let key: Vec<_> = own
                    .child_columns
                    .iter()
                    .map(|&c| row[c].canonical())
                    .collect();
                let parents = 0..world.tables[own.parent].rows.len();
                let of_type = own
                    .only
                    .as_ref()
                    .is_none_or(|(column, value)| row[*column].canonical().as_ref() == Some(value));
                if chosen[own.child][c]
                    && of_type
                    && !key.contains(&None)
                    && !keys.contains(&key)
                    && !parents
                        .into_iter()
                        .any(|p| oracle::refers(&world, own, c, p))
                {
                    keys.push(key);
                }
            }
            assert_eq!(
                closure.edges[number].orphans,
                keys.len() as u64,
                "world {seed}"
            );
            counted += keys.len();
        }
    }
    assert!(counted > 300, "{counted} orphans");
}

#[test]
fn a_cancelled_closure_stops_between_batches() {
    let world = World::random(11);
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::everything(&schemas, &extra, &[]).unwrap();
    let whole = TestSource::new(world.source()).batches_of(1);
    block_on(closed(&plan, &whole, 1));
    assert!(whole.batches() > 3);
    for at in 0..whole.batches() {
        let flag = CancelToken::new();
        let source = TestSource::new(world.source())
            .batches_of(1)
            .twisted(Twist::CancelAt(at, flag.clone()));
        let error = block_on(close(&plan, &source, 1, &flag, &NoProgress)).unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(
            source.batches(),
            at + 1,
            "nothing is read after the flag is up"
        );
    }
}

#[test]
fn a_chain_of_a_thousand_managers_is_followed_to_its_end() {
    let world = World::chain(1_000);
    let (schemas, extra) = world.schemas();
    let spec = SubsetSpec {
        seeds: vec![Seed {
            table: "employee".to_owned(),
            rows: SeedRows::Where("v < 1".to_owned()),
        }],
        ..SubsetSpec::default()
    };
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let closure = block_on(closed(&plan, &TestSource::new(world.source()), 10_000));
    assert_eq!(closure.tables[0].rows(), 1_000);
}

#[test]
fn keys_that_need_more_memory_than_allowed_stop_the_closure_and_name_the_table() {
    let world = World::shop(2_000, 3);
    let (schemas, extra) = world.schemas();
    let spec = SubsetSpec {
        seeds: vec![Seed {
            table: "customer".to_owned(),
            rows: SeedRows::Where("v < 9".to_owned()),
        }],
        ..SubsetSpec::default()
    };
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let source = TestSource::new(world.source());
    let (cancel, progress) = (CancelToken::new(), NoProgress);
    let run = |bytes| {
        let options = CloseOptions::default().memory_max(bytes);
        block_on(close_with(&plan, &source, options, &cancel, &progress))
    };
    let enough = run(usize::MAX).unwrap().memory;
    assert!(run(enough).is_ok());
    let message = run(enough - 1).unwrap_err().to_string();
    assert!(
        message.contains("orders") && message.contains("bytes"),
        "{message}"
    );
}

#[test]
fn an_unindexed_reference_costs_one_scan_a_level_and_finds_the_same_rows() {
    let world = World::shop(300, 4);
    let (mut schemas, extra) = world.schemas();
    let spec = SubsetSpec {
        seeds: vec![Seed {
            table: "customer".to_owned(),
            rows: SeedRows::Where("v < 3".to_owned()),
        }],
        ..SubsetSpec::default()
    };
    let scans = |schemas: &[tdm_core::catalog::TableSchema]| {
        let plan = SubsetPlan::compile(schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let closure = block_on(closed(&plan, &source, 10));
        assert_eq!(closure.tables[1].rows(), 900);
        closure.scans
    };
    // One scan for the seeds and one for all their orders; with an index a look-up for each ten keys.
    assert_eq!(scans(&schemas), 2);
    let key = tdm_core::catalog::Key::over(["customer_id"]);
    schemas[1].unique.push(key);
    assert_eq!(scans(&schemas), 1 + 23);
}

#[test]
fn a_closure_may_run_on_any_thread() {
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let world = World::shop(2, 1);
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::everything(&schemas, &extra, &[]).unwrap();
    let source = TestSource::new(world.source());
    let (cancel, progress) = (CancelToken::new(), NoProgress);
    block_on(sendable(close(&plan, &source, 10, &cancel, &progress))).unwrap();
}
