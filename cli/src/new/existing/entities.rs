//! Entities for tables, by SeaORM's own generator: what `sea-orm-cli generate entity` writes in its
//! dense format, with Blazelink's derive.

use std::process::Stdio;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::project::{File, Table};
use sea_orm_codegen::{
    BannerVersion, BigIntegerType, DateTimeCrate, EntityFormat, EntityTransformer,
    EntityWriterContext, OutputFile, WithPrelude, WithSerde,
};
use sea_schema::postgres::def::TableDef;
use sea_schema::postgres::discovery::SchemaDiscovery;
use sqlx::postgres::PgPool;
use tokio::io::AsyncWriteExt;

use super::SCHEMA;
use crate::process;

/// Where entities lie in a project.
const FOLDER: &str = "src/entities/";

/// The files that are no entity's.
const NO_ENTITY: [&str; 3] = ["mod.rs", "prelude.rs", "sea_orm_active_enums.rs"];

/// The files of the entities of these tables, and how their modules are called.
pub(super) async fn of(pool: PgPool, exposed: &[String]) -> Result<(Vec<File>, Vec<Table>)> {
    let discovery = SchemaDiscovery::new(pool, SCHEMA);
    let schema = discovery.discover().await.map_err(super::unreadable)?;
    let tables = schema.tables.into_iter();
    let tables = tables.filter(|table| exposed.contains(&table.info.name));
    let statements = tables.map(|table| told(table, exposed).write()).collect();
    let writer = EntityTransformer::transform(statements).map_err(not_made)?;
    let output = writer.generate(&context());
    let mut files = Vec::new();
    let mut tables = Vec::new();
    for OutputFile { name, content } in output.files {
        if !NO_ENTITY.contains(&name.as_str())
            && let Some(table) = table_of(&name, &content)
        {
            tables.push(table);
        }
        files.push(File {
            path: format!("{FOLDER}{name}"),
            text: formatted(content).await,
        });
    }
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((files, tables))
}

/// A table without what an entity cannot say: columns that Postgres computes, keys of a part of the
/// rows, and references to what is no entity.
fn told(mut table: TableDef, exposed: &[String]) -> TableDef {
    table.columns.retain(|column| column.generated.is_none());
    table.unique_constraints.retain(|unique| !unique.is_partial);
    table
        .reference_constraints
        .retain(|reference| exposed.contains(&reference.table));
    table
}

fn context() -> EntityWriterContext {
    let none = Vec::new;
    EntityWriterContext::new(
        EntityFormat::Dense,
        WithPrelude::None,
        WithSerde::None,
        false,
        DateTimeCrate::Chrono,
        BigIntegerType::I64,
        None,
        false,
        false,
        false,
        vec!["blazelink::Table".to_owned()],
        none(),
        none(),
        none(),
        none(),
        false,
        true,
        BannerVersion::Minor,
    )
}

/// The table of an entity's file.
fn table_of(file: &str, content: &str) -> Option<Table> {
    let (_, rest) = content.split_once("table_name")?;
    let name = rest.split('"').nth(1)?;
    let module = file.strip_suffix(".rs")?;
    // As the list of modules has it.
    let module = match syn::parse_str::<syn::Ident>(module) {
        Ok(_) => module.to_owned(),
        Err(_) => format!("r#{module}"),
    };
    Some(Table {
        name: name.to_owned(),
        module,
    })
}

/// As rustfmt has it; as it is where there is no rustfmt.
async fn formatted(content: String) -> String {
    with_rustfmt(&content).await.unwrap_or(content)
}

async fn with_rustfmt(content: &str) -> Option<String> {
    let mut rustfmt = tokio::process::Command::from(process::command("rustfmt"))
        .args(["--edition", "2024", "--config", "skip_children=true"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut input = rustfmt.stdin.take()?;
    // It reads everything before it writes anything.
    input.write_all(content.as_bytes()).await.ok()?;
    drop(input);
    let output = rustfmt.wait_with_output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn not_made(error: sea_orm_codegen::Error) -> Error {
    let sentence = "SeaORM's generator makes no entities of the tables";
    Error::new(ErrorKind::Setup, Code::SchemaMismatch, sentence).with_source(error)
}
