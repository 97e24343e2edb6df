//! A database of these texts, and an executor on it.

use std::sync::Arc;

use blazelink::BlazeContext;
use blazelink::data;
use blazelink::graphql::{Executor, Request};
use blazelink::subscription::Unwatched;
use blazelink::table::{TableManager, TableManagerBuilder};
use blazelink_postgres::TestDatabase;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use serde_json::Value;

pub struct App {
    pub manager: Arc<TableManager>,
    pub database: DatabaseConnection,
    executor: Executor,
    // Dropped last: the database goes with it.
    pub postgres: TestDatabase,
}

impl App {
    /// A database made by these texts, each in one transaction, whose tables are exposed so.
    pub async fn start(builder: TableManagerBuilder, texts: &[&str]) -> App {
        let postgres = TestDatabase::create().await.unwrap();
        let mut options = ConnectOptions::new(postgres.url());
        options
            .max_connections(2)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|options| {
                options.options([
                    ("datestyle", "ISO, MDY"),
                    ("intervalstyle", "postgres"),
                    ("timezone", "UTC"),
                    ("extra_float_digits", "1"),
                    ("bytea_output", "hex"),
                ])
            });
        let database = Database::connect(options).await.unwrap();
        for text in texts {
            database.execute_unprepared(text).await.unwrap();
        }
        let manager = data::verify(builder.build().unwrap(), &database)
            .await
            .unwrap();
        let manager = Arc::new(manager);
        App {
            executor: Executor::new(Arc::clone(&manager), database.clone()).unwrap(),
            manager,
            database,
            postgres,
        }
    }

    /// The `data` of an answer that has no errors.
    pub async fn ask(&self, query: &str) -> Value {
        let mut body: Value = serde_json::from_str(&self.body(query).await).unwrap();
        assert_eq!(body.get("errors"), None, "{query}");
        body["data"].take()
    }

    /// An answer as it is sent.
    pub async fn body(&self, query: &str) -> String {
        let context = BlazeContext::anonymous();
        let answer = self
            .executor
            .execute(Request::new(query), &context, &Unwatched)
            .await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// The rows of a statement whose columns are texts or lists of texts.
    pub async fn sql(&self, text: &str) -> Vec<sea_orm::QueryResult> {
        let statement = Statement::from_string(DbBackend::Postgres, text);
        self.database
            .query_all_raw(statement)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}
