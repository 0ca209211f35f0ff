//! Deployments: only what is recorded reaches an environment, and only one that is ours or empty.

use std::collections::BTreeMap;

use futures_executor::block_on;
use tdm_core::memory::MemoryTarget;
use tdm_core::port::{Namespace, TargetDatabase};
use tdm_core::types::Engine;
use tdm_provision::build::Build;
use tdm_provision::deploy::{DatasetRecord, DeployRequest, Deployment, deploy};
use tdm_provision::subset::{SubsetPlan, TableSelection};
use tdm_provision::{Error, Result};

use super::doubles::{Liar, Lie, TestSource};
use super::load::{AsIs, context, mark, place, staging};
use super::world::{Value, World};

/// Builds the world as a dataset version and says what is recorded of it.
fn built(world: &World) -> (MemoryTarget, DatasetRecord) {
    let (schemas, extra) = world.schemas();
    let plan = SubsetPlan::everything(&schemas, &extra, &[]).unwrap();
    let target = MemoryTarget::new("datasets");
    let source = TestSource::new(world.source());
    let digests = block_on(async {
        let mut build = Build::begin(&target, staging(&plan), "plan", "build")
            .await
            .unwrap();
        for (schema, table) in plan.tables().iter().zip(&world.tables) {
            let selection = TableSelection::whole(schema.clone(), table.rows.len() as u64);
            let transform = AsIs::new(schema, &source);
            build
                .copy(&source, &selection, &transform, &context())
                .await
                .unwrap();
        }
        let verification = build.verify(&extra, &|_| true, &context()).await.unwrap();
        build.publish().await.unwrap();
        verification.tables
    });
    let record = DatasetRecord {
        engine: Engine::Memory,
        tables: staging(&plan).tables,
        relationships: extra,
        tolerated: Vec::new(),
        digests,
    };
    (target, record)
}

fn sent(
    from: &dyn TargetDatabase,
    record: &DatasetRecord,
    to: &dyn TargetDatabase,
    adopt: bool,
) -> Result<Deployment> {
    block_on(deploy(
        DeployRequest {
            from,
            namespace: &place(),
            record,
            to,
            adopt,
            mark: mark(),
            plan_hash: "plan",
        },
        &context(),
    ))
}

#[test]
fn a_dataset_arrives_whole_and_again_over_itself() {
    let (datasets, record) = built(&World::shop(5, 2));
    let environment = MemoryTarget::new("qa");
    for _ in 0..2 {
        let done = sent(&datasets, &record, &environment, false).unwrap();
        assert_eq!(done.verification.total.rows, 15);
        assert_eq!(done.receipts.len(), 2);
        assert!(
            done.receipts
                .iter()
                .all(tdm_core::unit::UnitReceipt::balances)
        );
        assert_eq!(done.publication.location, "main");
        assert_eq!(environment.tables(&Namespace::Main).unwrap().len(), 2);
    }
}

#[test]
fn the_target_database_itself_may_be_the_environment() {
    let (datasets, record) = built(&World::shop(5, 2));
    sent(&datasets, &record, &datasets, false).unwrap();
    assert!(datasets.tables(&Namespace::Main).is_some());
    assert!(datasets.tables(&place()).is_some());
}

#[test]
fn tables_of_others_are_replaced_only_on_the_owners_word() {
    let (datasets, record) = built(&World::shop(5, 2));
    let environment = Liar::new(MemoryTarget::new("qa"), Lie::Foreign);
    let error = sent(&datasets, &record, &environment, false).unwrap_err();
    assert!(matches!(error, Error::Guard(_)));
    assert!(error.to_string().contains("adopt"), "{error}");
    assert!(environment.inner.tables(&Namespace::Main).is_none());
    sent(&datasets, &record, &environment, true).unwrap();
    assert!(environment.inner.tables(&Namespace::Main).is_some());
}

#[test]
fn a_dataset_that_was_tampered_with_is_refused() {
    let world = World::shop(5, 2);
    let (_, record) = built(&world);
    let environment = MemoryTarget::new("qa");
    let mut changed = world.clone();
    changed.tables[0].rows[2][1] = Value::Int(4_711);
    let mut fewer = world.clone();
    fewer.tables[1].rows.pop();
    let mut more = world.clone();
    let mut twin = more.tables[1].rows[0].clone();
    twin[0] = Value::Int(4_711);
    more.tables[1].rows.push(twin);
    for tampered in [changed, fewer, more] {
        let (datasets, _) = built(&tampered);
        let error = sent(&datasets, &record, &environment, false).unwrap_err();
        assert!(
            matches!(error, Error::Mismatch { .. } | Error::RowsDiffer { .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("4711"));
        assert!(environment.tables(&Namespace::Main).is_none());
    }
}

#[test]
fn rows_in_a_table_recorded_as_empty_are_tampering_too() {
    let world = World::shop(5, 2);
    let mut empty = world.clone();
    empty.tables[1].rows.clear();
    let (_, record) = built(&empty);
    let (datasets, _) = built(&world);
    let environment = MemoryTarget::new("qa");
    assert!(sent(&datasets, &record, &environment, false).is_err());
}

#[test]
fn a_table_without_a_recorded_digest_is_refused() {
    let (datasets, mut record) = built(&World::shop(5, 2));
    record.digests = BTreeMap::new();
    let environment = MemoryTarget::new("qa");
    let error = sent(&datasets, &record, &environment, false).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(environment.tables(&Namespace::Main).is_none());
}

#[test]
fn a_target_that_loses_rows_on_the_way_is_found() {
    let (datasets, record) = built(&World::shop(5, 2));
    for lie in [
        Lie::AlterCell,
        Lie::ShortWrite,
        Lie::LoseRow(tdm_core::ident::TableRef::new("orders")),
    ] {
        let environment = Liar::new(MemoryTarget::new("qa"), lie);
        assert!(sent(&datasets, &record, &environment, false).is_err());
        assert!(environment.inner.tables(&Namespace::Main).is_none());
        assert_eq!(environment.discarded(), 1);
    }
}
