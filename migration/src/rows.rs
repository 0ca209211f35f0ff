//! Which tables hold anything: what somebody loses who rolls the history back.

use sea_orm_migration::SchemaManager;
use sea_orm_migration::prelude::{Expr, Query};
use sea_orm_migration::sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseExecutor};

use crate::connect;
use crate::error::{Error, Result};
use crate::history;

/// Names of the history's tables in the database at `url` that hold at least one row, parents before children. Writes
/// nothing.
///
/// # Errors
/// [`Error::Address`] and [`Error::Database`].
pub async fn filled_tables(url: &str) -> Result<Vec<&'static str>> {
    let connection = connect::open(url).await?;
    let filled = look(&connection).await;
    // Nothing was written; whether the goodbye arrives does not matter.
    let _ = connection.close().await;
    filled
}

async fn look(connection: &DatabaseConnection) -> Result<Vec<&'static str>> {
    let manager = SchemaManager::new(DatabaseExecutor::from(connection));
    let refused = |error| Error::database("look for rows", &error);
    let mut filled = Vec::new();
    // Of a database that is behind, the tables that it does not have yet are left out.
    for table in history::tables_ever() {
        if !manager.has_table(table).await.map_err(refused)? {
            continue;
        }
        let one = Query::select()
            .expr(Expr::value(1))
            .from(table)
            .limit(1)
            .to_owned();
        if connection.query_one(&one).await.map_err(refused)?.is_some() {
            filled.push(table);
        }
    }
    Ok(filled)
}
