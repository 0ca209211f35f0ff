//! The stores of [`tdm_core::port`] over the metadata database, one file each.
//!
//! Each call is one transaction. A call that numbers something looks for the highest number and takes the next; when
//! somebody else took it in between, the key refuses and the call looks again.

use std::time::Duration;

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
};
use uuid::Uuid;

use crate::error::{Doing as _, Result, Stop};

mod catalog;
mod dataset;
mod lineage;
mod place;
mod rule;
mod run;

/// Rows of one INSERT: far below the 32,766 parameters of SQLite and the 65,535 of the servers for every table here,
/// and small enough for the packets of MariaDB.
const ROWS_PER_INSERT: usize = 500;

/// Inserts `rows`, in order.
async fn insert_all<E, M>(
    connection: &impl ConnectionTrait,
    rows: Vec<M>,
    object: &'static str,
) -> Result<()>
where
    E: EntityTrait<Model = M>,
    M: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk = rows
            .by_ref()
            .take(ROWS_PER_INSERT)
            .map(IntoActiveModel::into_active_model);
        let insert = E::insert_many(chunk)
            .exec_without_returning(connection)
            .await;
        insert.map(drop).doing("store", object)?;
    }
    Ok(())
}

/// How often to look again.
struct Again {
    left: u32,
}

impl Again {
    const fn new() -> Self {
        Self { left: 64 }
    }

    /// Whether to try again after `stop`, having waited a little.
    async fn after(&mut self, stop: &Stop) -> bool {
        if !stop.may_pass() || self.left == 0 {
            return false;
        }
        self.left -= 1;
        // Writers that met once should not meet again; the random part of a new identifier tells them apart.
        let wait = u64::from(Uuid::now_v7().as_bytes()[15] % 16);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        true
    }
}

/// Calls `$attempt` until it succeeds, or fails for a reason that will not pass.
macro_rules! until_it_passes {
    ($attempt:expr) => {{
        let mut again = $crate::store::Again::new();
        loop {
            match $attempt.await {
                Ok(value) => break Ok(value),
                Err(stop) => {
                    if !again.after(&stop).await {
                        break Err(tdm_core::error::PortError::from(stop));
                    }
                }
            }
        }
    }};
}
use until_it_passes;
