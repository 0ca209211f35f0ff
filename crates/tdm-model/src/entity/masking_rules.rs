//! One version of a rule set.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "masking_rules")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        unique_key = "name-version_number"
    )]
    pub(crate) name: String,
    #[sea_orm(unique_key = "name-version_number")]
    pub(crate) version_number: i32,
    #[sea_orm(indexed)]
    pub(crate) schema_version_id: Option<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) rules: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::schema_versions::Entity",
        from = "Column::SchemaVersionId",
        to = "super::schema_versions::Column::Id",
        on_delete = "Restrict",
        on_update = "Restrict"
    )]
    SchemaVersion,
}

impl ActiveModelBehavior for ActiveModel {}
