//! Preflight on a real server: what it finds, and that its SQL mends it.

use blazelink::codes::Code;
use blazelink::exposure::Exposure;
use blazelink::replication::preflight::{Facts, Finding, Severity, apply, judge};
use blazelink::replication::{ReplicationConnection, SlotPlan};

use crate::support::{Database, Sql, exposed};

fn plan() -> SlotPlan {
    SlotPlan::Temporary { app: "test".into() }
}

fn exposure() -> Exposure {
    Exposure::new(vec![
        exposed(0, "player", &["id#"], &[0]),
        exposed(1, "log", &["id#", "at#"], &[0, 1]),
    ])
}

const SCHEMA: &str = "CREATE TABLE player (id int PRIMARY KEY); CREATE TABLE spare (id int PRIMARY KEY); \
                      CREATE TABLE log (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); \
                      CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10)";

async fn findings(database: &mut Database) -> (Facts, Vec<Finding>) {
    let mut facts = Facts::gather(database.sql.execute(), &exposure(), &plan())
        .await
        .unwrap();
    let mut replication = ReplicationConnection::connect(&database.url, "test")
        .await
        .unwrap();
    facts
        .compare_settings(database.sql.execute(), &mut replication)
        .await
        .unwrap();
    let findings = judge(&facts, &plan());
    (facts, findings)
}

#[tokio::test]
async fn prepared_database_passes() {
    let mut database = Database::create(SCHEMA, &["player", "log"]).await;
    assert_eq!(findings(&mut database).await.1, []);
}

#[tokio::test]
async fn printed_sql_mends_what_was_found() {
    let mut database = Database::create(SCHEMA, &["spare"]).await;
    let (facts, found) = findings(&mut database).await;
    let codes: Vec<(Severity, Code)> = found.iter().map(|it| (it.severity, it.code)).collect();
    assert_eq!(
        codes,
        [
            (Severity::Error, Code::Publication),
            (Severity::Error, Code::Publication),
            (Severity::Warning, Code::Publication),
            (Severity::Warning, Code::ReplicaIdentity),
            (Severity::Warning, Code::ReplicaIdentity),
        ]
    );
    assert!(facts.tables.iter().all(|table| !table.not_full.is_empty()));
    for statement in found.iter().flat_map(|finding| &finding.remedy) {
        database.sql.run(statement).await;
    }
    assert_eq!(findings(&mut database).await.1, []);
}

#[tokio::test]
async fn missing_publication_and_missing_table_are_said() {
    let mut database = Database::create(SCHEMA, &[]).await;
    database
        .sql
        .run("DROP PUBLICATION blazelink; DROP TABLE log")
        .await;
    let (_, found) = findings(&mut database).await;
    assert_eq!(found[0].code, Code::Publication);
    assert_eq!(found[1].code, Code::SchemaMismatch);
    for statement in &found[0].remedy {
        database.sql.run(statement).await;
    }
    let (_, found) = findings(&mut database).await;
    assert!(
        found
            .iter()
            .all(|finding| finding.code != Code::Publication),
        "{found:?}"
    );
}

#[tokio::test]
async fn development_applies_the_difference() {
    let mut database = Database::create(SCHEMA, &["spare"]).await;
    let (facts, _) = findings(&mut database).await;
    apply(database.sql.execute(), &facts).await.unwrap();
    assert_eq!(findings(&mut database).await.1, []);
    apply(database.sql.execute(), &facts).await.unwrap();
}

#[tokio::test]
async fn role_without_the_right_is_named() {
    let mut database = Database::create(SCHEMA, &["player", "log"]).await;
    let role = format!("plain_{}", database.test.name());
    database.sql.run(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = database
        .test
        .url()
        .replacen("postgres@", &format!("{role}@"), 1);
    let url = blazelink::replication::DatabaseUrl::parse(&url).unwrap();
    let mut plain = Sql::connect(&url).await;
    let facts = Facts::gather(plain.execute(), &exposure(), &plan())
        .await
        .unwrap();
    let found = judge(&facts, &plan());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, Code::ReplicationRole);
    let error = ReplicationConnection::connect(&url, "test")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::ReplicationRole);

    database.sql.run(&found[0].remedy[0]).await;
    ReplicationConnection::connect(&url, "test").await.unwrap();
}

#[tokio::test]
async fn settings_that_a_role_overrides_are_noticed() {
    let mut database = Database::create(SCHEMA, &["player", "log"]).await;
    let mut facts = Facts::gather(database.sql.execute(), &exposure(), &plan())
        .await
        .unwrap();
    let mut replication = ReplicationConnection::connect(&database.url, "test")
        .await
        .unwrap();
    database.sql.run("SET datestyle = 'German'").await;
    facts
        .compare_settings(database.sql.execute(), &mut replication)
        .await
        .unwrap();
    let found = judge(&facts, &plan());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, Code::SessionSettings);
}
