//! How a private PostgreSQL is made and started.

use super::process::{Home, Launch};
use super::{Result, ServerKind, programs};

/// Name of the superuser.
pub(super) const ADMIN: &str = "tdm_admin";

/// Who to run as when we are root, best first.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

const SERVER_PACKAGE: &str = "postgresql";

/// Commits reach the operating system, not the disk: they survive a crash of the server, not of the machine. Small, because
/// many may run side by side.
const SETTINGS: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "work_mem=4MB",
    "maintenance_work_mem=32MB",
    "max_wal_size=256MB",
    "max_connections=200",
    "timezone=UTC",
    // Statements and their parameters hold data.
    "log_min_error_statement=panic",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
];

/// Creates the data directory and says how to start a server on it.
pub(super) fn prepare(password: &str) -> Result<(Home, Launch)> {
    let initdb = programs::find(&["initdb"], SERVER_PACKAGE)?;
    let program = programs::beside(&initdb, "postgres", SERVER_PACKAGE)?;
    let home = Home::create(ServerKind::Postgres, &ACCOUNTS)?;
    let password_file = home.write_private("password", &format!("{password}\n"))?;
    let mut command = home.command(&initdb);
    command
        .arg("--pgdata")
        .arg(home.join("data"))
        .arg("--pwfile")
        .arg(&password_file)
        .args(["--username", ADMIN, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]);
    Home::run(&mut command, "initdb")?;
    // Its work is done, and a later reader of the folder need not find it.
    let _ = std::fs::remove_file(password_file);

    let mut arguments = vec!["-D".to_owned(), home.join("data").display().to_string()];
    for setting in SETTINGS {
        arguments.extend(["-c".to_owned(), setting.to_owned()]);
    }
    let launch = Launch {
        kind: ServerKind::Postgres,
        program,
        arguments,
        // SIGTERM would wait for clients to leave.
        stop_signal: "INT",
        // "Immediate": every process ends at once and the next start recovers from the log. SIGKILL on the first process
        // would leave the others to notice, and a restart would refuse until they had.
        crash_signal: "QUIT",
    };
    Ok((home, launch))
}
