//! Jobs, their logs and leases.

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::{ActiveValue, Condition, QueryOrder as _, QuerySelect as _};
use tdm_core::error::PortResult;
use tdm_core::ident::JobId;
use tdm_core::job::{Job, JobLogEntry, JobStatus, Lease, NewJob};
use tdm_core::port::RunStore;
use tdm_core::time::UtcMicros;

use super::{insert_all, until_it_passes};
use crate::convert;
use crate::database::MetadataDatabase;
use crate::entity::{job_logs, jobs};
use crate::error::{Doing as _, Stop, conflict, not_found};

const OBJECT: &str = "job";

#[async_trait]
impl RunStore for MetadataDatabase {
    async fn create_job(&self, new: &NewJob) -> PortResult<Job> {
        let row = convert::job_row(new, JobStatus::Pending.as_str())?;
        let job = convert::job(row.clone())?;
        until_it_passes!(self.put_job(row.clone()))?;
        Ok(job)
    }

    async fn set_job_status(
        &self,
        id: JobId,
        status: JobStatus,
        result: Option<&serde_json::Value>,
        at: UtcMicros,
    ) -> PortResult<()> {
        until_it_passes!(self.move_job(id, status, result, at))
    }

    async fn lease_job(&self, id: JobId, lease: &Lease, now: UtcMicros) -> PortResult<bool> {
        until_it_passes!(self.take_lease(id, lease, now))
    }

    async fn log(&self, id: JobId, entry: &JobLogEntry) -> PortResult<()> {
        let row = convert::job_log_row(id, entry)?;
        until_it_passes!(self.put_log(id, row.clone()))
    }

    async fn job(&self, id: JobId) -> PortResult<Option<Job>> {
        Ok(self.read_job(id).await?)
    }

    async fn jobs(&self, limit: u64) -> PortResult<Vec<Job>> {
        let rows = jobs::Entity::find()
            .order_by_desc(jobs::Column::Id)
            // No more than a server's LIMIT can say.
            .limit(limit.min(u64::from(u32::MAX)))
            .all(self.connection())
            .await
            .doing("read", "jobs")?;
        Ok(rows
            .into_iter()
            .map(convert::job)
            .collect::<Result<_, _>>()?)
    }

    async fn job_log(&self, id: JobId) -> PortResult<Vec<JobLogEntry>> {
        self.read_job(id)
            .await?
            .ok_or_else(|| not_found(OBJECT, &id))?;
        let rows = job_logs::Entity::find()
            .filter(job_logs::Column::JobId.eq(id.0))
            .order_by_asc(job_logs::Column::Id)
            .all(self.connection())
            .await
            .doing("read", "job log")?;
        Ok(rows
            .into_iter()
            .map(convert::job_log_entry)
            .collect::<Result<_, _>>()?)
    }
}

impl MetadataDatabase {
    async fn read_job(&self, id: JobId) -> Result<Option<Job>, Stop> {
        let row = jobs::Entity::find_by_id(id.0).one(self.connection()).await;
        row.doing("read", OBJECT)?.map(convert::job).transpose()
    }

    async fn put_job(&self, row: jobs::Model) -> Result<(), Stop> {
        Ok(insert_all::<jobs::Entity, _>(self.connection(), vec![row], OBJECT).await?)
    }

    async fn put_log(&self, id: JobId, row: job_logs::Model) -> Result<(), Stop> {
        let insert =
            insert_all::<job_logs::Entity, _>(self.connection(), vec![row], "job log").await;
        match insert {
            Err(error) if error.cause() == crate::Cause::Reference => {
                Err(not_found(OBJECT, &id).into())
            }
            other => Ok(other?),
        }
    }

    /// One statement that finds the job in a state it may leave; two that try, and one does.
    async fn move_job(
        &self,
        id: JobId,
        status: JobStatus,
        result: Option<&serde_json::Value>,
        at: UtcMicros,
    ) -> Result<(), Stop> {
        let at = convert::time(at)?;
        let mut set = jobs::ActiveModel {
            status: ActiveValue::Set(status.as_str().to_owned()),
            ..Default::default()
        };
        if let Some(result) = result {
            set.result = ActiveValue::Set(Some(convert::document(result, "job result")?));
        }
        match status {
            JobStatus::Pending => {}
            JobStatus::Running => set.started_at = ActiveValue::Set(Some(at)),
            JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled => {
                set.finished_at = ActiveValue::Set(Some(at));
            }
        }
        let all = crate::words::job_statuses();
        let may_leave = all.into_iter().filter(|word| {
            crate::words::job_status(word).is_some_and(|from| from.may_become(status))
        });
        let update = jobs::Entity::update_many()
            .set(set)
            .filter(jobs::Column::Id.eq(id.0))
            .filter(jobs::Column::Status.is_in(may_leave));
        if update
            .exec(self.connection())
            .await
            .doing("store", OBJECT)?
            .rows_affected
            == 1
        {
            return Ok(());
        }
        Err(self
            .refused(id, |now| {
                format!("cannot go from {} to {}", now.as_str(), status.as_str())
            })
            .await)
    }

    async fn take_lease(&self, id: JobId, lease: &Lease, now: UtcMicros) -> Result<bool, Stop> {
        let free = Condition::any()
            .add(jobs::Column::LeaseUntil.is_null())
            .add(jobs::Column::LeaseUntil.lt(convert::time(now)?))
            .add(jobs::Column::LeaseHolder.eq(lease.holder.as_str()));
        let set = jobs::ActiveModel {
            lease_holder: ActiveValue::Set(Some(lease.holder.clone())),
            lease_until: ActiveValue::Set(Some(convert::time(lease.until)?)),
            ..Default::default()
        };
        let update = jobs::Entity::update_many()
            .set(set)
            .filter(jobs::Column::Id.eq(id.0))
            .filter(free);
        if update
            .exec(self.connection())
            .await
            .doing("store", "lease")?
            .rows_affected
            == 1
        {
            return Ok(true);
        }
        match self.read_job(id).await? {
            Some(_) => Ok(false),
            None => Err(not_found(OBJECT, &id).into()),
        }
    }

    /// Why a change found nothing to change.
    async fn refused(&self, id: JobId, reason: impl FnOnce(JobStatus) -> String) -> Stop {
        match self.read_job(id).await {
            Ok(Some(job)) => conflict(OBJECT, &id, reason(job.status)).into(),
            Ok(None) => not_found(OBJECT, &id).into(),
            Err(stop) => stop,
        }
    }
}
