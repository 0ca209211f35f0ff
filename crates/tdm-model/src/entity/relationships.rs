//! A reference between relations of a schema version; the parent may be out of sight.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "relationships")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "schema_version_id-ordinal")]
    pub(crate) schema_version_id: Uuid,
    #[sea_orm(indexed)]
    pub(crate) child_table_id: Uuid,
    #[sea_orm(indexed)]
    pub(crate) parent_table_id: Option<Uuid>,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) parent_namespace: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) parent_name: String,
    #[sea_orm(unique_key = "schema_version_id-ordinal")]
    pub(crate) ordinal: i32,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub(crate) name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub(crate) kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) column_pairs: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) evidence: Json,
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
        from = "Column::ChildTableId",
        to = "super::tables::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Child,
    #[sea_orm(
        belongs_to = "super::tables::Entity",
        from = "Column::ParentTableId",
        to = "super::tables::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Parent,
}

impl ActiveModelBehavior for ActiveModel {}
