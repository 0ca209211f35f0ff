//! Reaching a database, making it, and telling it from another one.

use std::env;

use crate::scratch::{Scratch, with_database};
use tdm_core::types::Engine;
use tdm_model::{
    Cause, DatabaseOptions, MetadataDatabase, create_database_if_missing, database_identity,
};

#[tokio::test]
async fn identities_are_equal_for_one_database_and_differ_for_two() {
    let mut seen = Vec::new();
    for (one, two) in Scratch::every()
        .await
        .into_iter()
        .zip(Scratch::every().await)
    {
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
        one.remove().await;
        two.remove().await;
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
    std::fs::write(
        &text,
        "no database, but long enough to be read as the header of one".repeat(20),
    )
    .unwrap();
    let absent = directory.path().join("absent/meta.sqlite");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
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
    for variable in ["TDM_TEST_POSTGRES_URL", "TDM_TEST_MYSQL_URL"] {
        let Ok(server) = env::var(variable) else {
            continue;
        };
        cases.push((
            with_database(&server, "tdm_surely_absent"),
            Cause::DatabaseMissing,
        ));
        if let Some((scheme, host)) = server.split_once("://").and_then(|(scheme, rest)| {
            let host = rest.split(['/', '?']).next()?;
            Some((scheme, host.rsplit_once('@').map_or(host, |(_, host)| host)))
        }) && !host.is_empty()
        {
            cases.push((
                format!("{scheme}://canary:hunter2@{host}/meta"),
                Cause::Credentials,
            ));
        }
    }
    for (url, cause) in cases {
        let options = DatabaseOptions::default();
        let started = std::time::Instant::now();
        for error in [
            MetadataDatabase::connect(&url, &options).await.unwrap_err(),
            database_identity(&url).await.err().unwrap_or_else(|| {
                // A file is identified without reading it.
                assert_eq!(cause, Cause::NotADatabase);
                tdm_model::Error::Address { reason: "" }
            }),
        ] {
            assert!(
                error.cause() == cause || cause == Cause::NotADatabase,
                "{error}"
            );
            let port: tdm_core::error::PortError = error.clone().into();
            let shown = format!("{error} {error:?} {port} {port:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("canary"),
                "{shown}"
            );
        }
        assert!(
            started.elapsed().as_secs() < 5,
            "a stopped server is known at once"
        );
    }
    assert!(!absent.exists(), "connecting makes nothing");
}

#[tokio::test]
async fn a_database_name_is_quoted_when_it_is_made() {
    for (variable, name) in [
        ("TDM_TEST_POSTGRES_URL", "tdm%22; drop--"),
        ("TDM_TEST_MYSQL_URL", "tdm%60; drop--"),
    ] {
        let Ok(server) = env::var(variable) else {
            continue;
        };
        let name = format!("{name}{}", std::process::id());
        let url = with_database(&server, &name);
        assert!(create_database_if_missing(&url).await.unwrap());
        assert!(!create_database_if_missing(&url).await.unwrap());
        let database = MetadataDatabase::connect(&url, &DatabaseOptions::default())
            .await
            .unwrap();
        assert_eq!(database.list_tables().await.unwrap(), Vec::<String>::new());
        assert_ne!(database.engine(), Engine::Sqlite);
        database.close().await;
        let quoted = match database_kind(&url) {
            "mysql" => format!("`{}`", name.replace("%60", "``")),
            _ => format!("\"{}\"", name.replace("%22", "\"\"")),
        };
        crate::scratch::drop_database(&server, &quoted).await;
    }
}

fn database_kind(url: &str) -> &str {
    url.split(':').next().unwrap()
}
