//! The program of the plain app.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    blazelink_plain::serve().await
}
