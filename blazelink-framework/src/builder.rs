//! `Builder`: what an app declares, and the entry into the framework.
//!
//! Nothing happens here: what is declared is kept until `app` starts it, or until the schema is
//! printed or the database seeded, for which no app has to run.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::{Code, limits};
use poem::{EndpointExt, IntoEndpoint};
use sea_orm::{DatabaseConnection, DbErr, Linked};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::{App, open_as};
use crate::auth::{Authenticator, Authority, ContextFactory};
use crate::config::{ClientLimits, Config};
use crate::debugger::Looker;
use crate::embedded::Embedded;
use crate::error::{Error, ErrorKind, Result};

use crate::table::{DataAccessor, Extension, Table, TableManagerBuilder, VirtualTable, Writes};
use crate::viewer::{Viewer, ViewerForm};
use crate::visibility::Access;
use crate::{pools, routes};

type SeedFuture = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send>>;
type Seed = Box<dyn Fn(DatabaseConnection) -> SeedFuture + Send + Sync>;

/// The entry into the framework.
#[derive(Clone, Copy, Debug)]
pub struct Blazelink;

impl Blazelink {
    /// An app without tables, pages and routes.
    pub fn builder() -> Builder {
        Builder {
            tables: TableManagerBuilder::default(),
            seed: None,
            declared: routes::Declared::default(),
            authority: Authority::default(),
        }
    }
}

/// Declares an app: its tables, pages and routes. Nothing happens before [`Builder::start`].
#[must_use = "an app does nothing before it is started"]
pub struct Builder {
    tables: TableManagerBuilder,
    seed: Option<Seed>,
    declared: routes::Declared,
    authority: Authority,
}

impl Builder {
    /// Exposes one entity that derives [`Table`].
    pub fn table<E: Table>(mut self) -> Builder {
        self.tables = self.tables.table::<E>();
        self
    }

    /// Exposes every entity that derives [`Table`] in this module or below it, such as
    /// `"mygame::entities"`.
    pub fn discover(mut self, module: &str) -> Builder {
        self.tables = self.tables.discover(module);
        self
    }

    /// Adds computed fields to an entity that is exposed.
    pub fn extend(mut self, extension: Extension) -> Builder {
        self.tables = self.tables.extend(extension);
        self
    }

    /// Exposes a [`VirtualTable`].
    pub fn virtual_table<V: VirtualTable>(mut self) -> Builder {
        self.tables = self.tables.virtual_table::<V>();
        self
    }

    /// Says what each viewer may see of an entity that is exposed. Of an entity of which nothing is
    /// said nobody sees anything, but in development everybody sees everything.
    ///
    /// The closure is asked for each request and each commit, so it must be quick and answer from
    /// the viewer and from memory: what it says counts from the next request and commit on. While
    /// it runs for a commit, requests are answered and new reads watched, but commits wait. One that
    /// takes longer than [`limits::RULES_TIMEOUT`] for a commit is not waited for: who watches rows
    /// of the entity is told to read again.
    ///
    /// [`limits::RULES_TIMEOUT`]: crate::codes::limits::RULES_TIMEOUT
    pub fn visible<E: Table>(
        mut self,
        access: impl Fn(&Viewer) -> Access + Send + Sync + 'static,
    ) -> Builder {
        self.tables = self.tables.visible::<E>(access);
        self
    }

    /// Gives an entity that is exposed mutations, and says who may use them: `createUser`,
    /// `updateUser`, `deleteUser`. Without it, and without `#[blazelink(writes)]` on the entity, it
    /// has none; without a rule in it nobody may use them, in development neither.
    pub fn writes<E: Table>(mut self, writes: Writes) -> Builder {
        self.tables = self.tables.writes::<E>(writes);
        self
    }

    /// Has the rows of an entity that is exposed read from a store of the app's own instead of
    /// Postgres: rows by key, pages of the table, and to-one and to-many relations to and from it.
    ///
    /// - Policies hold: rules are judged on the rows that the store gives. With a rule a page is
    ///   read from its beginning, and fails behind
    ///   [`limits::ACCESSOR_ROWS`](crate::codes::limits::ACCESSOR_ROWS) rows; so does every count.
    ///   The row is read as a whole, hidden columns too.
    /// - What only SQL can say is refused with an error: `where`, `orderBy`, `after`, `next`,
    ///   relations through junctions and chains, a policy with a condition in SQL, `Model`s and
    ///   `Select`s in computed fields, and, at the start, mutations.
    /// - The table exists in Postgres too, which tells the types of its columns; it may be empty.
    ///   What is read is watched as usual, but a change is told only by a commit to that table:
    ///   there is no other way for the app to tell one.
    pub fn accessor<E: Table>(mut self, accessor: impl DataAccessor) -> Builder {
        self.tables = self.tables.accessor::<E>(accessor);
        self
    }

