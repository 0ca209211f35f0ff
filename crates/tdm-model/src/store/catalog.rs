//! Schemas, their versions, profiles and classifications.
//!
//! Identifiers grow with time, so rows read in their order come back in the order in which they were stored: a catalog
//! keeps the order of its tables, columns and references, on which its fingerprint rests.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ActiveValue, ConnectionTrait, Iterable as _, QueryOrder as _, QuerySelect as _};
use tdm_core::catalog::{Catalog, ForeignKey};
use tdm_core::error::PortResult;
use tdm_core::finding::{Classification, Decision};
use tdm_core::ident::{ColumnRef, SchemaVersionId, TableRef};
use tdm_core::port::{CatalogStore, Scan, SchemaVersion};
use tdm_core::profile::ColumnProfile;

use super::place::connection_named;
use super::{insert_all, until_it_passes};
use crate::convert::{self, ReferencePlace};
use crate::database::MetadataDatabase;
use crate::entity::{columns, pii_classification, relationships, schema_versions, schemas, tables};
use crate::error::{Doing as _, Stop, not_found};

const VERSION: &str = "schema version";

#[async_trait]
impl CatalogStore for MetadataDatabase {
    async fn record_scan(&self, scan: &Scan) -> PortResult<SchemaVersion> {
        until_it_passes!(self.put_scan(scan))
    }

    async fn schema_versions(&self, schema: &str) -> PortResult<Vec<SchemaVersion>> {
        let Some(subject) = schema_named(self.connection(), schema).await? else {
            return Ok(Vec::new());
        };
        let rows = schema_versions::Entity::find()
            .filter(schema_versions::Column::SchemaId.eq(subject.id))
            .order_by_asc(schema_versions::Column::VersionNumber)
            .all(self.connection())
            .await
            .doing("read", "schema versions")?;
        let versions = rows
            .into_iter()
            .map(|row| convert::schema_version(row, schema));
        Ok(versions.collect::<Result<_, _>>()?)
    }

    async fn catalog(&self, version: SchemaVersionId) -> PortResult<Catalog> {
        Ok(self.read_catalog(version).await?)
    }

    async fn relationships(&self, version: SchemaVersionId) -> PortResult<Vec<ForeignKey>> {
        version_row(self.connection(), version).await?;
        let all = read_relationships(self.connection(), version).await?;
        Ok(all
            .into_iter()
            .filter(|(_, in_catalog, _)| !in_catalog)
            .map(|(key, ..)| key)
            .collect())
    }

    async fn save_profiles(
        &self,
        version: SchemaVersionId,
        profiles: &[(ColumnRef, ColumnProfile)],
    ) -> PortResult<()> {
        until_it_passes!(self.put_profiles(version, profiles))
    }

    async fn profiles(
        &self,
        version: SchemaVersionId,
    ) -> PortResult<Vec<(ColumnRef, ColumnProfile)>> {
        Ok(self.read_profiles(version).await?)
    }

    async fn save_classifications(
        &self,
        version: SchemaVersionId,
        classifications: &[Classification],
    ) -> PortResult<()> {
        until_it_passes!(self.put_classifications(version, classifications))
    }

    async fn classifications(&self, version: SchemaVersionId) -> PortResult<Vec<Classification>> {
        Ok(self.read_classifications(version).await?)
    }
}

impl MetadataDatabase {
    async fn put_scan(&self, scan: &Scan) -> Result<SchemaVersion, Stop> {
        let transaction = self.begin().await?;
        let schema_id = put_schema(&transaction, scan).await?;
        let last = schema_versions::Entity::find()
            .filter(schema_versions::Column::SchemaId.eq(schema_id))
            .order_by_desc(schema_versions::Column::VersionNumber)
            .one(&transaction)
            .await
            .doing("read", VERSION)?;
        let fingerprint = scan.catalog.fingerprint();
        let next = last.as_ref().map_or(1, |row| row.version_number + 1);
        if let Some(last) = last.filter(|row| row.fingerprint == fingerprint) {
            let stored = read_relationships(&transaction, SchemaVersionId(last.id)).await?;
            let beside = stored
                .iter()
                .filter(|(_, in_catalog, _)| !in_catalog)
                .map(|(key, ..)| key);
            if beside.eq(&scan.relationships) {
                transaction.commit().await.doing("store", VERSION)?;
                return convert::schema_version(last, &scan.schema);
            }
        }
        let row =
            convert::schema_version_row(convert::new_id(), schema_id, next, scan, fingerprint)?;
        let version = convert::schema_version(row.clone(), &scan.schema)?;
        insert_all::<schema_versions::Entity, _>(&transaction, vec![row], VERSION).await?;
        put_tables(&transaction, version.id, scan).await?;
        transaction.commit().await.doing("store", VERSION)?;
        Ok(version)
    }

