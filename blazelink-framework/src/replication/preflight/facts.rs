//! What the database says of itself, as far as replication is concerned.

use blazelink_migrations::{Execute, PUBLICATION, PublishedTable, literal};

use crate::error::Result;
use crate::exposure::Exposure;
use crate::replication::slot::SlotPlan;
use crate::replication::url::SESSION_SETTINGS;

/// What the database says of itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Version as a number, such as 150018.
    pub server_version: u32,
    /// The setting `wal_level`.
    pub wal_level: String,
    /// The role of the replication connection.
    pub role: String,
    /// Whether that role may replicate.
    pub may_replicate: bool,
    /// Whose service the server is, as far as it shows.
    pub host: Host,
    /// Slots that exist, and `max_replication_slots`.
    pub slots: (u32, u32),
    /// Senders that run, and `max_wal_senders`.
    pub senders: (u32, u32),
    /// Whether the durable slot exists.
    pub slot_exists: bool,
    /// The publication, if it exists.
    pub publication: Option<Publication>,
    /// Every exposed table, in the exposure's order.
    pub tables: Vec<TableFacts>,
    /// Whether the pool reads from a standby.
    pub reads_from_standby: bool,
    /// Setting, its value in the pool, its value on the replication connection.
    pub settings: Vec<(String, String, String)>,
}

/// Whose service a server is: each has its own switch for logical replication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // Names of products.
pub enum Host {
    #[default]
    Own,
    Rds,
    CloudSql,
    Azure,
    Supabase,
}

/// The publication as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Whether it is `FOR ALL TABLES`.
    pub all_tables: bool,
    /// Whether it publishes inserts, updates, deletes and truncates.
    pub everything: bool,
    /// Whether changes of partitions are told as their table's.
    pub via_root: bool,
    /// What it lists.
    pub members: Vec<PublishedTable>,
    /// Members of which it publishes only some columns or rows.
    pub narrowed: Vec<PublishedTable>,
}

/// An exposed table as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// Its name.
    pub name: PublishedTable,
    /// Whether it exists.
    pub exists: bool,
    /// Whether it has a primary key.
    pub has_key: bool,
    /// Whether there are rules on who sees what of it.
    pub guarded: bool,
    /// Itself or those of its partitions whose replica identity is not FULL.
    pub not_full: Vec<PublishedTable>,
}

impl Facts {
    /// Asks the server by an ordinary connection with the role that replicates.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn gather(
        db: &mut impl Execute,
        exposure: &Exposure,
        plan: &SlotPlan,
    ) -> Result<Facts> {
        let mut facts = Facts::server(db, plan).await?;
        facts.publication = publication(db).await?;
        for table in exposure.tables() {
            let name = PublishedTable {
                schema: table.schema.clone(),
                table: table.table.clone(),
            };
            facts.tables.push(TableFacts {
                guarded: exposure.guarded(table.id).is_some(),
                ..table_facts(db, name).await?
            });
        }
        Ok(facts)
    }

    async fn server(db: &mut impl Execute, plan: &SlotPlan) -> Result<Facts> {
        let slot = match plan {
            SlotPlan::Durable { name } => literal(name),
            SlotPlan::Temporary { .. } => "NULL".to_owned(),
        };
        let sql = format!(
            "SELECT current_setting('server_version_num'), current_setting('wal_level'), \
             current_user::text, \
             (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles \
              WHERE rolname = current_user)::text, \
             (SELECT bool_or(pg_has_role(current_user, oid, 'member')) FROM pg_catalog.pg_roles \
              WHERE rolname IN ('rds_replication', 'rds_superuser'))::text, \
             CASE WHEN current_setting('rds.logical_replication', true) IS NOT NULL THEN 'rds' \
                  WHEN current_setting('cloudsql.logical_decoding', true) IS NOT NULL \
                  THEN 'cloudsql' \
                  WHEN current_setting('azure.extensions', true) IS NOT NULL THEN 'azure' \
                  WHEN EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'supabase_admin') \
                  THEN 'supabase' ELSE '' END, \
             (SELECT count(*) FROM pg_catalog.pg_replication_slots)::text, \
             current_setting('max_replication_slots'), \
             (SELECT count(*) FROM pg_catalog.pg_stat_replication)::text, \
             current_setting('max_wal_senders'), \
             (EXISTS (SELECT FROM pg_catalog.pg_replication_slots \
                      WHERE slot_name = {slot}))::text"
        );
        let mut row = rows(db, &sql).await?.into_iter().flatten();
        let mut text = move || row.next().unwrap_or_default();
        let number = |text: String| text.parse().unwrap_or(0);
        Ok(Facts {
            server_version: number(text()),
            wal_level: text(),
            role: text(),
            may_replicate: [text(), text()].iter().any(|may| may == "true"),
            host: match &*text() {
                "rds" => Host::Rds,
                "cloudsql" => Host::CloudSql,
                "azure" => Host::Azure,
                "supabase" => Host::Supabase,
                _ => Host::Own,
            },
            slots: (number(text()), number(text())),
            senders: (number(text()), number(text())),
            slot_exists: text() == "true",
            ..Facts::default()
        })
    }

    /// Adds what the pool reads from, and how pool and replication connection print values.
    ///
    /// # Errors
    ///
    /// If one of them does not answer.
    pub async fn compare_settings(
        &mut self,
        pool: &mut impl Execute,
        replication: &mut impl Execute,
    ) -> Result<()> {
        let standby = rows(pool, "SELECT pg_is_in_recovery()::text").await?;
        self.reads_from_standby = standby.concat().concat() == "true";
        for (name, _) in SESSION_SETTINGS {
            let sql = format!("SHOW {name}");
            let pool = rows(pool, &sql).await?.concat().concat();
            let replication = rows(replication, &sql).await?.concat().concat();
            self.settings.push((name.to_owned(), pool, replication));
        }
        Ok(())
    }
}