    /// Says that everybody may see everything of an entity that is exposed, as
    /// `#[blazelink(public)]` on its `Model` does. What the builder says of an entity goes before
    /// what stands on it.
    pub fn public<E: Table>(mut self) -> Builder {
        self.tables = self.tables.public::<E>();
        self
    }

    /// Exposes a chain of relations, SeaORM's `Linked`, as a field of the entity where it begins:
    /// a to-one relation if no step leads to more than one row, else a to-many one. A row to which
    /// several ways lead is there once.
    ///
    /// Every table on the way must be exposed, and no step may have a condition of its own. Of a
    /// table between, any change has the field read again; the first one is watched by the rows
    /// that its row leads to.
    ///
    /// ```
    /// # mod entities { pub mod user {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    /// #     #[sea_orm(table_name = "user")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key)] pub id: i32,
    /// #         pub leader_id: Option<i32>,
    /// #         #[sea_orm(self_ref, relation_enum = "Leader", from = "leader_id", to = "id")]
    /// #         pub leader: BelongsTo<Option<Entity>>,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # } }
    /// use entities::user;
    /// use sea_orm::{Linked, RelationDef, RelationTrait};
    ///
    /// struct LeaderOfLeader;
    ///
    /// impl Linked for LeaderOfLeader {
    ///     type FromEntity = user::Entity;
    ///     type ToEntity = user::Entity;
    ///
    ///     fn link(&self) -> Vec<RelationDef> {
    ///         vec![user::Relation::Leader.def(), user::Relation::Leader.def()]
    ///     }
    /// }
    ///
    /// let app = blazelink::Blazelink::builder()
    ///     .table::<user::Entity>()
    ///     .linked("leader_of_leader", LeaderOfLeader);
    /// ```
    pub fn linked<L: Linked>(mut self, field: &'static str, chain: L) -> Builder
    where
        L::FromEntity: Table,
        L::ToEntity: Table,
    {
        self.tables = self.tables.linked(field, chain);
        self
    }

    /// Makes a to-many relation of an entity, by its name in the schema, a plain list instead of
    /// pages. For relations that have no field of their own; others say `#[blazelink(list)]`.
    ///
    /// A list has at most [`LIST_ROWS`](blazelink_codes::limits::LIST_ROWS) rows. One that would
    /// have more is null, with an error.
    pub fn list<E: Table>(mut self, relation: &'static str) -> Builder {
        self.tables = self.tables.list::<E>(relation);
        self
    }

    /// Asks this factory who sends a request. Without one everybody is anonymous.
    pub fn context(mut self, factory: impl ContextFactory) -> Builder {
        self.authority = self.authority.with_context(factory);
        self
    }

    /// Says how viewers are written into recordings of the debugger, and read from them: as serde has
    /// this type, which is that of the context's or authenticator's viewers. Without it recordings do
    /// not say whose sessions are, and replaying compares only those of nobody in particular.
    ///
    /// A recording lies below the app's state folder. What decides on what a viewer may see belongs
    /// into the type; a password or a key does not.
    ///
    /// ```
    /// #[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    /// struct Player {
    ///     id: i32,
    ///     admin: bool,
    /// }
    ///
    /// # fn app(blaze: blazelink::Builder) -> blazelink::Builder {
    /// blaze.record_viewers::<Player>()
    /// # }
    /// ```
    pub fn record_viewers<V>(mut self) -> Builder
    where
        V: Serialize + DeserializeOwned + Clone + Eq + Send + Sync + 'static,
    {
        self.authority = self.authority.recording_viewers(ViewerForm::of::<V>());
        self
    }

    /// Has the debugger be there below a path of the app's own too, for whom this says so: a viewer as
    /// the context's factory knows them. It is recorded then what it shows, whatever the settings say
    /// of an address of its own; those of its memory and of values count here too.
    ///
    /// Everybody may load its pages, which hold nothing of the app but its name. What they show is told
    /// to those only for whom this answers. The [crate's documentation](crate) has an example.
    pub fn debugger<F>(mut self, path: &str, lookers: F) -> Builder
    where
        F: Fn(&Viewer) -> Option<Looker> + Send + Sync + 'static,
    {
        self.declared.debugger = Some((path.to_owned(), Arc::new(lookers)));
        self
    }

    /// Has this authenticator judge what clients say of themselves on their websockets
    /// (`AuthorizeEvent`). Without one that is ignored.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Builder {
        self.authority = self.authority.with_authenticator(authenticator);
        self
    }

