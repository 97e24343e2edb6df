//! The apps that tests run: what each is called, where it lies, and what its database is made of.

use blazelink::Builder;
use blazelink_migrations::{SeaOrm, Slot, slot_name_here};
use blazelink_postgres::TestDatabase;
use futures_util::future::BoxFuture;
use sea_orm_migration::MigratorTrait;
use sea_orm_migration::sea_orm::{Database, DatabaseConnection, DbErr};

/// An app with its migrations.
#[derive(Clone, Copy, Debug)]
pub struct Project {
    /// Its name, which is part of its slot's.
    pub name: &'static str,
    /// Its folder.
    pub folder: &'static str,
    /// Declares it.
    pub declare: fn(Builder) -> Builder,
    migrate: for<'a> fn(&'a DatabaseConnection) -> BoxFuture<'a, Result<(), DbErr>>,
}

/// The example. Its database is empty.
pub const SHOOTER: Project = Project {
    name: "shooter",
    folder: concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shooter"),
    declare: shooter::app,
    migrate: |database| Box::pin(shooter_migration::Migrator::up(database, None)),
};

/// The app of the recordings. Its database has the rows that they began with.
pub const FIXTURE: Project = Project {
    name: "fixture",
    folder: concat!(env!("CARGO_MANIFEST_DIR"), "/fixture"),
    declare: blazelink_fixture::app,
    migrate: |database| Box::pin(blazelink_fixture_migration::Migrator::up(database, None)),
};

impl Project {
    /// A database with the migrations applied, and without a slot.
    pub async fn database(&self) -> TestDatabase {
        let prepare = async |url: String| {
            let connection = self.migrated(&url).await?;
            let mut slots = SeaOrm(&connection);
            let name = slot_name_here(&mut slots, self.name)
                .await
                .map_err(custom)?;
            Slot::remove(&mut slots, &name).await.map_err(custom)?;
            connection.close().await
        };
        let database = TestDatabase::from_template(self.name, prepare).await;
        database.expect("the private Postgres makes a database")
    }

    /// The same on a server of its own, with the durable slot that the migrations make.
    pub async fn server(&self) -> TestDatabase {
        let database = TestDatabase::with_own_cluster().await;
        let database = database.expect("the private Postgres starts");
        let connection = self.migrated(database.url()).await;
        let connection = connection.expect("the database is empty");
        connection.close().await.expect("nothing uses it");
        database
    }

    async fn migrated(&self, url: &str) -> Result<DatabaseConnection, DbErr> {
        let connection = Database::connect(url).await?;
        (self.migrate)(&connection).await?;
        Ok(connection)
    }
}

fn custom(error: blazelink_migrations::Error) -> DbErr {
    DbErr::Custom(format!("{error:#}"))
}