    async fn read_catalog(&self, version: SchemaVersionId) -> Result<Catalog, Stop> {
        let row = version_row(self.connection(), version).await?;
        let table_rows = tables::Entity::find()
            .filter(tables::Column::SchemaVersionId.eq(version.0))
            .order_by_asc(tables::Column::Id)
            .all(self.connection())
            .await
            .doing("read", "tables")?;
        // Profiles are large and not asked for.
        let column_rows = columns::Entity::find()
            .select_only()
            .columns(columns::Column::iter().filter(|c| !matches!(c, columns::Column::Profile)))
            .column_as(Expr::cust("NULL"), columns::Column::Profile)
            .filter(columns::Column::TableId.in_subquery(tables_of(version)))
            .order_by_asc(columns::Column::Id)
            .all(self.connection())
            .await
            .doing("read", "columns")?;
        let mut columns_of: HashMap<Uuid, Vec<_>> = HashMap::new();
        for row in column_rows {
            columns_of
                .entry(row.table_id)
                .or_default()
                .push(convert::column(row)?);
        }
        let mut keys_of: HashMap<Uuid, Vec<_>> = HashMap::new();
        for (key, in_catalog, child) in read_relationships(self.connection(), version).await? {
            if in_catalog {
                keys_of.entry(child).or_default().push(key);
            }
        }
        let tables = table_rows.into_iter().map(|row| {
            let columns = columns_of.remove(&row.id).unwrap_or_default();
            let foreign_keys = keys_of.remove(&row.id).unwrap_or_default();
            convert::table(row, columns, foreign_keys)
        });
        let tables = tables.collect::<Result<Vec<_>, _>>()?;
        convert::catalog(row, tables)
    }

    async fn put_profiles(
        &self,
        version: SchemaVersionId,
        profiles: &[(ColumnRef, ColumnProfile)],
    ) -> Result<(), Stop> {
        let transaction = self.begin().await?;
        let places = Places::read(&transaction, version).await?;
        for (column, profile) in profiles {
            let (_, id) = places.id_of(column)?;
            let row = columns::ActiveModel {
                id: ActiveValue::Unchanged(id),
                profile: ActiveValue::Set(Some(convert::document(profile, "profile")?)),
                ..Default::default()
            };
            let update = columns::Entity::update_many()
                .set(row)
                .filter(columns::Column::Id.eq(id));
            update.exec(&transaction).await.doing("store", "profile")?;
        }
        transaction.commit().await.doing("store", "profiles")?;
        Ok(())
    }

    async fn read_profiles(
        &self,
        version: SchemaVersionId,
    ) -> Result<Vec<(ColumnRef, ColumnProfile)>, Stop> {
        let places = Places::read(self.connection(), version).await?;
        let rows: Vec<(Uuid, Option<Json>)> = columns::Entity::find()
            .select_only()
            .columns([columns::Column::Id, columns::Column::Profile])
            .filter(columns::Column::TableId.in_subquery(tables_of(version)))
            .filter(columns::Column::Profile.is_not_null())
            .into_tuple()
            .all(self.connection())
            .await
            .doing("read", "profiles")?;
        let mut profiles = Vec::with_capacity(rows.len());
        for (id, profile) in rows {
            let column = places.column_of(id)?;
            profiles.push((
                column,
                convert::parse(profile.unwrap_or_default(), "profile")?,
            ));
        }
        profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(profiles)
    }

    async fn put_classifications(
        &self,
        version: SchemaVersionId,
        classifications: &[Classification],
    ) -> Result<(), Stop> {
        const OBJECT: &str = "classifications";
        let transaction = self.begin().await?;
        let places = Places::read(&transaction, version).await?;
        let stored: Vec<Uuid> = pii_classification::Entity::find()
            .select_only()
            .column(pii_classification::Column::ColumnId)
            .filter(pii_classification::Column::SchemaVersionId.eq(version.0))
            .into_tuple()
            .all(&transaction)
            .await
            .doing("read", OBJECT)?;
        // The last word on a column counts; the key allows one.
        let mut new: Vec<pii_classification::Model> = Vec::new();
        let mut place_in_new: HashMap<Uuid, usize> = HashMap::new();
        for classification in classifications {
            let place = places.id_of(&classification.finding.column)?;
            let row = convert::classification_row(version.0, place, classification)?;
            let suggested = classification.decision == Decision::Suggested;
            if stored.contains(&row.column_id) {
                update_classification(&transaction, row, suggested).await?;
            } else if let Some(&at) = place_in_new.get(&row.column_id) {
                if !suggested || new[at].decision == Decision::Suggested.as_str() {
                    new[at] = row;
                }
            } else {
                place_in_new.insert(row.column_id, new.len());
                new.push(row);
            }
        }
        insert_all::<pii_classification::Entity, _>(&transaction, new, OBJECT).await?;
        transaction.commit().await.doing("store", OBJECT)?;
        Ok(())
    }

