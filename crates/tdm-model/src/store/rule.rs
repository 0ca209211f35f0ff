//! Rule sets and their versions.

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder as _};
use tdm_core::error::PortResult;
use tdm_core::ident::SchemaVersionId;
use tdm_core::port::{RuleStore, StoredRuleSet};
use tdm_core::rule::RuleSet;

use super::catalog::version_row;
use super::{insert_all, until_it_passes};
use crate::convert;
use crate::database::MetadataDatabase;
use crate::entity::masking_rules;
use crate::error::{Doing as _, Stop};

const OBJECT: &str = "rule set";

#[async_trait]
impl RuleStore for MetadataDatabase {
    async fn save_rule_set(
        &self,
        rules: &RuleSet,
        schema: Option<SchemaVersionId>,
    ) -> PortResult<StoredRuleSet> {
        until_it_passes!(self.put_rule_set(rules, schema))
    }

    async fn rule_set(&self, name: &str) -> PortResult<Option<StoredRuleSet>> {
        Ok(latest(self.connection(), name).await?)
    }
}

impl MetadataDatabase {
    async fn put_rule_set(
        &self,
        rules: &RuleSet,
        schema: Option<SchemaVersionId>,
    ) -> Result<StoredRuleSet, Stop> {
        let transaction = self.begin().await?;
        if let Some(version) = schema {
            version_row(&transaction, version).await?;
        }
        let last = latest(&transaction, &rules.name).await?;
        let next = last.as_ref().map_or(1, |stored| stored.version + 1);
        if let Some(same) =
            last.filter(|stored| stored.rules == *rules && stored.schema_version == schema)
        {
            return Ok(same);
        }
        let next = i32::try_from(next).map_err(|_| Stop::unreadable(OBJECT))?;
        let row = convert::rule_set_row(next, rules, schema.map(|version| version.0))?;
        let stored = convert::stored_rule_set(row.clone())?;
        insert_all::<masking_rules::Entity, _>(&transaction, vec![row], OBJECT).await?;
        transaction.commit().await.doing("store", OBJECT)?;
        Ok(stored)
    }
}

async fn latest(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<StoredRuleSet>, Stop> {
    let row = masking_rules::Entity::find()
        .filter(masking_rules::Column::Name.eq(name))
        .order_by_desc(masking_rules::Column::VersionNumber)
        .one(connection)
        .await
        .doing("read", OBJECT)?;
    row.map(convert::stored_rule_set).transpose()
}
