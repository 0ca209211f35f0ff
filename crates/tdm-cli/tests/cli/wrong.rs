//! Workflow files with mistakes: each is named with file, line, key and a suggestion, before anything is written.

use crate::{Desk, number};

const RIGHT: &str = "dataset: shop
source: sqlite:.tdm/demo/shop.sqlite
discover: true
classify: true
subset:
  seeds:
    - table: customers
      where: customer_id < 10
mask:
  policy: default
  rules:
    - column: customers.email
      function: email
synthesize:
  tables: {customers: 5}
provision:
  environment: qa
";

struct Mistake {
    from: &'static str,
    to: &'static str,
    said: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        from: "discover:",
        to: "discovr:",
        said: &[
            "w.yaml:3:1: unknown key `discovr`",
            "did you mean `discover`?",
        ],
    },
    Mistake {
        from: "table: customers",
        to: "tabel: customers",
        said: &["w.yaml:7:", "`tabel`", "did you mean `table`?"],
    },
    Mistake {
        from: "table: customers",
        to: "table: custmers",
        said: &[
            "w.yaml:7:",
            "unknown table `custmers`",
            "did you mean `customers`?",
        ],
    },
    Mistake {
        from: "where: customer_id < 10",
        to: "where: customer_id <",
        said: &["w.yaml:8:", "`where` of `customers`"],
    },
    Mistake {
        from: "where: customer_id < 10",
        to: "where: custmer_id < 10",
        said: &["w.yaml:8:", "`where` of `customers`"],
    },
    Mistake {
        from: "where: customer_id < 10",
        to: "count: many",
        said: &["w.yaml:8:", "`subset.seeds.count` must be a whole number"],
    },
    Mistake {
        from: "policy: default",
        to: "policy: defualt",
        said: &[
            "w.yaml:10:",
            "unknown policy `defualt`",
            "did you mean `default`?",
        ],
    },
    Mistake {
        from: "column: customers.email",
        to: "column: customers.emial",
        said: &["w.yaml:12:", "`emial`", "did you mean `email`?"],
    },
    Mistake {
        from: "column: customers.email",
        to: "column: customer.email",
        said: &[
            "w.yaml:12:",
            "unknown table `customer`",
            "did you mean `customers`?",
        ],
    },
    Mistake {
        from: "function: email",
        to: "function: emial",
        said: &[
            "w.yaml:12:",
            "unknown masking function `emial`",
            "did you mean `email`?",
        ],
    },
    Mistake {
        from: "function: email",
        to: "function: email\n      params: {domian: x}",
        said: &["w.yaml:12:", "unknown parameter `domian`"],
    },
    Mistake {
        from: "{customers: 5}",
        to: "{customers: lots}",
        said: &["w.yaml:15:", "how many rows to add"],
    },
    Mistake {
        from: "{customers: 5}",
        to: "{clients: 5}",
        said: &["w.yaml:15:", "unknown table `clients`"],
    },
    Mistake {
        from: "environment: qa",
        to: "environment: qa\n  kind: production",
        said: &["w.yaml:18:", "only ever a source"],
    },
    Mistake {
        from: "dataset: shop",
        to: "dataset: [shop]",
        said: &["w.yaml:1:", "`dataset` must be a text"],
    },
    Mistake {
        from: "mask:",
        to: "mask: [",
        said: &["w.yaml:"],
    },
];

#[test]
fn every_mistake_is_named_with_its_place_and_nothing_is_written() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    let rows = |desk: &Desk| {
        let metadata = desk.metadata();
        let tables = [
            "jobs",
            "job_logs",
            "dataset_versions",
            "schema_versions",
            "lineage",
            "environments",
            "connections",
        ];
        tables.map(|table| number(&metadata, &format!("SELECT count(*) FROM {table}")))
    };
    let before = rows(&desk);
    for mistake in MISTAKES {
        assert!(
            RIGHT.contains(mistake.from),
            "the mistake `{}` is in no place",
            mistake.to
        );
        desk.file("w.yaml", &RIGHT.replacen(mistake.from, mistake.to, 1));
        for verb in ["plan", "run"] {
            let run = desk.run(&[verb, "w.yaml"]);
            assert_eq!(run.code, 2, "{verb} with `{}`:\n{}", mistake.to, run.err);
            for said in mistake.said {
                assert!(
                    run.err.contains(said),
                    "`{}`: `{said}` is not in:\n{}",
                    mistake.to,
                    run.err
                );
            }
        }
    }
    assert_eq!(rows(&desk), before, "something was written");
    desk.file("w.yaml", RIGHT);
    desk.run(&["run", "w.yaml"]).expect(0);
}

