//! Connections and environments.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel as _};
use tdm_core::error::PortResult;
use tdm_core::place::{Connection, Environment, StoredConnection, StoredEnvironment};
use tdm_core::port::PlaceStore;

use super::until_it_passes;
use crate::convert;
use crate::database::MetadataDatabase;
use crate::entity::{connections, environments};
use crate::error::{Doing as _, Stop, not_found};

#[async_trait]
impl PlaceStore for MetadataDatabase {
    async fn save_connection(&self, connection: &Connection) -> PortResult<StoredConnection> {
        until_it_passes!(self.put_connection(connection))
    }

    async fn connection(&self, name: &str) -> PortResult<Option<StoredConnection>> {
        let row = connection_named(self.connection(), name).await?;
        Ok(row.map(convert::stored_connection).transpose()?)
    }

    async fn connections(&self) -> PortResult<Vec<StoredConnection>> {
        let rows = connections::Entity::find().all(self.connection()).await;
        let rows = rows.doing("read", "connections")?.into_iter();
        let mut all = rows
            .map(convert::stored_connection)
            .collect::<Result<Vec<_>, _>>()?;
        // Servers sort by their own rules.
        all.sort_by(|a, b| a.connection.name.cmp(&b.connection.name));
        Ok(all)
    }

    async fn save_environment(&self, environment: &Environment) -> PortResult<StoredEnvironment> {
        until_it_passes!(self.put_environment(environment))
    }

    async fn environment(&self, name: &str) -> PortResult<Option<StoredEnvironment>> {
        let by_name = environments::Column::Name.eq(name);
        Ok(self.environments_where(by_name.into()).await?.pop())
    }

    async fn environments(&self) -> PortResult<Vec<StoredEnvironment>> {
        Ok(self.environments_where(sea_orm::Condition::all()).await?)
    }
}

impl MetadataDatabase {
    async fn put_connection(&self, connection: &Connection) -> Result<StoredConnection, Stop> {
        const OBJECT: &str = "connection";
        let transaction = self.begin().await?;
        let old = connection_named(&transaction, &connection.name).await?;
        let id = old.as_ref().map_or_else(convert::new_id, |row| row.id);
        let row = convert::connection_row(id, connection)?;
        let active = row.into_active_model().reset_all();
        let saved = match old {
            Some(_) => connections::Entity::update(active).exec(&transaction).await,
            None => active.insert(&transaction).await,
        };
        let saved = saved.doing("store", OBJECT)?;
        transaction.commit().await.doing("store", OBJECT)?;
        convert::stored_connection(saved)
    }

    async fn put_environment(&self, environment: &Environment) -> Result<StoredEnvironment, Stop> {
        const OBJECT: &str = "environment";
        let transaction = self.begin().await?;
        let connection_id = match &environment.connection {
            Some(name) => {
                let row = connection_named(&transaction, name).await?;
                Some(row.ok_or_else(|| not_found("connection", name))?.id)
            }
            None => None,
        };
        let by_name = environments::Column::Name.eq(environment.name.as_str());
        let old = environments::Entity::find()
            .filter(by_name)
            .one(&transaction)
            .await;
        let old = old.doing("read", OBJECT)?;
        let id = old.as_ref().map_or_else(convert::new_id, |row| row.id);
        let row = convert::environment_row(id, connection_id, environment)?;
        let active = row.into_active_model().reset_all();
        let saved = match old {
            Some(_) => {
                environments::Entity::update(active)
                    .exec(&transaction)
                    .await
            }
            None => active.insert(&transaction).await,
        };
        let saved = saved.doing("store", OBJECT)?;
        transaction.commit().await.doing("store", OBJECT)?;
        convert::stored_environment(saved, environment.connection.clone())
    }

    /// Environments, sorted by name.
    async fn environments_where(
        &self,
        condition: sea_orm::Condition,
    ) -> Result<Vec<StoredEnvironment>, Stop> {
        // Connections first: one that an environment refers to is never deleted under it.
        let names = connections::Entity::find().all(self.connection()).await;
        let names = names.doing("read", "connections")?.into_iter();
        let names: HashMap<Uuid, String> = names.map(|row| (row.id, row.name)).collect();
        let rows = environments::Entity::find()
            .filter(condition)
            .all(self.connection())
            .await;
        let rows = rows.doing("read", "environments")?.into_iter();
        let mut all = rows
            .map(|row| {
                let connection = match row.connection_id {
                    Some(id) => Some(
                        names
                            .get(&id)
                            .ok_or(Stop::unreadable("environment"))?
                            .clone(),
                    ),
                    None => None,
                };
                convert::stored_environment(row, connection)
            })
            .collect::<Result<Vec<_>, Stop>>()?;
        all.sort_by(|a, b| a.environment.name.cmp(&b.environment.name));
        Ok(all)
    }
}

/// The row of the connection called `name`.
pub(super) async fn connection_named(
    connection: &impl ConnectionTrait,
    name: &str,
) -> crate::error::Result<Option<connections::Model>> {
    let by_name = connections::Column::Name.eq(name);
    connections::Entity::find()
        .filter(by_name)
        .one(connection)
        .await
        .doing("read", "connection")
}
