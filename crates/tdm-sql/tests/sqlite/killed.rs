//! A process that dies in the middle of a load leaves the published data and a leftover that is recognised.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::types::Value;
use tdm_core::port::{Namespace, TargetDatabase as _};
use tdm_sql::sqlite::SqliteTarget;

use crate::place::{Place, open, query, staged};

const DIRECTORY: &str = "TDM_SQL_TEST_KILLED_IN";
const READY: &str = "staged and waiting";

/// Not a test of its own: what the process does that is killed.
#[tokio::test]
#[ignore = "run by the test below in a process of its own"]
async fn stage_and_wait() {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let directory = Path::new(&directory);
    let source = open(&directory.join("source.sqlite")).await;
    let target = SqliteTarget::open(directory.join("t.sqlite")).unwrap();
    let staging = staged(&source, &target, Namespace::Main).await;
    println!("{READY}");
    std::future::pending::<()>().await;
    drop(staging);
}

#[tokio::test]
async fn a_killed_load_leaves_the_old_data_and_a_leftover_that_goes() {
    let place = Place::new();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
    let sql = format!("CREATE TABLE t (v); {fill} INSERT INTO t SELECT i FROM n");
    let source = place.database("source.sqlite", &sql).await;
    let path = place
        .database(
            "t.sqlite",
            "CREATE TABLE t (v); INSERT INTO t VALUES ('old')",
        )
        .await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "killed::stage_and_wait",
        ])
        .env(DIRECTORY, source.parent().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains(READY)));

    let target = SqliteTarget::open(&path).unwrap();
    let left = || {
        place
            .files()
            .iter()
            .filter(|f| f.contains(".tdm-staging-"))
            .count()
    };
    assert_eq!(left(), 2, "the file and its lock");
    assert_eq!(
        target.remove_leftovers().await.unwrap(),
        0,
        "its owner lives"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left(), 2);
    assert_eq!(
        query(&path, "SELECT v FROM t"),
        [[Value::Text("old".to_owned())]]
    );
    assert_eq!(target.remove_leftovers().await.unwrap(), 1);
    assert_eq!(place.files(), ["source.sqlite", "t.sqlite"]);
}
