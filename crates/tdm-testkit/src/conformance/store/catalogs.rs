//! Scans, versions, profiles and classifications.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tdm_core::catalog::Catalog;
use tdm_core::category::Category;
use tdm_core::diagnostic::Diagnostic;
use tdm_core::finding::{Classification, Decision, Evidence, Finding};
use tdm_core::ident::{ColumnRef, SchemaVersionId};
use tdm_core::port::{Scan, SchemaVersion};
use tdm_core::profile::{ColumnProfile, PatternShare, Quantiles};

use super::{Store, at, connected, nobody, small_column};
use crate::conformance::catalogs::{hostile, large, rich, small, undeclared};
use crate::conformance::{not_found, ok};

fn scan(schema: &str, catalog: Catalog) -> Scan {
    Scan {
        schema: schema.to_owned(),
        connection: schema.to_owned(),
        catalog,
        diagnostics: vec![Diagnostic::warning(
            "introspect.unknown_type",
            "shop.account.area",
            "carried as it is",
        )],
        relationships: Vec::new(),
        discovered: at(0),
    }
}

async fn recorded(store: &Store, schema: &str, catalog: Catalog) -> SchemaVersion {
    connected(store, schema).await;
    ok(
        store.record_scan(&scan(schema, catalog)).await,
        "record a scan",
    )
}

pub(super) async fn a_scan_needs_its_connection(store: &Store) {
    not_found(
        store.record_scan(&scan("unconnected", small("t"))).await,
        "a scan of an unknown connection",
    );
    let versions = ok(store.schema_versions("unconnected").await, "list versions");
    assert!(versions.is_empty(), "a refused scan leaves nothing");
}

pub(super) async fn equal_scans_give_one_version(store: &Store) {
    let first = recorded(store, "equal", small("t")).await;
    assert_eq!(first.version, 1);
    assert_eq!(first.schema, "equal");
    assert_eq!(first.fingerprint, small("t").fingerprint());
    let mut again = scan("equal", small("t"));
    again.discovered = at(60);
    // What the fingerprint leaves out makes no version.
    again.catalog.server_version = "17.3".into();
    again.catalog.tables[0].row_estimate = Some(7);
    let second = ok(store.record_scan(&again).await, "record it again");
    assert_eq!(second, first, "the version is that of the first scan");
    let versions = ok(store.schema_versions("equal").await, "list versions");
    assert_eq!(versions, [first]);
}

pub(super) async fn a_change_gives_the_next_number(store: &Store) {
    let mut stored = Vec::new();
    for (second, table) in ["a", "b", "a"].iter().enumerate() {
        connected(store, "changing").await;
        let mut scan = scan("changing", small(table));
        scan.discovered = at(i64::try_from(second).expect("a small number"));
        stored.push(ok(store.record_scan(&scan).await, "record a scan"));
    }
    let numbers: Vec<_> = stored.iter().map(|version| version.version).collect();
    assert_eq!(
        numbers,
        [1, 2, 3],
        "only the latest version counts as unchanged"
    );
    let versions = ok(store.schema_versions("changing").await, "list versions");
    assert_eq!(versions, stored, "oldest first, as they were recorded");
    let other = recorded(store, "changing_other", small("a")).await;
    assert_eq!(other.version, 1, "each schema counts for itself");
    let none = ok(store.schema_versions("never_scanned").await, "list none");
    assert!(none.is_empty());
}

pub(super) async fn changed_relationships_give_the_next_number(store: &Store) {
    let first = recorded(store, "related", rich()).await;
    let mut with = scan("related", rich());
    with.relationships = undeclared();
    let second = ok(store.record_scan(&with).await, "with relationships");
    assert_eq!((first.version, second.version), (1, 2));
    let third = ok(store.record_scan(&with).await, "the same again");
    assert_eq!(third, second);
    with.relationships.pop();
    let fourth = ok(store.record_scan(&with).await, "with one less");
    assert_eq!(fourth.version, 3);
}

pub(super) async fn equal_scans_at_once_give_one_version(store: &Store) {
    connected(store, "at_once").await;
    let same = scan("at_once", small("t"));
    let versions: BTreeSet<_> = join_all((0..8).map(|_| store.record_scan(&same)))
        .await
        .into_iter()
        .map(|version| ok(version, "record a scan"))
        .map(|version| (version.id, version.version))
        .collect();
    assert_eq!(versions.len(), 1, "one version, whoever comes first");
    let stored = ok(store.schema_versions("at_once").await, "list versions");
    assert_eq!(stored.len(), 1);
}

