//! The schema that somebody would write by hand for the same answers, with async-graphql's macros,
//! SeaORM's finders, and a DataLoader for each relation. Nobody sees rows that are not active, which
//! each finder has to ask for; it knows no sessions and no subscriptions.

use std::collections::HashMap;
use std::process::ExitCode;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, Error, InputObject, Json, Object,
    Result, Schema, SimpleObject,
};
use async_graphql_poem::GraphQL;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{Route, Server, post};
use sea_orm::prelude::*;
use sea_orm::{ConnectOptions, Database, DbBackend, QueryOrder, QuerySelect, Statement};

use super::entities::{team, user};

/// As many connections as our server's pool has.
const POOL: u32 = 10;

pub(super) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the machine has threads");
    runtime.block_on(serve());
    ExitCode::SUCCESS
}

async fn serve() {
    let url = std::env::var("DATABASE_URL").expect("the benchmark says where the database is");
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(POOL)
        .sqlx_logging(false)
        .test_before_acquire(false);
    let database = Database::connect(options).await;
    let database = database.expect("the database answers");
    let teams = DataLoader::new(Teams(database.clone()), tokio::spawn);
    let events = DataLoader::new(Events(database.clone()), tokio::spawn);
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(database)
        .data(teams)
        .data(events)
        .finish();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await;
    let acceptor = acceptor.expect("a port is free");
    let address = acceptor.local_addr().remove(0);
    println!("{}", address.as_socket_addr().expect("it is of TCP"));
    let routes = Route::new().at("/graphql/", post(GraphQL::new(schema)));
    let served = Server::new_with_acceptor(acceptor).run(routes).await;
    served.expect("the benchmark ends it");
}

#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
struct ObjectIdInput {
    obj_id: i32,
}

struct Query;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl Query {
    async fn team(&self, context: &Context<'_>, identifier: ObjectIdInput) -> Result<Option<Team>> {
        let database = context.data::<DatabaseConnection>()?;
        let found = team::Entity::find_by_id(identifier.obj_id)
            .filter(team::Column::Active.eq(true))
            .one(database);
        Ok(found.await?.map(Team::from))
    }

    async fn teams(&self, context: &Context<'_>, page: u64, size: u64) -> Result<TeamPage> {
        let database = context.data::<DatabaseConnection>()?;
        let found = team::Entity::find()
            .filter(team::Column::Active.eq(true))
            .order_by_asc(team::Column::Id)
            .limit(size)
            .offset(page * size)
            .all(database)
            .await?;
        let items = found.into_iter().map(TeamRef::from);
        Ok(TeamPage {
            items: items.collect(),
        })
    }

    async fn users(&self, context: &Context<'_>, page: u64, size: u64) -> Result<UserPage> {
        let database = context.data::<DatabaseConnection>()?;
        let found = user::Entity::find()
            .filter(user::Column::Active.eq(true))
            .order_by_asc(user::Column::Id)
            .limit(size)
            .offset(page * size)
            .all(database)
            .await?;
        let items = found.into_iter().map(|row| UserRef {
            obj_id: row.id,
            row: row.into(),
        });
        Ok(UserPage {
            items: items.collect(),
        })
    }
}

#[derive(SimpleObject)]
struct UserPage {
    items: Vec<UserRef>,
}

#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
struct UserRef {
    obj_id: i32,
    row: User,
}

#[derive(SimpleObject)]
#[graphql(complex, rename_fields = "snake_case")]
struct User {
    id: i32,
    name: String,
    score: i64,
    created_at: DateTimeWithTimeZone,
    balance: Decimal,
    settings: Json<serde_json::Value>,
    #[graphql(skip)]
    team_id: i32,
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> User {
        User {
            id: row.id,
            name: row.name,
            score: row.score,
            created_at: row.created_at,
            balance: row.balance,
            settings: Json(row.settings),
            team_id: row.team_id,
        }
    }
}

