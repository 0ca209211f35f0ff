//! What a target must refuse, and how: with the place and without the value.

use std::sync::Arc;

use tdm_core::batch::{BatchColumn, BatchSchema};
use tdm_core::catalog::Column;
use tdm_core::category::Category;
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::TableRef;
use tdm_core::port::{NamespaceState, Staging};

use super::{Target, assert_holds, dataset, fixture, published, staged};
use crate::canary;
use crate::conformance::{failed, not_found, ok};
use crate::fixture::{Fixture, FixtureTable, encoding};

/// Writes and completes; the error may come at any point, as engines differ in when they look.
async fn attempt(staging: &mut dyn Staging, table: &FixtureTable) -> PortResult<()> {
    let mut writer = staging
        .open(&table.schema.table, &table.batch_schema())
        .await?;
    if let Err(error) = writer.write(table.batch(0..table.rows.len())).await {
        writer.abort().await?;
        return Err(error);
    }
    writer.finish().await?;
    staging.complete().await
}

/// Stages `good` tables, writes `bad` rows into the first of them, and looks at the refusal.
async fn refused(target: &Target, name: &str, good: &Fixture, bad: &Fixture, column: &str) {
    let place = dataset(name, 1);
    published(target, &place, good).await;
    let mut staging = staged(target, &place, good).await;
    let table = &bad.tables[0];
    let error = failed(attempt(staging.as_mut(), table).await, name);
    let shown = format!("{error} {error:?}");
    canary::assert_absent_in_text("the error of a refused row", &shown);
    let PortError::RowRefused { object, code } = &error else {
        panic!("{name}: must be `RowRefused`, is: {error}")
    };
    let named = object.contains(&table.schema.table.name) || object.contains(column);
    assert!(
        named,
        "{name}: the place names neither table nor column: {object}"
    );
    assert!(!code.is_empty(), "{name}: there is a code");
    ok(staging.discard().await, "discard");
    assert_holds(target, &place, good).await;
}

fn account(rows: &str) -> Fixture {
    let columns = "[account]\n id: bigint pk | secret: text(60) not null | mail: text(60) unique\n";
    Fixture::parse(&format!("{columns}{rows}"))
}

pub(super) async fn null_in_a_not_null_column_is_refused(target: &Target) {
    let secret = canary::token(Category::BankAccount);
    let good = account("1 | a | b");
    // What the batch says of NULL is not what the table says.
    let mut bad = account(&format!("2 | {secret} | {secret}\n3 | NULL | NULL"));
    bad.tables[0].schema.columns[1].nullable = true;
    refused(target, "not_null", &good, &bad, "secret").await;
}

pub(super) async fn doubled_keys_are_refused(target: &Target) {
    let secret = canary::token(Category::TaxId);
    let columns = "[account]\n id: text(60) pk | note: text(10)\n";
    let good = Fixture::parse(&format!("{columns}a | b"));
    let bad = Fixture::parse(&format!("{columns}{secret} | a\n{secret} | b"));
    refused(target, "doubled_key", &good, &bad, "id").await;
}

pub(super) async fn doubled_unique_values_are_refused(target: &Target) {
    let secret = canary::token(Category::Passport);
    // NULL is not equal to NULL.
    let good = account("1 | a | b\n2 | a | NULL\n3 | a | NULL");
    let bad = account(&format!("1 | a | {secret}\n2 | a | {secret}"));
    refused(target, "doubled_unique", &good, &bad, "mail").await;
}

pub(super) async fn unknown_tables_and_columns_are_not_found(target: &Target) {
    let (place, fixture) = (dataset("unknown", 1), fixture());
    let mut staging = staged(target, &place, &fixture).await;
    let customer = fixture.table("customer");
    let gone = TableRef::new("gone");
    not_found(
        staging
            .open(&gone, &customer.batch_schema())
            .await
            .map(drop),
        "a writer for a table that was not staged",
    );
    let column = Column::new("gone", 99, "text", tdm_core::types::LogicalType::TEXT);
    let mut schema = BatchSchema::clone(&customer.batch_schema());
    schema
        .columns
        .push(BatchColumn::of(&column, encoding(&column.logical)));
    not_found(
        staging
            .open(&customer.schema.table, &Arc::new(schema))
            .await
            .map(drop),
        "a writer for a column that does not exist",
    );
    ok(staging.discard().await, "discard");
}

pub(super) async fn an_unpublished_namespace_is_empty_and_not_found(target: &Target) {
    let place = dataset("never \"pub'lished", 3);
    assert_eq!(
        ok(target.state(&place).await, "state"),
        NamespaceState::Empty
    );
    not_found(target.read(&place).await.map(drop), "read nothing");
    assert!(!ok(target.identity().await, "identity").0.is_empty());
}
