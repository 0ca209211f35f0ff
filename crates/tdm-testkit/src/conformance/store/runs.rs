//! Jobs, logs, leases and lineage.

use futures_util::future::join_all;
use serde_json::json;
use tdm_core::diagnostic::Severity;
use tdm_core::error::PortError;
use tdm_core::ident::{JobId, TableRef};
use tdm_core::job::{Job, JobLogEntry, JobStatus, Lease, NewJob};
use tdm_core::lineage::{ColumnLineage, LineageEdge, LineageEnd};

use super::{Store, at, nobody};
use crate::conformance::{conflict, not_found, ok};

const STATUSES: [JobStatus; 5] = [
    JobStatus::Pending,
    JobStatus::Running,
    JobStatus::Completed,
    JobStatus::Failed,
    JobStatus::Cancelled,
];

fn new(operation: &str) -> NewJob {
    NewJob {
        operation: operation.to_owned(),
        request: json!({"steps": ["discover", "mask"], "limit": 3, "nothing": null}),
        plan_hash: "ab".repeat(32),
        user: "ci \u{1f600}".into(),
    }
}

async fn created(store: &Store, operation: &str) -> Job {
    ok(store.create_job(&new(operation)).await, "create a job")
}

async fn read(store: &Store, id: JobId) -> Job {
    ok(store.job(id).await, "read a job").expect("the job is there")
}

/// Brings a new job to `status` by allowed moves.
async fn brought_to(store: &Store, status: JobStatus) -> JobId {
    let id = created(store, "moves").await.id;
    let through_running = !matches!(status, JobStatus::Pending | JobStatus::Running);
    if through_running {
        ok(
            store
                .set_job_status(id, JobStatus::Running, None, at(1))
                .await,
            "start",
        );
    }
    if status != JobStatus::Pending {
        ok(store.set_job_status(id, status, None, at(2)).await, "move");
    }
    id
}

pub(super) async fn a_job_begins_pending_and_reads_back_equal(store: &Store) {
    let job = created(store, "run").await;
    assert_eq!(job.new, new("run"));
    assert_eq!(job.status, JobStatus::Pending);
    assert_eq!((job.started, job.finished), (None, None));
    assert_eq!((&job.result, &job.lease), (&None, &None));
    assert_eq!(read(store, job.id).await, job);
}

pub(super) async fn only_allowed_moves_are_possible(store: &Store) {
    for from in STATUSES {
        for to in STATUSES {
            let id = brought_to(store, from).await;
            let moved = store.set_job_status(id, to, None, at(9)).await;
            let what = format!("{} to {}", from.as_str(), to.as_str());
            let now = if from.may_become(to) {
                ok(moved, &what);
                to
            } else {
                conflict(moved, &what);
                from
            };
            assert_eq!(read(store, id).await.status, now, "{what}");
        }
    }
}

pub(super) async fn of_many_moves_at_once_one_succeeds(store: &Store) {
    let id = created(store, "race").await.id;
    let moves = join_all((0..8).map(|i| store.set_job_status(id, JobStatus::Running, None, at(i))));
    let results = moves.await;
    let succeeded = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(succeeded, 1, "one of eight starts succeeds");
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, PortError::Conflict { .. }), "{error}");
    }
}

pub(super) async fn times_and_results_are_set_by_moves(store: &Store) {
    let id = created(store, "times").await.id;
    let early = json!({"planned": 3});
    ok(
        store
            .set_job_status(id, JobStatus::Running, Some(&early), at(10))
            .await,
        "start",
    );
    let job = read(store, id).await;
    assert_eq!((job.started, job.finished), (Some(at(10)), None));
    assert_eq!(job.result, Some(early));
    let result = json!({"rows": {"customer": 5}, "text": "\u{e4}\u{1f600}\"'\\"});
    ok(
        store
            .set_job_status(id, JobStatus::Completed, Some(&result), at(20))
            .await,
        "complete",
    );
    let job = read(store, id).await;
    assert_eq!((job.started, job.finished), (Some(at(10)), Some(at(20))));
    assert_eq!(job.result, Some(result));
    assert_eq!(job.new, new("times"), "the request stays as it was");

    let id = created(store, "times").await.id;
    ok(
        store
            .set_job_status(id, JobStatus::Cancelled, None, at(5))
            .await,
        "cancel before the start",
    );
    let job = read(store, id).await;
    assert_eq!((job.started, job.finished), (None, Some(at(5))));
    assert_eq!(job.result, None);
}

fn lease(holder: &str, until: i64) -> Lease {
    Lease {
        holder: holder.to_owned(),
        until: at(until),
    }
}

pub(super) async fn a_lease_has_one_holder(store: &Store) {
    let id = created(store, "leased").await.id;
    let steps = [
        ("a", 60, 0, true, "a free job"),
        ("b", 90, 30, false, "another's lease that still runs"),
        ("b", 90, 60, false, "another's lease at its last moment"),
        ("a", 70, 30, true, "the holder's own lease"),
        ("b", 99, 65, false, "a renewed lease of another"),
        ("b", 100, 71, true, "another's lease that ran out"),
        ("a", 110, 72, false, "a lease that was lost"),
    ];
    let mut holder = None;
    for (by, until, now, granted, what) in steps {
        let answer = ok(
            store.lease_job(id, &lease(by, until), at(now)).await,
            "ask for a lease",
        );
        assert_eq!(answer, granted, "{what}");
        if granted {
            holder = Some(lease(by, until));
        }
        assert_eq!(read(store, id).await.lease, holder, "{what}");
    }
}