    async fn read_classifications(
        &self,
        version: SchemaVersionId,
    ) -> Result<Vec<Classification>, Stop> {
        let places = Places::read(self.connection(), version).await?;
        let rows = pii_classification::Entity::find()
            .filter(pii_classification::Column::SchemaVersionId.eq(version.0))
            .all(self.connection())
            .await
            .doing("read", "classifications")?;
        let all = rows.into_iter().map(|row| {
            let column = places.column_of(row.column_id)?;
            convert::classification(row, column)
        });
        let mut all = all.collect::<Result<Vec<_>, Stop>>()?;
        all.sort_by(|a, b| a.finding.column.cmp(&b.finding.column));
        Ok(all)
    }
}

/// Overwrites a stored classification. A suggestion overwrites a suggestion only; the condition lies in the statement,
/// so that a person who decides at this moment is not overruled.
async fn update_classification(
    connection: &impl ConnectionTrait,
    row: pii_classification::Model,
    suggested: bool,
) -> Result<(), Stop> {
    use pii_classification::Column;
    let mut update = pii_classification::Entity::update_many()
        .filter(Column::SchemaVersionId.eq(row.schema_version_id))
        .filter(Column::ColumnId.eq(row.column_id));
    if suggested {
        update = update.filter(Column::Decision.eq(Decision::Suggested.as_str()));
    }
    let set = pii_classification::ActiveModel {
        category: ActiveValue::Set(row.category),
        technique: ActiveValue::Set(row.technique),
        confidence: ActiveValue::Set(row.confidence),
        evidence: ActiveValue::Set(row.evidence),
        decision: ActiveValue::Set(row.decision),
        decided_by: ActiveValue::Set(row.decided_by),
        ..Default::default()
    };
    update
        .set(set)
        .exec(connection)
        .await
        .doing("store", "classification")?;
    Ok(())
}

/// The schema that a scan belongs to, made when it is new; its connection is the one scanned last.
async fn put_schema(connection: &impl ConnectionTrait, scan: &Scan) -> Result<Uuid, Stop> {
    let source = connection_named(connection, &scan.connection).await?;
    let source = source.ok_or_else(|| not_found("connection", &scan.connection))?;
    match schema_named(connection, &scan.schema).await? {
        Some(schema) => {
            if schema.connection_id != source.id {
                let set = schemas::ActiveModel {
                    connection_id: ActiveValue::Set(source.id),
                    ..Default::default()
                };
                let update = schemas::Entity::update_many().set(set);
                let update = update.filter(schemas::Column::Id.eq(schema.id));
                update.exec(connection).await.doing("store", "schema")?;
            }
            Ok(schema.id)
        }
        None => {
            let row = schemas::Model {
                id: convert::new_id(),
                name: scan.schema.clone(),
                description: None,
                connection_id: source.id,
            };
            let id = row.id;
            insert_all::<schemas::Entity, _>(connection, vec![row], "schema").await?;
            Ok(id)
        }
    }
}

/// Tables, columns and references of a new version.
async fn put_tables(
    connection: &impl ConnectionTrait,
    version: SchemaVersionId,
    scan: &Scan,
) -> Result<(), Stop> {
    let mut table_rows = Vec::with_capacity(scan.catalog.tables.len());
    let mut column_rows = Vec::new();
    let mut id_of: HashMap<&TableRef, Uuid> = HashMap::new();
    for table in &scan.catalog.tables {
        let id = convert::new_id();
        id_of.insert(&table.table, id);
        table_rows.push(convert::table_row(id, version.0, table)?);
        for column in &table.columns {
            column_rows.push(convert::column_row(convert::new_id(), id, column)?);
        }
    }
    let declared = scan.catalog.tables.iter();
    let declared = declared.flat_map(|table| {
        table
            .foreign_keys
            .iter()
            .map(|key| (key, &table.table, true))
    });
    let beside = scan
        .relationships
        .iter()
        .map(|key| (key, &key.child, false));
    let mut reference_rows = Vec::new();
    for (ordinal, (key, child, in_catalog)) in (1..).zip(declared.chain(beside)) {
        let place = ReferencePlace {
            schema_version_id: version.0,
            ordinal,
            child_table_id: *id_of.get(child).ok_or_else(|| not_found("table", child))?,
            // A parent that the role cannot see, or that does not exist, is known by name only.
            parent_table_id: id_of.get(&key.parent).copied(),
            in_catalog,
        };
        reference_rows.push(convert::relationship_row(&place, key)?);
    }
    insert_all::<tables::Entity, _>(connection, table_rows, "tables").await?;
    insert_all::<columns::Entity, _>(connection, column_rows, "columns").await?;
    insert_all::<relationships::Entity, _>(connection, reference_rows, "relationships").await?;
    Ok(())
}

