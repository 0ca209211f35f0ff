//! The `tdm` command as a user meets it: real processes, real files, real servers.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod chinook;
mod demo;
mod doctor;
mod interrupted;
mod wrong;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A working directory of its own for one test.
pub(crate) struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command in this directory, without any setting of the machine that runs the test.
    pub(crate) fn tdm(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tdm"));
        command.current_dir(self.path());
        for name in ["DATABASE_URL", "TARGET_DATABASE_URL", "TDM_KEY"] {
            command.env_remove(name);
        }
        command.env("USER", "tester");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.tdm().args(arguments).output().unwrap())
    }

    pub(crate) fn target(&self) -> rusqlite::Connection {
        open(&self.path().join(".tdm/tdm_target.sqlite"))
    }

    pub(crate) fn metadata(&self) -> rusqlite::Connection {
        open(&self.path().join(".tdm/tdm.sqlite"))
    }
}

/// Opens a database as an independent reader would.
pub(crate) fn open(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// One number from a database.
pub(crate) fn number(database: &rusqlite::Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A column of texts from a database.
pub(crate) fn texts(database: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// References without a parent, found by the engine itself.
pub(crate) fn dangling(database: &rusqlite::Connection) -> usize {
    let mut statement = database.prepare("PRAGMA foreign_key_check").unwrap();
    statement.query_map([], |_| Ok(())).unwrap().count()
}

/// What a process said.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard error:\n{}", self.err);
        self
    }
}
