//! Choices by keyed hash: the same each time, without bias, and of a parent's children a function of the
//! parent alone.

use std::collections::BTreeSet;

use futures_executor::block_on;
use tdm_provision::subset::{Down, EdgePolicy, Seed, SeedRows, SubsetPlan, SubsetSpec};

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
