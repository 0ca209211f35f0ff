//! The accepted word on one column.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "pii_classification")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "schema_version_id-table_id-column_id")]
    pub(crate) schema_version_id: Uuid,
    #[sea_orm(indexed, unique_key = "schema_version_id-table_id-column_id")]
    pub(crate) table_id: Uuid,
    #[sea_orm(indexed, unique_key = "schema_version_id-table_id-column_id")]
    pub(crate) column_id: Uuid,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) category: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) technique: String,
    pub(crate) confidence: f64,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) evidence: Json,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) decision: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) decided_by: String,
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
    #[sea_orm(
        belongs_to = "super::tables::Entity",
        from = "Column::TableId",
        to = "super::tables::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Table,
    #[sea_orm(
        belongs_to = "super::columns::Entity",
        from = "Column::ColumnId",
        to = "super::columns::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Column,
}

impl ActiveModelBehavior for ActiveModel {}