pub(super) async fn different_scans_at_once_leave_no_gap(store: &Store) {
    connected(store, "gapless").await;
    let scans: Vec<_> = (0..8)
        .map(|i| scan("gapless", small(&format!("t{i}"))))
        .collect();
    let numbers: BTreeSet<_> = join_all(scans.iter().map(|scan| store.record_scan(scan)))
        .await
        .into_iter()
        .map(|version| ok(version, "record a scan").version)
        .collect();
    assert_eq!(numbers, (1..=8).collect(), "no gaps and no doubles");
}

#[track_caller]
fn assert_equal(read: &Catalog, written: &Catalog) {
    assert_eq!(read.engine, written.engine);
    assert_eq!(read.server_version, written.server_version);
    let names =
        |catalog: &Catalog| -> Vec<_> { catalog.tables.iter().map(|t| t.table.clone()).collect() };
    assert_eq!(names(read), names(written), "tables and their order");
    for (read, written) in read.tables.iter().zip(&written.tables) {
        assert_eq!(read.columns, written.columns, "columns of {}", read.table);
        assert_eq!(read, written, "table {}", read.table);
    }
    assert_eq!(read, written, "types, sequences and objects");
    assert_eq!(read.fingerprint(), written.fingerprint());
}

pub(super) async fn a_catalog_reads_back_equal(store: &Store) {
    let version = recorded(store, "rich", rich()).await;
    assert_equal(&ok(store.catalog(version.id).await, "read it"), &rich());
}

pub(super) async fn hostile_names_read_back_equal(store: &Store) {
    let version = recorded(store, "ho\"st'ile \u{1f600}", hostile()).await;
    assert_equal(&ok(store.catalog(version.id).await, "read it"), &hostile());
    let profiles: Vec<_> = hostile().tables[0]
        .columns
        .iter()
        .zip(1..)
        .map(|(column, rows)| {
            let profile = ColumnProfile {
                rows,
                ..ColumnProfile::default()
            };
            (hostile().tables[0].table.column(&column.name), profile)
        })
        .collect();
    ok(
        store.save_profiles(version.id, &profiles).await,
        "save profiles",
    );
    let read: BTreeSet<_> = ok(store.profiles(version.id).await, "read profiles")
        .into_iter()
        .map(|(column, profile)| (column, profile.rows))
        .collect();
    let written: BTreeSet<_> = profiles.into_iter().map(|(c, p)| (c, p.rows)).collect();
    assert_eq!(read, written, "each column keeps its own profile");
}

pub(super) async fn a_large_catalog_is_stored_whole(store: &Store) {
    let large = large(1_000, 20);
    let version = recorded(store, "large", large.clone()).await;
    let read = ok(store.catalog(version.id).await, "read it");
    // Not by `assert_eq!`: twenty thousand columns tell a reader nothing.
    assert!(read == large, "a catalog of 1,000 tables reads back equal");
}

pub(super) async fn versions_do_not_mix(store: &Store) {
    let rich_one = recorded(store, "mixed_a", rich()).await;
    let small_one = recorded(store, "mixed_b", small("account")).await;
    let second = recorded(store, "mixed_a", small("account")).await;
    assert_equal(&ok(store.catalog(rich_one.id).await, "read"), &rich());
    for version in [small_one.id, second.id] {
        assert_equal(&ok(store.catalog(version).await, "read"), &small("account"));
    }
}

pub(super) async fn relationships_keep_kind_and_key_order(store: &Store) {
    connected(store, "kinds").await;
    let mut with = scan("kinds", rich());
    with.relationships = undeclared();
    let version = ok(store.record_scan(&with).await, "record a scan");
    let sorted = |mut keys: Vec<tdm_core::catalog::ForeignKey>| {
        keys.sort_by_key(tdm_core::catalog::ForeignKey::describe);
        keys
    };
    assert_eq!(
        sorted(ok(store.relationships(version.id).await, "read them")),
        sorted(undeclared()),
        "the declared ones are not among them"
    );
    // The declared ones stay with their tables, and take in nothing undeclared.
    assert_equal(&ok(store.catalog(version.id).await, "read"), &rich());
}

