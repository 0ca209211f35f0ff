//! Builds: receipts balance, every kind of loss is found, and a target stays as it was until publication.

use futures_executor::block_on;
use tdm_core::arrow_array::ArrayRef;
use tdm_core::catalog::{ForeignKey, TableSchema};
use tdm_core::ident::TableRef;
use tdm_core::memory::{MemorySource, MemoryTable, MemoryTarget};
use tdm_core::port::{RowSource, StepContext, TargetDatabase};
use tdm_provision::build::{Build, Verification};
use tdm_provision::subset::{Down, Seed, SeedRows, SubsetPlan, SubsetSpec, TableSelection, close};
use tdm_provision::{Error, Result};

use super::closure::{closed, random_spec};
use super::doubles::{Liar, Lie, TestSource, Twist};
use super::load::{AsIs, context, copied, place, staging};
use super::world::{Dice, Value, World, arrays};

fn strict(_: &ForeignKey) -> bool {
    false
}

fn half() -> SubsetSpec {
    SubsetSpec {
        seeds: vec![Seed {
            table: "customer".to_owned(),
            rows: SeedRows::Where("v < 2".to_owned()),
        }],
        ..SubsetSpec::default()
    }
}

/// Closes, copies, verifies and publishes; discards when that fails.
async fn run(
    world: &World,
    spec: &SubsetSpec,
    source: &dyn RowSource,
    target: &dyn TargetDatabase,
    context: &StepContext,
) -> Result<Verification> {
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, spec)?;
    let closure = close(
        &plan,
        source,
        100,
        &context.cancel,
        context.progress.as_ref(),
    )
    .await?;
    let mut build = Build::begin(target, staging(&plan), "plan", "subset").await?;
    let filled = async {
        for selection in closure.tables.iter().filter(|t| t.rows() > 0) {
            let transform = AsIs::new(&selection.table, source);
            let receipt = build.copy(source, selection, &transform, context).await?;
            assert!(receipt.balances());
        }
        build.verify(&extra, &strict, context).await
    }
    .await;
    match filled {
        Ok(verification) => {
            build.publish().await?;
            Ok(verification)
        }
        Err(error) => {
            build.discard().await?;
            Err(error)
        }
    }
}

fn shop_through(lie: Lie) -> (Result<Verification>, Liar) {
    let world = World::shop(40, 3);
    let target = Liar::new(MemoryTarget::new("t"), lie);
    let source = TestSource::new(world.source());
    let result = block_on(run(&world, &half(), &source, &target, &context()));
    (result, target)
}

fn mismatch(lie: Lie) -> &'static str {
    let (result, target) = shop_through(lie);
    assert!(
        target.inner.tables(&place()).is_none(),
        "nothing is published"
    );
    assert_eq!(target.discarded(), 1);
    match result.unwrap_err() {
        Error::Mismatch { check, .. } => check,
        other => panic!("{other}"),
    }
}

#[test]
fn an_honest_build_verifies_and_is_published() {
    let (result, target) = shop_through(Lie::None);
    let verification = result.unwrap();
    assert_eq!(verification.total.rows, 20 + 60);
    assert_eq!(verification.tables["customer"].rows, 20);
    assert_eq!(
        verification.references["orders(customer_id) -> customer(id)"],
        0
    );
    assert_eq!(target.inner.tables(&place()).unwrap().len(), 2);
    assert_eq!(target.discarded(), 0);
}

#[test]
fn random_builds_verify_and_tolerate_only_what_they_are_told_to() {
    let mut orphans = 0;
    for seed in 0..400 {
        let world = World::random(seed);
        let spec = random_spec(&world, &mut Dice(seed));
        let (schemas, extra) = world.schemas();
        let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
        let source = TestSource::new(world.source());
        let target = MemoryTarget::new("t");
        block_on(async {
            let closure = closed(&plan, &source, 4).await;
            let mut build = Build::begin(&target, staging(&plan), "plan", "subset")
                .await
                .unwrap();
            for selection in &closure.tables {
                let transform = AsIs::new(&selection.table, &source);
                build
                    .copy(&source, selection, &transform, &context())
                    .await
                    .unwrap();
            }
            // What the closure counted as orphans is all that may dangle.
            let dangles: u64 = closure.edges.iter().map(|e| e.orphans).sum();
            let outcome = build.verify(&extra, &strict, &context()).await;
            assert_eq!(outcome.is_err(), dangles > 0, "world {seed}");
            orphans += dangles;
            let tolerated = |fk: &ForeignKey| !fk.validated;
            build.verify(&extra, &tolerated, &context()).await.unwrap();
            build.discard().await.unwrap();
        });
        assert!(target.tables(&place()).is_none());
    }
    assert!(orphans > 50);
}