#[ComplexObject(rename_fields = "snake_case", rename_args = "snake_case")]
impl User {
    async fn team(&self, context: &Context<'_>) -> Result<Option<TeamRef>> {
        let teams = context.data::<DataLoader<Teams>>()?;
        Ok(teams.load_one(self.team_id).await?)
    }

    async fn events(&self, context: &Context<'_>, page: u64, size: u64) -> Result<EventPage> {
        let events = context.data::<DataLoader<Events>>()?;
        let key = (self.id, page, size);
        let items = events.load_one(key).await?.unwrap_or_default();
        Ok(EventPage { items })
    }
}

#[derive(Clone, SimpleObject)]
#[graphql(rename_fields = "snake_case")]
struct TeamRef {
    obj_id: i32,
    row: Team,
}

#[derive(Clone, SimpleObject)]
struct Team {
    id: i32,
    name: String,
}

impl From<team::Model> for Team {
    fn from(row: team::Model) -> Team {
        Team {
            id: row.id,
            name: row.name,
        }
    }
}

impl From<team::Model> for TeamRef {
    fn from(row: team::Model) -> TeamRef {
        TeamRef {
            obj_id: row.id,
            row: row.into(),
        }
    }
}

#[derive(SimpleObject)]
struct TeamPage {
    items: Vec<TeamRef>,
}

#[derive(SimpleObject)]
struct EventPage {
    items: Vec<EventRef>,
}

#[derive(Clone, SimpleObject)]
#[graphql(rename_fields = "snake_case")]
struct EventRef {
    obj_id: i32,
    row: Event,
}

#[derive(Clone, SimpleObject)]
struct Event {
    id: i32,
    kind: String,
}

/// Teams by key.
struct Teams(DatabaseConnection);

impl Loader<i32> for Teams {
    type Value = TeamRef;
    type Error = Error;

    async fn load(&self, keys: &[i32]) -> Result<HashMap<i32, TeamRef>> {
        let found = team::Entity::find()
            .filter(team::Column::Id.is_in(keys.iter().copied()))
            .filter(team::Column::Active.eq(true))
            .all(&self.0)
            .await?;
        let refs = found.into_iter().map(|team| (team.id, team.into()));
        Ok(refs.collect())
    }
}

/// Pages of events by player.
struct Events(DatabaseConnection);

impl Loader<(i32, u64, u64)> for Events {
    type Value = Vec<EventRef>;
    type Error = Error;

    async fn load(
        &self,
        keys: &[(i32, u64, u64)],
    ) -> Result<HashMap<(i32, u64, u64), Vec<EventRef>>> {
        const SQL: &str = "SELECT id, kind, player_id FROM ( \
                               SELECT id, kind, player_id, \
                                      row_number() OVER (PARTITION BY player_id ORDER BY id) AS n \
                               FROM event WHERE player_id = ANY($1) AND active) AS numbered \
                           WHERE n > $2 AND n <= $3 ORDER BY player_id, id";
        let mut pages: HashMap<(u64, u64), Vec<i32>> = HashMap::new();
        for &(player, page, size) in keys {
            pages.entry((page, size)).or_default().push(player);
        }
        let mut loaded: HashMap<_, Vec<EventRef>> = HashMap::new();
        for ((page, size), players) in pages {
            let from = i64::try_from(page * size)?;
            let to = i64::try_from((page + 1) * size)?;
            let values: [sea_orm::Value; 3] = [players.into(), from.into(), to.into()];
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, SQL, values);
            for row in self.0.query_all_raw(statement).await? {
                let player = row.try_get("", "player_id")?;
                let row = Event {
                    id: row.try_get("", "id")?,
                    kind: row.try_get("", "kind")?,
                };
                let events = loaded.entry((player, page, size)).or_default();
                events.push(EventRef {
                    obj_id: row.id,
                    row,
                });
            }
        }
        Ok(loaded)
    }
}
