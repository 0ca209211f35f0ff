//! What every metadata store must do: one case a sentence of the contract of the store ports.
//!
//! `make` gives a store that is empty. Cases use names of their own, so one store may serve a whole run as long
//! as nothing else writes to it meanwhile.

mod catalogs;
mod datasets;
mod places;
mod runs;

use std::sync::Arc;

use tdm_core::ident::{ColumnRef, TableRef};
use tdm_core::place::{Connection, StoredConnection};
use tdm_core::port::MetadataStore;
use tdm_core::time::UtcMicros;
use tdm_core::types::Engine;

use super::{ok, run_cases};

/// The store under test.
pub type Store = Arc<dyn MetadataStore>;

/// Runs every case.
///
/// # Panics
/// When the store breaks its contract.
pub async fn all<F: AsyncFn() -> Store>(make: F) {
    all_but(make, &[]).await;
}

/// Runs every case but those named.
///
/// # Panics
/// When the store breaks its contract, or when there is no case of a name.
pub async fn all_but<F: AsyncFn() -> Store>(make: F, except: &[&str]) {
    run_cases!("store", make, except;
        places::a_connection_keeps_its_identifier as "a_connection_keeps_its_identifier",
        places::connections_come_by_name as "connections_come_by_name",
        places::environments_need_their_connection as "environments_need_their_connection",
        places::names_are_compared_exactly as "names_are_compared_exactly",
        catalogs::a_scan_needs_its_connection as "a_scan_needs_its_connection",
        catalogs::equal_scans_give_one_version as "equal_scans_give_one_version",
        catalogs::a_change_gives_the_next_number as "a_change_gives_the_next_number",
        catalogs::changed_relationships_give_the_next_number as "changed_relationships_give_the_next_number",
        catalogs::equal_scans_at_once_give_one_version as "equal_scans_at_once_give_one_version",
        catalogs::different_scans_at_once_leave_no_gap as "different_scans_at_once_leave_no_gap",
        catalogs::a_catalog_reads_back_equal as "a_catalog_reads_back_equal",
        catalogs::hostile_names_read_back_equal as "hostile_names_read_back_equal",
        catalogs::a_large_catalog_is_stored_whole as "a_large_catalog_is_stored_whole",
        catalogs::versions_do_not_mix as "versions_do_not_mix",
        catalogs::relationships_keep_kind_and_key_order as "relationships_keep_kind_and_key_order",
        catalogs::profiles_replace_earlier_ones as "profiles_replace_earlier_ones",
        catalogs::a_suggestion_never_overwrites_a_decision as "a_suggestion_never_overwrites_a_decision",
        catalogs::a_refused_call_stores_nothing as "a_refused_call_stores_nothing",
        catalogs::unknown_schema_versions_are_not_found as "unknown_schema_versions_are_not_found",
        datasets::equal_rules_give_one_version as "equal_rules_give_one_version",
        datasets::rules_of_unknown_schema_versions_are_refused as "rules_of_unknown_schema_versions_are_refused",
        datasets::rule_versions_at_once_leave_no_gap as "rule_versions_at_once_leave_no_gap",
        datasets::versions_count_from_one_by_dataset as "versions_count_from_one_by_dataset",
        datasets::versions_at_once_leave_no_gap as "versions_at_once_leave_no_gap",
        datasets::publishing_stores_digest_and_facts as "publishing_stores_digest_and_facts",
        datasets::a_version_is_published_once_whoever_else_tries as "a_version_is_published_once_whoever_else_tries",
        datasets::only_the_named_moves_are_possible as "only_the_named_moves_are_possible",
        datasets::unknown_dataset_versions_are_not_found as "unknown_dataset_versions_are_not_found",
        runs::a_job_begins_pending_and_reads_back_equal as "a_job_begins_pending_and_reads_back_equal",
        runs::only_allowed_moves_are_possible as "only_allowed_moves_are_possible",
        runs::of_many_moves_at_once_one_succeeds as "of_many_moves_at_once_one_succeeds",
        runs::times_and_results_are_set_by_moves as "times_and_results_are_set_by_moves",
        runs::a_lease_has_one_holder as "a_lease_has_one_holder",
        runs::of_many_leases_at_once_one_is_granted as "of_many_leases_at_once_one_is_granted",
        runs::logs_keep_their_order as "logs_keep_their_order",
        runs::jobs_come_newest_first as "jobs_come_newest_first",
        runs::unknown_jobs_are_not_found as "unknown_jobs_are_not_found",
        runs::lineage_is_kept_by_job_and_in_order as "lineage_is_kept_by_job_and_in_order",
    );
}

/// A time with microseconds that are not whole milliseconds, `seconds` after an arbitrary one.
fn at(seconds: i64) -> UtcMicros {
    UtcMicros(1_700_000_000_123_456 + seconds * 1_000_000)
}

/// A connection called `name`.
fn connection(name: &str) -> Connection {
    let mut options = serde_json::Map::new();
    options.insert("statement_timeout_ms".into(), 5000.into());
    Connection {
        name: name.to_owned(),
        engine: Engine::Postgres,
        location: format!("postgres://reader@db.example:5432/{}", "shop"),
        secret: Some("env:SHOP_PASSWORD".parse().expect("a secret reference")),
        options,
        lineage_namespace: "postgres://db.example:5432".to_owned(),
    }
}

/// Stores a connection called `name`.
async fn connected(store: &Store, name: &str) -> StoredConnection {
    ok(
        store.save_connection(&connection(name)).await,
        "save a connection",
    )
}

/// A column of the table of [`super::catalogs::small`].
fn small_column(table: &str, column: &str) -> ColumnRef {
    TableRef::new(table).column(column)
}

/// An identifier that nothing has.
fn nobody() -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0193_0000_0000_7000_8000_dead_beef_0001)
}
