//! Jobs, leases, logs and lineage.

use serde_json::json;
use tdm_core::diagnostic::Severity;
use tdm_core::error::PortError;
use tdm_core::ident::{JobId, TableRef};
use tdm_core::job::{JobLogEntry, JobStatus, Lease};
use tdm_core::lineage::{ColumnLineage, LineageEdge, LineageEnd};
use tdm_core::port::{LineageStore as _, RunStore as _};
use tdm_core::time::UtcMicros;

use crate::given::{NOW, new_job};
use crate::scratch::scratches;
#[tokio::test]
async fn a_job_moves_forward_only_and_one_of_many_moves_it() {
    use JobStatus::{Cancelled, Completed, Failed, Pending, Running};
    for scratch in scratches!() {
        let database = scratch.migrated().await;
        let all = [Pending, Running, Completed, Failed, Cancelled];
        for from in all {
            for to in all {
                let job = database.create_job(&new_job()).await.unwrap();
                let path: &[JobStatus] = match from {
                    Pending => &[],
                    Running => &[Running],
                    last => &[Running, last],
                };
                for step in path {
                    database
                        .set_job_status(job.id, *step, None, NOW)
                        .await
                        .unwrap();
                }
                let answer = database
                    .set_job_status(job.id, to, Some(&json!({"rows": 1})), NOW)
                    .await;
                assert_eq!(answer.is_ok(), from.may_become(to), "{from:?} to {to:?}");
                let stored = database.job(job.id).await.unwrap().unwrap();
                assert_eq!(stored.status, if answer.is_ok() { to } else { from });
                assert_eq!(stored.result.is_some(), answer.is_ok());
            }
        }
        let job = database.create_job(&new_job()).await.unwrap();
        assert_eq!(database.job(job.id).await.unwrap().unwrap(), job);
        assert_eq!(job.new, new_job());
        let mut starters = Vec::new();
        for n in 0..8 {
            let database = database.clone();
            let at = UtcMicros(NOW.0 + n);
            starters.push(tokio::spawn(async move {
                database
                    .set_job_status(job.id, Running, None, at)
                    .await
                    .is_ok()
            }));
        }
        let mut started = 0;
        for starter in starters {
            started += usize::from(starter.await.unwrap());
        }
        assert_eq!(started, 1);
        database
            .set_job_status(job.id, Failed, Some(&json!(["x"])), NOW)
            .await
            .unwrap();
        let ended = database.job(job.id).await.unwrap().unwrap();
        assert!(ended.started.unwrap() >= NOW);
        assert_eq!(
            (ended.finished, ended.result),
            (Some(NOW), Some(json!(["x"])))
        );
        let latest = database.jobs(2).await.unwrap();
        assert_eq!((latest.len(), latest[0].id), (2, job.id));
        assert_eq!(database.jobs(u64::MAX).await.unwrap().len(), 26);
        let unknown = JobId(uuid::Uuid::nil());
        assert_eq!(database.job(unknown).await.unwrap(), None);
        assert!(matches!(
            database.set_job_status(unknown, Running, None, NOW).await,
            Err(PortError::NotFound { kind: "job", .. })
        ));
        database.close().await;
    }
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_runs_out() {
    for scratch in scratches!() {
        let database = scratch.migrated().await;
        let job = database.create_job(&new_job()).await.unwrap().id;
        // Whole seconds, milliseconds and microseconds: the text form on SQLite has a different length for each.
        let base = 1_795_363_477_000_000;
        let at = |micros: i64| UtcMicros(base + micros);
        let lease = |holder: &str, until| Lease {
            holder: holder.to_owned(),
            until,
        };
        let cases = [
            ("a", at(1_000_000), at(0), true),
            ("b", at(9_000_000), at(0), false),
            ("a", at(1_000_000), at(10), true),
            ("a", at(1_500_000), at(20), true),
            ("b", at(9_000_000), at(1_499_999), false),
            ("b", at(9_000_000), at(1_500_000), false),
            ("b", at(9_000_123), at(1_500_001), true),
            ("a", at(20_000_000), at(9_000_000), false),
            ("a", at(20_000_000), at(9_000_100), false),
            ("a", at(20_000_000), at(9_001_000), true),
        ];
        for (n, (holder, until, now, granted)) in cases.into_iter().enumerate() {
            let answer = database
                .lease_job(job, &lease(holder, until), now)
                .await
                .unwrap();
            assert_eq!(answer, granted, "case {n} on {}", scratch.engine());
            if granted {
                let stored = database.job(job).await.unwrap().unwrap();
                assert_eq!(stored.lease, Some(lease(holder, until)));
            }
        }
        let contested = database.create_job(&new_job()).await.unwrap().id;
        let mut takers = Vec::new();
        for n in 0..8 {
            let (database, lease) = (database.clone(), lease(&n.to_string(), at(99)));
            takers.push(tokio::spawn(async move {
                database
                    .lease_job(contested, &lease, UtcMicros(0))
                    .await
                    .unwrap()
            }));
        }
        let mut granted = 0;
        for taker in takers {
            granted += usize::from(taker.await.unwrap());
        }
        assert_eq!(granted, 1);
        let unknown = JobId(uuid::Uuid::nil());
        assert!(
            database
                .lease_job(unknown, &lease("a", NOW), NOW)
                .await
                .is_err()
        );
        database.close().await;
    }
}

#[tokio::test]
async fn logs_and_lineage_keep_their_order_and_lineage_outlives_its_job() {
    for scratch in scratches!() {
        let database = scratch.migrated().await;
        let job = database.create_job(&new_job()).await.unwrap().id;
        let entry = |n: i64| JobLogEntry {
            step: "subset".to_owned(),
            level: [Severity::Info, Severity::Warning, Severity::Error]
                [usize::try_from(n % 3).unwrap()],
            code: "step.completed".to_owned(),
            message: format!("{n} tables\0"),
            details: json!({"rows": n, "of": "\0"}),
            // Clocks go backwards; the order stays.
            time: UtcMicros(NOW.0 - n),
        };
        for n in 0..20 {
            database.log(job, &entry(n)).await.unwrap();
        }
        assert_eq!(
            database.job_log(job).await.unwrap(),
            (0..20).map(entry).collect::<Vec<_>>()
        );
        let unknown = JobId(uuid::Uuid::nil());
        for answer in [
            database.log(unknown, &entry(1)).await,
            database.job_log(unknown).await.map(drop),
        ] {
            assert_eq!(
                answer,
                Err(PortError::NotFound {
                    kind: "job",
                    name: unknown.to_string()
                })
            );
        }

        let edge = |n: usize, job| LineageEdge {
            source: LineageEnd::new("connection", &format!("c{n}")),
            target: LineageEnd::new("dataset_version", &n),
            operation: "build".to_owned(),
            job,
            columns: vec![ColumnLineage {
                source: (n > 0).then(|| TableRef::within("s", "t").column("c")),
                target: TableRef::new("t").column("c"),
                transformation: "copy".to_owned(),
                masked: false,
                rule: Some("ids".to_owned()),
            }],
        };
        let edges: Vec<_> = (0..1_200).map(|n| edge(n, Some(job))).collect();
        let ids = database.record_lineage(&edges).await.unwrap();
        let free = edge(1_200, None);
        database
            .record_lineage(std::slice::from_ref(&free))
            .await
            .unwrap();
        assert_eq!(database.record_lineage(&[]).await.unwrap(), []);
        let of_job = database.lineage_of_job(job).await.unwrap();
        assert_eq!(
            of_job.iter().map(|stored| stored.id).collect::<Vec<_>>(),
            ids
        );
        assert_eq!(
            of_job
                .into_iter()
                .map(|stored| stored.edge)
                .collect::<Vec<_>>(),
            edges
        );
        scratch.execute("DELETE FROM jobs").await;
        let all = database.lineage().await.unwrap();
        assert_eq!(all.len(), 1_201);
        assert_eq!(
            (&all[0].edge.source, all[0].edge.job),
            (&edges[0].source, None)
        );
        assert_eq!(all[1_200].edge, free);
        database.close().await;
    }
}

#[tokio::test]
async fn without_tables_the_cause_is_named() {
    for scratch in scratches!() {
        let database = scratch.open().await;
        for error in [
            database.jobs(1).await.unwrap_err(),
            database.create_job(&new_job()).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains("migrations"), "{error}");
        }
        database.close().await;
    }
}
