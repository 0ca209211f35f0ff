//! Choices by keyed hash: the same each time, without bias, and of a parent's children a function of the
//! parent alone.

use std::collections::BTreeSet;

use futures_executor::block_on;
use tdm_provision::subset::{
    Down, EdgePolicy, KeyText, Seed, SeedRows, State, SubsetPlan, SubsetSpec,
};

use super::closure::closed;
use super::doubles::TestSource;
use super::load::copied;
use super::world::{Value, World};

/// Identifiers of `table` in the subset.
pub(crate) fn chosen(world: &World, spec: &SubsetSpec, table: &str) -> BTreeSet<i64> {
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, spec).unwrap();
    let source = TestSource::new(world.source());
    let result = block_on(async {
        let closure = closed(&plan, &source, 10_000).await;
        copied(&plan, &closure, &source).await
    });
    result[table]
        .iter()
        .map(|row| match row[0] {
            Value::Int(id) => id,
            _ => panic!("an integer key"),
        })
        .collect()
}

fn spec(table: &str, rows: SeedRows, seed: u64) -> SubsetSpec {
    SubsetSpec {
        seeds: vec![Seed {
            table: table.to_owned(),
            rows,
        }],
        down: Down::None,
        seed,
        ..SubsetSpec::default()
    }
}

/// Chi-squared of `seen` against equal shares.
fn chi_squared(seen: &[u32]) -> f64 {
    let mean = f64::from(seen.iter().sum::<u32>()) / f64::from(u32::try_from(seen.len()).unwrap());
    seen.iter()
        .map(|&n| (f64::from(n) - mean).powi(2) / mean)
        .sum()
}

#[test]
fn a_percentage_is_reproducible_unbiased_and_grows_with_the_share() {
    let world = World::shop(20_000, 0);
    let tenth = chosen(
        &world,
        &spec("customer", SeedRows::Percent(10.0), 1),
        "customer",
    );
    assert_eq!(
        tenth,
        chosen(
            &world,
            &spec("customer", SeedRows::Percent(10.0), 1),
            "customer"
        )
    );
    let other = chosen(
        &world,
        &spec("customer", SeedRows::Percent(10.0), 2),
        "customer",
    );
    assert_ne!(tenth, other);
    let more = chosen(
        &world,
        &spec("customer", SeedRows::Percent(11.0), 1),
        "customer",
    );
    assert!(tenth.is_subset(&more));
    // Five standard deviations of a binomial with 20,000 draws at one tenth.
    assert!(tenth.len().abs_diff(2_000) < 212, "{}", tenth.len());
    let (mut blocks, mut rests) = ([0u32; 20], [0u32; 20]);
    for &id in &tenth {
        blocks[usize::try_from(id / 1_000).unwrap()] += 1;
        rests[usize::try_from(id % 20).unwrap()] += 1;
    }
    // Nineteen degrees of freedom: 50.8 is the 99.99 % quantile.
    assert!(chi_squared(&blocks) < 50.8 && chi_squared(&rests) < 50.8);
}

#[test]
fn two_tables_with_equal_keys_are_chosen_from_independently() {
    let world = World::shop(10_000, 1);
    let customers = chosen(
        &world,
        &spec("customer", SeedRows::Percent(20.0), 3),
        "customer",
    );
    let orders = chosen(
        &world,
        &spec("orders", SeedRows::Percent(20.0), 3),
        "orders",
    );
    let both = customers.intersection(&orders).count();
    // 4 % of 10,000, five standard deviations.
    assert!(both.abs_diff(400) < 100, "{both} in both");
}

#[test]
fn a_count_is_exact_and_grows_by_adding() {
    let world = World::shop(500, 0);
    let mut before = BTreeSet::new();
    for count in [0, 1, 2, 10, 100, 499, 500, 9_999] {
        let now = chosen(
            &world,
            &spec("customer", SeedRows::Count(count), 5),
            "customer",
        );
        assert_eq!(now.len() as u64, count.min(500));
        assert!(before.is_subset(&now));
        before = now;
    }
}

