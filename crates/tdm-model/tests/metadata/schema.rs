//! The tables that the entities describe are the tables that the migrations make.

use crate::scratch::{Scratch, scratches};

/// Everything an engine knows about its tables, in its own words.
async fn describe(scratch: &Scratch) -> Vec<String> {
    let mut facts = Vec::new();
    match scratch.engine() {
        "sqlite" => {
            facts.extend(
                scratch
                    .texts("SELECT sql FROM sqlite_master WHERE sql NOT LIKE '%seaql_migrations%' ORDER BY name")
                    .await,
            );
        }
        "mysql" => {
            // The statement that would make the table holds all of it, names of constraints and indexes included.
            for table in migration::tables() {
                facts.extend(scratch.show_create(table).await);
            }
        }
        _ => {
            facts.extend(
                scratch
                    .texts(
                        "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, udt_name, \
                         character_maximum_length, datetime_precision, is_nullable, column_default) \
                         FROM information_schema.columns \
                         WHERE table_schema = 'public' AND table_name <> 'seaql_migrations' \
                         ORDER BY table_name, ordinal_position",
                    )
                    .await,
            );
            facts.extend(
                scratch
                    .texts(
                        "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
                         FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
                         AND conrelid::regclass::text <> 'seaql_migrations' ORDER BY 1",
                    )
                    .await,
            );
            facts.extend(
                scratch
                    .texts(
                        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
                         AND tablename <> 'seaql_migrations' ORDER BY 1",
                    )
                    .await,
            );
        }
    }
    facts
}

#[tokio::test]
async fn entities_and_migrations_agree() {
    for (migrated, mapped) in scratches!().into_iter().zip(scratches!()) {
        migrated.migrated().await.close().await;
        let database = mapped.open().await;
        database.create_schema_from_entities().await.unwrap();
        let mut expected: Vec<_> = migration::tables().into_iter().map(str::to_owned).collect();
        expected.sort();
        assert_eq!(database.list_tables().await.unwrap(), expected);
        database.close().await;

        let (by_history, by_entities) = (describe(&migrated).await, describe(&mapped).await);
        assert!(by_history.len() >= 14, "{}", migrated.engine());
        for (history, entities) in by_history.iter().zip(&by_entities) {
            assert_eq!(history, entities, "{}", migrated.engine());
        }
        assert_eq!(by_history.len(), by_entities.len());
    }
}

#[tokio::test]
async fn every_foreign_key_has_an_index_that_begins_with_it() {
    for scratch in scratches!() {
        scratch.migrated().await.close().await;
        let unsupported = match scratch.engine() {
            "sqlite" => {
                "SELECT t.name || '.' || k.\"from\" FROM sqlite_master t, pragma_foreign_key_list(t.name) k \
                 WHERE t.type = 'table' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) i, \
                 pragma_index_info(i.name) c WHERE c.seqno = 0 AND c.name = k.\"from\")"
            }
            "mysql" => {
                "SELECT CAST(CONCAT(k.table_name, '.', k.column_name) AS CHAR) FROM information_schema.key_column_usage k \
                 WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = k.table_schema \
                 AND s.table_name = k.table_name AND s.column_name = k.column_name AND s.seq_in_index = 1 \
                 AND s.index_name LIKE 'idx-%')"
            }
            _ => {
                "SELECT c.conrelid::regclass::text || '.' || c.conname FROM pg_constraint c WHERE c.contype = 'f' \
                 AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
            }
        };
        assert_eq!(
            scratch.texts(unsupported).await,
            Vec::<String>::new(),
            "{}",
            scratch.engine()
        );
    }
}