pub(super) async fn profiles_replace_earlier_ones(store: &Store) {
    let version = recorded(store, "profiled", small("t")).await;
    let full = ColumnProfile {
        rows: 1_000,
        nulls: 12,
        blanks: 3,
        distinct: 985,
        complete: true,
        length_min: Some(0),
        length_max: Some(120),
        length_mean: Some(23.25),
        patterns: vec![PatternShare {
            pattern: "a+@a+.a+".into(),
            share: 0.75,
        }],
        quantiles: Some(Quantiles {
            minimum: -1.5,
            lower_quartile: 0.0,
            median: 1.0,
            upper_quartile: 1e18,
            maximum: 1e300,
        }),
    };
    let (id, mail) = (small_column("t", "id"), small_column("t", "mail"));
    let first = [
        (mail.clone(), ColumnProfile::default()),
        (id.clone(), full.clone()),
    ];
    ok(store.save_profiles(version.id, &first).await, "save both");
    ok(
        store
            .save_profiles(version.id, &[(mail.clone(), full.clone())])
            .await,
        "save one again",
    );
    let read = ok(store.profiles(version.id).await, "read them");
    assert_eq!(read, [(id, full.clone()), (mail, full)], "by column");
}

fn claim(column: ColumnRef, category: Category, decision: Decision) -> Classification {
    Classification {
        finding: Finding {
            column,
            category,
            technique: "fused".into(),
            confidence: 0.875,
            evidence: vec![Evidence {
                source: "name".into(),
                feature: "token `mail`".into(),
                weight: -1.25,
                tested: 100,
                matched: 98,
            }],
        },
        decision,
        decided_by: "detector".into(),
    }
}

pub(super) async fn a_suggestion_never_overwrites_a_decision(store: &Store) {
    let version = recorded(store, "decided", small("t")).await;
    let mail = || small_column("t", "mail");
    let id = || small_column("t", "id");
    let steps = [
        (
            claim(mail(), Category::Email, Decision::Suggested),
            Category::Email,
        ),
        // A later suggestion replaces an earlier one.
        (
            claim(mail(), Category::Phone, Decision::Suggested),
            Category::Phone,
        ),
        (
            claim(mail(), Category::Email, Decision::Confirmed),
            Category::Email,
        ),
        // From here on a person has spoken.
        (
            claim(mail(), Category::Phone, Decision::Suggested),
            Category::Email,
        ),
        (
            claim(mail(), Category::Email, Decision::Rejected),
            Category::None,
        ),
        (
            claim(mail(), Category::Email, Decision::Suggested),
            Category::None,
        ),
        (
            claim(mail(), Category::Username, Decision::Confirmed),
            Category::Username,
        ),
    ];
    for (number, (classification, effective)) in steps.into_iter().enumerate() {
        let other = claim(id(), Category::None, Decision::Suggested);
        ok(
            store
                .save_classifications(version.id, &[classification, other])
                .await,
            "save",
        );
        let read = ok(store.classifications(version.id).await, "read");
        let columns: Vec<_> = read.iter().map(|c| c.finding.column.clone()).collect();
        assert_eq!(columns, [id(), mail()], "one a column, by column");
        assert_eq!(read[1].effective(), effective, "after step {}", number + 1);
    }
    let read = ok(store.classifications(version.id).await, "read");
    assert_eq!(
        read[1],
        claim(mail(), Category::Username, Decision::Confirmed),
        "evidence and confidence are kept"
    );
}

pub(super) async fn a_refused_call_stores_nothing(store: &Store) {
    let version = recorded(store, "atomic", small("t")).await;
    let good = small_column("t", "mail");
    for bad in [small_column("t", "gone"), small_column("gone", "mail")] {
        let profiles = [
            (good.clone(), ColumnProfile::default()),
            (bad.clone(), ColumnProfile::default()),
        ];
        not_found(
            store.save_profiles(version.id, &profiles).await,
            "a profile of an unknown column",
        );
        let claims = [
            claim(good.clone(), Category::Email, Decision::Suggested),
            claim(bad, Category::Email, Decision::Suggested),
        ];
        not_found(
            store.save_classifications(version.id, &claims).await,
            "a classification of an unknown column",
        );
    }
    assert!(ok(store.profiles(version.id).await, "read").is_empty());
    assert!(ok(store.classifications(version.id).await, "read").is_empty());
}

pub(super) async fn unknown_schema_versions_are_not_found(store: &Store) {
    let id = SchemaVersionId(nobody());
    let column = small_column("t", "id");
    not_found(store.catalog(id).await, "catalog");
    not_found(store.relationships(id).await, "relationships");
    not_found(store.profiles(id).await, "profiles");
    not_found(store.classifications(id).await, "classifications");
    let profiles = [(column.clone(), ColumnProfile::default())];
    not_found(store.save_profiles(id, &profiles).await, "save profiles");
    let claims = [claim(column, Category::None, Decision::Confirmed)];
    not_found(
        store.save_classifications(id, &claims).await,
        "save classifications",
    );
}
