//! Progress on standard error: one line a step, and on a terminal the rows of the table that is moving.

use std::io::IsTerminal as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tdm::core::port::{Progress, ProgressEvent};

/// Shortest time between two updates of the moving line.
const PACE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Terminal {
    moving: bool,
    last: Mutex<Option<Instant>>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        Self {
            moving: std::io::stderr().is_terminal() && !dumb,
            last: Mutex::new(None),
        }
    }

    fn clear(&self) -> &'static str {
        if self.moving { "\r\u{1b}[K" } else { "" }
    }
}

impl Progress for Terminal {
    fn report(&self, event: &ProgressEvent) {
        let mut out = std::io::stderr().lock();
        // A terminal that went away stops nothing.
        let _ = match event {
            ProgressEvent::StepFinished { step, summary } => {
                writeln!(out, "{}{step}: {summary}", self.clear())
            }
            ProgressEvent::Rows {
                step,
                table,
                rows,
                expected,
            } if self.moving => {
                let mut last = self
                    .last
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                if last.is_some_and(|at| at.elapsed() < PACE) {
                    return;
                }
                *last = Some(Instant::now());
                let of = expected.map_or(String::new(), |of| format!(" of {}", tdm::count(of)));
                write!(
                    out,
                    "{}{step}: {table} {}{of} rows",
                    self.clear(),
                    tdm::count(*rows)
                )
            }
            _ => Ok(()),
        };
        let _ = out.flush();
    }
}
