//! Rework everything.

use sea_orm_migration::prelude::*;

use crate::change::{Change, drop_table, rename_table};
use crate::portable::Holds::{Id, Json, Name, Small, Text, Time, Word};
use crate::portable::OnDelete::{Cascade, Forget, Restrict};
use crate::portable::{Dialect, Draft};

/// Tables that this migration creates, parents before children.
pub(crate) const CREATES: &[&str] = &["rule_sets", "notes", "attachments"];

/// Tables that are not there any more under that name.
pub(crate) const DROPS: &[&str] = &["masking_rules", "environments"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager).await?;
        // DECIDE: tables `masking_rules` and `rule_sets` look like one under two names (85 % alike), so it
        // keeps its rows. If they are two, create the one, drop the other, and say so in CREATES and DROPS.
        rename_table(manager, "masking_rules", "rule_sets").await?;
        notes_table(dialect).create(manager).await?;
        attachments_table(dialect).create(manager).await?;
        Change::of(dialect, "dataset_metadata")
            .add("comment", Text)
            .apply(manager)
            .await?;
        // DECIDE: `job_logs.code` changes from Word to Text: PostgreSQL casts what is there, MariaDB converts
        // it, SQLite copies it as it is. Move it yourself where that is not what is meant.
        // DECIDE: SQLite builds `job_logs` anew, exactly as `job_logs_after` says: look whether it is all
        // there.
        Change::of(dialect, "job_logs")
            .require("code", Text, "NULL")
            .relax("message", Text)
            .apply_or_rebuild(manager, job_logs_after(dialect))
            .await?;
        // DECIDE: `user_name` and `actor` of `jobs` look like one column under two names (65 % alike), so it
        // keeps what it holds. If they are two, drop the one and add the other.
        // DECIDE: `jobs.priority` is never empty and has no default: give the rows that exist a value in
        // place of NULL, which stops this migration as soon as there is one.
        // DECIDE: what `jobs.plan_hash` holds is lost here. Move before this statement what must stay.
        // DECIDE: SQLite builds `jobs` anew, exactly as `jobs_after` says: look whether it is all there.
        Change::of(dialect, "jobs")
            .drop_check("ck-jobs-status")
            .rename("user_name", "actor")
            .add_required("priority", Small, "NULL")
            .add("note", Text)
            .index(&["priority"])
            .drop("plan_hash")
            .one_of(
                "status",
                &[
                    "pending",
                    "running",
                    "completed",
                    "failed",
                    "cancelled",
                    "stopped",
                ],
            )
            .apply_or_rebuild(manager, jobs_after(dialect))
            .await?;
        // DECIDE: SQLite builds `lineage` anew, exactly as `lineage_after` says: look whether it is all
        // there.
        Change::of(dialect, "lineage")
            .drop_reference("fk-lineage-job_id")
            .references("job_id", "jobs", Cascade)
            .apply_or_rebuild(manager, lineage_after(dialect))
            .await?;
        // DECIDE: SQLite builds `rule_sets` anew, exactly as `rule_sets_after` says: look whether it is all
        // there.
        Change::of(dialect, "rule_sets")
            .drop_reference("fk-masking_rules-schema_version_id")
            .unique(&["name", "version_number"])
            .index(&["schema_version_id"])
            .drop_index("idx-masking_rules-name-version_number")
            .drop_index("idx-masking_rules-schema_version_id")
            .references("schema_version_id", "schema_versions", Restrict)
            .apply_or_rebuild(manager, rule_sets_after(dialect))
            .await?;
        // DECIDE: `schemas.description` is never empty and has no default: give the rows that exist a value
        // in place of NULL, which stops this migration as soon as there is one.
        // DECIDE: SQLite builds `schemas` anew, exactly as `schemas_after` says: look whether it is all
        // there.
        Change::of(dialect, "schemas")
            .require("description", Text, "NULL")
            .apply_or_rebuild(manager, schemas_after(dialect))
            .await?;
        // DECIDE: what `environments` holds is lost here. Move before this line what must stay.
        drop_table(manager, "environments").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager).await?;
        rename_table(manager, "rule_sets", "masking_rules").await?;
        // DECIDE: `environments` comes back empty: what it held is gone.
        environments_table(dialect).restore(manager).await?;
        Change::of(dialect, "dataset_metadata")
            .drop("comment")
            .apply(manager)
            .await?;
        // DECIDE: what `job_logs.message` held is gone, and rows that exist get this value.
        Change::of(dialect, "job_logs")
            .require("code", Word, "NULL")
            .require("message", Text, "''")
            .apply_or_rebuild(manager, job_logs_before(dialect))
            .await?;
        // DECIDE: what `jobs.plan_hash` held is gone, and rows that exist get this value.
        Change::of(dialect, "jobs")
            .drop_check("ck-jobs-status")
            .rename("actor", "user_name")
            .add_required("plan_hash", Word, "''")
            .drop_index("idx-jobs-priority")
            .drop("priority")
            .drop("note")
            .one_of(
                "status",
                &["pending", "running", "completed", "failed", "cancelled"],
            )
            .apply_or_rebuild(manager, jobs_before(dialect))
            .await?;
        Change::of(dialect, "lineage")
            .drop_reference("fk-lineage-job_id")
            .references("job_id", "jobs", Forget)
            .apply_or_rebuild(manager, lineage_before(dialect))
            .await?;
        Change::of(dialect, "masking_rules")
            .drop_reference("fk-rule_sets-schema_version_id")
            .unique(&["name", "version_number"])
            .index(&["schema_version_id"])
            .drop_index("idx-rule_sets-name-version_number")
            .drop_index("idx-rule_sets-schema_version_id")
            .references("schema_version_id", "schema_versions", Restrict)
            .apply_or_rebuild(manager, masking_rules_before(dialect))
            .await?;
        Change::of(dialect, "schemas")
            .relax("description", Text)
            .apply_or_rebuild(manager, schemas_before(dialect))
            .await?;
        drop_table(manager, "attachments").await?;
        drop_table(manager, "notes").await?;
        Ok(())
    }
}