#[test]
fn a_reader_that_drops_a_row_is_found() {
    let world = World::shop(40, 3);
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, &half()).unwrap();
    let honest = TestSource::new(world.source());
    let closure = block_on(closed(&plan, &honest, 100));
    let table = TableRef::new("orders");
    let liar = TestSource::new(world.source()).twisted(Twist::DropRow(table.clone()));
    let selection = closure
        .tables
        .iter()
        .find(|t| t.table.table == table)
        .unwrap();
    let target = MemoryTarget::new("t");
    let error = block_on(async {
        let mut build = Build::begin(&target, staging(&plan), "plan", "subset").await?;
        let transform = AsIs::new(&selection.table, &liar);
        build.copy(&liar, selection, &transform, &context()).await
    })
    .unwrap_err();
    assert_eq!(
        error,
        Error::RowsDiffer {
            table,
            expected: 60,
            found: 59
        }
    );
}

#[test]
fn a_reader_that_drops_a_row_of_a_table_without_a_key_is_found() {
    let mut world = World::shop(6, 2);
    world.tables[1].pk = None;
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, &half()).unwrap();
    let honest = TestSource::new(world.source());
    let closure = block_on(closed(&plan, &honest, 100));
    let rows = block_on(copied(&plan, &closure, &honest));
    assert_eq!(rows["orders"].len(), 8);
    let table = TableRef::new("orders");
    let liar = TestSource::new(world.source())
        .batches_of(3)
        .twisted(Twist::DropRow(table.clone()));
    let selection = closure
        .tables
        .iter()
        .find(|t| t.table.table == table)
        .unwrap();
    let target = MemoryTarget::new("t");
    let error = block_on(async {
        let mut build = Build::begin(&target, staging(&plan), "plan", "subset").await?;
        let transform = AsIs::new(&selection.table, &liar);
        build.copy(&liar, selection, &transform, &context()).await
    })
    .unwrap_err();
    assert!(
        matches!(error, Error::RowsDiffer { expected: 8, .. }),
        "{error}"
    );
}

#[test]
fn a_writer_that_alters_a_cell_is_found() {
    let check = mismatch(Lie::AlterCell);
    assert_eq!(check, "digest of the target = digest of what was sent");
}

#[test]
fn a_writer_that_keeps_a_row_back_is_found() {
    let check = mismatch(Lie::ShortWrite);
    assert_eq!(check, "rows read = rows written + rejected + filtered");
}

#[test]
fn a_receipt_that_is_a_row_short_is_found() {
    let check = mismatch(Lie::ShortReceipt);
    assert_eq!(check, "rows read = rows written + rejected + filtered");
}

#[test]
fn a_target_that_loses_a_row_is_found() {
    let check = mismatch(Lie::LoseRow(TableRef::new("orders")));
    assert_eq!(check, "rows in the target = rows written");
}

#[test]
fn a_second_reading_that_differs_is_found() {
    let check = mismatch(Lie::OtherCell(TableRef::new("customer")));
    assert_eq!(check, "digest of the target = digest of what was written");
}

#[test]
fn a_row_in_a_table_nobody_wrote_is_found() {
    let world = World::shop(4, 1);
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, &half()).unwrap();
    let source = TestSource::new(world.source());
    let target = Liar::new(MemoryTarget::new("t"), Lie::None);
    // The first build writes; the second verifies a table that it did not write as empty.
    let verified = block_on(async {
        let mut build = Build::begin(&target, staging(&plan), "plan", "subset").await?;
        build.verify(&[], &strict, &context()).await?;
        let selection = TableSelection::whole(plan.tables()[0].clone(), 4);
        let transform = AsIs::new(&selection.table, &source);
        build
            .copy(&source, &selection, &transform, &context())
            .await?;
        build.verify(&[], &strict, &context()).await
    })
    .unwrap();
    assert_eq!(verified.total.rows, 4);
}

#[test]
fn a_dangling_reference_stops_the_publication_and_names_itself() {
    let mut world = World::shop(8, 2);
    world.tables[1].rows[0][1] = Value::Int(4_711);
    let target = Liar::new(MemoryTarget::new("t"), Lie::None);
    let source = TestSource::new(world.source());
    let mut spec = half();
    spec.seeds[0].table = "orders".to_owned();
    let error = block_on(run(&world, &spec, &source, &target, &context())).unwrap_err();
    assert_eq!(
        error,
        Error::Dangling {
            reference: "orders(customer_id) -> customer(id)".to_owned(),
            rows: 1
        }
    );
    assert!(
        !error.to_string().contains("4711"),
        "the place, never the value"
    );
    assert!(target.inner.tables(&place()).is_none());
}

