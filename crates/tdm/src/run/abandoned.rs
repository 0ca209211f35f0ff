//! Jobs whose process died: found by the next run on the same machine and closed, so that no list shows them as
//! running for ever.

use std::path::Path;

use serde_json::{Value, json};
use tdm_core::dataset::DatasetStatus;
use tdm_core::diagnostic::Severity;
use tdm_core::ident::JobId;
use tdm_core::job::{JobLogEntry, JobStatus, Lease};
use tdm_core::time::UtcMicros;

use crate::error::Result;
use crate::tdm::Tdm;

/// Jobs that are looked at, newest first.
const LOOKED_AT: u64 = 200;

/// An end that no job outlives: late in the year 9891, within the times that every engine can hold.
const NO_END: UtcMicros = UtcMicros(250_000_000_000 * 1_000_000);

/// Says that this process drives a job. Process numbers are unique on a machine while the process lives, so the right
/// needs no end.
pub(super) async fn take(tdm: &Tdm, job: JobId) -> Result<()> {
    let lease = Lease {
        holder: holder(std::process::id()),
        until: NO_END,
    };
    tdm.store()
        .lease_job(job, &lease, tdm.clock().now())
        .await?;
    Ok(())
}

/// Closes jobs of this machine whose process is gone, and the dataset versions they were building.
pub(super) async fn close(tdm: &Tdm) -> Result<()> {
    let store = tdm.store();
    let mut alive = false;
    for job in store.jobs(LOOKED_AT).await? {
        if job.status != JobStatus::Running {
            continue;
        }
        if !job
            .lease
            .as_ref()
            .is_some_and(|lease| is_dead(&lease.holder))
        {
            alive = true;
            continue;
        }
        let entry = JobLogEntry {
            step: "run".to_owned(),
            level: Severity::Error,
            code: "abandoned".to_owned(),
            message: "the process that ran the job is gone".to_owned(),
            details: Value::Null,
            time: tdm.clock().now(),
        };
        store.log(job.id, &entry).await?;
        let result = json!({ "code": "abandoned" });
        store
            .set_job_status(job.id, JobStatus::Failed, Some(&result), tdm.clock().now())
            .await?;
    }
    if alive {
        // A version that is being built may belong to a job that lives.
        return Ok(());
    }
    for version in store.dataset_versions(None).await? {
        if version.status == DatasetStatus::Building {
            store
                .set_dataset_status(version.id, DatasetStatus::Failed)
                .await?;
        }
    }
    Ok(())
}

fn holder(process: u32) -> String {
    format!("{}:{process}", machine())
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}/{}", name.trim(), boot.trim())
}

/// Whether the holder is a process of this machine that is gone. Of another machine, or where the system does not
/// say, nobody knows.
fn is_dead(holder: &str) -> bool {
    let Some((on, process)) = holder.rsplit_once(':') else {
        return false;
    };
    let this = Path::new("/proc/self").exists() && on == machine();
    this && !Path::new("/proc").join(process).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_machine_that_is_gone_is_dead() {
        assert!(!is_dead(&holder(std::process::id())));
        assert!(!is_dead("elsewhere/x:1"));
        assert!(!is_dead("nonsense"));
        if Path::new("/proc/self").exists() {
            assert!(is_dead(&holder(u32::MAX)));
        }
    }
}
