//! Tests of changes to tables.

use sea_orm_migration::sea_orm::{DatabaseConnection, DatabaseExecutor};
use tdm_testkit::server::{self, ServerKind};

use super::*;
use crate::history::{self, Entry};
use crate::portable::Holds::{Flag, Id, Json, Name, Real, Small, Text, Time, Word};
use crate::portable::OnDelete::{Cascade, Forget};
use crate::{connect, runner};

/// A migration as `tdm migrate new` writes it; a test of the program that writes it holds the two together.
#[path = "../../../tests/data/migrate/m20270101_000002_rework_everything.rs"]
mod m20270101_000002_rework_everything;

fn reworked() -> Vec<Entry> {
    let mut entries = history::entries();
    entries.truncate(1);
    entries.push(Entry {
        migration: Box::new(m20270101_000002_rework_everything::Migration),
        creates: m20270101_000002_rework_everything::CREATES,
        drops: m20270101_000002_rework_everything::DROPS,
    });
    entries
}

/// A database of the test's own on every engine that can be had.
struct Scratch {
    connection: DatabaseConnection,
    _database: Option<server::Database>,
    _directory: Option<tempfile::TempDir>,
}

async fn scratches(test: &str) -> Vec<Scratch> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("meta.sqlite");
    std::fs::File::create(&file).unwrap();
    let mut all = vec![Scratch {
        connection: connect::open(&format!("sqlite:{}", file.display()))
            .await
            .unwrap(),
        _database: None,
        _directory: Some(directory),
    }];
    for server in ServerKind::ALL
        .into_iter()
        .filter_map(|kind| server::require(kind, test))
    {
        let database = server.create_database().unwrap();
        all.push(Scratch {
            connection: connect::open(database.url()).await.unwrap(),
            _database: Some(database),
            _directory: None,
        });
    }
    all
}

impl Scratch {
    fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.execute_unprepared(sql).await.map(drop)
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.backend(), sql);
        let rows = self.connection.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    /// Everything that the engine knows about the tables, but for the order of columns.
    async fn describe(&self) -> Vec<String> {
        let queries: &[&str] = match self.backend() {
            DbBackend::Sqlite => &[
                "SELECT concat_ws(' ', m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk) \
                 FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
                "SELECT concat_ws(' ', m.name, k.\"table\", k.\"from\", k.\"to\", k.on_update, k.on_delete) \
                 FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'",
                "SELECT concat_ws(' ', m.name, i.name, i.\"unique\", c.seqno, c.name) FROM sqlite_master m, \
                 pragma_index_list(m.name) i, pragma_index_info(i.name) c WHERE m.type = 'table'",
                "SELECT name || ' checks ' || substr(sql, instr(sql, 'CONSTRAINT')) FROM sqlite_master \
                 WHERE sql LIKE '%CHECK%'",
            ],
            DbBackend::MySql => &[
                "SELECT CAST(CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default, \
                 collation_name) AS CHAR) FROM information_schema.columns WHERE table_schema = DATABASE()",
                "SELECT CAST(CONCAT_WS(' ', k.table_name, k.constraint_name, k.column_name, k.ordinal_position, \
                 k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule) AS CHAR) \
                 FROM information_schema.key_column_usage k LEFT JOIN information_schema.referential_constraints r \
                 ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name \
                 WHERE k.table_schema = DATABASE()",
                "SELECT CAST(CONCAT_WS(' ', table_name, index_name, non_unique, seq_in_index, column_name) AS CHAR) \
                 FROM information_schema.statistics WHERE table_schema = DATABASE()",
                "SELECT CAST(CONCAT_WS(' ', constraint_name, check_clause) AS CHAR) \
                 FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()",
            ],
            _ => &[
                "SELECT concat_ws(' ', table_name, column_name, udt_name, character_maximum_length, is_nullable, \
                 column_default) FROM information_schema.columns WHERE table_schema = current_schema()",
                "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint \
                 WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'f', 'c', 'u')",
                "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()",
            ],
        };
        let mut facts = Vec::new();
        for query in queries {
            facts.extend(self.texts(query).await);
        }
        facts.sort();
        facts
    }

    /// Rows of `jobs` and `schemas` as the first migration has them.
    async fn fill(&self) {
        let id = |digit: &str| match self.backend() {
            DbBackend::Postgres => format!("'{}'", digit.repeat(32)),
            _ => format!("X'{}'", digit.repeat(32)),
        };
        let statements = [
            format!(
                "INSERT INTO jobs (id, operation, status, request, plan_hash, user_name) \
                 VALUES ({}, 'run', 'failed', '{{}}', 'h', 'ann')",
                id("1")
            ),
            format!(
                "INSERT INTO job_logs (id, job_id, step, level, code, message, details, logged_at) \
                 VALUES ({}, {}, 's', 'info', 'c', 'm', '{{}}', '2026-11-22 10:00:00')",
                id("2"),
                id("1")
            ),
            format!(
                "INSERT INTO connections (id, name, engine, location, options, lineage_namespace) \
                 VALUES ({}, 'shop', 'sqlite', 'x', '{{}}', 'x')",
                id("3")
            ),
            format!(
                // The name is a reserved word on MariaDB.
                "INSERT INTO {} (id, name, connection_id) VALUES ({}, 'shop', {})",
                match self.backend() {
                    DbBackend::MySql => "`schemas`",
                    _ => "schemas",
                },
                id("4"),
                id("3")
            ),
        ];
        for statement in statements {
            self.execute(&statement).await.unwrap();
        }
    }
}

