//! The publication: which tables Postgres tells the app about.
//!
//! One publication, [`PUBLICATION`], lists the exposed tables one by one. Never `FOR ALL TABLES`,
//! which makes the app's own statements fail on tables without a key. It is never dropped: on
//! servers before 18 a slot that outlives its publication cannot be read any more.

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::PUBLICATION;
use crate::sql::{Execute, first_row, identifier, literal};

/// A table as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedTable {
    /// The schema it lies in.
    pub schema: String,
    /// Its name.
    pub table: String,
}

impl PublishedTable {
    /// The table's name as SQL writes it.
    pub fn quoted(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.table))
    }
}

/// Adds a table, `name` or `schema.name`, to the publication, and has its old rows told whole
/// (`REPLICA IDENTITY FULL`, its partitions' as well). Makes the publication if there is none.
/// Repeating it changes nothing.
///
/// # Errors
///
/// If the table does not exist or cannot be told at all (temporary, unlogged, a view); if it has
/// no primary key and its replica identity was not set to FULL by hand; if the publication is
/// `FOR ALL TABLES`; or if the database refuses.
pub async fn publish_table(db: &mut impl Execute, table: &str) -> Result<()> {
    let found = Table::look_up(db, table).await?.ok_or_else(|| {
        Error::new(
            ErrorKind::Setup,
            Code::SchemaMismatch,
            format!("The table `{table}` does not exist"),
        )
        .with_hint("Publish a table after the statement that creates it")
    })?;
    found.check_can_be_published()?;
    ensure_publication(db).await?;
    for part in found.parts_without_full_identity(db).await? {
        let sql = format!("ALTER TABLE {} REPLICA IDENTITY FULL", part.quoted());
        db.rows(&sql).await?;
    }
    if !found.published {
        let sql = format!(
            "ALTER PUBLICATION {} ADD TABLE {}",
            identifier(PUBLICATION),
            found.name.quoted()
        );
        db.rows(&sql).await?;
    }
    Ok(())
}

/// Takes a table out of the publication and gives it back the replica identity of its primary
/// key. Repeating it changes nothing, nor does a table that does not exist.
///
/// # Errors
///
/// If the database refuses.
pub async fn unpublish_table(db: &mut impl Execute, table: &str) -> Result<()> {
    let Some(found) = Table::look_up(db, table).await? else {
        return Ok(());
    };
    if !found.published {
        return Ok(());
    }
    let sql = format!(
        "ALTER PUBLICATION {} DROP TABLE {}",
        identifier(PUBLICATION),
        found.name.quoted()
    );
    db.rows(&sql).await?;
    if found.has_key {
        for part in found.parts(db, "c.relreplident = 'f'").await? {
            let sql = format!("ALTER TABLE {} REPLICA IDENTITY DEFAULT", part.quoted());
            db.rows(&sql).await?;
        }
    }
    Ok(())
}

/// Makes the publication, empty, if there is none, and has it name partitioned tables rather than
/// their partitions.
///
/// # Errors
///
/// If it is `FOR ALL TABLES`, or if the database refuses.
pub async fn ensure_publication(db: &mut impl Execute) -> Result<()> {
    let sql = format!(
        "SELECT puballtables::text, pubviaroot::text FROM pg_catalog.pg_publication \
         WHERE pubname = {}",
        literal(PUBLICATION)
    );
    let name = identifier(PUBLICATION);
    let statement = match first_row(db, &sql).await?.as_deref() {
        None => format!("CREATE PUBLICATION {name} WITH (publish_via_partition_root = true)"),
        Some([all, _]) if all == "true" => return Err(for_all_tables()),
        Some([_, via_root]) if via_root == "false" => {
            format!("ALTER PUBLICATION {name} SET (publish_via_partition_root = true)")
        }
        Some(_) => return Ok(()),
    };
    db.rows(&statement).await.map(|_| ())
}

/// Takes every table out of the publication. It stays, empty, because it must not be dropped
/// before the slots that read through it.
///
/// # Errors
///
/// If a durable slot of this database still reads through it, or if the database refuses.
pub async fn empty_publication(db: &mut impl Execute) -> Result<()> {
    let slots = "SELECT slot_name::text FROM pg_catalog.pg_replication_slots \
                 WHERE database = current_database() AND slot_name LIKE 'blz\\_%' \
                 AND NOT temporary ORDER BY 1 LIMIT 1";
    if let Some(slot) = first_row(db, slots).await? {
        let slot = slot.concat();
        return Err(Error::new(
            ErrorKind::Setup,
            Code::Publication,
            format!("The replication slot `{slot}` still reads through the publication"),
        )
        .with_hint(format!(
            "Take the slot's migration down first, or: SELECT pg_drop_replication_slot('{slot}');"
        )));
    }
    let members = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_publication_rel r \
         JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
         JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {}",
        literal(PUBLICATION)
    );
    for member in tables(db, &members).await? {
        unpublish_table(db, &format!("{}.{}", member.schema, member.table)).await?;
    }
    Ok(())
}

