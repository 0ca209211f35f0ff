//! The suite that every metadata store passes, on every engine.

use std::sync::Arc;

use tdm_testkit::conformance::store::{self, Store};

use crate::scratch::{Scratch, servers};

/// Runs the suite on one database: its cases use names of their own.
async fn check(scratch: Scratch) {
    let database = scratch.migrated().await;
    store::all(async || Arc::new(database.clone()) as Store).await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_sqlite() {
    check(Scratch::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_servers() {
    for server in servers(tdm_testkit::test_name!()) {
        check(Scratch::on(server).await).await;
    }
}
