//! A fact about a dataset version.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dataset_metadata")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    #[sea_orm(unique_key = "dataset_version_id-key")]
    pub(crate) dataset_version_id: Uuid,
    #[sea_orm(
        column_type = "String(StringLen::N(255))",
        unique_key = "dataset_version_id-key"
    )]
    pub(crate) key: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) value: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(
        belongs_to = "super::dataset_versions::Entity",
        from = "Column::DatasetVersionId",
        to = "super::dataset_versions::Column::Id",
        on_delete = "Cascade",
        on_update = "Restrict"
    )]
    DatasetVersion,
}

impl ActiveModelBehavior for ActiveModel {}
