//! Reaching a database, making it, and telling it from another one.

use std::time::{Duration, Instant};

use tdm_core::error::PortError;
use tdm_core::port::RunStore as _;
use tdm_model::{
    Cause, DatabaseOptions, MetadataDatabase, create_database_if_missing, database_identity,
};
use tdm_testkit::server::{self, ServerKind};

use crate::scratch::{Scratch, scratches};

#[tokio::test]
async fn identities_are_equal_for_one_database_and_differ_for_two() {
    let mut seen = Vec::new();
    for (one, two) in scratches!().into_iter().zip(scratches!()) {
        let database = one.open().await;
        let identity = database.identity().await.unwrap();
        assert_eq!(database_identity(&one.url).await.unwrap(), identity);
        assert_ne!(database_identity(&two.url).await.unwrap(), identity);
        if one.url.contains("127.0.0.1") {
            let other_name = one.url.replace("127.0.0.1", "localhost");
            assert_eq!(database_identity(&other_name).await.unwrap(), identity);
        }
        assert!(!seen.contains(&identity));
        seen.push(identity);
        database.close().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_to_the_same_file_and_only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::sqlite().await;
    let file = scratch.url.strip_prefix("sqlite:").unwrap();
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let link = format!("{file}.link");
    std::os::unix::fs::symlink(file, &link).unwrap();
    let identity = database_identity(&scratch.url).await.unwrap();
    for other in [format!("sqlite://{link}"), format!("sqlite:{link}?mode=ro")] {
        assert_eq!(database_identity(&other).await.unwrap(), identity);
    }
}

#[tokio::test]
async fn in_memory_databases_work_and_are_nobody_elses() {
    let options = DatabaseOptions::default();
    let one = MetadataDatabase::connect("sqlite::memory:", &options)
        .await
        .unwrap();
    let two = MetadataDatabase::connect("sqlite::memory:", &options)
        .await
        .unwrap();
    one.create_schema_from_entities().await.unwrap();
    assert_eq!(one.list_tables().await.unwrap().len(), 14);
    assert_eq!(two.list_tables().await.unwrap(), Vec::<String>::new());
    assert_ne!(one.identity().await.unwrap(), two.identity().await.unwrap());
    assert_eq!(format!("{one:?}"), "MetadataDatabase(sqlite)");
}

#[tokio::test]
async fn each_way_to_fail_has_its_cause_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    let words = "no database, but long enough to be read as the header of one".repeat(20);
    std::fs::write(&text, words).unwrap();
    let absent = directory.path().join("absent/meta.sqlite");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut cases = vec![
        (
            format!("sqlite:{}", absent.display()),
            Cause::DatabaseMissing,
        ),
        (format!("sqlite:{}", text.display()), Cause::NotADatabase),
        (
            format!("postgres://canary:hunter2@127.0.0.1:{port}/meta"),
            Cause::Unreachable,
        ),
        (
            format!("mysql://canary:hunter2@127.0.0.1:{port}/meta"),
            Cause::Unreachable,
        ),
        (
            "postgres://canary:hunter2@localhost".to_owned(),
            Cause::Other,
        ),
        ("mysql://canary:hunter2@localhost".to_owned(), Cause::Other),
        (
            "oracle://canary:hunter2@localhost/meta".to_owned(),
            Cause::Other,
        ),
        ("sqlite:".to_owned(), Cause::Other),
        ("hunter2".to_owned(), Cause::Other),
    ];
    let mut databases = Vec::new();
    for kind in ServerKind::ALL {
        let Some(server) = server::require(kind, tdm_testkit::test_name!()) else {
            continue;
        };
        cases.push((server.url_of("tdm_surely_absent"), Cause::DatabaseMissing));
        let database = server.create_database().unwrap();
        cases.push((database.url_as("canary", "hunter2"), Cause::Credentials));
        databases.push(database);
    }
    for (url, cause) in cases {
        let started = Instant::now();
        let mut errors = vec![
            MetadataDatabase::connect(&url, &DatabaseOptions::default())
                .await
                .unwrap_err(),
        ];
        // A file is identified without being read.
        if cause != Cause::NotADatabase {
            errors.push(database_identity(&url).await.unwrap_err());
        }
        for error in errors {
            assert_eq!(error.cause(), cause, "{error}");
            let port: PortError = error.clone().into();
            let shown = format!("{error} {error:?} {port} {port:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("canary"),
                "{shown}"
            );
            assert!(!error.to_string().contains('\n'), "one line");
        }
        assert!(
            started.elapsed().as_secs() < 5,
            "a stopped server is known at once"
        );
    }
    assert!(!absent.exists(), "connecting makes nothing");
}