fn for_all_tables() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::Publication,
        format!("The publication `{PUBLICATION}` is FOR ALL TABLES"),
    )
    .with_hint(format!(
        "That makes statements fail on tables without a key. Stop the app, drop its slot, then:\n\
         DROP PUBLICATION {};",
        identifier(PUBLICATION)
    ))
}

/// A table that shall be published, and what the catalog says of it.
struct Table {
    oid: String,
    name: PublishedTable,
    kind: String,
    persistence: String,
    full_identity: bool,
    has_key: bool,
    published: bool,
}

impl Table {
    async fn look_up(db: &mut impl Execute, table: &str) -> Result<Option<Table>> {
        let (schema, name) = match table.split_once('.') {
            Some((schema, name)) => (literal(schema), name),
            None => ("current_schema()".to_owned(), table),
        };
        let sql = format!(
            "SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text, \
             c.relpersistence::text, (c.relreplident = 'f')::text, \
             EXISTS (SELECT FROM pg_catalog.pg_index i \
                     WHERE i.indrelid = c.oid AND i.indisprimary)::text, \
             EXISTS (SELECT FROM pg_catalog.pg_publication_rel r \
                     JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid \
                     WHERE r.prrelid = c.oid AND p.pubname = {})::text \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {schema} AND c.relname = {} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            literal(PUBLICATION),
            literal(name)
        );
        let Some(row) = first_row(db, &sql).await? else {
            return Ok(None);
        };
        let [
            oid,
            schema,
            table,
            kind,
            persistence,
            full,
            has_key,
            published,
        ] = <[String; 8]>::try_from(row).map_err(|_| {
            Error::new(
                ErrorKind::Unavailable,
                Code::DatabaseAnswer,
                "pg_class answered oddly",
            )
        })?;
        Ok(Some(Table {
            oid,
            name: PublishedTable { schema, table },
            kind,
            persistence,
            full_identity: full == "true",
            has_key: has_key == "true",
            published: published == "true",
        }))
    }

    fn check_can_be_published(&self) -> Result<()> {
        let table = &self.name.table;
        if !matches!(&*self.kind, "r" | "p") || self.persistence != "p" {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::Publication,
                format!("`{table}` is not a plain table, and Postgres tells nothing of it"),
            )
            .with_hint("Views, foreign, unlogged and temporary tables cannot be published"));
        }
        if !self.has_key && !self.full_identity {
            return Err(Error::new(
                ErrorKind::Setup, Code::TableWithoutKey,
                format!("The table `{table}` has no primary key"),
            )
            .with_hint(format!(
                "Add a key: ALTER TABLE {name} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;\n\
                 or, if its rows are never exposed one by one, say so before you publish it: \
                 ALTER TABLE {name} REPLICA IDENTITY FULL;",
                name = self.name.quoted()
            )));
        }
        Ok(())
    }

    async fn parts_without_full_identity(
        &self,
        db: &mut impl Execute,
    ) -> Result<Vec<PublishedTable>> {
        self.parts(db, "c.relreplident <> 'f'").await
    }

    /// The table and all its partitions that match a condition on `pg_class c`. Replica identity
    /// is each partition's own.
    async fn parts(&self, db: &mut impl Execute, condition: &str) -> Result<Vec<PublishedTable>> {
        let sql = format!(
            "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE {condition} AND (c.oid = {oid} OR c.oid IN \
             (SELECT t.relid FROM pg_catalog.pg_partition_tree({oid}) t)) ORDER BY c.oid",
            oid = self.oid
        );
        tables(db, &sql).await
    }
}

async fn tables(db: &mut impl Execute, sql: &str) -> Result<Vec<PublishedTable>> {
    let rows = db.rows(sql).await?.into_iter();
    Ok(rows
        .map(|row| {
            let mut cells = row.into_iter().flatten();
            PublishedTable {
                schema: cells.next().unwrap_or_default(),
                table: cells.next().unwrap_or_default(),
            }
        })
        .collect())
}
