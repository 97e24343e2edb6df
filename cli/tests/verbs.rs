//! `migrate`, `db`, `schema` and `doctor` in a small project, on a real Postgres: what a person sees.
#![allow(clippy::unwrap_used)]

mod project;

use std::process::{Command, Stdio};

use project::{Project, seen};
use rustix::process::{Pid, Signal, kill_process};

/// What psql, or whoever else, would see of the project's database.
fn rows(project: &Project, sql: &str) -> String {
    let mut command = project.tool("-q db psql -- -At -c");
    let output = command.arg(sql).output().unwrap();
    assert!(output.status.success(), "{}", seen(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn migrations_are_listed_applied_taken_back_and_their_failures_named() {
    let project = Project::new();
    let mut told = project.transcript(&[
        "migrate status",
        "migrate up",
        "migrate up",
        "migrate status",
        "migrate down 1",
        "migrate down 1 --yes",
        "migrate redo --yes",
        "migrate up 1",
        "migrate redo --yes",
    ]);
    project.migration("m2_rank", "ALTER TABLE nobody ADD rank int", "SELECT");
    told += &project.transcript(&["migrate up", "migrate status"]);
    insta::assert_snapshot!(told);
}

#[test]
fn migrations_need_no_app_that_compiles_but_a_crate_of_their_own() {
    let project = Project::new();
    project.write("src/main.rs", "fn main() { nonsense }");
    let output = project.tool("migrate up").output().unwrap();
    assert!(output.status.success(), "{}", seen(&output));
    std::fs::remove_dir_all(project.path().join("migration")).unwrap();
    project.write(
        "Cargo.toml",
        "[package]\nname = \"fake-app\"\nedition = \"2024\"\n[workspace]\n",
    );
    insta::assert_snapshot!(project.transcript(&["migrate status"]));
}

#[test]
fn verify_tells_what_down_leaves_and_what_up_does_not_make_again() {
    let project = Project::new();
    let mut told = project.transcript(&["migrate verify"]);
    project.migration(
        "m2_mood",
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE m (mood mood); \
         CREATE INDEX ON m (mood); CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE m; DROP FUNCTION one()",
    );
    told += &project.transcript(&["migrate verify"]);
    project.migration(
        "m2_mood",
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "DROP TYPE mood; CREATE SEQUENCE IF NOT EXISTS left_behind",
    );
    told += &project.transcript(&["-q migrate verify"]);
    insta::assert_snapshot!(told);
    let databases = rows(
        &project,
        "SELECT datname FROM pg_database WHERE datname LIKE 'verify%'",
    );
    assert_eq!(databases, "", "the scratch database is dropped");
}

#[test]
fn new_migration_is_written_and_listed() {
    let project = Project::new();
    let lib = "use sea_orm_migration::prelude::*;\n\nmod m1_user;\n\npub struct Migrator;\n\n\
               impl MigratorTrait for Migrator {\n    fn migrations() -> Vec<Box<dyn MigrationTrait>> \
               {\n        vec![Box::new(m1_user::Migration)]\n    }\n}\n";
    project.write("migration/src/lib.rs", lib);
    let output = project.tool("migrate new Add-Rank").output().unwrap();
    assert!(output.status.success(), "{}", seen(&output));
    let files = std::fs::read_dir(project.path().join("migration/src")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let made = names
        .filter(|name| name.ends_with("_add_rank.rs"))
        .collect::<Vec<_>>();
    let module = made[0].trim_end_matches(".rs");
    let listed = project.read("migration/src/lib.rs");
    assert!(
        listed.contains(&format!("mod m1_user;\nmod {module};\n")),
        "{listed}"
    );
    assert!(
        listed.contains(&format!(", Box::new({module}::Migration)]")),
        "{listed}"
    );
    let text = project.read(&format!("migration/src/{module}.rs"));
    assert!(
        text.contains(&format!("of {module} is not written yet")),
        "{text}"
    );

    project.write("migration/src/lib.rs", "pub fn migrations() {}\n");
    let refused = seen(&project.tool("migrate new other").output().unwrap());
    assert!(
        refused.contains("BLZ7008") && refused.contains("by hand"),
        "{refused}"
    );
    assert_eq!(
        project.read("migration/src/lib.rs"),
        "pub fn migrations() {}\n"
    );
    let files = std::fs::read_dir(project.path().join("migration/src")).unwrap();
    assert_eq!(files.count(), 3, "nothing half written");
}

/// What an app says whose only entity is `user`, with these columns after its key.
fn entity(columns: &str) -> String {
    format!(
        "{{\"schema\":null,\"table\":\"user\",\"scratch\":\"blazelink entities\",\"types\":[],\
         \"create\":\"CREATE TABLE \\\"blazelink entities\\\".\\\"user\\\" (id integer PRIMARY KEY, {columns})\",\
         \"indexes\":[],\"references\":[],\"renamed\":[]}}\n"
    )
}

#[test]
fn differences_between_entities_and_database_are_told_as_sql_and_written_as_a_migration() {
    let project = Project::new();
    project.write("ddl.jsonl", &entity("name varchar NOT NULL"));
    let mut told = project.transcript(&["migrate up", "migrate diff"]);
    rows(&project, "INSERT INTO \"user\" VALUES (1, 'one')");
    project.write(
        "ddl.jsonl",
        &entity("name varchar UNIQUE, rank bigint DEFAULT 1 NOT NULL, age integer NOT NULL"),
    );
    told += &project.transcript(&[
        "migrate diff",
        "-q migrate diff --check --json",
        "migrate diff --write ranks",
    ]);
    insta::assert_snapshot!(told);

    let lib = "use sea_orm_migration::prelude::*;\n\npub struct Migrator;\n\n\
               impl MigratorTrait for Migrator {\n    fn migrations() -> Vec<Box<dyn MigrationTrait>> \
               {\n        vec![]\n    }\n}\n";
    project.write("migration/src/lib.rs", lib);
    let output = project.tool("migrate diff --write ranks").output().unwrap();
    assert!(output.status.success(), "{}", seen(&output));
    let files = std::fs::read_dir(project.path().join("migration/src")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let made: Vec<String> = names.filter(|name| name.ends_with("_ranks.rs")).collect();
    let module = made[0].trim_end_matches(".rs");
    let text = project.read(&format!("migration/src/{module}.rs"));
    for line in [
        "ALTER TABLE \"user\" ADD COLUMN \"rank\" bigint DEFAULT 1 NOT NULL;\n-- ALTER TABLE",
        "\nDROP INDEX \"user_name_key\";\nALTER TABLE \"user\" DROP COLUMN \"rank\";\n",
        "        unwritten()?;\n        run(manager, UP).await\n",
        &format!(
            "migration/src/{module}.rs is not written to its end:\n`age` of `user` is NOT NULL"
        ),
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(
        rows(
            &project,
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'blaze%'"
        ),
        "",
        "nothing stays of the comparison"
    );
}

#[test]
fn what_was_done_to_a_database_by_hand_is_told_undone_or_kept() {
    let project = Project::new();
    let mut told =
        project.transcript(&["migrate diff --drift", "migrate up", "migrate diff --drift"]);
    let by_hand = "ALTER TABLE \"user\" ADD motto text; CREATE TABLE notes (id int PRIMARY KEY); \
                   CREATE INDEX by_name ON \"user\" (name)";
    rows(&project, by_hand);
    told += &project.transcript(&[
        "migrate diff --drift",
        "migrate diff --drift --repair",
        "migrate diff --drift --repair --yes",
        "migrate diff --drift",
    ]);
    insta::assert_snapshot!(told);
    assert_eq!(rows(&project, "SELECT to_regclass('notes')"), "");

    rows(&project, by_hand);
    rows(
        &project,
        "ALTER TABLE seaql_migrations ADD applied_at bigint",
    );
    let lib = "pub trait MigratorTrait {\n    fn migrations() -> Vec<u8>;\n}\n\npub struct M;\n\n\
               impl MigratorTrait for M {\n    fn migrations() -> Vec<u8> {\n        vec![]\n    }\n}\n";
    project.write("migration/src/lib.rs", lib);
    let output = project
        .tool("migrate diff --drift --adopt kept")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", seen(&output));
    let known = rows(
        &project,
        "SELECT count(*) FROM seaql_migrations WHERE version LIKE '%_kept'",
    );
    assert_eq!(known, "1", "the database has it already");
}

#[test]
fn database_is_reset_seeded_copied_and_branched() {
    let project = Project::new();
    let mut told = project.transcript(&["db url", "db reset", "db reset --yes", "db seed"]);
    assert!(project.read("seeded").ends_with("/fake_app"));
    rows(&project, "INSERT INTO \"user\" VALUES (1, 'before')");
    told += &project.transcript(&["db snapshot", "db snapshot one", "db snapshot"]);
    rows(&project, "UPDATE \"user\" SET name = 'after'");
    told += &project.transcript(&[
        "db snapshot one",
        "db branch feature",
        "db branch",
        "db restore one --yes",
    ]);
    assert_eq!(
        rows(&project, "SELECT name FROM \"user\""),
        "before",
        "of the branch"
    );
    told += &project.transcript(&["db branch --delete feature", "db branch main"]);
    assert_eq!(
        rows(&project, "SELECT name FROM \"user\""),
        "after",
        "of main"
    );
    told += &project.transcript(&[
        "db branch --delete feature --yes",
        "db branch --delete feature --yes",
        "db branch --delete main --yes",
        "db restore two --yes",
    ]);
    project.write("seed", "fails");
    told += &project.transcript(&["db seed"]);
    insta::assert_snapshot!(told);
}

#[test]
fn copies_are_refused_while_somebody_uses_the_database() {
    let project = Project::new();
    project.tool("-q db start").output().unwrap();
    // psql is connected once it has answered.
    let mut psql = project
        .tool("-q db psql -- -At")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = psql.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"SELECT 1;\n").unwrap();
    let mut answer = [0; 1];
    std::io::Read::read_exact(psql.stdout.as_mut().unwrap(), &mut answer).unwrap();
    let told = project.transcript(&["db snapshot one", "db reset --yes"]);
    drop(input);
    psql.wait().unwrap();
    project.tool("db stop").output().unwrap();
    let without_pids: String = told
        .lines()
        .filter(|line| !line.contains("DETAIL") && !line.contains("HINT"))
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(without_pids);
}

#[test]
fn started_postgres_outlives_the_tool_and_is_joined_and_stopped() {
    let project = Project::new();
    let told = project.transcript(&["db start", "db start", "db url"]);
    let server = project.read(".blazelink/postgres/postmaster.pid");
    let keeper: i32 = project.read(".blazelink/keeper").trim().parse().unwrap();
    // Whoever works on the database joins the server, and leaves it running.
    let told = told + &project.transcript(&["migrate up"]);
    assert_eq!(project.read(".blazelink/postgres/postmaster.pid"), server);
    let told = told + &project.transcript(&["db stop", "db stop"]);
    insta::assert_snapshot!(told);
    assert!(
        !project
            .path()
            .join(".blazelink/postgres/postmaster.pid")
            .exists()
    );

    // A keeper that is killed takes its server with it, and leaves nothing in the way.
    project.tool("db start").output().unwrap();
    let killed: i32 = project.read(".blazelink/keeper").trim().parse().unwrap();
    assert_ne!(killed, keeper);
    kill_process(Pid::from_raw(killed).unwrap(), Signal::KILL).unwrap();
    let again = project.tool("db start").output().unwrap();
    assert!(again.status.success(), "{}", seen(&again));
    assert!(project.tool("db stop").status().unwrap().success());
}

#[test]
fn a_database_of_the_users_own_is_left_alone() {
    let project = Project::new();
    let mut told = String::new();
    for line in [
        "db start",
        "db stop",
        "db reset --yes",
        "db snapshot one",
        "db restore one --yes",
        "db branch one",
        "db url",
        "migrate status",
    ] {
        let mut command = project.tool(line);
        command.env("DATABASE_URL", "postgres://me:secret@127.0.0.1:1/mine");
        let output = command.output().unwrap();
        told += &format!("$ blazelink {line}\n{}", seen(&output));
    }
    let secret = told.matches("secret").count();
    assert_eq!(secret, 1, "`db url` alone prints it: {told}");
    // The fake program panics where SeaORM's does, so its own words are not compared.
    let told = told.split("$ blazelink migrate").next().unwrap();
    insta::assert_snapshot!(told);
    assert!(!project.path().join(".blazelink").exists());
}

const SCHEMA: &str = "type Query { user(id: Int): UserRef }\ntype UserRef { row: User }\n\
                      type User { id: Int name: String }\n";

#[test]
fn schema_is_printed_drawn_compared_and_taken_over() {
    let project = Project::new();
    project.write("app.graphql", SCHEMA);
    let mut told = project.transcript(&[
        "schema print",
        "schema graph",
        "schema check",
        "schema check --write",
        "schema check",
    ]);
    assert_eq!(project.read("schema.graphql"), SCHEMA);
    let git = |line: &str| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        let done = git
            .args(line.split(' '))
            .current_dir(project.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", seen(&done));
    };
    git("init --quiet");
    git("add schema.graphql");
    git("commit --quiet -m first");
    project.write("app.graphql", &SCHEMA.replace("name: String", "rank: Int"));
    told += &project.transcript(&["schema check", "schema diff", "schema check --write"]);
    told += &project.transcript(&["schema check", "schema diff HEAD"]);
    project.write("app.graphql", "type {");
    told += &project.transcript(&["schema check", "schema print --out nowhere/x"]);
    insta::assert_snapshot!(told);
    let unknown = seen(&project.tool("schema diff nothing").output().unwrap());
    assert!(
        unknown.contains("exit 2") && unknown.contains("BLZ7003"),
        "{unknown}"
    );
}

#[test]
fn doctor_tells_what_the_app_finds_and_ends_with_4_for_an_error() {
    let project = Project::new();
    let line = |state: &str, text: &str| {
        format!(
            "{{\"check\":\"server\",\"state\":\"{state}\",\"text\":\"{text}\",\"code\":\"BLZ3002\",\
             \"fix\":[\"ALTER SYSTEM ..;\"]}}\n"
        )
    };
    let doctor = |line: &str| {
        let told = project.transcript(&[line]);
        let machine = ["toolchain", "linker", "disk", "postgres", "inotify", "port"];
        let lines = told
            .lines()
            .filter(|line| !machine.iter().any(|word| line.contains(word)));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    project.write("doctor.jsonl", &line("warning", "w"));
    let mut told = doctor("doctor --ci");
    project.write("doctor.jsonl", &line("error", "e"));
    told += &doctor("doctor --ci");
    told += &doctor("doctor --ci --fix");
    told += &doctor("doctor --ci --fix --yes");
    project.write("doctor.jsonl", "");
    told += &doctor("doctor --ci");
    told += &doctor("doctor --prod");
    project.write("src/main.rs", "fn main() { nonsense }");
    let broken = seen(&project.tool("doctor --ci").output().unwrap());
    assert!(
        broken.contains("error    app") && broken.contains("exit 4"),
        "{broken}"
    );
    insta::assert_snapshot!(told);
}

#[test]
fn doctor_drops_the_slots_that_nothing_reads() {
    let project = Project::new();
    project.tool("-q migrate up").output().unwrap();
    rows(
        &project,
        "SELECT pg_create_logical_replication_slot('blz_fake_app_old', 'pgoutput')",
    );
    project.write(
        "doctor.jsonl",
        "{\"check\":\"slots\",\"state\":\"warning\",\"text\":\"left\",\"fix\":[],\
         \"slot\":[\"blz_fake_app_old\",\"fake_app\"]}\n",
    );
    let asked = seen(&project.tool("doctor --ci --fix").output().unwrap());
    assert!(
        asked.contains("exit 3") && asked.contains("doctor --fix --yes"),
        "{asked}"
    );
    let slots = || rows(&project, "SELECT count(*) FROM pg_replication_slots");
    assert_eq!(slots(), "1");
    let fixed = seen(&project.tool("doctor --ci --fix --yes").output().unwrap());
    assert!(fixed.contains("is dropped"), "{fixed}");
    assert_eq!(slots(), "0");
}

#[test]
fn ctrl_c_ends_a_verb_with_130() {
    let project = Project::new();
    // The build script waits until it is killed, and says when it has begun.
    project.write(
        "build.rs",
        "fn main() { std::fs::write(\"begun\", \"\").unwrap(); loop { std::thread::park() } }",
    );
    let mut child = project
        .tool("schema print")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !project.path().join("begun").exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended early");
        std::thread::yield_now();
    }
    let id = i32::try_from(child.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", seen(&output));
    assert!(seen(&output).contains("BLZ7007"));
}
