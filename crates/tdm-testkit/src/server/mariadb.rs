//! How a private MariaDB is made and started.

use super::process::{Home, Launch};
use super::{Result, ServerKind, programs};

/// Name of the account with every right.
pub(super) const ADMIN: &str = "tdm_admin";

/// Who to run as when we are root, best first.
const ACCOUNTS: [&str; 2] = ["mysql", "nobody"];

const SERVER_PACKAGE: &str = "mariadb-server";

/// Commits reach the operating system, not the disk: they survive a crash of the server, not of the machine. Small, because
/// many may run side by side.
const SETTINGS: [&str; 13] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--skip-innodb-doublewrite",
    "--key-buffer-size=8M",
    "--aria-pagecache-buffer-size=8M",
    "--max-connections=200",
    "--local-infile=ON",
];

/// Creates the data directory and says how to start a server on it.
pub(super) fn prepare(password: &str) -> Result<(Home, Launch)> {
    let program = programs::find(&["mariadbd", "mysqld"], SERVER_PACKAGE)?;
    let install = programs::find(&["mariadb-install-db", "mysql_install_db"], SERVER_PACKAGE)?;
    let home = Home::create(ServerKind::MariaDb, &ACCOUNTS)?;
    let data = home.join("data").display().to_string();
    let mut command = home.command(&install);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={data}"))
        .args([
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ])
        .args(["--innodb-flush-method=nosync", "--innodb-log-file-size=32M"]);
    Home::run(&mut command, "mariadb-install-db")?;
    // Run on every start, before the first connection is accepted: no moment without a password.
    let accounts = home.write_private("accounts.sql", &accounts(password))?;

    let mut arguments = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={data}"),
        format!("--socket={}", home.join("m.sock").display()),
        format!("--pid-file={}", home.join("m.pid").display()),
        format!("--tmpdir={}", home.join("").display()),
        format!("--init-file={}", accounts.display()),
    ];
    arguments.extend(SETTINGS.map(str::to_owned));
    let launch = Launch {
        kind: ServerKind::MariaDb,
        program,
        arguments,
        stop_signal: "TERM",
        crash_signal: "KILL",
    };
    Ok((home, launch))
}

/// One statement a line, as the server wants it. The password is made of hexadecimal digits.
fn accounts(password: &str) -> String {
    let mut out = String::new();
    for host in ["127.0.0.1", "localhost"] {
        out.push_str(&format!(
            "CREATE USER IF NOT EXISTS '{ADMIN}'@'{host}' IDENTIFIED BY '{password}';\n"
        ));
        out.push_str(&format!(
            "GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'{host}' WITH GRANT OPTION;\n"
        ));
    }
    for host in ["localhost", "127.0.0.1", "::1"] {
        out.push_str(&format!("DROP USER IF EXISTS 'root'@'{host}';\n"));
    }
    out
}
