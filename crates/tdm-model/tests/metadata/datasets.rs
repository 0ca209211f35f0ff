//! Everything that is numbered.

use serde_json::{Value, json};
use tdm_core::dataset::{DatasetFacts, DatasetSource, DatasetStatus};
use tdm_core::digest::RowDigest;
use tdm_core::error::PortError;
use tdm_core::ident::{DatasetVersionId, SchemaVersionId};
use tdm_core::port::{
    CatalogStore as _, DatasetStore as _, NewDatasetVersion, PlaceStore as _, RuleStore as _,
};
use tdm_model::{DatabaseOptions, MetadataDatabase};

use crate::given::{NOW, catalog, connection, rules, scan, with_shop};
use crate::scratch::scratches;
#[tokio::test]
async fn rule_sets_get_a_number_only_when_they_change() {
    for scratch in scratches!() {
        let database = with_shop(&scratch).await;
        let version = database.record_scan(&scan(catalog())).await.unwrap().id;
        let first = database
            .save_rule_set(&rules("a", "keys"), None)
            .await
            .unwrap();
        assert_eq!((first.version, &first.rules), (1, &rules("a", "keys")));
        assert_eq!(
            database
                .save_rule_set(&rules("a", "keys"), None)
                .await
                .unwrap(),
            first
        );
        let bound = database
            .save_rule_set(&rules("a", "keys"), Some(version))
            .await
            .unwrap();
        assert_eq!((bound.version, bound.schema_version), (2, Some(version)));
        assert_eq!(
            database
                .save_rule_set(&rules("A", "keys"), None)
                .await
                .unwrap()
                .version,
            1
        );
        assert_eq!(
            database
                .save_rule_set(&rules("a", "surrogates"), None)
                .await
                .unwrap()
                .version,
            3
        );
        assert_eq!(
            database.rule_set("a").await.unwrap().unwrap().rules,
            rules("a", "surrogates")
        );
        assert_eq!(database.rule_set("b").await.unwrap(), None);
        let unknown = Some(SchemaVersionId(uuid::Uuid::nil()));
        assert!(matches!(
            database.save_rule_set(&rules("a", "keys"), unknown).await,
            Err(PortError::NotFound {
                kind: "schema version",
                ..
            })
        ));
        database.close().await;
    }
}

#[tokio::test]
async fn numbers_have_no_gaps_and_no_doubles_whoever_else_writes() {
    const WRITERS: u32 = 12;
    for scratch in scratches!() {
        let first = with_shop(&scratch).await;
        let second = MetadataDatabase::connect(&scratch.url, &DatabaseOptions::default())
            .await
            .unwrap();
        let mut writers = Vec::new();
        for n in 0..WRITERS {
            let database = if n % 2 == 0 {
                first.clone()
            } else {
                second.clone()
            };
            writers.push(tokio::spawn(async move {
                let new = NewDatasetVersion {
                    dataset: "orders".to_owned(),
                    schema_version: None,
                    source: DatasetSource::Masked,
                    created: NOW,
                };
                let dataset = database.begin_dataset_version(&new).await.unwrap();
                let rules = database
                    .save_rule_set(&rules("r", &n.to_string()), None)
                    .await
                    .unwrap();
                let mut scan = scan(catalog());
                scan.catalog.tables[0].comment = Some(n.to_string());
                let schema = database.record_scan(&scan).await.unwrap();
                database
                    .save_connection(&connection("contended"))
                    .await
                    .unwrap();
                (dataset.version, rules.version, schema.version)
            }));
        }
        let mut numbers = (Vec::new(), Vec::new(), Vec::new());
        for writer in writers {
            let (dataset, rules, schema) = writer.await.unwrap();
            numbers.0.push(dataset);
            numbers.1.push(rules);
            numbers.2.push(schema);
        }
        for mut taken in [numbers.0, numbers.1, numbers.2] {
            taken.sort_unstable();
            assert_eq!(
                taken,
                (1..=WRITERS).collect::<Vec<_>>(),
                "{}",
                scratch.engine()
            );
        }
        assert_eq!(
            first.schema_versions("shop").await.unwrap().len(),
            WRITERS as usize
        );
        assert_eq!(first.connections().await.unwrap().len(), 2);
        first.close().await;
        second.close().await;
    }
}

#[tokio::test]
async fn a_dataset_version_is_published_once() {
    for scratch in scratches!() {
        let database = with_shop(&scratch).await;
        let schema_version = Some(database.record_scan(&scan(catalog())).await.unwrap().id);
        let new = NewDatasetVersion {
            dataset: "orders".to_owned(),
            schema_version,
            source: DatasetSource::Mixed,
            created: NOW,
        };
        let building = database.begin_dataset_version(&new).await.unwrap();
        assert_eq!(
            (building.status, building.digest, building.created),
            (DatasetStatus::Building, None, NOW)
        );
        assert_eq!(
            database.dataset_facts(building.id).await.unwrap(),
            DatasetFacts::new()
        );
        let digest = RowDigest {
            rows: 12_345,
            sum: u128::MAX - 7,
        };
        let facts = DatasetFacts::from([
            (
                "tables".to_owned(),
                json!({"orders": {"rows": 3, "ratio": 0.1}}),
            ),
            ("Tables".to_owned(), Value::Null),
        ]);
        database
            .publish_dataset_version(building.id, "orders__v1", digest, &facts)
            .await
            .unwrap();
        let again = database
            .publish_dataset_version(building.id, "x", digest, &facts)
            .await;
        assert!(matches!(again, Err(PortError::Conflict { .. })));
        let stored = database
            .dataset_versions(Some("orders"))
            .await
            .unwrap()
            .remove(0);
        assert_eq!(stored.status, DatasetStatus::Published);
        assert_eq!(
            (stored.digest, stored.location.as_deref()),
            (Some(digest), Some("orders__v1"))
        );
        assert_eq!(database.dataset_facts(building.id).await.unwrap(), facts);

        let set = |id, status| database.set_dataset_status(id, status);
        assert!(matches!(
            set(building.id, DatasetStatus::Failed).await,
            Err(PortError::Conflict { .. })
        ));
        set(building.id, DatasetStatus::Retired).await.unwrap();
        assert!(set(building.id, DatasetStatus::Retired).await.is_err());
        let second = database.begin_dataset_version(&new).await.unwrap();
        assert_eq!(second.version, 2);
        assert!(set(second.id, DatasetStatus::Published).await.is_err());
        set(second.id, DatasetStatus::Failed).await.unwrap();
        let other = NewDatasetVersion {
            dataset: "other".to_owned(),
            schema_version: None,
            ..new
        };
        database.begin_dataset_version(&other).await.unwrap();
        let all = database.dataset_versions(None).await.unwrap();
        let all: Vec<_> = all
            .iter()
            .map(|v| (v.dataset.as_str(), v.version, v.status))
            .collect();
        assert_eq!(
            all,
            [
                ("orders", 1, DatasetStatus::Retired),
                ("orders", 2, DatasetStatus::Failed),
                ("other", 1, DatasetStatus::Building),
            ]
        );
        let unknown = DatasetVersionId(uuid::Uuid::nil());
        for answer in [
            database
                .publish_dataset_version(unknown, "x", digest, &facts)
                .await,
            set(unknown, DatasetStatus::Failed).await,
            database.dataset_facts(unknown).await.map(drop),
        ] {
            assert!(matches!(
                answer,
                Err(PortError::NotFound {
                    kind: "dataset version",
                    ..
                })
            ));
        }
        database.close().await;
    }
}
