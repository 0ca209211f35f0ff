//! One line of a job's log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_logs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) job_id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) step: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) level: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) code: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) message: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) details: Json,
    pub(crate) logged_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::jobs::Entity",
        from = "Column::JobId",
        to = "super::jobs::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Job,
}

impl ActiveModelBehavior for ActiveModel {}