pub(super) async fn of_many_leases_at_once_one_is_granted(store: &Store) {
    let id = created(store, "contended").await.id;
    let leases: Vec<_> = (0..8).map(|i| lease(&format!("worker {i}"), 60)).collect();
    let answers = join_all(leases.iter().map(|lease| store.lease_job(id, lease, at(0)))).await;
    let granted: Vec<_> = answers
        .into_iter()
        .zip(&leases)
        .filter(|(answer, _)| matches!(answer, Ok(true)))
        .map(|(_, lease)| lease.clone())
        .collect();
    assert_eq!(granted.len(), 1, "one of eight is granted");
    assert_eq!(read(store, id).await.lease.as_ref(), granted.first());
}

pub(super) async fn logs_keep_their_order(store: &Store) {
    let entry = |number: i64| JobLogEntry {
        step: "mask".into(),
        level: [Severity::Info, Severity::Warning, Severity::Error]
            [usize::try_from(number % 3).expect("a small number")],
        code: format!("step.{number}"),
        message: format!("line {number}: \u{e4}\u{1f600}\n'\"\\"),
        details: json!({"rows": number, "table": "t"}),
        // Times that do not tell the order.
        time: at(-number / 2),
    };
    let (one, two) = (
        created(store, "log").await.id,
        created(store, "log").await.id,
    );
    for number in 0..40 {
        ok(store.log(one, &entry(number)).await, "log");
        if number % 10 == 0 {
            ok(store.log(two, &entry(number)).await, "log");
        }
    }
    let written: Vec<_> = (0..40).map(entry).collect();
    assert_eq!(ok(store.job_log(one).await, "read"), written);
    let written: Vec<_> = [0, 10, 20, 30].map(entry).into();
    assert_eq!(ok(store.job_log(two).await, "read"), written);
}

pub(super) async fn jobs_come_newest_first(store: &Store) {
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.insert(0, created(store, "listed").await.id);
    }
    let listed: Vec<_> = ok(store.jobs(5).await, "list")
        .into_iter()
        .map(|job| job.id)
        .collect();
    assert_eq!(listed, ids[..5]);
    assert!(ok(store.jobs(0).await, "list none").is_empty());
    assert!(ok(store.jobs(u64::MAX).await, "list all").len() >= 12);
}

pub(super) async fn unknown_jobs_are_not_found(store: &Store) {
    let id = JobId(nobody());
    assert_eq!(ok(store.job(id).await, "look up"), None);
    not_found(
        store
            .set_job_status(id, JobStatus::Running, None, at(0))
            .await,
        "move",
    );
    not_found(store.lease_job(id, &lease("a", 1), at(0)).await, "lease");
    not_found(store.job_log(id).await, "read the log");
    let entry = JobLogEntry {
        step: "x".into(),
        level: Severity::Info,
        code: "x".into(),
        message: "x".into(),
        details: json!(null),
        time: at(0),
    };
    not_found(store.log(id, &entry).await, "log");
}

pub(super) async fn lineage_is_kept_by_job_and_in_order(store: &Store) {
    let table = TableRef::within("shop", "customer");
    let edge = |job: Option<JobId>, number: u32| LineageEdge {
        source: LineageEnd::new("schema_version", &nobody()),
        target: LineageEnd::new("dataset_version", &format!("shop@{number}")),
        operation: "build".into(),
        job,
        columns: vec![
            ColumnLineage {
                source: Some(table.column("mail")),
                target: table.column("mail"),
                transformation: "email".into(),
                masked: true,
                rule: Some("mail".into()),
            },
            ColumnLineage {
                source: None,
                target: TableRef::new("made").column("up \u{1f600}"),
                transformation: "sequence".into(),
                masked: true,
                rule: None,
            },
        ],
    };
    let (one, two) = (
        created(store, "edges").await.id,
        created(store, "edges").await.id,
    );
    let edges: Vec<_> = (0..6).map(|n| edge(Some(one), n)).collect();
    let first = ok(store.record_lineage(&edges[..4]).await, "record four");
    let other = ok(
        store.record_lineage(&[edge(Some(two), 90)]).await,
        "record one",
    );
    let rest = ok(store.record_lineage(&edges[4..]).await, "record two");
    let free = ok(store.record_lineage(&[edge(None, 91)]).await, "record one");
    assert!(ok(store.record_lineage(&[]).await, "record none").is_empty());

    let ids: Vec<_> = first.into_iter().chain(rest).collect();
    let read = ok(store.lineage_of_job(one).await, "read");
    assert_eq!(read.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert_eq!(read.into_iter().map(|e| e.edge).collect::<Vec<_>>(), edges);
    let read = ok(store.lineage_of_job(two).await, "read");
    assert_eq!(read.iter().map(|e| e.id).collect::<Vec<_>>(), other);

    let wanted: Vec<_> = [&ids[..4], &other, &ids[4..], &free].concat();
    let all: Vec<_> = ok(store.lineage().await, "read all")
        .into_iter()
        .map(|e| e.id)
        .filter(|id| wanted.contains(id))
        .collect();
    assert_eq!(all, wanted, "oldest first");
}
