//! A relation of a schema version.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tables")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "schema_version_id-namespace-name")]
    pub(crate) schema_version_id: Uuid,
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        unique_key = "schema_version_id-namespace-name"
    )]
    pub(crate) namespace: String,
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        unique_key = "schema_version_id-namespace-name"
    )]
    pub(crate) name: String,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) kind: String,
    pub(crate) row_estimate: Option<i64>,
    pub(crate) bytes_estimate: Option<i64>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) constraints: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) indexes: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) details: Json,
    #[sea_orm(column_type = "Text")]
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::schema_versions::Entity",
        from = "Column::SchemaVersionId",
        to = "super::schema_versions::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    SchemaVersion,
}

impl ActiveModelBehavior for ActiveModel {}
