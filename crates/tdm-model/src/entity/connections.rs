//! A database that can be connected to, with its password by reference only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(255))", unique_key = "name")]
    pub(crate) name: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) engine: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) location: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) secret: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) options: Json,
    #[sea_orm(column_type = "Text")]
    pub(crate) lineage_namespace: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
