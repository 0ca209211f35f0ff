//! Connections and environments.

use serde_json::json;
use tdm_core::place::{Environment, EnvironmentKind};
use tdm_core::types::Engine;

use super::{Store, connected, connection};
use crate::conformance::{not_found, ok};

pub(super) async fn a_connection_keeps_its_identifier(store: &Store) {
    assert_eq!(ok(store.connection("keeps").await, "look up"), None);
    let first = connected(store, "keeps").await;
    assert_eq!(first.connection, connection("keeps"));
    let mut changed = connection("keeps");
    changed.engine = Engine::Sqlite;
    changed.location = "sqlite:shop.db".into();
    changed.secret = None;
    changed.options.clear();
    let second = ok(store.save_connection(&changed).await, "save again");
    assert_eq!(second.id, first.id, "the identifier stays");
    let read = ok(store.connection("keeps").await, "look up");
    assert_eq!(read, Some(second.clone()));
    assert_eq!(second.connection, changed, "the later one replaces");
}

pub(super) async fn connections_come_by_name(store: &Store) {
    for name in ["byname_c", "byname_a", "byname_b"] {
        connected(store, name).await;
    }
    let all = ok(store.connections().await, "list connections");
    let names: Vec<_> = all
        .iter()
        .map(|stored| stored.connection.name.as_str())
        .filter(|name| name.starts_with("byname_"))
        .collect();
    assert_eq!(names, ["byname_a", "byname_b", "byname_c"]);
}

pub(super) async fn environments_need_their_connection(store: &Store) {
    let environment = |connection: Option<&str>| Environment {
        name: "qa".into(),
        kind: EnvironmentKind::Test,
        connection: connection.map(str::to_owned),
        config: json!({"keep": 3}).as_object().cloned().unwrap_or_default(),
    };
    not_found(
        store.save_environment(&environment(Some("nowhere"))).await,
        "an environment on an unknown connection",
    );
    assert_eq!(ok(store.environment("qa").await, "look up"), None);
    let bare = ok(
        store.save_environment(&environment(None)).await,
        "an environment without connection",
    );
    connected(store, "qa_db").await;
    let own = ok(
        store.save_environment(&environment(Some("qa_db"))).await,
        "an environment on a connection",
    );
    assert_eq!(own.id, bare.id, "the identifier stays");
    assert_eq!(own.environment, environment(Some("qa_db")));
    assert_eq!(ok(store.environment("qa").await, "look up"), Some(own));
    for (name, kind) in [
        ("env_b", EnvironmentKind::Production),
        ("env_a", EnvironmentKind::Staging),
        ("env_c", EnvironmentKind::Development),
    ] {
        let environment = Environment {
            name: name.into(),
            kind,
            ..environment(None)
        };
        ok(store.save_environment(&environment).await, "save");
    }
    let all = ok(store.environments().await, "list environments");
    let listed: Vec<_> = all
        .iter()
        .filter(|stored| stored.environment.name.starts_with("env_"))
        .map(|stored| (stored.environment.name.as_str(), stored.environment.kind))
        .collect();
    assert_eq!(
        listed,
        [
            ("env_a", EnvironmentKind::Staging),
            ("env_b", EnvironmentKind::Production),
            ("env_c", EnvironmentKind::Development),
        ]
    );
}

pub(super) async fn names_are_compared_exactly(store: &Store) {
    let names = ["exact", "Exact", "exact ", "ex\u{e1}ct", "ex\"a'c`t"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(connected(store, name).await.id);
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), names.len(), "each name is its own");
    for (name, id) in names.iter().zip(&ids) {
        let read = ok(store.connection(name).await, "look up");
        assert_eq!(
            read.map(|stored| (stored.id, stored.connection.name)),
            Some((*id, (*name).to_owned()))
        );
    }
}
