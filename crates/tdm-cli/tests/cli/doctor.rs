//! `tdm init` and `tdm doctor`: what is right, and each thing that can be wrong, by its name.

use tdm_testkit::server::ServerKind;

use crate::{Desk, Run};

fn doctor(desk: &Desk, metadata: &str) -> Run {
    Run::of(
        &desk
            .tdm()
            .arg("doctor")
            .env("DATABASE_URL", metadata)
            .output()
            .unwrap(),
    )
}

#[track_caller]
fn names_cause(run: &Run, cause: &str, password: &str) {
    assert_ne!(run.code, 0, "nothing was found wrong:\n{}", run.out);
    assert!(
        run.err.lines().any(|line| line.contains(cause)),
        "no line says `{cause}`:\n{}",
        run.err
    );
    assert!(
        !run.err.contains(password) && !run.out.contains(password),
        "the password was printed"
    );
}

#[test]
fn after_init_fifteen_tables_are_there_and_no_migration_is_missing() {
    let desk = Desk::new();
    desk.run(&["init"]).expect(0);
    let run = desk.run(&["doctor"]).expect(0);
    assert!(
        run.out.contains("all 15 tables are there") && run.out.ends_with("15 tables\n"),
        "{}",
        run.out
    );
    assert!(run.out.contains("1 applied, none missing"), "{}", run.out);
    let json = desk.run(&["--json", "doctor"]).expect(0);
    assert!(json.out.trim_start().starts_with('{'), "{}", json.out);
}

#[test]
fn before_init_doctor_says_so() {
    let desk = Desk::new();
    let run = desk.run(&["doctor"]);
    assert_ne!(run.code, 0);
    assert!(run.err.contains("run `tdm init`"), "{}", run.err);
}

#[test]
fn equal_urls_are_refused_by_doctor_and_init() {
    let desk = Desk::new();
    desk.run(&["init"]).expect(0);
    let one = "sqlite:.tdm/tdm.sqlite";
    let run = Run::of(
        &desk
            .tdm()
            .arg("doctor")
            .env("DATABASE_URL", one)
            .env("TARGET_DATABASE_URL", one)
            .output()
            .unwrap(),
    );
    assert_ne!(run.code, 0);
    assert!(run.err.contains("are the same database"), "{}", run.err);
    // The same file by another name.
    let other = format!(
        "sqlite:{}",
        desk.path().join(".tdm/../.tdm/tdm.sqlite").display()
    );
    let run = Run::of(
        &desk
            .tdm()
            .arg("doctor")
            .env("DATABASE_URL", one)
            .env("TARGET_DATABASE_URL", other)
            .output()
            .unwrap(),
    );
    assert_ne!(run.code, 0);
    assert!(run.err.contains("are the same database"), "{}", run.err);
    let run = Run::of(
        &desk
            .tdm()
            .arg("init")
            .env("DATABASE_URL", one)
            .env("TARGET_DATABASE_URL", one)
            .output()
            .unwrap(),
    );
    assert_eq!(run.code, 4, "{}", run.err);
}

#[test]
fn a_missing_migration_is_named() {
    let desk = Desk::new();
    desk.run(&["init"]).expect(0);
    desk.run(&["migrate", "down", "--yes"]).expect(0);
    let run = desk.run(&["doctor"]);
    assert_ne!(run.code, 0);
    assert!(
        run.err
            .contains("missing migration `m20261122_000001_create_metadata`"),
        "{}",
        run.err
    );
    desk.run(&["migrate", "up"]).expect(0);
    desk.run(&["doctor"]).expect(0);
}

fn on_a_server(server: &mut tdm_testkit::server::Server) {
    let desk = Desk::new();
    let database = server.reserve_database();
    let url = database.url().to_owned();
    let run = Run::of(
        &desk
            .tdm()
            .arg("init")
            .env("DATABASE_URL", &url)
            .output()
            .unwrap(),
    );
    assert_eq!(run.code, 0, "{}", run.err);
    let healthy = doctor(&desk, &url);
    assert_eq!(healthy.code, 0, "{}{}", healthy.out, healthy.err);
    assert!(
        healthy.out.contains("all 15 tables are there"),
        "{}",
        healthy.out
    );

    names_cause(
        &doctor(&desk, &database.url_as("nobody", "wr0ng-pass")),
        "wrong user or password",
        "wr0ng-pass",
    );
    let missing = url.replace(database.name(), "no_such_database");
    names_cause(
        &doctor(&desk, &missing),
        "the database does not exist",
        "\0",
    );
    server.stop().unwrap();
    names_cause(&doctor(&desk, &url), "the server does not answer", "\0");
    server.restart().unwrap();
    assert_eq!(doctor(&desk, &url).code, 0);
}

#[test]
fn on_postgresql_each_fault_has_its_name() {
    let Some(mut server) = tdm_testkit::require_private_server!(ServerKind::Postgres) else {
        return;
    };
    on_a_server(&mut server);
}

#[test]
fn on_mariadb_each_fault_has_its_name() {
    let Some(mut server) = tdm_testkit::require_private_server!(ServerKind::MariaDb) else {
        return;
    };
    on_a_server(&mut server);
}
