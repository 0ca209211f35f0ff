//! One execution and its lease.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) operation: String,
    #[sea_orm(column_type = "String(StringLen::N(128))", indexed)]
    pub(crate) status: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) request: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) result: Option<Json>,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) plan_hash: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) user_name: String,
    pub(crate) started_at: Option<DateTimeUtc>,
    pub(crate) finished_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) lease_holder: Option<String>,
    pub(crate) lease_until: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
