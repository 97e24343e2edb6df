//! A private Postgres for development and for tests.
//!
//! `blazelink dev` keeps one cluster per project ([`Cluster::start`]); every test gets a database
//! of its own on a cluster that ends with the test process ([`TestDatabase`]). Both listen on a
//! unix socket only, in a folder that no one else may enter, speak `wal_level=logical`, and never
//! outlive the process that started them.
//!
//! ```no_run
//! # async fn example() -> blazelink_postgres::Result<()> {
//! let database = blazelink_postgres::TestDatabase::create().await?;
//! println!("{}", database.url());
//! # Ok(())
//! # }
//! ```

mod binaries;
mod cluster;
mod copies;
mod database;
mod dialogue;
mod folder;
mod guard;
mod install;
mod lock;
mod owner;
mod server;
mod socket;
mod template;
mod test_database;
#[cfg(test)]
mod testing;
mod tree;

pub use binaries::Search;
pub use blazelink_codes::{Error, ErrorKind, Result};
pub use cluster::{Cluster, Setup};
pub use dialogue::Dialogue;
pub use test_database::TestDatabase;
