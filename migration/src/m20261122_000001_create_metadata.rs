//! The fourteen tables of the metadata database.
//!
//! What belongs to a schema version goes with it; what a dataset was made from cannot be deleted under it; lineage
//! outlives the job that wrote it.

use sea_orm_migration::prelude::*;

use crate::portable::Holds::{Big, Flag, Id, Json, Name, Real, Small, Text, Time, Word};
use crate::portable::OnDelete::{Cascade, Forget, Restrict};
use crate::portable::{Dialect, Draft};

/// Tables that this migration creates, parents before children.
pub(crate) const CREATES: &[&str] = &[
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
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for draft in drafts(Dialect::of(manager).await?) {
            draft.create(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in CREATES.iter().rev() {
            // A migration that MariaDB stopped half way leaves some of them.
            manager
                .drop_table(Table::drop().table(*table).if_exists().to_owned())
                .await?;
        }
        Ok(())
    }
}

fn drafts(dialect: Dialect) -> Vec<Draft> {
    let table = |name| Draft::new(dialect, name);
    vec![
        table("connections")
            .required("name", Name)
            .required("engine", Word)
            .required("location", Text)
            .optional("secret", Text)
            .required("options", Json)
            .required("lineage_namespace", Text)
            .unique(&["name"]),
        table("schemas")
            .required("name", Name)
            .optional("description", Text)
            .required("connection_id", Id)
            .references("connection_id", "connections", Restrict)
            .unique(&["name"])
            .index(&["connection_id"]),
        table("schema_versions")
            .required("schema_id", Id)
            .required("version_number", Small)
            .required("status", Word)
            .required("fingerprint", Word)
            .required("engine", Word)
            .required("server_version", Text)
            .required("details", Json)
            .required("diagnostics", Json)
            .required("discovered_at", Time)
            .references("schema_id", "schemas", Cascade)
            .one_of("status", &["complete", "partial"])
            .unique(&["schema_id", "version_number"]),
        table("tables")
            .required("schema_version_id", Id)
            .required("namespace", Name)
            .required("name", Name)
            .required("kind", Word)
            .optional("row_estimate", Big)
            .optional("bytes_estimate", Big)
            .required("constraints", Json)
            .required("indexes", Json)
            .required("details", Json)
            .optional("comment", Text)
            .references("schema_version_id", "schema_versions", Cascade)
            .unique(&["schema_version_id", "namespace", "name"]),
        table("columns")
            .required("table_id", Id)
            .required("name", Name)
            .required("ordinal", Small)
            .required("native_type", Text)
            .required("logical_type", Json)
            .required("is_nullable", Flag)
            .optional("default_expression", Text)
            .required("is_generated", Flag)
            .required("is_identity", Flag)
            .required("details", Json)
            .optional("comment", Text)
            .optional("profile", Json)
            .references("table_id", "tables", Cascade)
            .unique(&["table_id", "name"]),
        table("relationships")
            .required("schema_version_id", Id)
            .required("child_table_id", Id)
            .optional("parent_table_id", Id)
            .required("parent_namespace", Name)
            .required("parent_name", Name)
            .required("ordinal", Small)
            .optional("name", Name)
            .required("kind", Word)
            .required("column_pairs", Json)
            .required("evidence", Json)
            .references("schema_version_id", "schema_versions", Cascade)
            .references("child_table_id", "tables", Cascade)
            .references("parent_table_id", "tables", Cascade)
            .one_of("kind", &["declared", "virtual", "inferred", "polymorphic"])
            .unique(&["schema_version_id", "ordinal"])
            .index(&["child_table_id"])
            .index(&["parent_table_id"]),
        table("pii_classification")
            .required("schema_version_id", Id)
            .required("table_id", Id)
            .required("column_id", Id)
            .required("category", Word)
            .required("technique", Text)
            .required("confidence", Real)
            .required("evidence", Json)
            .required("decision", Word)
            .required("decided_by", Name)
            .references("schema_version_id", "schema_versions", Cascade)
            .references("table_id", "tables", Cascade)
            .references("column_id", "columns", Cascade)
            .one_of("decision", &["suggested", "confirmed", "rejected"])
            .unique(&["schema_version_id", "table_id", "column_id"])
            .index(&["table_id"])
            .index(&["column_id"]),
        table("dataset_versions")
            .required("dataset_name", Name)
            .required("version_number", Small)
            .optional("schema_version_id", Id)
            .required("source_type", Word)
            .required("status", Word)
            .optional("location", Name)
            .optional("row_count", Big)
            .optional("digest", Word)
            .required("created_at", Time)
            .references("schema_version_id", "schema_versions", Restrict)
            .one_of("source_type", &["subset", "masked", "synthetic", "mixed"])
            .one_of("status", &["building", "published", "failed", "retired"])
            .unique(&["dataset_name", "version_number"])
            .index(&["schema_version_id"]),
        table("dataset_metadata")
            .required("dataset_version_id", Id)
            .required("key", Name)
            .required("value", Json)
            .references("dataset_version_id", "dataset_versions", Cascade)
            .unique(&["dataset_version_id", "key"]),
        table("jobs")
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
            .index(&["status"]),
        table("job_logs")
            .required("job_id", Id)
            .required("step", Word)
            .required("level", Word)
            .required("code", Word)
            .required("message", Text)
            .required("details", Json)
            .required("logged_at", Time)
            .references("job_id", "jobs", Cascade)
            .one_of("level", &["info", "warning", "error"])
            .index(&["job_id", "logged_at"]),
        table("lineage")
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
            .index(&["target_type", "target_id"]),
        table("masking_rules")
            .required("name", Name)
            .required("version_number", Small)
            .optional("schema_version_id", Id)
            .required("rules", Json)
            .references("schema_version_id", "schema_versions", Restrict)
            .unique(&["name", "version_number"])
            .index(&["schema_version_id"]),
        table("environments")
            .required("name", Name)
            .required("kind", Word)
            .optional("connection_id", Id)
            .required("config", Json)
            .references("connection_id", "connections", Restrict)
            .one_of("kind", &["production", "staging", "test", "development"])
            .unique(&["name"])
            .index(&["connection_id"]),
    ]
}
