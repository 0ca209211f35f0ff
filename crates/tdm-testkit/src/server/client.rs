//! Statements through the engine's own client program, so that nothing here depends on a driver under test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::address::Address;
use super::process::clean_environment;
use super::{Result, ServerError, ServerKind, programs};

/// A client program and the server it speaks to.
#[derive(Debug)]
pub(super) struct Client {
    program: PathBuf,
    pub(super) address: Address,
}

impl Client {
    /// Finds the client program for the server at `address`.
    pub(super) fn find(address: Address) -> Result<Self> {
        let program = match address.kind {
            ServerKind::Postgres => programs::find(&["psql"], "postgresql-client")?,
            ServerKind::MariaDb => programs::find(&["mariadb", "mysql"], "mariadb-client")?,
        };
        Ok(Self { program, address })
    }

    /// Runs statements in `database` (empty: the one to administer from). Returns rows as lines, fields split by tabs.
    ///
    /// Statements go through standard input and the password through the environment or a file only we can read:
    /// neither can be seen in a list of processes. Stops at the first error.
    pub(super) fn execute(&self, database: &str, statements: &str) -> Result<String> {
        match self.address.kind {
            ServerKind::Postgres => self.feed(self.psql(database), statements),
            ServerKind::MariaDb => {
                let options = self.option_file()?;
                self.feed(self.mariadb(options.path(), database), statements)
            }
        }
    }

    fn psql(&self, database: &str) -> Command {
        let named = if database.is_empty() {
            self.address.database.as_str()
        } else {
            database
        };
        let mut command = Command::new(&self.program);
        clean_environment(&mut command);
        command
            .env("PGPASSWORD", &self.address.password)
            .env("PGCONNECT_TIMEOUT", "10")
            .env("PGCLIENTENCODING", "UTF8")
            .env(
                "PGSSLMODE",
                self.address.option("sslmode").unwrap_or("prefer"),
            )
            .args([
                "--no-psqlrc",
                "--quiet",
                "--no-align",
                "--tuples-only",
                "--no-password",
            ])
            .args(["--field-separator", "\t", "--file", "-"])
            // Codes only: messages and details quote data.
            .args(["--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=sqlstate"])
            .args([
                "--host",
                &self.address.host,
                "--port",
                &self.address.port.to_string(),
            ])
            .args(["--username", &self.address.user])
            .args([
                "--dbname",
                if named.is_empty() { "postgres" } else { named },
            ]);
        command
    }

    fn mariadb(&self, options: &Path, database: &str) -> Command {
        let mut command = Command::new(&self.program);
        clean_environment(&mut command);
        command
            .arg(format!("--defaults-file={}", options.display()))
            .args(["--batch", "--raw", "--skip-column-names"]);
        if !database.is_empty() {
            command.arg(format!("--database={database}"));
        }
        command
    }

    fn option_file(&self) -> Result<tempfile::NamedTempFile> {
        let action = "write the client's options";
        let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut file = tempfile::NamedTempFile::new().map_err(ServerError::io(action))?;
        write!(
            file,
            "[client]\nprotocol=tcp\nconnect-timeout=10\ndefault-character-set=utf8mb4\nhost=\"{}\"\nport={}\nuser=\"{}\"\npassword=\"{}\"\n",
            quote(&self.address.host),
            self.address.port,
            quote(&self.address.user),
            quote(&self.address.password),
        )
        .map_err(ServerError::io(action))?;
        Ok(file)
    }

    fn feed(&self, mut command: Command, statements: &str) -> Result<String> {
        let action = "run a database client";
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(ServerError::io(action))?;
        let pipe = child.stdin.take();
        let output = thread::scope(|scope| {
            // Beside the reader: a long script and a long answer would otherwise wait for each other.
            scope.spawn(move || {
                // A client that stopped at an error closes its end; the exit status tells.
                pipe.map(|mut pipe| pipe.write_all(statements.as_bytes()))
            });
            child.wait_with_output()
        })
        .map_err(ServerError::io(action))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end_matches('\n')
                .to_owned());
        }
        let printed = String::from_utf8_lossy(&output.stderr);
        Err(ServerError::Statement {
            kind: self.address.kind,
            code: error_code(self.address.kind, &printed),
        })
    }
}

/// Code and line of the first error a client printed, without its message.
fn error_code(kind: ServerKind, printed: &str) -> String {
    let Some((_, error)) = printed.split_once("ERROR") else {
        // The client never got as far as a statement.
        return "no connection, or no right to connect".to_owned();
    };
    let error = error.trim_start_matches(':').trim();
    match kind {
        // `psql:<stdin>:3: ERROR:  42P01`
        ServerKind::Postgres => {
            let line = printed
                .split(':')
                .nth(2)
                .and_then(|text| text.parse::<u32>().ok());
            let code: String = error
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            line.map_or_else(|| code.clone(), |line| format!("{code} at line {line}"))
        }
        // `ERROR 1146 (42S02) at line 1: Table …`
        ServerKind::MariaDb => error.split(':').next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_code_and_line_and_loses_its_message() {
        assert_eq!(
            error_code(ServerKind::Postgres, "psql:<stdin>:3: ERROR:  42P01\n"),
            "42P01 at line 3"
        );
        let printed = "ERROR 1062 (23000) at line 7: Duplicate entry 'canary' for key 'x'";
        assert_eq!(
            error_code(ServerKind::MariaDb, printed),
            "1062 (23000) at line 7"
        );
        let printed =
            "psql: error: connection to server failed: FATAL:  role \"canary\" does not exist";
        assert!(!error_code(ServerKind::Postgres, printed).contains("canary"));
    }
}
