//! Throw-away servers: they start, give every test its own database, survive a crash, and leave nothing behind.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tdm_testkit::server::{Server, ServerError, ServerKind};
use tdm_testkit::{require_mysql, require_postgres, require_private_server};

#[test]
fn each_test_gets_a_database_of_its_own_on_postgresql() {
    let Some(server) = require_postgres!() else {
        return;
    };
    databases_are_separate_and_go_with_their_handle(
        server,
        "SELECT count(*) FROM pg_database WHERE datname = ",
    );
}

#[test]
fn each_test_gets_a_database_of_its_own_on_mariadb() {
    let Some(server) = require_mysql!() else {
        return;
    };
    databases_are_separate_and_go_with_their_handle(
        server,
        "SELECT count(*) FROM information_schema.schemata WHERE schema_name = ",
    );
}

#[test]
fn a_stopped_postgresql_leaves_no_process_and_no_folder() {
    let Some(server) = require_private_server!(ServerKind::Postgres) else {
        return;
    };
    stop_leaves_nothing(server, "SHOW data_directory");
}

#[test]
fn a_stopped_mariadb_leaves_no_process_and_no_folder() {
    let Some(server) = require_private_server!(ServerKind::MariaDb) else {
        return;
    };
    stop_leaves_nothing(server, "SELECT @@datadir");
}

#[test]
fn a_crashed_postgresql_comes_back_with_what_was_committed() {
    let Some(server) = require_private_server!(ServerKind::Postgres) else {
        return;
    };
    a_crash_keeps_what_was_committed(server);
}

#[test]
fn a_crashed_mariadb_comes_back_with_what_was_committed() {
    let Some(server) = require_private_server!(ServerKind::MariaDb) else {
        return;
    };
    a_crash_keeps_what_was_committed(server);
}

#[test]
fn servers_end_with_the_command_they_were_started_for() {
    let (Some(_), Some(_)) = (require_postgres!(), require_mysql!()) else {
        return;
    };
    let output = command_with_servers()
        .args([
            "sh",
            "-c",
            "echo \"$TDM_TEST_POSTGRES_URL $TDM_TEST_MYSQL_URL\"; exit 7",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    for port in ports_in(&String::from_utf8(output.stdout).unwrap()) {
        assert!(
            !listens(port),
            "a server still listens after its command has ended"
        );
    }
}

#[test]
fn servers_end_when_their_owner_is_killed() {
    let (Some(_), Some(_)) = (require_postgres!(), require_mysql!()) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("urls");
    let mut owner = command_with_servers()
        .args(["sh", "-c", "echo \"$TDM_TEST_POSTGRES_URL $TDM_TEST_MYSQL_URL\" >\"$0.new\"; mv \"$0.new\" \"$0\"; exec sleep 30"])
        .arg(&note)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(
        within(Duration::from_secs(60), || note.exists()),
        "the servers did not start"
    );
    let ports = ports_in(&fs::read_to_string(&note).unwrap());
    assert!(ports.iter().all(|port| listens(*port)));
    // Nothing of the owner runs after this: no destructor, no handler.
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(
        within(Duration::from_secs(20), || !ports
            .iter()
            .any(|port| listens(*port))),
        "a server outlived the process that started it"
    );
}

#[test]
fn statements_report_a_code_and_never_a_value() {
    for kind in ServerKind::ALL {
        let server = match kind {
            ServerKind::Postgres => require_postgres!(),
            _ => require_mysql!(),
        };
        let Some(server) = server else { return };
        let database = server.create_database().unwrap();
        database
            .execute("CREATE TABLE t (a varchar(20) PRIMARY KEY); INSERT INTO t VALUES ('canary');")
            .unwrap();
        let error = database
            .execute("INSERT INTO t VALUES ('canary');")
            .unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("23505") || shown.contains("23000"),
            "{shown}"
        );
        assert!(!shown.contains("canary"));
    }
}

#[test]
fn nobody_gets_in_without_the_password() {
    let (Some(postgres), Some(mariadb)) = (require_postgres!(), require_mysql!()) else {
        return;
    };
    let mut psql = Command::new("psql");
    psql.args([
        "--no-psqlrc",
        "-w",
        "-h",
        "127.0.0.1",
        "-d",
        "postgres",
        "-c",
        "SELECT 1",
    ]);
    psql.args(["-U", "tdm_admin", "-p", &postgres.port().to_string()])
        .env("PGPASSWORD", "wrong");
    assert!(!psql.output().unwrap().status.success());

    for user in ["tdm_admin", "root"] {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "--protocol=tcp",
            "-h",
            "127.0.0.1",
            "-e",
            "SELECT 1",
        ]);
        client
            .args(["-u", user, "-P", &mariadb.port().to_string()])
            .env_remove("MYSQL_PWD");
        assert!(!client.output().unwrap().status.success(), "{user}");
    }
}