async fn schema_named(
    connection: &impl ConnectionTrait,
    name: &str,
) -> crate::error::Result<Option<schemas::Model>> {
    let by_name = schemas::Column::Name.eq(name);
    schemas::Entity::find()
        .filter(by_name)
        .one(connection)
        .await
        .doing("read", "schema")
}

pub(super) async fn version_row(
    connection: &impl ConnectionTrait,
    version: SchemaVersionId,
) -> Result<schema_versions::Model, Stop> {
    let row = schema_versions::Entity::find_by_id(version.0)
        .one(connection)
        .await;
    Ok(row
        .doing("read", VERSION)?
        .ok_or_else(|| not_found(VERSION, &version))?)
}

/// All references of a version in order: the reference, whether the catalog has it, and the row of its child.
async fn read_relationships(
    connection: &impl ConnectionTrait,
    version: SchemaVersionId,
) -> Result<Vec<(ForeignKey, bool, Uuid)>, Stop> {
    let rows = relationships::Entity::find()
        .filter(relationships::Column::SchemaVersionId.eq(version.0))
        .order_by_asc(relationships::Column::Ordinal)
        .all(connection)
        .await
        .doing("read", "relationships")?;
    let all = rows.into_iter().map(|row| {
        let child = row.child_table_id;
        convert::relationship(row).map(|(key, in_catalog)| (key, in_catalog, child))
    });
    all.collect()
}

fn tables_of(version: SchemaVersionId) -> SelectStatement {
    Query::select()
        .column(tables::Column::Id)
        .from(tables::Entity)
        .and_where(tables::Column::SchemaVersionId.eq(version.0))
        .to_owned()
}

/// Which row stands for which column of a version.
struct Places {
    ids: HashMap<ColumnRef, (Uuid, Uuid)>,
    columns: HashMap<Uuid, ColumnRef>,
}

impl Places {
    async fn read(
        connection: &impl ConnectionTrait,
        version: SchemaVersionId,
    ) -> Result<Self, Stop> {
        version_row(connection, version).await?;
        let rows: Vec<(Uuid, String, String)> = tables::Entity::find()
            .select_only()
            .columns([
                tables::Column::Id,
                tables::Column::Namespace,
                tables::Column::Name,
            ])
            .filter(tables::Column::SchemaVersionId.eq(version.0))
            .into_tuple()
            .all(connection)
            .await
            .doing("read", "tables")?;
        let rows = rows.into_iter();
        let table_of: HashMap<Uuid, TableRef> = rows
            .map(|(id, namespace, name)| (id, convert::table_ref(namespace, name)))
            .collect();
        let rows: Vec<(Uuid, Uuid, String)> = columns::Entity::find()
            .select_only()
            .columns([
                columns::Column::Id,
                columns::Column::TableId,
                columns::Column::Name,
            ])
            .filter(columns::Column::TableId.in_subquery(tables_of(version)))
            .into_tuple()
            .all(connection)
            .await
            .doing("read", "columns")?;
        let mut places = Self {
            ids: HashMap::new(),
            columns: HashMap::new(),
        };
        for (id, table_id, name) in rows {
            let table = table_of.get(&table_id).ok_or(Stop::unreadable("columns"))?;
            let column = table.column(crate::guard::unguard(name));
            places.ids.insert(column.clone(), (table_id, id));
            places.columns.insert(id, column);
        }
        Ok(places)
    }

    /// The rows of the table and of the column.
    fn id_of(&self, column: &ColumnRef) -> Result<(Uuid, Uuid), Stop> {
        Ok(*self
            .ids
            .get(column)
            .ok_or_else(|| not_found("column", column))?)
    }

    fn column_of(&self, id: Uuid) -> Result<ColumnRef, Stop> {
        self.columns
            .get(&id)
            .cloned()
            .ok_or(Stop::unreadable("columns"))
    }
}
