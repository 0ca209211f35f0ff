//! Every example runs, ends well and prints what it is about.

use std::process::Command;

fn check(program: &str, expected: &[&str]) {
    let output = Command::new(program)
        .output()
        .expect("the program was built with this test");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} ended with {}:\n{said}\n{complaint}",
        output.status
    );
    for line in expected {
        assert!(
            said.contains(line),
            "{program} did not print `{line}`:\n{said}"
        );
    }
}

#[test]
fn a_batch_is_masked_without_a_database() {
    check(
        env!("CARGO_BIN_EXE_mask_a_batch"),
        &[
            "customers.email",
            "by rule `mail`",
            "maria@corp.test became",
        ],
    );
}

#[test]
fn a_function_and_a_detector_of_ones_own_take_part() {
    check(
        env!("CARGO_BIN_EXE_write_your_own"),
        &[
            "members.loyalty_card holds other_personal",
            "LN-000001 became LN-",
        ],
    );
}

#[test]
fn the_whole_pipeline_runs_on_sqlite() {
    check(
        env!("CARGO_BIN_EXE_whole_pipeline"),
        &[
            "3 rows taken from the source",
            "every one finds its parent",
            "dataset      pets@1",
            "environment  qa",
            "column facts in lineage",
        ],
    );
}
