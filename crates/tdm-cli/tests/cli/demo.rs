//! `tdm demo`: the whole job on an embedded database, twice.

use tdm_testkit::server::Server;

use crate::{Desk, Run, dangling, number, open, texts};

#[test]
fn the_demo_runs_twice_and_makes_two_dataset_versions() {
    let desk = Desk::new();
    let first = desk.run(&["demo"]).expect(0);
    for said in [
        "Personal data found",
        "rows taken",
        "Shapes before and after",
        "Rows generated",
        "references checked",
    ] {
        assert!(
            first.out.contains(said),
            "`{said}` is missing from:\n{}",
            first.out
        );
    }
    desk.run(&["demo"]).expect(0);

    let metadata = desk.metadata();
    let versions = "SELECT count(*) FROM dataset_versions WHERE status = 'published'";
    assert_eq!(number(&metadata, versions), 2);
    let digests = "SELECT count(DISTINCT digest) FROM dataset_versions WHERE status = 'published'";
    assert_eq!(
        number(&metadata, digests),
        1,
        "the same workflow, key and source give the same data"
    );
    assert_eq!(
        number(
            &metadata,
            "SELECT count(*) FROM jobs WHERE status = 'completed'"
        ),
        2
    );
    for table in [
        "connections",
        "schemas",
        "schema_versions",
        "tables",
        "columns",
        "relationships",
        "pii_classification",
        "dataset_versions",
        "dataset_metadata",
        "jobs",
        "job_logs",
        "lineage",
        "masking_rules",
        "environments",
    ] {
        assert!(
            number(&metadata, &format!("SELECT count(*) FROM {table}")) > 0,
            "{table} is empty"
        );
    }

    let target = desk.target();
    assert_eq!(dangling(&target), 0);
    assert!(number(&target, "SELECT count(*) FROM customers") >= 500);
    let kept = "SELECT email FROM customers WHERE email LIKE '%@postbox.test'";
    assert!(
        texts(&target, kept).is_empty(),
        "an original e-mail address is in the target"
    );
}

#[test]
fn no_personal_value_of_the_shop_is_anywhere_but_in_the_shop() {
    let desk = Desk::new();
    let run = desk.run(&["demo"]).expect(0);
    let shop = open(&desk.path().join(".tdm/demo/shop.sqlite"));
    let mut canaries = texts(&shop, "SELECT email FROM customers");
    canaries.extend(texts(&shop, "SELECT email FROM employees"));
    canaries.extend(texts(
        &shop,
        "SELECT DISTINCT phone FROM customers WHERE phone IS NOT NULL",
    ));
    // Names are drawn from a vocabulary: a pseudonym may by chance be the name of another customer. What is unique
    // to a person may not.
    assert!(
        canaries.len() > 5_000,
        "a canary test without canaries proves nothing"
    );
    let everywhere = crate::chinook::files_but(desk.path(), &["shop.sqlite"]);
    crate::chinook::assert_absent(&canaries, &everywhere);
    crate::chinook::assert_absent(
        &canaries,
        &[("standard output".to_owned(), run.out.into_bytes())],
    );
    crate::chinook::assert_absent(
        &canaries,
        &[("standard error".to_owned(), run.err.into_bytes())],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_demo_stays_below_200_megabytes() {
    let desk = Desk::new();
    let mut child = desk
        .tdm()
        .arg("demo")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let exit = loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
            peak_kib = peak_kib.max(kib.unwrap_or(0));
        }
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert!(exit.success());
    assert!(peak_kib > 1_000, "nothing was measured");
    assert!(peak_kib < 200 * 1_024, "the demo's peak was {peak_kib} KiB");
}

/// The metadata database on a server, the data embedded: every store of the whole job on that engine.
fn with_metadata_on(server: &Server) {
    let desk = Desk::new();
    let database = server.reserve_database();
    let tdm = |arguments: &[&str]| {
        Run::of(
            &desk
                .tdm()
                .args(arguments)
                .env("DATABASE_URL", database.url())
                .output()
                .unwrap(),
        )
    };
    tdm(&["init"]).expect(0);
    tdm(&["demo"]).expect(0);
    tdm(&["demo"]).expect(0);
    let jobs = tdm(&["job", "list", "--json"]).expect(0);
    assert_eq!(jobs.out.matches("\"completed\"").count(), 2, "{}", jobs.out);
    let datasets = tdm(&["dataset", "list"]).expect(0);
    assert!(datasets.out.contains("shop@2"), "{}", datasets.out);
    assert!(
        tdm(&["lineage", "customers.email"])
            .expect(0)
            .out
            .contains("masked")
    );
    assert_eq!(dangling(&desk.target()), 0);
}

#[test]
fn the_demo_runs_with_its_metadata_on_postgresql() {
    let Some(server) = tdm_testkit::require_postgres!() else {
        return;
    };
    with_metadata_on(server);
}

#[test]
fn the_demo_runs_with_its_metadata_on_mariadb() {
    let Some(server) = tdm_testkit::require_mysql!() else {
        return;
    };
    with_metadata_on(server);
}
