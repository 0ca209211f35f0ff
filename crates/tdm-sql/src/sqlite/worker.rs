//! A thread that owns one connection.
//!
//! The driver blocks and its statements borrow the connection, so both live on one thread. Scans are local
//! tasks there: each keeps its statement across the pauses in which its reader is busy, and so several scans
//! interleave inside one transaction. Queues are bounded; a reader that goes away ends its scan.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tdm_core::batch::{Batch, Sensitive};
use tdm_core::error::{PortError, PortResult};
use tdm_core::port::ScanRequest;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use super::lock::StagingFile;
use super::scan;

/// Where a scan puts its batches.
pub(super) type Outlet = mpsc::Sender<Piece>;

/// What a scan hands out. A channel that closes without [`Piece::End`] was cut, and its rows are not all.
pub(super) enum Piece {
    Batch(PortResult<Batch<Sensitive>>),
    End,
}

/// Commands that may wait for the thread.
const COMMANDS_MAX: usize = 64;

type Job = Box<dyn FnOnce(&Connection) + Send>;

enum Command {
    Run(Job),
    Scan(Box<ScanRequest>, Outlet),
    Close(oneshot::Sender<Option<StagingFile>>),
}

/// The handle of the thread. When the last handle and the last stream are gone, the connection is closed.
pub(super) struct Worker {
    object: String,
    commands: mpsc::Sender<Command>,
}

impl Worker {
    /// Starts the thread and opens the connection on it. The staging file, when there is one, is removed
    /// after the connection is closed.
    pub(super) async fn start(
        object: String,
        open: impl FnOnce() -> PortResult<(Connection, Option<StagingFile>)> + Send + 'static,
    ) -> PortResult<Self> {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (ready, opened) = oneshot::channel();
        spawn(&object, move || serve(open, inbox, ready))?;
        opened.await.map_err(|_| ended(&object))??;
        Ok(Self { object, commands })
    }

    /// The database by name.
    pub(super) fn object(&self) -> &str {
        &self.object
    }

    /// Runs `job` on the connection.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> PortResult<T> + Send + 'static,
    ) -> PortResult<T> {
        self.begin(job).await?.outcome(&self.object).await
    }

    /// Hands `job` to the connection's thread and does not wait for it.
    pub(super) async fn begin<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> PortResult<T> + Send + 'static,
    ) -> PortResult<Running<T>> {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have stopped waiting.
            let _ = done.send(job(connection));
        });
        self.commands
            .send(Command::Run(job))
            .await
            .map_err(|_| ended(&self.object))?;
        Ok(Running(result))
    }

    /// Runs `job` without waiting, if the queue has room.
    pub(super) fn run_detached(&self, job: impl FnOnce(&Connection) + Send + 'static) {
        let _ = self.commands.try_send(Command::Run(Box::new(job)));
    }

    /// Starts a scan that puts its batches into `outlet`.
    pub(super) async fn scan(&self, request: ScanRequest, outlet: Outlet) -> PortResult<()> {
        self.commands
            .send(Command::Scan(Box::new(request), outlet))
            .await
            .map_err(|_| ended(&self.object))
    }

    /// Ends all scans, closes the connection and hands out the staging file.
    pub(super) async fn close(&self) -> PortResult<Option<StagingFile>> {
        let (done, closed) = oneshot::channel();
        self.commands
            .send(Command::Close(done))
            .await
            .map_err(|_| ended(&self.object))?;
        closed.await.map_err(|_| ended(&self.object))
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

/// A job that runs, or waits to.
pub(super) struct Running<T>(oneshot::Receiver<PortResult<T>>);

impl<T> Running<T> {
    /// What became of it.
    pub(super) async fn outcome(self, object: &str) -> PortResult<T> {
        self.0.await.map_err(|_| ended(object))?
    }
}

/// Runs blocking `work` on a thread of its own. Needs no runtime around it.
pub(super) async fn blocking<T: Send + 'static>(
    object: &str,
    work: impl FnOnce() -> PortResult<T> + Send + 'static,
) -> PortResult<T> {
    let (done, result) = oneshot::channel();
    spawn(object, move || {
        let _ = done.send(work());
    })?;
    result.await.map_err(|_| ended(object))?
}

fn spawn(object: &str, work: impl FnOnce() + Send + 'static) -> PortResult<()> {
    std::thread::Builder::new()
        .name("tdm-sqlite".to_owned())
        .spawn(work)
        .map(|_| ())
        .map_err(|error| PortError::Backend {
            operation: "start a thread for",
            object: object.to_owned(),
            reason: error.kind().to_string(),
            transient: true,
        })
}

fn ended(object: &str) -> PortError {
    PortError::Unavailable {
        object: object.to_owned(),
        reason: "its connection is closed".to_owned(),
    }
}

fn serve(
    open: impl FnOnce() -> PortResult<(Connection, Option<StagingFile>)>,
    inbox: mpsc::Receiver<Command>,
    ready: oneshot::Sender<PortResult<()>>,
) {
    let opened = open().and_then(|opened| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| PortError::Backend {
                operation: "start a runtime for",
                object: "SQLite".to_owned(),
                reason: error.kind().to_string(),
                transient: true,
            })?;
        Ok((opened, runtime))
    });
    let ((connection, staging), runtime) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let watch = Watch::install(&connection);
    let connection = Rc::new(connection);
    let _ = ready.send(Ok(()));

    let tasks = LocalSet::new();
    let closing = tasks.block_on(&runtime, commands(&connection, inbox, watch));
    if closing.is_none() {
        // The handle is gone; streams that are still read go on to their end.
        runtime.block_on(tasks);
    } else {
        drop(tasks);
    }
    drop(connection);
    match closing {
        Some(done) => {
            let _ = done.send(staging);
        }
        None => drop(staging),
    }
}

/// Serves commands until the handle is gone or asks to close.
async fn commands(
    connection: &Rc<Connection>,
    mut inbox: mpsc::Receiver<Command>,
    watch: Watch,
) -> Option<oneshot::Sender<Option<StagingFile>>> {
    while let Some(command) = inbox.recv().await {
        match command {
            Command::Run(job) => job(connection),
            Command::Scan(request, outlet) => {
                let task = scan::run(Rc::clone(connection), *request, outlet, watch.clone());
                tokio::task::spawn_local(task);
            }
            Command::Close(done) => return Some(done),
        }
    }
    None
}

/// Interrupts a statement that finds no rows for long once nobody reads its scan any more.
#[derive(Clone)]
pub(super) struct Watch(Arc<Mutex<Option<Outlet>>>);

impl Watch {
    fn install(connection: &Connection) -> Self {
        const OPCODES: i32 = 100_000;
        let watch = Self(Arc::new(Mutex::new(None)));
        let seen = watch.clone();
        let handler = move || {
            let current = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            current.as_ref().is_some_and(mpsc::Sender::is_closed)
        };
        // Without the handler an abandoned scan ends at its next row instead.
        let _ = connection.progress_handler(OPCODES, Some(handler));
        watch
    }

    /// Runs `work` on behalf of the reader of `outlet`.
    pub(super) fn during<T>(&self, outlet: &Outlet, work: impl FnOnce() -> T) -> T {
        let set = |current| {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = current;
        };
        set(Some(outlet.clone()));
        let result = work();
        set(None);
        result
    }
}
