//! A column of a relation, with its profile.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "columns")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "table_id-name")]
    pub(crate) table_id: Uuid,
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        unique_key = "table_id-name"
    )]
    pub(crate) name: String,
    pub(crate) ordinal: i32,
    #[sea_orm(column_type = "Text")]
    pub(crate) native_type: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) logical_type: Json,
    pub(crate) is_nullable: bool,
    #[sea_orm(column_type = "Text")]
    pub(crate) default_expression: Option<String>,
    pub(crate) is_generated: bool,
    pub(crate) is_identity: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) details: Json,
    #[sea_orm(column_type = "Text")]
    pub(crate) comment: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) profile: Option<Json>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::tables::Entity",
        from = "Column::TableId",
        to = "super::tables::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    Table,
}

impl ActiveModelBehavior for ActiveModel {}