#[test]
fn an_undecided_column_stops_the_job_before_a_row_is_copied() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    desk.file("w.yaml", &RIGHT.replace("  policy: default\n", ""));
    let run = desk.run(&["run", "w.yaml"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("customers.last_name"),
        "the column is not named:\n{}",
        run.err
    );
    assert_eq!(
        number(&desk.metadata(), "SELECT count(*) FROM dataset_versions"),
        1
    );
}

#[test]
fn a_password_in_a_workflow_is_refused_and_not_repeated() {
    let desk = Desk::new();
    desk.file(
        "w.yaml",
        "dataset: d\nsource: postgres://u:hunter2@localhost/d\ndiscover: true\n",
    );
    let run = desk.run(&["run", "w.yaml"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        !run.err.contains("hunter2") && run.err.contains("tdm connection add"),
        "{}",
        run.err
    );
}

#[test]
fn a_column_that_nobody_could_look_into_stops_the_job() {
    let desk = Desk::new();
    let database = rusqlite::Connection::open(desk.path().join("blob.sqlite")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, payload BLOB, label TEXT);
             INSERT INTO t VALUES (1, x'00ff', 'one'), (2, x'01', 'two');",
        )
        .unwrap();
    drop(database);
    let text = "dataset: d\nsource: sqlite:blob.sqlite\ndiscover: true\nclassify: true\n\
                mask: {policy: default}\nprovision: {environment: qa}\n";
    desk.file("w.yaml", text);
    let run = desk.run(&["run", "w.yaml"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("t.payload"), "{}", run.err);
    // A person's word decides.
    let decided = text.replace("classify: true", "classify: {confirm: {t.payload: none}}");
    desk.file("w.yaml", &decided);
    desk.run(&["run", "w.yaml"]).expect(0);
}

#[test]
fn what_is_read_or_kept_is_never_written() {
    let desk = Desk::new();
    desk.run(&["demo"]).expect(0);
    let shop = std::fs::read(desk.path().join(".tdm/demo/shop.sqlite")).unwrap();
    for (place, said) in [
        (".tdm/demo/shop.sqlite", "the source"),
        (".tdm/tdm.sqlite", "the metadata database"),
        (
            ".tdm/tdm_target.sqlite.d/shop/v1.sqlite",
            "published dataset version",
        ),
    ] {
        let provision =
            format!("provision: {{environment: x, connection: \"sqlite:{place}\", adopt: true}}");
        desk.file("p.yaml", &format!("dataset: shop\n{provision}\n"));
        let run = desk.run(&["run", "p.yaml"]);
        assert_eq!(run.code, 4, "{place}: {}", run.err);
        assert!(run.err.contains(said), "{place}: {}", run.err);
    }
    assert_eq!(
        number(
            &desk.metadata(),
            "SELECT count(*) FROM environments WHERE name = 'x'"
        ),
        0
    );
    assert_eq!(
        std::fs::read(desk.path().join(".tdm/demo/shop.sqlite")).unwrap(),
        shop
    );
}

#[test]
fn an_environment_variable_that_is_no_text_is_not_printed() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let desk = Desk::new();
        let value = std::ffi::OsStr::from_bytes(b"hunter2\xff");
        let output = desk
            .tdm()
            .arg("doctor")
            .env("SOMETHING", value)
            .output()
            .unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
        let output = desk
            .tdm()
            .arg("doctor")
            .env("DATABASE_URL", value)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
}
