//! One function a verb: calls the library and prints what it says.

mod describe;
mod store;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tdm::core::cancel::CancelToken;
use tdm::{Error, Result, RunOptions, Settings, Tdm, Workflow};

use crate::arguments::{Arguments, Migrate, Verb};
use crate::output::{fail, say, show};
use crate::progress::Terminal;

/// Exit code for findings.
const FINDINGS: u8 = 3;

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    match dispatch(arguments).await {
        Ok(code) => code,
        Err(error) => fail(error.exit_code(), &error.to_string()),
    }
}

async fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    let json = arguments.json;
    let settings = Settings::load(Path::new(""))?;
    match arguments.verb {
        Verb::Demo { directory } => {
            let demo = tdm::demo::prepare(&directory).await?;
            run_workflow(settings, &demo.workflow, json).await?;
        }
        Verb::Run { workflow } => run_workflow(settings, &workflow, json).await?,
        Verb::Plan { workflow } => {
            let workflow = Workflow::load(&workflow)?;
            let tdm = Tdm::open(settings).await?;
            let report = tdm.plan(&workflow, &options()).await?;
            show(json, &report, ToString::to_string);
        }
        Verb::Init => {
            let report = tdm::doctor::init(&settings).await?;
            show(json, &report, |report| {
                let mut lines: Vec<String> = report
                    .created
                    .iter()
                    .map(|name| format!("created the {name}"))
                    .collect();
                lines.extend(report.applied.iter().map(|name| format!("applied {name}")));
                lines.push(format!("masking key {}", report.key_fingerprint));
                lines.join("\n")
            });
        }
        Verb::Doctor => {
            let report = tdm::doctor::doctor(&settings).await;
            show(json, &report, ToString::to_string);
            if !report.is_healthy() {
                for check in report.checks.iter().filter(|check| !check.ok) {
                    say(&format!("error: {}: {}", check.name, check.finding));
                }
                return Ok(ExitCode::from(FINDINGS));
            }
        }
        Verb::Migrate { step } => migrate(&settings, step, json).await?,
        Verb::Job { verb } => store::job(&Tdm::open(settings).await?, verb, json).await?,
        Verb::Dataset { verb } => store::dataset(&Tdm::open(settings).await?, verb, json).await?,
        Verb::Lineage { place } => {
            store::lineage(&Tdm::open(settings).await?, place.as_deref(), json).await?;
        }
        Verb::Connection { verb } => {
            store::connection(&Tdm::open(settings).await?, verb, json).await?;
        }
        Verb::Functions { name } => describe::functions(name.as_deref(), json)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_workflow(settings: Settings, path: &Path, json: bool) -> Result<()> {
    let workflow = Workflow::load(path)?;
    let tdm = Tdm::open(settings).await?;
    let options = options();
    let watcher = tokio::spawn(cancel_on_signal(options.cancel.clone()));
    let report = tdm.run(&workflow, &options).await;
    watcher.abort();
    show(json, &report?, ToString::to_string);
    Ok(())
}

fn options() -> RunOptions {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("USERNAME"))
        .unwrap_or_else(|_| "unknown".to_owned());
    RunOptions {
        user,
        cancel: CancelToken::new(),
        progress: Arc::new(Terminal::new()),
    }
}

/// The first interrupt or termination ends the job after the batch at hand; a second one ends the process at once.
#[expect(
    clippy::exit,
    reason = "a person who asks twice does not want to wait for a server"
)]
async fn cancel_on_signal(cancel: CancelToken) {
    if !signalled().await {
        return;
    }
    say("cancelling after the batch at hand; once more to stop at once");
    cancel.cancel();
    if signalled().await {
        std::process::exit(130);
    }
}

/// Waits for an interrupt or a termination. False when the system lets nobody wait for them.
async fn signalled() -> bool {
    use tokio::signal;
    #[cfg(unix)]
    {
        let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
            return false;
        };
        tokio::select! {
            interrupt = signal::ctrl_c() => interrupt.is_ok(),
            _ = terminate.recv() => true,
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await.is_ok()
}

async fn migrate(settings: &Settings, step: Migrate, json: bool) -> Result<()> {
    use tdm::migrate;
    match step {
        Migrate::Up => show(
            json,
            &migrate::up(settings, None).await?,
            ToString::to_string,
        ),
        Migrate::Down { steps, all, yes } => {
            let steps = if all { u32::MAX } else { steps };
            show(
                json,
                &migrate::down(settings, steps, yes).await?,
                ToString::to_string,
            );
        }
        Migrate::Status => show(json, &migrate::status(settings).await?, ToString::to_string),
        Migrate::Fresh { yes } => show(
            json,
            &migrate::fresh(settings, yes).await?,
            ToString::to_string,
        ),
        Migrate::Check => {
            let report = migrate::compare().await?;
            show(json, &report, ToString::to_string);
            if !report.agrees() {
                return Err(Error::Findings(
                    "entities and migrations disagree".to_owned(),
                ));
            }
        }
        Migrate::New {
            description,
            directory,
            empty,
        } => {
            let today = tdm::SystemClock.today();
            show(
                json,
                &migrate::new(&description, &directory, today, empty).await?,
                ToString::to_string,
            );
        }
    }
    Ok(())
}