fn notes_table(dialect: Dialect) -> Draft {
    Draft::new(dialect, "notes")
        .required("job_id", Id)
        .required("kind", Word)
        .optional("body", Text)
        .references("job_id", "jobs", Cascade)
        .one_of(
            "kind",
            &["remark", "question", "answer", "decision", "warning"],
        )
        .unique(&["job_id", "kind"])
}

fn attachments_table(dialect: Dialect) -> Draft {
    Draft::new(dialect, "attachments")
        .required("note_id", Id)
        .references("note_id", "notes", Restrict)
        .index(&["note_id"])
}

fn job_logs_after(dialect: Dialect) -> Draft {
    Draft::new(dialect, "job_logs")
        .required("job_id", Id)
        .required("step", Word)
        .required("level", Word)
        .required("code", Text)
        .optional("message", Text)
        .required("details", Json)
        .required("logged_at", Time)
        .references("job_id", "jobs", Cascade)
        .one_of("level", &["info", "warning", "error"])
        .index(&["job_id", "logged_at"])
}

fn jobs_after(dialect: Dialect) -> Draft {
    Draft::new(dialect, "jobs")
        .required("operation", Word)
        .required("status", Word)
        .required("request", Json)
        .optional("result", Json)
        .required("actor", Name)
        .optional("started_at", Time)
        .optional("finished_at", Time)
        .optional("lease_holder", Name)
        .optional("lease_until", Time)
        .required("priority", Small)
        .optional("note", Text)
        .one_of(
            "status",
            &[
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                "stopped",
            ],
        )
        .index(&["status"])
        .index(&["priority"])
}

fn lineage_after(dialect: Dialect) -> Draft {
    Draft::new(dialect, "lineage")
        .required("source_type", Word)
        .required("source_id", Name)
        .required("target_type", Word)
        .required("target_id", Name)
        .required("operation", Word)
        .optional("job_id", Id)
        .required("details", Json)
        .references("job_id", "jobs", Cascade)
        .index(&["job_id"])
        .index(&["source_type", "source_id"])
        .index(&["target_type", "target_id"])
}

fn rule_sets_after(dialect: Dialect) -> Draft {
    Draft::new(dialect, "rule_sets")
        .required("name", Name)
        .required("version_number", Small)
        .optional("schema_version_id", Id)
        .required("rules", Json)
        .references("schema_version_id", "schema_versions", Restrict)
        .unique(&["name", "version_number"])
        .index(&["schema_version_id"])
}

fn schemas_after(dialect: Dialect) -> Draft {
    Draft::new(dialect, "schemas")
        .required("name", Name)
        .required("description", Text)
        .required("connection_id", Id)
        .references("connection_id", "connections", Restrict)
        .unique(&["name"])
        .index(&["connection_id"])
}

fn environments_table(dialect: Dialect) -> Draft {
    Draft::new(dialect, "environments")
        .required("name", Name)
        .required("kind", Word)
        .optional("connection_id", Id)
        .required("config", Json)
        .references("connection_id", "connections", Restrict)
        .one_of("kind", &["production", "staging", "test", "development"])
        .unique(&["name"])
        .index(&["connection_id"])
}

fn job_logs_before(dialect: Dialect) -> Draft {
    Draft::new(dialect, "job_logs")
        .required("job_id", Id)
        .required("step", Word)
        .required("level", Word)
        .required("code", Word)
        .required("message", Text)
        .required("details", Json)
        .required("logged_at", Time)
        .references("job_id", "jobs", Cascade)
        .one_of("level", &["info", "warning", "error"])
        .index(&["job_id", "logged_at"])
}

fn jobs_before(dialect: Dialect) -> Draft {
    Draft::new(dialect, "jobs")
        .required("operation", Word)
        .required("status", Word)
        .required("request", Json)
        .optional("result", Json)
        .required("plan_hash", Word)
        .required("user_name", Name)
        .optional("started_at", Time)
        .optional("finished_at", Time)
        .optional("lease_holder", Name)
        .optional("lease_until", Time)
        .one_of(
            "status",
            &["pending", "running", "completed", "failed", "cancelled"],
        )
        .index(&["status"])
}

fn lineage_before(dialect: Dialect) -> Draft {
    Draft::new(dialect, "lineage")
        .required("source_type", Word)
        .required("source_id", Name)
        .required("target_type", Word)
        .required("target_id", Name)
        .required("operation", Word)
        .optional("job_id", Id)
        .required("details", Json)
        .references("job_id", "jobs", Forget)
        .index(&["job_id"])
        .index(&["source_type", "source_id"])
        .index(&["target_type", "target_id"])
}

fn masking_rules_before(dialect: Dialect) -> Draft {
    Draft::new(dialect, "masking_rules")
        .required("name", Name)
        .required("version_number", Small)
        .optional("schema_version_id", Id)
        .required("rules", Json)
        .references("schema_version_id", "schema_versions", Restrict)
        .unique(&["name", "version_number"])
        .index(&["schema_version_id"])
}

fn schemas_before(dialect: Dialect) -> Draft {
    Draft::new(dialect, "schemas")
        .required("name", Name)
        .optional("description", Text)
        .required("connection_id", Id)
        .references("connection_id", "connections", Restrict)
        .unique(&["name"])
        .index(&["connection_id"])
}
