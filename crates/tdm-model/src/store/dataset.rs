//! Dataset versions and facts about them.

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue, Condition, ConnectionTrait, QueryOrder as _};
use tdm_core::dataset::{DatasetFacts, DatasetStatus, DatasetVersion};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortResult;
use tdm_core::ident::DatasetVersionId;
use tdm_core::port::{DatasetStore, NewDatasetVersion};

use super::catalog::version_row;
use super::{insert_all, until_it_passes};
use crate::convert;
use crate::database::MetadataDatabase;
use crate::entity::{dataset_metadata, dataset_versions};
use crate::error::{Doing as _, Stop, conflict, not_found};

const OBJECT: &str = "dataset version";

#[async_trait]
impl DatasetStore for MetadataDatabase {
    async fn begin_dataset_version(&self, new: &NewDatasetVersion) -> PortResult<DatasetVersion> {
        until_it_passes!(self.put_dataset_version(new))
    }

    async fn publish_dataset_version(
        &self,
        id: DatasetVersionId,
        location: &str,
        digest: RowDigest,
        facts: &DatasetFacts,
    ) -> PortResult<()> {
        until_it_passes!(self.publish(id, location, digest, facts))
    }

    async fn set_dataset_status(
        &self,
        id: DatasetVersionId,
        status: DatasetStatus,
    ) -> PortResult<()> {
        until_it_passes!(self.move_dataset(id, status))
    }

    async fn dataset_versions(&self, dataset: Option<&str>) -> PortResult<Vec<DatasetVersion>> {
        let of_name = dataset.map(|name| dataset_versions::Column::DatasetName.eq(name));
        let rows = dataset_versions::Entity::find()
            .filter(Condition::all().add_option(of_name))
            .order_by_asc(dataset_versions::Column::Id)
            .all(self.connection())
            .await
            .doing("read", "dataset versions")?;
        Ok(rows
            .into_iter()
            .map(convert::dataset_version)
            .collect::<Result<_, _>>()?)
    }

    async fn dataset_facts(&self, id: DatasetVersionId) -> PortResult<DatasetFacts> {
        status_of(self.connection(), id).await?;
        let rows = dataset_metadata::Entity::find()
            .filter(dataset_metadata::Column::DatasetVersionId.eq(id.0))
            .all(self.connection())
            .await
            .doing("read", "dataset facts")?;
        Ok(rows
            .into_iter()
            .map(|row| (row.key, crate::guard::unguard_json(row.value)))
            .collect())
    }
}

impl MetadataDatabase {
    async fn put_dataset_version(&self, new: &NewDatasetVersion) -> Result<DatasetVersion, Stop> {
        let transaction = self.begin().await?;
        if let Some(version) = new.schema_version {
            version_row(&transaction, version).await?;
        }
        let last = dataset_versions::Entity::find()
            .filter(dataset_versions::Column::DatasetName.eq(new.dataset.as_str()))
            .order_by_desc(dataset_versions::Column::VersionNumber)
            .one(&transaction)
            .await
            .doing("read", OBJECT)?;
        let row = dataset_versions::Model {
            id: convert::new_id(),
            dataset_name: new.dataset.clone(),
            version_number: last.map_or(1, |row| row.version_number + 1),
            schema_version_id: new.schema_version.map(|version| version.0),
            source_type: new.source.as_str().to_owned(),
            status: DatasetStatus::Building.as_str().to_owned(),
            location: None,
            row_count: None,
            digest: None,
            created_at: convert::time(new.created)?,
        };
        let version = convert::dataset_version(row.clone())?;
        insert_all::<dataset_versions::Entity, _>(&transaction, vec![row], OBJECT).await?;
        transaction.commit().await.doing("store", OBJECT)?;
        Ok(version)
    }

    async fn publish(
        &self,
        id: DatasetVersionId,
        location: &str,
        digest: RowDigest,
        facts: &DatasetFacts,
    ) -> Result<(), Stop> {
        let transaction = self.begin().await?;
        let (rows, sum) = convert::digest_columns(digest)?;
        let set = dataset_versions::ActiveModel {
            status: ActiveValue::Set(DatasetStatus::Published.as_str().to_owned()),
            location: ActiveValue::Set(Some(location.to_owned())),
            row_count: ActiveValue::Set(Some(rows)),
            digest: ActiveValue::Set(Some(sum)),
            ..Default::default()
        };
        if !update_from(&transaction, id, DatasetStatus::Building, set).await? {
            let status = status_of(&transaction, id).await?;
            let reason = format!("is {}, not building", status.as_str());
            return Err(conflict(OBJECT, &id, reason).into());
        }
        let mut fact_rows = Vec::with_capacity(facts.len());
        for (key, value) in facts {
            fact_rows.push(dataset_metadata::Model {
                id: convert::new_id(),
                dataset_version_id: id.0,
                key: key.clone(),
                value: convert::document(value, "dataset fact")?,
            });
        }
        insert_all::<dataset_metadata::Entity, _>(&transaction, fact_rows, "dataset facts").await?;
        transaction.commit().await.doing("store", OBJECT)?;
        Ok(())
    }

    async fn move_dataset(&self, id: DatasetVersionId, status: DatasetStatus) -> Result<(), Stop> {
        let from = match status {
            DatasetStatus::Failed => Some(DatasetStatus::Building),
            DatasetStatus::Retired => Some(DatasetStatus::Published),
            DatasetStatus::Building | DatasetStatus::Published => None,
        };
        if let Some(from) = from {
            let set = dataset_versions::ActiveModel {
                status: ActiveValue::Set(status.as_str().to_owned()),
                ..Default::default()
            };
            if update_from(self.connection(), id, from, set).await? {
                return Ok(());
            }
        }
        let now = status_of(self.connection(), id).await?;
        let reason = format!("cannot go from {} to {}", now.as_str(), status.as_str());
        Err(conflict(OBJECT, &id, reason).into())
    }
}

/// Changes a version that is `from` at this moment; says whether it was.
async fn update_from(
    connection: &impl ConnectionTrait,
    id: DatasetVersionId,
    from: DatasetStatus,
    set: dataset_versions::ActiveModel,
) -> Result<bool, Stop> {
    let update = dataset_versions::Entity::update_many()
        .set(set)
        .filter(dataset_versions::Column::Id.eq(id.0))
        .filter(dataset_versions::Column::Status.eq(from.as_str()));
    Ok(update
        .exec(connection)
        .await
        .doing("store", OBJECT)?
        .rows_affected
        == 1)
}

async fn status_of(
    connection: &impl ConnectionTrait,
    id: DatasetVersionId,
) -> Result<DatasetStatus, Stop> {
    let row = dataset_versions::Entity::find_by_id(id.0)
        .one(connection)
        .await;
    let row = row
        .doing("read", OBJECT)?
        .ok_or_else(|| not_found(OBJECT, &id))?;
    Ok(convert::dataset_version(row)?.status)
}