#[test]
fn a_server_shows_no_password() {
    for kind in ServerKind::ALL {
        let Some(server) = require_private_server!(kind) else {
            return;
        };
        let database = server.create_database().unwrap();
        let url = database.url();
        let password = url.split([':', '@']).nth(2).unwrap();
        assert!(url.contains(password) && password.len() == 32);
        assert!(!format!("{server:?} {database:?}").contains(password));
        let processes = Command::new("ps").args(["-A", "-o", "args"]).output();
        if let Ok(processes) = processes {
            assert!(!String::from_utf8_lossy(&processes.stdout).contains(password));
        }
    }
}

fn databases_are_separate_and_go_with_their_handle(server: &Server, count: &str) {
    let one = server.create_database().unwrap();
    let two = server.create_database().unwrap();
    assert_ne!(one.name(), two.name());
    one.execute("CREATE TABLE t (a integer); INSERT INTO t VALUES (41);")
        .unwrap();
    assert_eq!(one.execute("SELECT a + 1, 'x' FROM t").unwrap(), "42\tx");
    assert!(matches!(
        two.execute("SELECT a FROM t"),
        Err(ServerError::Statement { .. })
    ));

    let count = format!("{count}'{}'", one.name());
    assert_eq!(server.execute(&count).unwrap(), "1");
    drop(one);
    assert_eq!(server.execute(&count).unwrap(), "0");
}

fn stop_leaves_nothing(mut server: Server, ask_for_data_folder: &str) {
    let data = PathBuf::from(server.execute(ask_for_data_folder).unwrap());
    let home = data.parent().unwrap().to_path_buf();
    let port = server.port();
    assert!(home.exists() && listens(port) && server.is_running());

    server.stop().unwrap();
    assert!(!listens(port) && !server.is_running());
    assert_eq!(
        processes_in(&home),
        0,
        "a process still works in the folder"
    );
    // Stopping twice is not an error, and neither is a handle that outlives the server.
    server.stop().unwrap();
    drop(server);
    assert!(!home.exists());
}

fn a_crash_keeps_what_was_committed(mut server: Server) {
    let database = server.create_database().unwrap();
    database
        .execute("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2);")
        .unwrap();
    let port = server.port();

    server.kill().unwrap();
    assert!(!server.is_running());
    assert!(database.execute("SELECT 1").is_err());

    server.restart().unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(database.execute("SELECT count(*) FROM t").unwrap(), "2");
}

fn command_with_servers() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tdm-test-servers"));
    for kind in ServerKind::ALL {
        command.env_remove(kind.variable());
    }
    command
}

fn ports_in(urls: &str) -> Vec<u16> {
    let ports: Vec<u16> = urls
        .split_whitespace()
        .filter_map(|url| url.rsplit(':').next()?.split('/').next()?.parse().ok())
        .collect();
    assert_eq!(ports.len(), 2, "two addresses were expected");
    ports
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Processes whose working directory is in `folder`; zero where there is no `/proc` to ask.
fn processes_in(folder: &std::path::Path) -> usize {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
        })
        .filter(|entry| {
            // The supervisor's pause between two looks may sleep on for a moment.
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            name.trim() != "sleep"
        })
        .count()
}

fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    holds()
}
