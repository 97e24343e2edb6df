//! What `<app> doctor` says of a healthy database, and of each thing that is wrong with one.

use std::process::Command;

use blazelink_postgres::TestDatabase;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait;
use serde_json::Value;
use shooter_migration::Migrator;

/// A migrated database of the shooter's.
async fn migrated() -> (TestDatabase, DatabaseConnection) {
    let database = TestDatabase::create().await.unwrap();
    let db = Database::connect(database.url()).await.unwrap();
    Migrator::up(&db, None).await.unwrap();
    (database, db)
}

fn doctor(database: &TestDatabase, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<Value> {
    // The slot's name has the app's in it.
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("Blazelink.toml");
    std::fs::write(settings, "[app]\nname = \"shooter\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sample"))
        .arg("doctor")
        .args(arguments)
        .env("SAMPLE_APP", "shooter")
        .env("DATABASE_URL", database.url())
        .env("BLAZELINK_ENV", "production")
        .env_remove("BLAZELINK_SLOT")
        .envs(environment.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// `check state` of all that is not well.
fn unwell(checks: &[Value]) -> Vec<String> {
    let unwell = checks.iter().filter(|check| check["state"] != "ok");
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    unwell
        .map(|check| format!("{} {}", word(check, "check"), word(check, "state")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_database_has_nothing_to_mend() {
    let (database, _db) = migrated().await;
    let checks = doctor(&database, &[], &[]);
    assert_eq!(unwell(&checks), [""; 0], "{checks:?}");
    let looked_at = [
        "clock",
        "tables",
        "server",
        "publication",
        "identity",
        "settings",
    ];
    for name in looked_at {
        assert!(checks.iter().any(|check| check["check"] == name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_with_the_statement_that_mends_it() {
    let (database, db) = migrated().await;
    for sql in [
        "ALTER PUBLICATION blazelink DROP TABLE team",
        "ALTER TABLE game REPLICA IDENTITY DEFAULT",
        "DROP INDEX game_event_player_id_id_idx",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    let checks = doctor(&database, &[], &[]);
    let expected = ["indexes warning", "publication error", "identity warning"];
    assert_eq!(unwell(&checks), expected, "{checks:?}");
    // Each is mended by what stands beside it.
    for check in checks.iter().filter(|check| check["state"] != "ok") {
        for step in check["fix"].as_array().unwrap() {
            db.execute_unprepared(step.as_str().unwrap()).await.unwrap();
        }
    }
    assert_eq!(unwell(&doctor(&database, &[], &[])), [""; 0]);

    let publication = "ALTER PUBLICATION blazelink DROP TABLE team";
    db.execute_unprepared(publication).await.unwrap();
    let follows = doctor(&database, &[], &[("BLAZELINK_ENV", "development")]);
    assert_eq!(
        unwell(&follows),
        ["publication warning"],
        "dev mends it by itself"
    );

    db.execute_unprepared("ALTER TABLE team RENAME TO squad")
        .await
        .unwrap();
    let missing = doctor(&database, &[], &[]);
    assert_eq!(unwell(&missing), ["tables error"]);
    assert_eq!(missing.last().unwrap()["code"], "BLZ4003");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_nothing_reads_is_found_and_dropped() {
    let (database, db) = migrated().await;
    let old = format!("blz_{}_old", database.name());
    let make = format!("SELECT pg_create_logical_replication_slot('{old}', 'pgoutput')");
    db.execute_unprepared(&make).await.unwrap();
    let found = |checks: &[Value]| {
        let slots = checks.iter().filter(|check| !check["slot"].is_null());
        let names = slots.map(|check| check["slot"][0].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        found(&doctor(&database, &[], &[])),
        [old.as_str()],
        "and not the app's own"
    );
    assert!(doctor(&database, &["--drop-slot", &old], &[]).is_empty());
    assert_eq!(found(&doctor(&database, &[], &[])), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_also_asked_what_is_open() {
    let (database, _db) = migrated().await;
    let checks = doctor(&database, &["--prod"], &[]);
    // The tests' own role is a superuser, and so may not be production's.
    assert_eq!(
        unwell(&checks),
        ["hosts warning", "role error", "role warning"]
    );
    let open = checks
        .iter()
        .filter(|check| check["check"] == "open")
        .count();
    assert!(open >= 4, "a line for each table");
    let told = serde_json::to_string(&checks).unwrap();
    assert!(!told.contains("postgres://"), "{told}");
    let open = [
        ("BLAZELINK_ENV", "development"),
        ("BLAZELINK_HOSTS", "a.example.com"),
    ];
    let checks = doctor(&database, &["--prod"], &open);
    assert!(unwell(&checks).contains(&"environment error".to_owned()));
    assert!(!unwell(&checks).contains(&"hosts warning".to_owned()));
}
