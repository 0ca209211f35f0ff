//! One stored state of a schema.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schema_versions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "schema_id-version_number")]
    pub(crate) schema_id: Uuid,
    #[sea_orm(unique_key = "schema_id-version_number")]
    pub(crate) version_number: i32,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) status: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) fingerprint: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) engine: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) server_version: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) details: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) diagnostics: Json,
    pub(crate) discovered_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::schemas::Entity",
        from = "Column::SchemaId",
        to = "super::schemas::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Schema,
}

impl ActiveModelBehavior for ActiveModel {}
