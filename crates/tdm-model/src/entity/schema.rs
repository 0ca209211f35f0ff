//! The statements that build every table from the entities, for comparison with the migrations.
//!
//! What an entity cannot say is said here: MariaDB's wider types, checks, and indexes over several columns.

use sea_orm::sea_query::{
    ColumnType, Expr, ExprTrait as _, Index, IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait, Iterable as _,
    RelationTrait as _, Schema, Statement,
};

use super::{
    columns, connections, dataset_metadata, dataset_versions, environments, job_logs, jobs,
    lineage, masking_rules, pii_classification, relationships, schema_versions, schemas, tables,
};
use crate::words;

/// A table and the indexes made after it.
type Statements = (TableCreateStatement, Vec<IndexCreateStatement>);

/// Creates every table, parents before children.
pub(crate) async fn create_all(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let collation = match backend {
        DbBackend::MySql => Some(exact_collation(connection).await?),
        _ => None,
    };
    for (mut table, indexes) in statements(backend) {
        if let Some(collation) = collation {
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate(collation);
        }
        connection.execute(&table).await?;
        for index in &indexes {
            connection.execute(index).await?;
        }
    }
    Ok(())
}

/// The collation under which names are equal when they are the same characters, spaces at the end among them.
async fn exact_collation(connection: &impl ConnectionTrait) -> Result<&'static str, DbErr> {
    let ask = Statement::from_string(DbBackend::MySql, "SELECT CAST(VERSION() AS CHAR)");
    let row = connection.query_one_raw(ask).await?;
    let version: String = row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default();
    let mariadb = version.contains("MariaDB");
    Ok(if mariadb {
        "utf8mb4_nopad_bin"
    } else {
        "utf8mb4_0900_bin"
    })
}

fn statements(backend: DbBackend) -> Vec<Statements> {
    vec![
        table::<connections::Entity>(backend, &[], &[]),
        table::<schemas::Entity>(backend, &[], &[]),
        table::<schema_versions::Entity>(backend, &[("status", words::SCAN_STATUSES)], &[]),
        table::<tables::Entity>(backend, &[], &[]),
        table::<columns::Entity>(backend, &[], &[]),
        table::<relationships::Entity>(backend, &[("kind", &words::relationship_kinds())], &[]),
        table::<pii_classification::Entity>(backend, &[("decision", &words::decisions())], &[]),
        table::<dataset_versions::Entity>(
            backend,
            &[
                ("source_type", &words::dataset_sources()),
                ("status", &words::dataset_statuses()),
            ],
            &[],
        ),
        table::<dataset_metadata::Entity>(backend, &[], &[]),
        table::<jobs::Entity>(backend, &[("status", &words::job_statuses())], &[]),
        table::<job_logs::Entity>(
            backend,
            &[("level", &words::severities())],
            &[&["job_id", "logged_at"]],
        ),
        table::<lineage::Entity>(
            backend,
            &[],
            &[&["source_type", "source_id"], &["target_type", "target_id"]],
        ),
        table::<masking_rules::Entity>(backend, &[], &[]),
        table::<environments::Entity>(backend, &[("kind", &words::environment_kinds())], &[]),
    ]
}

fn table<E: EntityTrait>(
    backend: DbBackend,
    checks: &[(&'static str, &[&'static str])],
    indexes: &[&[&'static str]],
) -> Statements {
    let schema = Schema::new(backend);
    let entity = E::default();
    let name = entity.table_name();
    let mut create = Table::create();
    create.table(entity);
    for column in E::Column::iter() {
        let mut definition = schema.get_column_def::<E>(column);
        if backend == DbBackend::MySql {
            // Plain `text` ends at 64 KiB there, and `timestamp` in 2038 and at whole seconds.
            match column.def().get_column_type() {
                ColumnType::Text => {
                    definition.custom("longtext");
                }
                ColumnType::TimestampWithTimeZone => {
                    definition.custom("datetime(6)");
                }
                _ => {}
            }
        }
        create.col(&mut definition);
    }
    for relation in E::Relation::iter() {
        create.foreign_key(&mut relation.def().into());
    }
    for (column, words) in checks {
        let condition = Expr::col(*column).is_in(words.iter().copied());
        create.check((format!("ck-{name}-{column}"), condition));
    }
    let mut all = schema.create_index_from_entity(entity);
    for columns in indexes {
        let mut index = Index::create();
        index
            .name(format!("idx-{name}-{}", columns.join("-")))
            .table(entity);
        for column in *columns {
            index.col(*column);
        }
        all.push(index);
    }
    (create, all)
}
