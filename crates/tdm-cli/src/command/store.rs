//! Verbs that read or write the metadata stores.

use serde_json::json;
use tdm::core::lineage::{ColumnLineage, StoredEdge};
use tdm::core::place::Connection as Place;
use tdm::{Error, Result, Tdm, aligned, count};

use crate::arguments::{Connection, Dataset, Job};
use crate::output::{print, show};

pub(super) async fn job(tdm: &Tdm, verb: Job, json: bool) -> Result<()> {
    match verb {
        Job::List { limit } => {
            let jobs = tdm.store().jobs(limit).await?;
            let rows: Vec<_> = jobs
                .iter()
                .map(|job| {
                    json!({
                        "job": job.id, "operation": job.new.operation, "status": job.status, "user": job.new.user,
                        "started": job.started.map(|t| t.to_string()), "finished": job.finished.map(|t| t.to_string()),
                        "request": job.new.request,
                    })
                })
                .collect();
            show(json, &rows, |_| {
                aligned(
                    &["job", "operation", "status", "started", "finished"],
                    jobs.iter().map(|job| {
                        let time = |time: Option<tdm::core::time::UtcMicros>| {
                            time.map_or(String::new(), |t| t.to_string())
                        };
                        vec![
                            job.id.to_string(),
                            job.new.operation.clone(),
                            job.status.as_str().to_owned(),
                            time(job.started),
                            time(job.finished),
                        ]
                    }),
                )
            });
        }
        Job::Show { id } => {
            let job = tdm.store().job(id).await?;
            let job =
                job.ok_or_else(|| Error::Settings(format!("no job has the identifier {id}")))?;
            let log = tdm.store().job_log(id).await?;
            let lines: Vec<_> = log
                .iter()
                .map(|e| {
                    json!({
                        "time": e.time.to_string(), "step": e.step, "level": e.level, "code": e.code,
                        "message": e.message, "details": e.details,
                    })
                })
                .collect();
            let whole = json!({
                "job": job.id, "operation": job.new.operation, "status": job.status, "user": job.new.user,
                "plan_hash": job.new.plan_hash, "request": job.new.request, "result": job.result, "log": lines,
            });
            show(json, &whole, |_| {
                let head = format!(
                    "job {} ({}, {})\n\n",
                    job.id,
                    job.new.operation,
                    job.status.as_str()
                );
                let rows = log.iter().map(|e| {
                    vec![
                        e.time.to_string(),
                        e.step.clone(),
                        e.level.as_str().to_owned(),
                        e.code.clone(),
                        e.message.clone(),
                    ]
                });
                head + &aligned(&["time", "step", "level", "code", "message"], rows)
            });
        }
    }
    Ok(())
}

pub(super) async fn dataset(tdm: &Tdm, verb: Dataset, json: bool) -> Result<()> {
    let Dataset::List { name } = verb;
    let versions = tdm.store().dataset_versions(name.as_deref()).await?;
    let rows: Vec<_> = versions
        .iter()
        .map(|v| {
            json!({
                "dataset": v.dataset, "version": v.version, "source": v.source, "status": v.status,
                "rows": v.digest.map(|d| d.rows), "digest": v.digest, "location": v.location,
                "created": v.created.to_string(),
            })
        })
        .collect();
    show(json, &rows, |_| {
        aligned(
            &["dataset", "source", "status", "rows", "created", "location"],
            versions.iter().map(|v| {
                vec![
                    format!("{}@{}", v.dataset, v.version),
                    v.source.as_str().to_owned(),
                    v.status.as_str().to_owned(),
                    v.digest.map_or(String::new(), |d| count(d.rows)),
                    v.created.to_string(),
                    v.location.clone().unwrap_or_default(),
                ]
            }),
        )
    });
    Ok(())
}

pub(super) async fn lineage(tdm: &Tdm, place: Option<&str>, json: bool) -> Result<()> {
    let wanted = |column: &ColumnLineage| {
        let named = |c: &tdm::core::ident::ColumnRef| {
            place.is_none_or(|place| {
                c.table.matches(place)
                    || place
                        .rsplit_once('.')
                        .is_some_and(|(table, own)| c.column == own && c.table.matches(table))
            })
        };
        named(&column.target) || column.source.as_ref().is_some_and(named)
    };
    let edges: Vec<StoredEdge> = tdm
        .store()
        .lineage()
        .await?
        .into_iter()
        .map(|mut stored| {
            stored.edge.columns.retain(|column| wanted(column));
            stored
        })
        .filter(|stored| place.is_none() || !stored.edge.columns.is_empty())
        .collect();
    let rows: Vec<_> = edges
        .iter()
        .map(|stored| json!({ "id": stored.id, "edge": stored.edge }))
        .collect();
    show(json, &rows, |_| {
        let mut text = String::new();
        for stored in &edges {
            let edge = &stored.edge;
            let end = |end: &tdm::core::lineage::LineageEnd| format!("{} {}", end.kind, end.id);
            text.push_str(&format!(
                "{}: {} -> {}\n",
                edge.operation,
                end(&edge.source),
                end(&edge.target)
            ));
            // Without a question, the edges are the answer; their columns would fill pages.
            if place.is_some() {
                let columns = edge.columns.iter().map(|c| {
                    vec![
                        c.source
                            .as_ref()
                            .map_or("(generated)".to_owned(), ToString::to_string),
                        c.target.to_string(),
                        c.transformation.clone(),
                        if c.masked {
                            "masked".to_owned()
                        } else {
                            String::new()
                        },
                        c.rule.clone().unwrap_or_default(),
                    ]
                });
                text.push_str(&aligned(&["from", "to", "by", "", "rule"], columns));
                text.push('\n');
            }
        }
        if text.is_empty() {
            "no lineage".to_owned()
        } else {
            text
        }
    });
    Ok(())
}

pub(super) async fn connection(tdm: &Tdm, verb: Connection, json: bool) -> Result<()> {
    match verb {
        Connection::Add { name, url, secret } => {
            let (place, _) = tdm.place(&url, &tdm.settings().directory).await?;
            let connection = Place {
                name,
                secret,
                ..place
            };
            tdm.store().save_connection(&connection).await?;
            print(&format!("stored connection `{}`", connection.name));
        }
        Connection::List => {
            let all: Vec<Place> = tdm
                .store()
                .connections()
                .await?
                .into_iter()
                .map(|c| c.connection)
                .collect();
            show(json, &all, |all| {
                aligned(
                    &["name", "engine", "location", "secret"],
                    all.iter().map(|c| {
                        let secret = c.secret.as_ref().map_or(String::new(), ToString::to_string);
                        vec![
                            c.name.clone(),
                            c.engine.to_string(),
                            c.location.clone(),
                            secret,
                        ]
                    }),
                )
            });
        }
    }
    Ok(())
}
