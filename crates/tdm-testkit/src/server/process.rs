//! Running a server as a child that cannot outlive us, as somebody who is not root.
//!
//! A small shell stands between this process and the server. It holds the reading end of a pipe; when this process
//! ends, however it ends, the pipe closes and the shell stops the server and removes its folder. A signal tied to the
//! parent would not do: it fires when the *thread* that started the server ends, and every test has its own thread.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Result, ServerError, ServerKind};

const SUPERVISOR: &str = include_str!("supervisor.sh");

/// Longest wait for a server to stop. The supervisor kills it well before that.
const STOP_LIMIT: Duration = Duration::from_secs(40);

/// An account that is not root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
}

/// A temporary folder that belongs to the account the server runs as. Removed on drop.
#[derive(Debug)]
pub(super) struct Home {
    folder: TempDir,
    account: Option<Account>,
}

impl Home {
    /// Makes a folder. As root it is given to the first of `accounts` that exists.
    pub(super) fn create(kind: ServerKind, accounts: &[&str]) -> Result<Self> {
        let action = ServerError::io("make a temporary folder");
        let folder = new_folder(&env::temp_dir()).map_err(action)?;
        let uid = folder
            .path()
            .metadata()
            .map_err(ServerError::io("read a folder's owner"))?
            .uid();
        if uid != 0 {
            return Ok(Self {
                folder,
                account: None,
            });
        }
        let account = accounts
            .iter()
            .find_map(|name| lookup(name))
            .ok_or_else(|| ServerError::NoAccount {
                kind,
                accounts: accounts.join(", "),
            })?;
        // The temporary folder of root may be closed to others; the system's own is not.
        let mut home = Self::owned(folder, account)?;
        if !home.is_reachable() {
            let folder = new_folder(Path::new("/tmp"))
                .map_err(ServerError::io("make a temporary folder"))?;
            home = Self::owned(folder, account)?;
        }
        Ok(home)
    }

    fn owned(folder: TempDir, account: Account) -> Result<Self> {
        chown(folder.path(), Some(account.uid), Some(account.gid))
            .map_err(ServerError::io("give a folder to the server's account"))?;
        Ok(Self {
            folder,
            account: Some(account),
        })
    }

    fn is_reachable(&self) -> bool {
        self.command(Path::new("/bin/sh"))
            .args(["-c", "test -w ."])
            .status()
            .is_ok_and(|status| status.success())
    }

    /// A path inside the folder.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only the server's account can read.
    pub(super) fn write_private(&self, name: &str, content: &str) -> Result<PathBuf> {
        let action = "write a file for the server";
        let path = self.join(name);
        let mut file = tempfile::Builder::new()
            .tempfile_in(self.folder.path())
            .map_err(ServerError::io(action))?;
        file.write_all(content.as_bytes())
            .map_err(ServerError::io(action))?;
        let file = file.into_temp_path();
        if let Some(account) = self.account {
            chown(&file, Some(account.uid), Some(account.gid)).map_err(ServerError::io(action))?;
        }
        file.persist(&path).map_err(|error| ServerError::Io {
            action,
            source: error.error,
        })?;
        Ok(path)
    }

    /// A command in this folder, as the server's account, with an environment that holds nothing of ours.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        clean_environment(&mut command);
        command
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path());
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    /// Runs `command` to its end; the error holds the last lines of what it printed.
    pub(super) fn run(command: &mut Command, program: &'static str) -> Result<()> {
        let output = command
            .output()
            .map_err(ServerError::io("run a server's set-up program"))?;
        if output.status.success() {
            return Ok(());
        }
        let mut printed = output.stdout;
        printed.extend(output.stderr);
        Err(ServerError::Initialise {
            program,
            detail: last_lines(&String::from_utf8_lossy(&printed)),
        })
    }
}

/// How a server is started and stopped.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) kind: ServerKind,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// Signal for an orderly stop that does not wait for clients.
    pub(super) stop_signal: &'static str,
    /// Signal that ends the server as a crash would: connections cut, nothing written, recovery on the next start.
    pub(super) crash_signal: &'static str,
}

/// A running server under its supervisor.
#[derive(Debug)]
pub(super) struct Running {
    kind: ServerKind,
    supervisor: Child,
    log: PathBuf,
    log_start: u64,
}

impl Running {
    /// Starts the server. It may still fail a moment later: see [`Running::check`].
    pub(super) fn start(home: &Home, launch: &Launch) -> Result<Self> {
        let log = home.join("server.log");
        let log_start = log.metadata().map_or(0, |meta| meta.len());
        let supervisor = home
            .command(Path::new("/bin/sh"))
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(home.folder.path())
            .args([launch.stop_signal, launch.crash_signal])
            .arg(&launch.program)
            .args(&launch.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(ServerError::io("start a server"))?;
        Ok(Self {
            kind: launch.kind,
            supervisor,
            log,
            log_start,
        })
    }

    /// An error with the end of the log when the server has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        match self
            .supervisor
            .try_wait()
            .map_err(ServerError::io("watch a server"))?
        {
            None => Ok(()),
            Some(_) => Err(ServerError::Start {
                kind: self.kind,
                detail: self.log_tail(),
            }),
        }
    }

    /// Ends the server: in order, or as a crash would.
    pub(super) fn end(mut self, crash: bool) -> Result<()> {
        let order: &[u8] = if crash { b"crash\n" } else { b"stop\n" };
        if let Some(mut pipe) = self.supervisor.stdin.take() {
            // A server that has already ended has closed the pipe; waiting below is all that is left then.
            let _ = pipe.write_all(order);
            let _ = pipe.flush();
            self.wait()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < STOP_LIMIT {
            let ended = self
                .supervisor
                .try_wait()
                .map_err(ServerError::io("wait for a server"))?;
            if ended.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(ServerError::Timeout {
            kind: self.kind,
            action: "stop",
            limit_s: STOP_LIMIT.as_secs(),
        })
    }

    /// The log since this start. At that point it holds no statement and no data.
    fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let start = usize::try_from(self.log_start).unwrap_or(0).min(log.len());
        last_lines(&String::from_utf8_lossy(&log[start..]))
    }
}

/// Leaves `PATH` alone of our environment: no password, no `PG…` default and no locale reaches the child.
pub(super) fn clean_environment(command: &mut Command) {
    let path = env::var("PATH").unwrap_or_default();
    command
        .env_clear()
        .env(
            "PATH",
            format!("{path}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        )
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
}

/// A loopback port that was free a moment ago.
pub(super) fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(ServerError::io("find a free port"))
}

fn new_folder(parent: &Path) -> io::Result<TempDir> {
    // Short, because the path of a socket in it must stay under 108 bytes.
    tempfile::Builder::new().prefix("tdm-").tempdir_in(parent)
}

fn lookup(name: &str) -> Option<Account> {
    let id = |flag: &str| -> Option<u32> {
        let mut command = Command::new("id");
        clean_environment(&mut command);
        let output = command.args([flag, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some(Account {
        uid: id("-u")?,
        gid: id("-g")?,
    })
    .filter(|account| account.uid != 0)
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