#[tokio::test]
async fn a_role_without_rights_is_told_so() {
    for kind in ServerKind::ALL {
        let Some(server) = server::require(kind, tdm_testkit::test_name!()) else {
            continue;
        };
        let database = server.create_database().unwrap();
        let user = format!("{}_r", database.name());
        let (create, host, drop) = match kind {
            ServerKind::MariaDb => ("CREATE USER", "@'%' IDENTIFIED BY 'canary-secret'", "@'%'"),
            _ => ("CREATE ROLE", " LOGIN PASSWORD 'canary-secret'", ""),
        };
        server.execute(&format!("{create} {user}{host}")).unwrap();
        let absent = server.reserve_database().url_as(&user, "canary-secret");
        let error = create_database_if_missing(&absent).await.unwrap_err();
        assert_eq!(error.cause(), Cause::PermissionDenied, "{error}");
        if kind == ServerKind::MariaDb {
            let error = migration::up(&database.url_as(&user, "canary-secret"), None).await;
            assert_eq!(
                error.unwrap_err().cause(),
                migration::Cause::PermissionDenied
            );
        } else {
            // Since version 15 only the owner makes tables in the schema `public`.
            server
                .execute(&format!(
                    "REVOKE ALL ON DATABASE {} FROM PUBLIC",
                    database.name()
                ))
                .unwrap();
            let error = migration::up(&database.url_as(&user, "canary-secret"), None).await;
            assert_eq!(
                error.unwrap_err().cause(),
                migration::Cause::PermissionDenied
            );
        }
        let what = if kind == ServerKind::MariaDb {
            "USER"
        } else {
            "ROLE"
        };
        server
            .execute(&format!("DROP {what} {user}{drop}"))
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_that_stops_is_reported_and_one_that_is_back_is_used_again() {
    for kind in ServerKind::ALL {
        let Some(mut server) = tdm_testkit::require_private_server!(kind) else {
            continue;
        };
        let database = server.create_database().unwrap();
        let options = DatabaseOptions {
            acquire_wait: Duration::from_secs(3),
            ..DatabaseOptions::default()
        };
        let metadata = MetadataDatabase::connect(database.url(), &options)
            .await
            .unwrap();
        migration::up(database.url(), None).await.unwrap();
        assert_eq!(metadata.jobs(1).await.unwrap(), []);
        server.stop().unwrap();
        let error = metadata.jobs(1).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        let error = MetadataDatabase::connect(database.url(), &options)
            .await
            .unwrap_err();
        assert_eq!(error.cause(), Cause::Unreachable);
        assert_eq!(
            migration::status(database.url()).await.unwrap_err().cause(),
            migration::Cause::Unreachable
        );
        server.restart().unwrap();
        assert_eq!(metadata.jobs(1).await.unwrap(), []);
        metadata.close().await;
    }
}

#[tokio::test]
async fn a_database_name_is_quoted_when_it_is_made() {
    for kind in ServerKind::ALL {
        let Some(server) = server::require(kind, tdm_testkit::test_name!()) else {
            continue;
        };
        let reserved = server.reserve_database();
        let (escaped, quote) = match kind {
            ServerKind::MariaDb => ("%60; drop--", '`'),
            _ => ("%22; drop--", '"'),
        };
        let url = reserved
            .url()
            .replace(reserved.name(), &format!("{}{escaped}", reserved.name()));
        assert!(create_database_if_missing(&url).await.unwrap());
        assert!(!create_database_if_missing(&url).await.unwrap());
        let database = MetadataDatabase::connect(&url, &DatabaseOptions::default())
            .await
            .unwrap();
        assert_eq!(database.list_tables().await.unwrap(), Vec::<String>::new());
        database.close().await;
        let name = format!("{}{quote}{quote}; drop--", reserved.name());
        server
            .execute(&format!("DROP DATABASE {quote}{name}{quote}"))
            .unwrap();
    }
}