/// What a table says in facts: how many hold all of `words`.
fn count(facts: &[String], words: &[&str]) -> usize {
    let has = |fact: &&String| {
        let fact = fact.to_lowercase();
        words.iter().all(|word| fact.contains(word))
    };
    facts.iter().filter(has).count()
}

#[tokio::test]
async fn a_written_migration_goes_forwards_and_back() {
    for scratch in scratches(tdm_testkit::test_name!()).await {
        let connection = &scratch.connection;
        let engine = scratch.backend();
        runner::apply(connection, reworked, Some(1)).await.unwrap();
        let before = scratch.describe().await;
        assert!(before.len() > 150, "{engine:?}: {}", before.len());

        runner::apply(connection, reworked, None).await.unwrap();
        let after = scratch.describe().await;
        for present in [
            &["attachments", "note_id"][..],
            &["notes", "job_id", "cascade"],
            &["jobs", "priority"],
            &["jobs", "actor"],
            &["ck-jobs-status", "stopped"],
            &["idx-jobs-priority"],
            &["lineage", "job_id", "cascade"],
            &["idx-rule_sets-name-version_number"],
            &["dataset_metadata", "comment"],
        ] {
            assert!(
                count(&after, present) > 0,
                "{engine:?}: {present:?}\n{after:#?}"
            );
        }
        for absent in [
            &["environments"][..],
            &["masking_rules"],
            &["jobs", "plan_hash"],
            &["jobs", "user_name"],
            &["lineage", "job_id", "set null"],
        ] {
            assert_eq!(
                count(&after, absent),
                0,
                "{engine:?}: {absent:?}\n{after:#?}"
            );
        }

        let back = runner::revert(connection, reworked, Some(1)).await.unwrap();
        assert_eq!(back, ["m20270101_000002_rework_everything"]);
        assert_eq!(scratch.describe().await, before, "{engine:?}");
        runner::apply(connection, reworked, None).await.unwrap();
        assert_eq!(scratch.describe().await, after, "{engine:?}");
        scratch.connection.close().await.unwrap();
    }
}

/// As written, nobody has decided what the new required columns hold: rows stop it, and nothing is left of it.
#[tokio::test]
async fn an_undecided_migration_stops_at_the_first_row_and_is_undone() {
    for scratch in scratches(tdm_testkit::test_name!()).await {
        let connection = &scratch.connection;
        runner::apply(connection, reworked, Some(1)).await.unwrap();
        let before = scratch.describe().await;
        scratch.fill().await;
        let error = runner::apply(connection, reworked, None).await.unwrap_err();
        assert!(matches!(error, crate::Error::Migration { .. }), "{error}");
        assert_eq!(scratch.describe().await, before, "{:?}", scratch.backend());
        let kept = scratch.texts("SELECT user_name FROM jobs").await;
        assert_eq!(kept, ["ann"]);
        let recorded = scratch.texts("SELECT version FROM seaql_migrations").await;
        assert_eq!(recorded.len(), 1);
        scratch.connection.close().await.unwrap();
    }
}

