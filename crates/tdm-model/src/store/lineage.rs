//! Lineage.

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::{Condition, QueryOrder as _};
use tdm_core::error::PortResult;
use tdm_core::ident::{JobId, LineageId};
use tdm_core::lineage::{LineageEdge, StoredEdge};
use tdm_core::port::LineageStore;

use super::{insert_all, until_it_passes};
use crate::convert;
use crate::database::MetadataDatabase;
use crate::entity::lineage;
use crate::error::{Doing as _, Stop};

const OBJECT: &str = "lineage";

#[async_trait]
impl LineageStore for MetadataDatabase {
    async fn record_lineage(&self, edges: &[LineageEdge]) -> PortResult<Vec<LineageId>> {
        let rows = edges
            .iter()
            .map(convert::lineage_row)
            .collect::<PortResult<Vec<_>>>()?;
        until_it_passes!(self.put_lineage(rows.clone()))?;
        Ok(rows.into_iter().map(|row| LineageId(row.id)).collect())
    }

    async fn lineage_of_job(&self, job: JobId) -> PortResult<Vec<StoredEdge>> {
        Ok(self
            .lineage_where(lineage::Column::JobId.eq(job.0).into())
            .await?)
    }

    async fn lineage(&self) -> PortResult<Vec<StoredEdge>> {
        Ok(self.lineage_where(Condition::all()).await?)
    }
}

impl MetadataDatabase {
    async fn put_lineage(&self, rows: Vec<lineage::Model>) -> Result<(), Stop> {
        let transaction = self.begin().await?;
        insert_all::<lineage::Entity, _>(&transaction, rows, OBJECT).await?;
        transaction.commit().await.doing("store", OBJECT)?;
        Ok(())
    }

    /// Edges in the order in which they were recorded.
    async fn lineage_where(&self, condition: Condition) -> Result<Vec<StoredEdge>, Stop> {
        let rows = lineage::Entity::find()
            .filter(condition)
            .order_by_asc(lineage::Column::Id)
            .all(self.connection())
            .await
            .doing("read", OBJECT)?;
        rows.into_iter().map(convert::stored_edge).collect()
    }
}
