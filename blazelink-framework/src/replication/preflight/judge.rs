//! From facts to findings. Pure.

use blazelink_codes::Code;
use blazelink_migrations::{PUBLICATION, PublishedTable, identifier, literal};

use super::{Facts, Finding, Host, Severity, full_name};
use crate::replication::slot::SlotPlan;
use crate::replication::url::SESSION_SETTINGS;

/// The oldest server that streams transactions before their end and tells logical messages.
const OLDEST_SERVER: u32 = 140_000;

/// What is not as it should be, the worst first.
pub fn judge(facts: &Facts, plan: &SlotPlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    judge_server(facts, plan, &mut findings);
    judge_publication(facts, &mut findings);
    judge_tables(facts, &mut findings);
    judge_settings(facts, &mut findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn error(code: Code, sentence: impl Into<String>, remedy: &[&str]) -> Finding {
    Finding {
        severity: Severity::Error,
        code,
        sentence: sentence.into(),
        remedy: remedy.iter().map(|step| (*step).to_owned()).collect(),
    }
}

fn judge_server(facts: &Facts, plan: &SlotPlan, findings: &mut Vec<Finding>) {
    if facts.server_version < OLDEST_SERVER {
        let major = facts.server_version / 10_000;
        findings.push(error(
            Code::ServerVersion,
            format!("The Postgres server is of version {major}; 14 is the oldest that works"),
            &["-- upgrade the server"],
        ));
    }
    if facts.wal_level != "logical" {
        findings.push(error(
            Code::WalLevel,
            format!("`wal_level` is `{}` and must be `logical`", facts.wal_level),
            wal_level_remedy(facts.host),
        ));
    }
    if !facts.may_replicate {
        let role = identifier(&facts.role);
        let remedy = match facts.host {
            Host::Rds => format!("GRANT rds_replication TO {role};"),
            _ => format!("ALTER ROLE {role} REPLICATION;"),
        };
        findings.push(error(
            Code::ReplicationRole,
            format!("The role `{}` may not replicate", facts.role),
            &[&remedy],
        ));
    }
    let (slots, most_slots) = facts.slots;
    let needs_slot = matches!(plan, SlotPlan::Temporary { .. }) || !facts.slot_exists;
    if needs_slot && slots >= most_slots {
        findings.push(error(
            Code::ReplicationCapacity,
            format!("All {most_slots} replication slots of the server are taken"),
            &[
                "SELECT slot_name, database, active FROM pg_replication_slots;",
                "SELECT pg_drop_replication_slot('<one that nothing reads>');",
                "-- or raise the limit, then restart the server:",
                "ALTER SYSTEM SET max_replication_slots = 20;",
            ],
        ));
    }
    let (senders, most_senders) = facts.senders;
    if senders >= most_senders {
        findings.push(error(
            Code::ReplicationCapacity,
            format!("All {most_senders} replication senders of the server are taken"),
            &[
                "-- raise the limit, then restart the server:",
                "ALTER SYSTEM SET max_wal_senders = 20;",
            ],
        ));
    }
}

fn wal_level_remedy(host: Host) -> &'static [&'static str] {
    match host {
        Host::Own => &[
            "ALTER SYSTEM SET wal_level = logical;",
            "-- then restart the server",
        ],
        Host::Rds => &[
            "-- set rds.logical_replication = 1 in the instance's parameter group, then reboot it",
        ],
        Host::CloudSql => {
            &["-- set the flag cloudsql.logical_decoding = on, which restarts the instance"]
        }
        Host::Azure => {
            &["-- set the server parameter wal_level = logical, then restart the server"]
        }
        Host::Supabase => {
            &["-- Supabase has it on by default: connect to the database itself, not to its pooler"]
        }
    }
}

fn judge_publication(facts: &Facts, findings: &mut Vec<Finding>) {
    let name = identifier(PUBLICATION);
    let exposed = || facts.tables.iter().filter(|table| table.exists);
    let Some(publication) = &facts.publication else {
        let tables: Vec<String> = exposed().map(|table| table.name.quoted()).collect();
        let list = match tables.is_empty() {
            true => String::new(),
            false => format!(" FOR TABLE {}", tables.join(", ")),
        };
        let sql =
            format!("CREATE PUBLICATION {name}{list} WITH (publish_via_partition_root = true);");
        findings.push(error(
            Code::Publication,
            format!("The publication `{PUBLICATION}` does not exist"),
            &["-- run the migrations, or:", &sql],
        ));
        return;
    };
    if publication.all_tables {
        findings.push(error(
            Code::Publication,
            format!(
                "The publication `{PUBLICATION}` is FOR ALL TABLES, which makes statements fail \
                 on tables without a key"
            ),
            &[
                "-- stop the app, take the slot's migration down, then:",
                &format!("DROP PUBLICATION {name};"),
            ],
        ));
    }
    if !publication.everything || !publication.via_root {
        let sql = format!(
            "ALTER PUBLICATION {name} SET (publish = 'insert, update, delete, truncate', \
             publish_via_partition_root = true);"
        );
        findings.push(error(
            Code::Publication,
            format!("The publication `{PUBLICATION}` leaves out changes of some kinds"),
            &[&sql],
        ));
    }
    for table in exposed().filter(|table| !publication.members.contains(&table.name)) {
        let sql = format!(
            "ALTER PUBLICATION {name} ADD TABLE {};",
            table.name.quoted()
        );
        findings.push(error(
            Code::Publication,
            format!(
                "Table `{}` is exposed and not in publication `{PUBLICATION}`",
                table.name.table
            ),
            &[&sql],
        ));
    }
    for member in &publication.narrowed {
        let table = member.quoted();
        findings.push(error(
            Code::Publication,
            format!(
                "Publication `{PUBLICATION}` tells only some columns or rows of table `{}`",
                member.table
            ),
            &[
                &format!("ALTER PUBLICATION {name} DROP TABLE {table};"),
                &format!("ALTER PUBLICATION {name} ADD TABLE {table};"),
            ],
        ));
    }
    let is_exposed = |member: &&PublishedTable| facts.tables.iter().any(|t| t.name == **member);
    for member in publication
        .members
        .iter()
        .filter(|member| !is_exposed(member))
    {
        let sql = format!("ALTER PUBLICATION {name} DROP TABLE {};", member.quoted());
        findings.push(Finding {
            severity: Severity::Warning,
            ..error(
                Code::Publication,
                format!(
                    "Table `{}` is in publication `{PUBLICATION}` and this app does not expose it",
                    member.table
                ),
                &[
                    "-- if no other app and no newer version of this one needs it:",
                    &sql,
                ],
            )
        });
    }
}

fn judge_tables(facts: &Facts, findings: &mut Vec<Finding>) {
    for table in &facts.tables {
        let name = &table.name.table;
        let quoted = table.name.quoted();
        if !table.exists {
            findings.push(error(
                Code::SchemaMismatch,
                format!(
                    "Table `{}` is exposed and does not exist",
                    full_name(&table.name)
                ),
                &["-- run the migrations"],
            ));
        } else if !table.not_full.is_empty() && !table.has_key {
            findings.push(error(
                Code::TableWithoutKey,
                format!("Table `{name}` has no primary key"),
                &[
                    &format!("ALTER TABLE {quoted} ADD PRIMARY KEY (<columns>);"),
                    "-- or, if its entity's key is unique without being declared so:",
                    &format!("ALTER TABLE {quoted} REPLICA IDENTITY FULL;"),
                ],
            ));
        } else if !table.not_full.is_empty() {
            let statements = table.not_full.iter();
            let (severity, what) = match table.guarded {
                true => (
                    Severity::Error,
                    "so nobody knows who saw a row before it changed, as its rules of visibility \
                     need",
                ),
                false => (
                    Severity::Warning,
                    "so every update or delete in it reaches whoever looks at any list of its rows",
                ),
            };
            findings.push(Finding {
                severity,
                code: Code::ReplicaIdentity,
                sentence: format!("Table `{name}` does not tell its old rows, {what}"),
                remedy: statements
                    .map(|part| format!("ALTER TABLE {} REPLICA IDENTITY FULL;", part.quoted()))
                    .collect(),
            });
        }
    }
}

fn judge_settings(facts: &Facts, findings: &mut Vec<Finding>) {
    if facts.reads_from_standby {
        findings.push(error(
            Code::ReadsFromStandby,
            "Queries are answered by a standby, whose snapshots do not tell which commits they see",
            &["-- set DATABASE_URL to the primary server"],
        ));
    }
    for (name, pool, replication) in &facts.settings {
        let wanted = SESSION_SETTINGS.iter().find(|(setting, _)| setting == name);
        let wanted = wanted.map_or("", |(_, value)| value);
        if pool == replication && pool == wanted {
            continue;
        }
        let sql = format!(
            "ALTER ROLE {} SET {name} = {};",
            identifier(&facts.role),
            literal(wanted)
        );
        findings.push(error(
            Code::SessionSettings,
            format!(
                "`{name}` is `{pool}` for queries and `{replication}` for replication; \
                 both must be `{wanted}`"
            ),
            &[
                "-- a pooler drops start-up options; for the roles of both connections:",
                &sql,
            ],
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::preflight::{Publication, TableFacts, refusal};

    fn table(name: &str) -> TableFacts {
        TableFacts {
            name: published(name),
            exists: true,
            has_key: true,
            guarded: false,
            not_full: Vec::new(),
        }
    }

    fn published(name: &str) -> PublishedTable {
        PublishedTable {
            schema: "public".into(),
            table: name.into(),
        }
    }

    fn healthy() -> Facts {
        let settings = SESSION_SETTINGS.map(|(name, value)| (name, value.to_owned()));
        Facts {
            server_version: 150_018,
            wal_level: "logical".into(),
            role: "app".into(),
            may_replicate: true,
            slots: (1, 10),
            senders: (1, 10),
            publication: Some(Publication {
                everything: true,
                via_root: true,
                members: vec![published("game"), published("user")],
                ..Publication::default()
            }),
            tables: vec![table("user"), table("game")],
            settings: settings
                .map(|(name, value)| (name.to_owned(), value.clone(), value))
                .to_vec(),
            ..Facts::default()
        }
    }

    fn plan() -> SlotPlan {
        SlotPlan::Temporary { app: "app".into() }
    }

    fn one(facts: &Facts) -> Finding {
        let mut findings = judge(facts, &plan());
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    #[test]
    fn healthy_database_has_no_findings() {
        assert_eq!(judge(&healthy(), &plan()), []);
    }

    #[test]
    fn each_switch_of_a_managed_server_is_named() {
        for (host, switch) in [
            (Host::Own, "ALTER SYSTEM SET wal_level = logical;"),
            (Host::Rds, "rds.logical_replication = 1"),
            (Host::CloudSql, "cloudsql.logical_decoding = on"),
            (Host::Azure, "wal_level = logical"),
            (Host::Supabase, "pooler"),
        ] {
            let finding = one(&Facts {
                host,
                wal_level: "replica".into(),
                ..healthy()
            });
            assert_eq!(finding.code, Code::WalLevel);
            assert!(finding.to_string().contains(switch), "{finding}");
        }
    }

    #[test]
    fn pool_on_a_standby_is_refused() {
        let finding = one(&Facts {
            reads_from_standby: true,
            ..healthy()
        });
        assert_eq!(finding.code, Code::ReadsFromStandby);
        assert_eq!(finding.severity, Severity::Error);
    }

    #[test]
    fn role_that_may_not_replicate_is_given_the_statement() {
        let own = one(&Facts {
            may_replicate: false,
            ..healthy()
        });
        assert_eq!(own.remedy, ["ALTER ROLE \"app\" REPLICATION;"]);
        let rds = one(&Facts {
            may_replicate: false,
            host: Host::Rds,
            ..healthy()
        });
        assert_eq!(rds.remedy, ["GRANT rds_replication TO \"app\";"]);
    }

    #[test]
    fn full_server_refuses_only_who_needs_a_new_slot() {
        let facts = Facts {
            slots: (10, 10),
            slot_exists: true,
            ..healthy()
        };
        assert_eq!(one(&facts).code, Code::ReplicationCapacity);
        let durable = SlotPlan::Durable {
            name: "blz_x".into(),
        };
        assert_eq!(judge(&facts, &durable), []);
    }

    #[test]
    fn table_missing_from_the_publication_is_an_error_and_a_spare_one_a_warning() {
        let mut facts = healthy();
        facts.tables.push(table("team"));
        let missing = one(&facts);
        assert_eq!(missing.severity, Severity::Error);
        assert_eq!(
            missing.remedy,
            ["ALTER PUBLICATION \"blazelink\" ADD TABLE \"public\".\"team\";"]
        );

        let mut facts = healthy();
        facts.tables.pop();
        assert_eq!(one(&facts).severity, Severity::Warning);
    }

    #[test]
    fn identity_that_is_not_full_is_a_warning_and_names_the_table() {
        let mut facts = healthy();
        facts.tables[1].not_full = vec![published("game_2024")];
        let finding = one(&facts);
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(
            finding.remedy,
            ["ALTER TABLE \"public\".\"game_2024\" REPLICA IDENTITY FULL;"]
        );
    }

    #[test]
    fn guarded_table_that_does_not_tell_its_old_rows_is_an_error() {
        let mut facts = healthy();
        facts.tables[1].not_full = vec![published("game")];
        facts.tables[1].guarded = true;
        let finding = one(&facts);
        assert_eq!(finding.severity, Severity::Error);
        assert_eq!(
            finding.remedy,
            ["ALTER TABLE \"public\".\"game\" REPLICA IDENTITY FULL;"]
        );
    }

    #[test]
    fn settings_that_differ_name_both_values() {
        let mut facts = healthy();
        facts.settings[0].1 = "SQL, DMY".into();
        let finding = one(&facts);
        assert_eq!(finding.code, Code::SessionSettings);
        assert!(finding.sentence.contains("`SQL, DMY` for queries"));
    }

    #[test]
    fn refusal_holds_every_error_and_no_warning() {
        let mut facts = healthy();
        facts.wal_level = "replica".into();
        facts.may_replicate = false;
        facts.tables[1].not_full = vec![published("game")];
        let error = refusal(&judge(&facts, &plan()));
        let text = error.map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(text.contains("wal_level"), "{text}");
        assert!(text.contains("may not replicate"), "{text}");
        assert!(!text.contains("old rows"), "{text}");
        assert!(refusal(&judge(&healthy(), &plan())).is_none());
    }
}
