//! A place that data is deployed to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "environments")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(255))", unique_key = "name")]
    pub(crate) name: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) kind: String,
    #[sea_orm(indexed)]
    pub(crate) connection_id: Option<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) config: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::connections::Entity",
        from = "Column::ConnectionId",
        to = "super::connections::Column::Id",
        on_delete = "Restrict",
        on_update = "Restrict"
    )]
    Connection,
}

impl ActiveModelBehavior for ActiveModel {}
