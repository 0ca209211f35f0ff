//! The suite that every metadata store passes, on every engine.

use std::sync::{Arc, Mutex};

use tdm_testkit::conformance::store::{self, Store};
use tdm_testkit::server::Server;

use crate::scratch::{Scratch, servers};

/// Runs the suite, each case in a database of its own.
async fn check(server: Option<&Server>) {
    let kept = Mutex::new(Vec::new());
    store::all(async || {
        let scratch = match server {
            Some(server) => Scratch::on(server).await,
            None => Scratch::sqlite().await,
        };
        let database = scratch.migrated().await;
        kept.lock().unwrap().push(scratch);
        Arc::new(database) as Store
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_sqlite() {
    check(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_servers() {
    for server in servers(tdm_testkit::test_name!()) {
        check(Some(server)).await;
    }
}