/// The whole of `jobs` after [`rows_live_through_every_change`].
fn jobs(dialect: Dialect) -> Draft {
    Draft::new(dialect, "jobs")
        .required("operation", Text)
        .required("status", Word)
        .optional("request", Json)
        .optional("result", Json)
        .required("actor", Name)
        .optional("started_at", Time)
        .required("finished_at", Time)
        .optional("lease_holder", Name)
        .optional("lease_until", Time)
        .required("priority", Small)
        .required("urgent", Flag)
        .optional("share", Real)
        .optional("parent_id", Id)
        .references("parent_id", "jobs", Forget)
        .one_of("operation", &["run", "it's"])
        .unique(&["actor", "priority"])
        .index(&["parent_id"])
}

#[tokio::test]
async fn rows_live_through_every_change() {
    for scratch in scratches(tdm_testkit::test_name!()).await {
        let engine = scratch.backend();
        runner::apply(&scratch.connection, history::entries, Some(1))
            .await
            .unwrap();
        scratch.fill().await;
        let manager = SchemaManager::new(DatabaseExecutor::from(&scratch.connection));
        let dialect = Dialect::of(&manager).await.unwrap();
        let change = || {
            Change::of(dialect, "jobs")
                .drop_check("ck-jobs-status")
                .rename("user_name", "actor")
                .add_required("priority", Small, "7")
                .add_required("urgent", Flag, "FALSE")
                .add("share", Real)
                .add("parent_id", Id)
                .require("operation", Text, "NULL")
                .require("finished_at", Time, "CURRENT_TIMESTAMP")
                .relax("request", Json)
                .unique(&["actor", "priority"])
                .index(&["parent_id"])
                .drop_index("idx-jobs-status")
                .drop("plan_hash")
                .one_of("operation", &["run", "it's"])
                .references("parent_id", "jobs", Forget)
        };
        change()
            .apply_or_rebuild(&manager, jobs(dialect))
            .await
            .unwrap();
        let kept = "SELECT CONCAT(actor, ' ', operation, ' ', status, ' ', priority) FROM jobs \
                    WHERE NOT urgent AND finished_at IS NOT NULL AND share IS NULL";
        assert_eq!(
            scratch.texts(kept).await,
            ["ann run failed 7"],
            "{engine:?}"
        );
        assert_eq!(
            scratch.texts("SELECT code FROM job_logs").await,
            ["c"],
            "{engine:?}"
        );
        let facts = scratch.describe().await;
        assert_eq!(count(&facts, &["jobs", "plan_hash"]), 0, "{engine:?}");

        // What the table promises now, it keeps.
        for refused in [
            "UPDATE jobs SET operation = 'other'",
            "UPDATE jobs SET priority = NULL",
            "UPDATE jobs SET finished_at = NULL",
        ] {
            assert!(
                scratch.execute(refused).await.is_err(),
                "{engine:?}: {refused}"
            );
        }
        scratch
            .execute("UPDATE jobs SET operation = 'it''s', request = NULL")
            .await
            .unwrap();

        // On MariaDB a second attempt finds everything done, as after a migration that stopped half way.
        if engine == DbBackend::MySql {
            change().apply(&manager).await.unwrap();
            assert_eq!(scratch.describe().await, facts);
        }
        drop(manager);
        scratch.connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn sqlite_alters_in_place_what_it_can_and_refuses_the_rest() {
    let scratch = scratches(tdm_testkit::test_name!()).await.remove(0);
    runner::apply(&scratch.connection, history::entries, Some(1))
        .await
        .unwrap();
    scratch.fill().await;
    let before = scratch.describe().await;
    let manager = SchemaManager::new(DatabaseExecutor::from(&scratch.connection));
    let dialect = Dialect::of(&manager).await.unwrap();
    let change = || Change::of(dialect, "jobs");
    let there = change()
        .add("note", Text)
        .index(&["note"])
        .rename("user_name", "actor");
    there.apply(&manager).await.unwrap();
    assert_eq!(
        scratch
            .texts("SELECT actor FROM jobs WHERE note IS NULL")
            .await,
        ["ann"]
    );
    let back = change()
        .rename("actor", "user_name")
        .drop_index("idx-jobs-note")
        .drop("note");
    back.apply(&manager).await.unwrap();
    assert_eq!(scratch.describe().await, before);
    for refused in [
        change().add_required("n", Small, "0"),
        change().relax("status", Word),
        change().drop_check("ck-jobs-status"),
        change().one_of("operation", &["run"]),
        Change::of(dialect, "lineage").drop_reference("fk-lineage-job_id"),
        Change::of(dialect, "lineage").references("job_id", "jobs", Cascade),
    ] {
        assert!(matches!(
            refused.apply(&manager).await,
            Err(DbErr::Migration(_))
        ));
    }
}