#[test]
fn a_capped_family_depends_on_its_parent_alone_and_favours_no_child() {
    let world = World::shop(1_000, 10);
    let capped = |rows: SeedRows| SubsetSpec {
        edges: vec![EdgePolicy::new("orders", "customer", Down::Cap(3))],
        ..spec("customer", rows, 9)
    };
    let all = chosen(&world, &capped(SeedRows::All), "orders");
    assert_eq!(all.len(), 3_000);
    let quarter = chosen(
        &world,
        &capped(SeedRows::Where("v < 1".to_owned())),
        "orders",
    );
    let expected: BTreeSet<i64> = all.iter().copied().filter(|id| id / 10 % 4 == 0).collect();
    assert_eq!(quarter, expected, "other parents change nothing");
    let mut places = [0u32; 10];
    for id in &all {
        places[usize::try_from(id % 10).unwrap()] += 1;
    }
    // Nine degrees of freedom: 33.7 is the 99.99 % quantile.
    assert!(chi_squared(&places) < 33.7, "{places:?}");
}

#[test]
fn a_condition_that_does_not_parse_is_refused_before_a_row_is_read() {
    let world = World::shop(10, 2);
    let (schemas, extra) = world.schemas();
    let mut wrong = spec("customer", SeedRows::All, 0);
    wrong.seeds.push(Seed {
        table: "orders".to_owned(),
        rows: SeedRows::Where("v <".to_owned()),
    });
    let plan = SubsetPlan::compile(&schemas, &extra, &wrong).unwrap();
    let source = TestSource::new(world.source());
    let cancel = tdm_core::cancel::CancelToken::new();
    let progress = tdm_core::port::NoProgress;
    let closing = tdm_provision::subset::close(&plan, &source, 100, &cancel, &progress);
    assert!(block_on(closing).is_err());
    assert_eq!(source.scans(), 0);
}

#[test]
fn a_coverage_seed_shows_every_state_as_often_as_asked() {
    let mut world = World::shop(500, 0);
    world.tables[0].rows[17][1] = Value::Null;
    let (schemas, extra) = world.schemas();
    let spec = spec("customer", SeedRows::Coverage { times: 3 }, 1);
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let source = TestSource::new(world.source());
    let (closure, rows) = block_on(async {
        let closure = closed(&plan, &source, 100).await;
        let rows = copied(&plan, &closure, &source).await;
        (closure, rows)
    });
    let rows = &rows["customer"];
    for value in 0..4 {
        let times = rows
            .iter()
            .filter(|row| row[1] == Value::Int(value))
            .count();
        assert!(times >= 3, "value {value} {times} times");
    }
    assert!(rows.iter().any(|row| row[1] == Value::Null));
    for id in [0, 499] {
        assert!(
            rows.iter().any(|row| row[0] == Value::Int(id)),
            "the boundary {id}"
        );
    }
    assert!(rows.len() < 30, "{} rows", rows.len());
    let told = &closure.coverage["customer"];
    let null = told
        .iter()
        .find(|f| f.column == "v" && f.state == State::Null);
    assert_eq!(null.unwrap().rows, 1, "the source has no more");
    let values = told
        .iter()
        .filter(|f| f.column == "v" && matches!(f.state, State::Value(_)));
    assert!(values.clone().all(|f| f.rows == 3) && values.count() == 4);
}

#[test]
fn listed_keys_that_are_not_there_are_counted_and_wrong_ones_refused() {
    let world = World::shop(10, 1);
    let (schemas, extra) = world.schemas();
    let listed = |keys: &[&[&str]]| {
        let text = |key: &&[&str]| KeyText(key.iter().map(|&part| part.to_owned()).collect());
        spec(
            "customer",
            SeedRows::Keys(keys.iter().map(text).collect()),
            0,
        )
    };
    let run = |spec: &SubsetSpec| {
        let plan = SubsetPlan::compile(&schemas, &extra, spec)?;
        let source = TestSource::new(world.source());
        let (cancel, progress) = (
            tdm_core::cancel::CancelToken::new(),
            tdm_core::port::NoProgress,
        );
        block_on(tdm_provision::subset::close(
            &plan, &source, 4, &cancel, &progress,
        ))
    };
    let closure = run(&listed(&[&["1"], &["3"], &["3"], &["77"], &["99"]])).unwrap();
    assert_eq!(closure.seeds[0], 2);
    assert_eq!(closure.missing[0], 2);
    let message = run(&listed(&[&["1"], &["two"]])).unwrap_err().to_string();
    assert!(
        message.contains("key 2") && !message.contains("two"),
        "{message}"
    );
    let message = run(&listed(&[&["1", "2"]])).unwrap_err().to_string();
    assert!(message.contains("1 parts"), "{message}");
    assert!(!format!("{:?}", listed(&[&["4711"]])).contains("4711"));
}
