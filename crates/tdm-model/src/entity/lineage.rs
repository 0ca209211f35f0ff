//! What was made from what, column by column. It outlives its job.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lineage")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) source_type: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) source_id: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) target_type: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) target_id: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) operation: String,
    #[sea_orm(indexed)]
    pub(crate) job_id: Option<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) details: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::jobs::Entity",
        from = "Column::JobId",
        to = "super::jobs::Column::Id",
        on_delete = "SetNull",
        on_update = "Restrict"
    )]
    Job,
}

impl ActiveModelBehavior for ActiveModel {}