    /// What `seed` runs. It is run by `blazelink dev` before every start, so it must leave a
    /// database alone that has rows already.
    pub fn seed<F, Fut>(mut self, seed: F) -> Builder
    where
        F: Fn(DatabaseConnection) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DbErr>> + Send + 'static,
    {
        self.seed = Some(Box::new(move |database| Box::pin(seed(database))));
        self
    }

    /// Serves an endpoint of the app's own under this path; it is made once, with the pool.
    pub fn route<F, E>(mut self, path: &str, endpoint: F) -> Builder
    where
        F: FnOnce(DatabaseConnection) -> E + Send + 'static,
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        let make: routes::MakeEndpoint =
            Box::new(move |database| endpoint(database).into_endpoint().map_to_response().boxed());
        self.declared.endpoints.push((path.to_owned(), make));
        self
    }

    /// Serves a minijinja template of the project's `templates` folder under this path.
    pub fn page(mut self, path: &str, template: &str) -> Builder {
        self.declared
            .pages
            .push((path.to_owned(), template.to_owned()));
        self
    }

    /// Serves the files of a folder of the project under this path.
    pub fn files(mut self, path: &str, folder: impl Into<PathBuf>) -> Builder {
        self.declared.folders.push((path.to_owned(), folder.into()));
        self
    }

    /// Has a program that is built for release hold these folders, so that it runs anywhere, without
    /// its project: `.embed(blazelink::embed!("templates", "static"))`. Pages and files are taken from
    /// it; in a debug build, and in development, from disk.
    pub fn embed(mut self, files: Embedded) -> Builder {
        self.declared.embedded = files;
        self
    }

    /// The GraphQL schema of the tables, as SDL. Needs no database.
    ///
    /// # Errors
    ///
    /// If the tables contradict each other.
    pub fn sdl(self) -> Result<String> {
        crate::graphql::sdl(&self.tables.build()?)
    }

    /// The SQL that would make the entities' tables, a JSON object a line, by table. Needs no database.
    ///
    /// # Errors
    ///
    /// As [`Builder::sdl`].
    pub fn ddl(self) -> Result<String> {
        let tables = self.tables.build()?;
        let tables = tables.tables().iter().filter_map(|table| table.ddl);
        // Structs of texts always have a JSON form.
        let lines = tables.filter_map(|ddl| serde_json::to_string(&ddl()).ok());
        Ok(lines.map(|line| line + "\n").collect())
    }

    /// The tables as a start with these settings has them.
    pub(crate) fn tables_for(self, config: &Config) -> TableManagerBuilder {
        open_as(self.tables, config)
    }

    /// Runs what was given to [`Builder::seed`].
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, or the seeding fails.
    pub async fn run_seed(self, config: &Config) -> Result<()> {
        let Some(seed) = self.seed else { return Ok(()) };
        // Rows in bulk may take their time.
        let unhurried = Config {
            limits: ClientLimits {
                statement_timeout: Duration::ZERO,
                ..config.limits
            },
            ..config.clone()
        };
        let database = pools::connect(&unhurried).await?;
        seed(database.clone()).await.map_err(|error| {
            Error::new(
                ErrorKind::Setup,
                Code::Database,
                "Seeding the database failed",
            )
            .with_source(error)
        })?;
        pools::close(database, limits::DRAIN).await;
        Ok(())
    }

    /// Starts the app: connects, checks the database, follows its log and listens.
    ///
    /// Returns as soon as requests are answered; [`App::live`] waits until commits arrive.
    ///
    /// # Errors
    ///
    /// If the tables contradict each other or the database, if the database cannot be reached or
    /// does not replicate, or if the address cannot be bound.
    pub async fn start(self, config: Config) -> Result<App> {
        App::start(self.tables, self.authority, self.declared, config).await
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("pages", &self.declared.pages)
            .finish_non_exhaustive()
    }
}