async fn rows(db: &mut impl Execute, sql: &str) -> Result<Vec<Vec<String>>> {
    let rows = db.rows(sql).await?.into_iter();
    Ok(rows
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect())
}

async fn publication(db: &mut impl Execute) -> Result<Option<Publication>> {
    let name = literal(PUBLICATION);
    let sql = format!(
        "SELECT puballtables::text, (pubinsert AND pubupdate AND pubdelete AND pubtruncate)::text, \
         pubviaroot::text FROM pg_catalog.pg_publication WHERE pubname = {name}"
    );
    let Some(row) = rows(db, &sql).await?.into_iter().next() else {
        return Ok(None);
    };
    let mut flags = row.iter().map(|flag| flag == "true");
    let mut flag = || flags.next().unwrap_or_default();
    let tables = |rows: Vec<Vec<String>>| {
        let tables = rows.into_iter().map(|row| {
            let mut cells = row.into_iter();
            PublishedTable {
                schema: cells.next().unwrap_or_default(),
                table: cells.next().unwrap_or_default(),
            }
        });
        tables.collect()
    };
    let members = format!(
        "SELECT schemaname::text, tablename::text FROM pg_catalog.pg_publication_tables \
         WHERE pubname = {name} ORDER BY 1, 2"
    );
    // Column lists and row filters came with version 15: read by name.
    let narrowed = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_publication_rel r \
         JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {name} \
         AND (to_jsonb(r) ->> 'prattrs' IS NOT NULL OR to_jsonb(r) ->> 'prqual' IS NOT NULL) \
         ORDER BY 1, 2"
    );
    Ok(Some(Publication {
        all_tables: flag(),
        everything: flag(),
        via_root: flag(),
        members: tables(rows(db, &members).await?),
        narrowed: tables(rows(db, &narrowed).await?),
    }))
}

async fn table_facts(db: &mut impl Execute, name: PublishedTable) -> Result<TableFacts> {
    let sql = format!(
        "SELECT p.relname::text, pn.nspname::text, (p.relreplident = 'f')::text, \
         EXISTS (SELECT FROM pg_catalog.pg_index i \
                 WHERE i.indrelid = c.oid AND i.indisprimary)::text \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_class p ON p.oid = c.oid \
         OR p.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t) \
         JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE n.nspname = {} AND c.relname = {} AND c.relkind IN ('r', 'p') ORDER BY p.oid",
        literal(&name.schema),
        literal(&name.table)
    );
    let parts = rows(db, &sql).await?;
    let has_key = parts
        .iter()
        .any(|part| part.last().is_some_and(|it| it == "true"));
    let exists = !parts.is_empty();
    let not_full = parts.into_iter().filter_map(|part| match &part[..] {
        [table, schema, full, _] if full == "false" => Some(PublishedTable {
            schema: schema.clone(),
            table: table.clone(),
        }),
        _ => None,
    });
    Ok(TableFacts {
        name,
        exists,
        has_key,
        guarded: false,
        not_full: not_full.collect(),
    })
}
