//! Rule sets and dataset versions.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use tdm_core::category::Category;
use tdm_core::dataset::{DatasetFacts, DatasetSource, DatasetStatus, DatasetVersion};
use tdm_core::digest::RowDigest;
use tdm_core::error::{PortError, PortResult};
use tdm_core::ident::{DatasetVersionId, SchemaVersionId};
use tdm_core::port::{NewDatasetVersion, Scan};
use tdm_core::rule::{Disposition, MaskingRule, OnUndecided, RuleSet, Selector};

use super::{Store, at, connected, nobody};
use crate::conformance::catalogs::small;
use crate::conformance::{conflict, failed, not_found, ok};

fn rules(name: &str, reason: &str) -> RuleSet {
    let mut params = serde_json::Map::new();
    params.insert("length".into(), json!(12));
    RuleSet {
        name: name.to_owned(),
        rules: vec![
            MaskingRule {
                name: "mail".into(),
                selector: Selector {
                    category: Some(Category::Email),
                    ..Selector::default()
                },
                disposition: Disposition::Mask {
                    function: "email".into(),
                    params: serde_json::from_value(serde_json::Value::Object(params))
                        .expect("parameters are a JSON object"),
                    domain: Some("mail".into()),
                },
            },
            MaskingRule {
                name: "rest".into(),
                selector: Selector {
                    column: Some("*_id".into()),
                    ..Selector::default()
                },
                disposition: Disposition::Keep {
                    reason: reason.to_owned(),
                },
            },
        ],
        on_undecided: OnUndecided::Null,
    }
}

async fn schema_version(store: &Store, schema: &str) -> SchemaVersionId {
    connected(store, schema).await;
    let scan = Scan {
        schema: schema.to_owned(),
        connection: schema.to_owned(),
        catalog: small("t"),
        diagnostics: Vec::new(),
        relationships: Vec::new(),
        discovered: at(0),
    };
    ok(store.record_scan(&scan).await, "record a scan").id
}

pub(super) async fn equal_rules_give_one_version(store: &Store) {
    assert_eq!(ok(store.rule_set("rules").await, "look up"), None);
    let first = ok(
        store.save_rule_set(&rules("rules", "a"), None).await,
        "save",
    );
    let again = ok(
        store.save_rule_set(&rules("rules", "a"), None).await,
        "again",
    );
    assert_eq!((first.version, &again), (1, &first));
    let second = ok(
        store.save_rule_set(&rules("rules", "b"), None).await,
        "save",
    );
    assert_eq!(second.version, 2);
    assert_ne!(second.id, first.id);
    let third = ok(
        store.save_rule_set(&rules("rules", "a"), None).await,
        "back",
    );
    assert_eq!(third.version, 3, "only the latest version counts as equal");
    assert_eq!(third.rules, rules("rules", "a"));
    assert_eq!(ok(store.rule_set("rules").await, "look up"), Some(third));
    let other = ok(
        store.save_rule_set(&rules("other", "a"), None).await,
        "save",
    );
    assert_eq!(other.version, 1, "each name counts for itself");
}

pub(super) async fn rules_of_unknown_schema_versions_are_refused(store: &Store) {
    let unknown = Some(SchemaVersionId(nobody()));
    not_found(
        store.save_rule_set(&rules("for", "a"), unknown).await,
        "rules for an unknown schema version",
    );
    assert_eq!(ok(store.rule_set("for").await, "look up"), None);
    let known = Some(schema_version(store, "ruled").await);
    let stored = ok(store.save_rule_set(&rules("for", "a"), known).await, "save");
    assert_eq!(stored.schema_version, known);
    assert_eq!(ok(store.rule_set("for").await, "look up"), Some(stored));
}

pub(super) async fn rule_versions_at_once_leave_no_gap(store: &Store) {
    let sets: Vec<_> = (0..8).map(|i| rules("busy", &format!("r{i}"))).collect();
    let numbers: BTreeSet<_> = join_all(sets.iter().map(|set| store.save_rule_set(set, None)))
        .await
        .into_iter()
        .map(|stored| ok(stored, "save").version)
        .collect();
    assert_eq!(numbers, (1..=8).collect(), "no gaps and no doubles");
}

fn new(dataset: &str) -> NewDatasetVersion {
    NewDatasetVersion {
        dataset: dataset.to_owned(),
        schema_version: None,
        source: DatasetSource::Masked,
        created: at(0),
    }
}

async fn begun(store: &Store, dataset: &str) -> DatasetVersion {
    ok(
        store.begin_dataset_version(&new(dataset)).await,
        "begin a dataset version",
    )
}

async fn publish(store: &Store, id: DatasetVersionId) -> PortResult<()> {
    let digest = RowDigest {
        rows: 5_000_000_000,
        sum: u128::MAX - 1,
    };
    let facts = DatasetFacts::from([("rules".to_owned(), json!({"name": "r", "version": 2}))]);
    store
        .publish_dataset_version(id, "shop__v1", digest, &facts)
        .await
}

