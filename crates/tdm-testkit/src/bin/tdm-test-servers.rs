//! `tdm-test-servers COMMAND [ARGUMENT...]`: starts one PostgreSQL and one MariaDB, runs the command with their
//! addresses in `TDM_TEST_POSTGRES_URL` and `TDM_TEST_MYSQL_URL`, and stops them.
//!
//! Saves every test process from starting its own. An address that is set already is left as it is. The exit status is
//! that of the command, 2 for a wrong call, 3 when a server is required and cannot be had.

use std::env;
use std::io::Write;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::Instant;

use tdm_testkit::server::{Server, ServerError, ServerKind, servers_are_required};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).peekable();
    let _ = arguments.next_if(|first| first == "--");
    let Some(program) = arguments.next() else {
        say("usage: tdm-test-servers COMMAND [ARGUMENT...]");
        return ExitCode::from(2);
    };
    let mut command = Command::new(&program);
    command.args(arguments);

    // Held until the command has ended.
    let mut servers = Vec::new();
    for (kind, outcome) in start_missing() {
        match outcome {
            Ok(server) => {
                command.env(kind.variable(), server.url());
                servers.push(server);
            }
            Err(error) => {
                say(&format!("no {kind} server: {error}"));
                if servers_are_required() {
                    return ExitCode::from(3);
                }
            }
        }
    }
    match command.status() {
        Ok(status) => exit_code(status),
        Err(_) => {
            say("cannot run the command");
            ExitCode::from(2)
        }
    }
}

/// Starts, side by side, every server whose address is not set.
fn start_missing() -> Vec<(ServerKind, Result<Server, ServerError>)> {
    let missing = ServerKind::ALL
        .into_iter()
        .filter(|kind| env::var_os(kind.variable()).is_none_or(|url| url.is_empty()));
    let starting: Vec<_> = missing
        .map(|kind| {
            thread::spawn(move || {
                let begin = Instant::now();
                let outcome = Server::start(kind);
                if outcome.is_ok() {
                    say(&format!(
                        "{kind} started in {} ms",
                        begin.elapsed().as_millis()
                    ));
                }
                (kind, outcome)
            })
        })
        .collect();
    starting
        .into_iter()
        .filter_map(|thread| thread.join().ok())
        .collect()
}

fn exit_code(status: ExitStatus) -> ExitCode {
    // A command ended by a signal has no code.
    ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    )
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "tdm-test-servers: {line}");
}