#[test]
fn units_of_one_table_add_up_and_must_agree_on_columns() {
    let mut world = World::shop(4, 2);
    // Without a key the same rows may come twice.
    world.tables[0].pk = None;
    world.edges.clear();
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::compile(&schemas, &extra, &half()).unwrap();
    let source = TestSource::new(world.source());
    let target = MemoryTarget::new("t");
    block_on(async {
        let mut build = Build::begin(&target, staging(&plan), "plan", "subset")
            .await
            .unwrap();
        let selection = TableSelection::whole(plan.tables()[0].clone(), 4);
        let transform = AsIs::new(&selection.table, &source);
        for unit in 1..=2 {
            let receipt = build
                .copy(&source, &selection, &transform, &context())
                .await
                .unwrap();
            assert_eq!(receipt.unit.number, unit);
            assert_eq!(receipt.unit.plan_hash, "plan");
        }
        let mut narrow = TableSchema::clone(&plan.tables()[0]);
        narrow.columns.pop();
        let transform = AsIs::new(&narrow, &source);
        let error = build
            .copy(&source, &selection, &transform, &context())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{error}");
        let verification = build.verify(&[], &strict, &context()).await.unwrap();
        assert_eq!(verification.total.rows, 8);
    });
}

/// What is published before a build that does not finish.
fn published_before() -> Liar {
    let (result, target) = shop_through(Lie::None);
    result.unwrap();
    target
}

fn rows_published(target: &Liar) -> usize {
    let tables = target.inner.tables(&place()).unwrap();
    tables.iter().map(MemoryTable::rows).sum()
}

#[test]
fn cancellation_at_any_batch_leaves_the_target_as_it_was() {
    let world = World::shop(20, 2);
    let everything = SubsetSpec {
        down: Down::All,
        ..half()
    };
    let steps = {
        let source = TestSource::new(world.source()).batches_of(7);
        let target = MemoryTarget::new("t");
        block_on(run(&world, &everything, &source, &target, &context())).unwrap();
        source.batches()
    };
    assert!(steps > 10);
    for at in 0..steps {
        let target = published_before();
        let context = context();
        let source = TestSource::new(world.source())
            .batches_of(7)
            .twisted(Twist::CancelAt(at, context.cancel.clone()));
        let error = block_on(run(&world, &everything, &source, &target, &context)).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert_eq!(rows_published(&target), 80);
    }
}

#[test]
fn an_error_half_way_discards_what_was_staged() {
    let world = World::shop(20, 2);
    let steps = {
        let source = TestSource::new(world.source()).batches_of(7);
        block_on(run(
            &world,
            &half(),
            &source,
            &MemoryTarget::new("t"),
            &context(),
        ))
        .unwrap();
        source.batches()
    };
    for at in 0..steps {
        let target = published_before();
        let source = TestSource::new(world.source())
            .batches_of(7)
            .twisted(Twist::FailAt(at));
        let error = block_on(run(&world, &half(), &source, &target, &context())).unwrap_err();
        assert_eq!(error.code(), "port.unavailable");
        assert_eq!(rows_published(&target), 80);
    }
    for at in 0..2 {
        let target = Liar::new(published_before().inner, Lie::RefuseAt(at));
        let source = TestSource::new(world.source());
        let error = block_on(run(&world, &half(), &source, &target, &context())).unwrap_err();
        assert_eq!(error.code(), "load.row_refused");
        assert_eq!(rows_published(&target), 80);
        assert_eq!(target.discarded(), 1);
    }
}

#[test]
fn a_row_that_the_target_does_not_allow_is_refused_with_its_place() {
    let world = World::shop(3, 1);
    let (mut schemas, extra) = world.schemas();
    let columns: Vec<ArrayRef> = arrays(&world.tables[0]);
    schemas[0].columns[1].nullable = false;
    let mut holes = world.tables[0].clone();
    holes.rows[1][1] = Value::Null;
    let source = MemorySource::new(
        "s",
        vec![MemoryTable::new(schemas[0].clone(), arrays(&holes)).unwrap()],
    );
    assert_eq!(columns.len(), 2);
    let mut spec = half();
    spec.skip.push("orders".to_owned());
    spec.seeds[0].rows = SeedRows::All;
    let plan = SubsetPlan::compile(&schemas, &extra, &spec).unwrap();
    let error = block_on(async {
        let target = MemoryTarget::new("t");
        let mut build = Build::begin(&target, staging(&plan), "plan", "subset").await?;
        let selection = TableSelection::whole(plan.tables()[0].clone(), 3);
        let transform = AsIs::new(&selection.table, &source);
        build
            .copy(&source, &selection, &transform, &context())
            .await
    })
    .unwrap_err();
    assert!(error.to_string().contains("customer.v"), "{error}");
}
