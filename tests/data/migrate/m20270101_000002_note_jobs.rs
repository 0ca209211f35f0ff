//! Note jobs.

use sea_orm_migration::prelude::*;

use crate::change::Change;
use crate::portable::Dialect;
use crate::portable::Holds::Text;

/// Tables that this migration creates, parents before children.
pub(crate) const CREATES: &[&str] = &[];

/// Tables that are not there any more under that name.
pub(crate) const DROPS: &[&str] = &[];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager).await?;
        Change::of(dialect, "jobs")
            .add("note", Text)
            .index(&["plan_hash"])
            .apply(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager).await?;
        Change::of(dialect, "jobs")
            .drop_index("idx-jobs-plan_hash")
            .drop("note")
            .apply(manager)
            .await?;
        Ok(())
    }
}