pub(super) async fn versions_count_from_one_by_dataset(store: &Store) {
    let schema_version = Some(schema_version(store, "dataset_schema").await);
    let mut all = Vec::new();
    for (number, source) in [
        DatasetSource::Subset,
        DatasetSource::Masked,
        DatasetSource::Synthetic,
        DatasetSource::Mixed,
    ]
    .into_iter()
    .enumerate()
    {
        let new = NewDatasetVersion {
            source,
            schema_version,
            created: at(i64::try_from(number).expect("a small number")),
            ..new("counted")
        };
        let version = ok(store.begin_dataset_version(&new).await, "begin");
        assert_eq!(usize::try_from(version.version), Ok(number + 1));
        assert_eq!(version.status, DatasetStatus::Building);
        assert_eq!(version.schema_version, schema_version);
        assert_eq!((version.source, version.created), (new.source, new.created));
        assert_eq!((version.location.as_ref(), version.digest), (None, None));
        all.push(version);
    }
    let other = begun(store, "Counted").await;
    assert_eq!(other.version, 1, "each name counts for itself");
    let read = ok(store.dataset_versions(Some("counted")).await, "list");
    assert_eq!(read, all, "oldest first");
    let read = ok(store.dataset_versions(None).await, "list all");
    let known: Vec<_> = read
        .iter()
        .filter(|version| version.dataset.to_lowercase() == "counted")
        .collect();
    assert_eq!(known.len(), 5);
    let none = ok(store.dataset_versions(Some("unheard of")).await, "list");
    assert!(none.is_empty());
}

pub(super) async fn versions_at_once_leave_no_gap(store: &Store) {
    let wanted = new("crowd");
    let numbers: BTreeSet<_> = join_all((0..12).map(|_| store.begin_dataset_version(&wanted)))
        .await
        .into_iter()
        .map(|version| ok(version, "begin").version)
        .collect();
    assert_eq!(numbers, (1..=12).collect(), "no gaps and no doubles");
}

pub(super) async fn publishing_stores_digest_and_facts(store: &Store) {
    let version = begun(store, "published").await;
    let before = ok(store.dataset_facts(version.id).await, "facts before");
    assert!(before.is_empty());
    ok(publish(store, version.id).await, "publish");
    let read = ok(store.dataset_versions(Some("published")).await, "list");
    let [read] = read.as_slice() else {
        panic!("one version, not {}", read.len())
    };
    assert_eq!(read.id, version.id);
    assert_eq!(read.status, DatasetStatus::Published);
    assert_eq!(read.location.as_deref(), Some("shop__v1"));
    let digest = read.digest.expect("a published version has a digest");
    assert_eq!((digest.rows, digest.sum), (5_000_000_000, u128::MAX - 1));
    let facts = ok(store.dataset_facts(version.id).await, "facts");
    assert_eq!(facts["rules"], json!({"name": "r", "version": 2}));
    conflict(publish(store, version.id).await, "publish twice");
}

pub(super) async fn a_version_is_published_once_whoever_else_tries(store: &Store) {
    let version = begun(store, "raced").await;
    let results = join_all((0..6).map(|_| publish(store, version.id))).await;
    let succeeded = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(succeeded, 1, "one of six publications succeeds");
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, PortError::Conflict { .. }), "{error}");
    }
}

pub(super) async fn only_the_named_moves_are_possible(store: &Store) {
    use DatasetStatus::{Building, Failed, Published, Retired};
    for from in [Building, Published, Failed, Retired] {
        for to in [Building, Published, Failed, Retired] {
            let id = begun(store, "moved").await.id;
            if matches!(from, Published | Retired) {
                ok(publish(store, id).await, "publish");
            }
            if matches!(from, Failed | Retired) {
                ok(store.set_dataset_status(id, from).await, "prepare");
            }
            let what = format!("{} to {}", from.as_str(), to.as_str());
            let moved = store.set_dataset_status(id, to).await;
            let allowed = matches!((from, to), (Building, Failed) | (Published, Retired));
            if allowed {
                ok(moved, &what);
            } else {
                conflict(moved, &what);
            }
            let read = ok(store.dataset_versions(Some("moved")).await, "list");
            let status = read.iter().find(|v| v.id == id).map(|v| v.status);
            assert_eq!(status, Some(if allowed { to } else { from }), "{what}");
        }
    }
    let failed_one = begun(store, "moved").await.id;
    ok(
        store.set_dataset_status(failed_one, Failed).await,
        "fail it",
    );
    conflict(publish(store, failed_one).await, "publish a failed version");
}

pub(super) async fn unknown_dataset_versions_are_not_found(store: &Store) {
    let id = DatasetVersionId(nobody());
    not_found(store.dataset_facts(id).await, "facts");
    not_found(
        store.set_dataset_status(id, DatasetStatus::Failed).await,
        "status",
    );
    not_found(publish(store, id).await, "publish");
    let on_nothing = NewDatasetVersion {
        schema_version: Some(SchemaVersionId(nobody())),
        ..new("on_nothing")
    };
    let error = failed(
        store.begin_dataset_version(&on_nothing).await,
        "a dataset of an unknown schema version",
    );
    assert!(matches!(error, PortError::NotFound { .. }), "{error}");
    let read = ok(store.dataset_versions(Some("on_nothing")).await, "list");
    assert!(read.is_empty(), "a refused call leaves nothing");
}
