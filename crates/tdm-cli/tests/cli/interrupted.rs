//! Jobs that do not end: the target stays as it was, and the log says why.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};

use crate::{Desk, number, open, texts};

const WORKFLOW: &str = "
dataset: everything
source: sqlite:.tdm/demo/shop.sqlite
discover: true
classify: true
subset:
  seeds: [{table: customers, all: true}]
mask:
  policy: default
  rules:
    - {column: employees.job_title, keep: shared by many}
EXTRA
provision:
  environment: qa
";

fn digest_of_target(desk: &Desk) -> Vec<u8> {
    std::fs::read(desk.path().join(".tdm/tdm_target.sqlite")).unwrap()
}

fn leftovers(desk: &Desk) -> Vec<String> {
    let names = crate::chinook::files_but(desk.path(), &[])
        .into_iter()
        .map(|(name, _)| name);
    names.filter(|name| name.contains("staging")).collect()
}

/// Starts a run and waits until its subset is closed: rows begin to move.
fn run_until_rows_move(desk: &Desk) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut child = desk
        .tdm()
        .args(["run", "all.yaml"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let closed = |line: &std::io::Result<String>| {
        line.as_ref().is_ok_and(|line| line.starts_with("subset:"))
    };
    lines.find(closed).unwrap().unwrap();
    (child, lines)
}

#[cfg(unix)]
#[test]
fn an_interrupt_in_the_middle_leaves_the_target_and_cancels_the_job() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    let before = digest_of_target(&desk);
    desk.file("all.yaml", &WORKFLOW.replace("EXTRA", ""));
    let (mut child, lines) = run_until_rows_move(&desk);
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let exit = child.wait().unwrap();
    assert_eq!(exit.code(), Some(130), "{rest:?}");

    assert_eq!(digest_of_target(&desk), before, "the target changed");
    assert!(leftovers(&desk).is_empty(), "{:?}", leftovers(&desk));
    let metadata = desk.metadata();
    assert_eq!(
        texts(
            &metadata,
            "SELECT status FROM jobs ORDER BY id DESC LIMIT 1"
        ),
        ["cancelled"]
    );
    assert_eq!(
        number(
            &metadata,
            "SELECT count(*) FROM job_logs WHERE code = 'cancelled'"
        ),
        1
    );
    assert_eq!(
        number(
            &metadata,
            "SELECT count(*) FROM dataset_versions WHERE status = 'failed'"
        ),
        1
    );
    // The next run is not in the way of anything.
    desk.run(&["run", "all.yaml"]).expect(0);
}

#[test]
fn an_error_half_way_leaves_the_target_and_fails_the_job_with_step_and_code() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    let before = digest_of_target(&desk);
    // A value that a check constraint of the target refuses, in a table that is loaded late.
    let extra = "    - {column: reviews.stars, function: fixed, params: {value: 99}}";
    let shop = open(&desk.path().join(".tdm/demo/shop.sqlite"));
    assert!(number(&shop, "SELECT count(*) FROM reviews") > 0);
    desk.file("broken.yaml", &WORKFLOW.replace("EXTRA", extra));
    let run = desk.run(&["run", "broken.yaml"]);
    assert_ne!(run.code, 0);
    assert!(
        run.err.contains("reviews"),
        "the error does not name the table: {}",
        run.err
    );
    assert_eq!(digest_of_target(&desk), before, "the target changed");
    assert!(leftovers(&desk).is_empty(), "{:?}", leftovers(&desk));
    let metadata = desk.metadata();
    assert_eq!(
        texts(
            &metadata,
            "SELECT status FROM jobs ORDER BY id DESC LIMIT 1"
        ),
        ["failed"]
    );
    let steps = texts(
        &metadata,
        "SELECT step || ' ' || code FROM job_logs WHERE level = 'error'",
    );
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert!(steps[0].starts_with("mask "), "{steps:?}");
}

#[test]
fn a_killed_run_leaves_the_target_and_the_next_run_cleans_up_behind_it() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    let before = digest_of_target(&desk);
    desk.file("all.yaml", &WORKFLOW.replace("EXTRA", ""));
    let (mut child, _lines) = run_until_rows_move(&desk);
    // The staging file appears within the step; then nothing is left to chance.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while leftovers(&desk).is_empty() && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(digest_of_target(&desk), before, "the target changed");
    assert!(
        !leftovers(&desk).is_empty(),
        "the run was over before it was killed"
    );
    desk.run(&["run", "all.yaml"]).expect(0);
    assert!(leftovers(&desk).is_empty(), "{:?}", leftovers(&desk));
    let metadata = desk.metadata();
    assert_eq!(
        number(
            &metadata,
            "SELECT count(*) FROM jobs WHERE status = 'running'"
        ),
        0
    );
    assert_eq!(
        number(
            &metadata,
            "SELECT count(*) FROM job_logs WHERE code = 'abandoned'"
        ),
        1
    );
    let building = "SELECT count(*) FROM dataset_versions WHERE status = 'building'";
    assert_eq!(number(&metadata, building), 0);
}
