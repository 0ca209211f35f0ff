//! Schemas, profiles and classifications.

use tdm_core::catalog::{Catalog, Column, TableSchema};
use tdm_core::category::Category;
use tdm_core::error::PortError;
use tdm_core::finding::{Classification, Decision, Evidence, Finding};
use tdm_core::ident::{ColumnRef, SchemaVersionId, TableRef};
use tdm_core::port::CatalogStore as _;
use tdm_core::profile::{ColumnProfile, PatternShare, Quantiles};
use tdm_core::types::{Engine, LogicalType};

use crate::given::{NOW, catalog, scan, with_shop};
use crate::scratch::scratches;
#[tokio::test]
async fn a_catalog_comes_back_as_it_was_scanned() {
    for scratch in scratches!() {
        let database = with_shop(&scratch).await;
        let scan = scan(catalog());
        let version = database.record_scan(&scan).await.unwrap();
        assert_eq!((version.version, version.discovered), (1, NOW));
        let stored = database.catalog(version.id).await.unwrap();
        assert_eq!(stored, scan.catalog, "{}", scratch.engine());
        assert_eq!(stored.fingerprint(), version.fingerprint);
        assert_eq!(
            database.relationships(version.id).await.unwrap(),
            scan.relationships
        );

        assert_eq!(
            database.record_scan(&scan).await.unwrap(),
            version,
            "nothing changed"
        );
        let mut bigger = scan.clone();
        bigger.catalog.tables[1].row_estimate = Some(1);
        assert_eq!(
            database.record_scan(&bigger).await.unwrap(),
            version,
            "estimates are no change"
        );
        let mut fewer = scan.clone();
        fewer.relationships.pop();
        let second = database.record_scan(&fewer).await.unwrap();
        assert_eq!(second.version, 2);
        assert_eq!(
            database.schema_versions("shop").await.unwrap(),
            [version, second]
        );
        assert_eq!(database.schema_versions("other").await.unwrap(), []);

        let mut lost = scan.clone();
        lost.relationships[0].child = TableRef::new("nowhere");
        assert!(matches!(
            database.record_scan(&lost).await,
            Err(PortError::NotFound { kind: "table", .. })
        ));
        let mut elsewhere = scan.clone();
        elsewhere.connection = "nowhere".to_owned();
        assert!(matches!(
            database.record_scan(&elsewhere).await,
            Err(PortError::NotFound {
                kind: "connection",
                ..
            })
        ));
        let unknown = SchemaVersionId(uuid::Uuid::nil());
        assert!(matches!(
            database.catalog(unknown).await,
            Err(PortError::NotFound { .. })
        ));
        assert!(matches!(
            database.relationships(unknown).await,
            Err(PortError::NotFound { .. })
        ));
        database.close().await;
    }
}

#[tokio::test]
async fn a_schema_of_thousands_of_columns_is_stored_and_read() {
    for scratch in scratches!() {
        let database = with_shop(&scratch).await;
        let mut wide = Catalog::new(Engine::Sqlite, "3");
        for t in 0..60 {
            let mut table = TableSchema::new(TableRef::new(format!("t{t:02}")));
            let columns =
                (1..=100).map(|c| Column::new(format!("c{c:03}"), c, "text", LogicalType::TEXT));
            table.columns = columns.collect();
            wide.tables.push(table);
        }
        let mut scan = scan(wide);
        scan.relationships.clear();
        let version = database.record_scan(&scan).await.unwrap();
        assert_eq!(database.catalog(version.id).await.unwrap(), scan.catalog);
        let column = |t: &TableSchema| t.table.column("c007");
        let profiles: Vec<_> = scan
            .catalog
            .tables
            .iter()
            .map(|t| (column(t), profile()))
            .collect();
        database.save_profiles(version.id, &profiles).await.unwrap();
        assert_eq!(database.profiles(version.id).await.unwrap(), profiles);
        database.close().await;
    }
}

fn profile() -> ColumnProfile {
    ColumnProfile {
        rows: 9_007_199_254_740_993,
        nulls: 3,
        blanks: 1,
        distinct: 42,
        complete: true,
        length_min: Some(1),
        length_max: Some(60),
        length_mean: Some(0.1 + 0.2),
        patterns: vec![PatternShare {
            pattern: "A+a+".to_owned(),
            share: 1.0 / 3.0,
        }],
        quantiles: Some(Quantiles {
            minimum: -1e300,
            lower_quartile: f64::MIN_POSITIVE,
            median: 0.0,
            upper_quartile: 1_795_363_477_123_456.0,
            maximum: f64::MAX,
        }),
    }
}

fn classification(column: &ColumnRef, category: Category, decision: Decision) -> Classification {
    Classification {
        finding: Finding {
            column: column.clone(),
            category,
            technique: "name+values".to_owned(),
            confidence: 1.0 / 3.0,
            evidence: vec![Evidence {
                source: "name".to_owned(),
                feature: "token `email`".to_owned(),
                weight: -0.7,
                tested: 10,
                matched: 9,
            }],
        },
        decision,
        decided_by: "detector".to_owned(),
    }
}

#[tokio::test]
async fn profiles_and_classifications_are_replaced_but_no_decision_is_lost() {
    use Decision::{Confirmed, Rejected, Suggested};
    for scratch in scratches!() {
        let database = with_shop(&scratch).await;
        let version = database.record_scan(&scan(catalog())).await.unwrap().id;
        let (lower, upper) = (
            TableRef::within("Sales", "orders").column("id"),
            TableRef::within("Sales", "orders").column("ID"),
        );
        let short = ColumnProfile {
            rows: 1,
            ..ColumnProfile::default()
        };
        database
            .save_profiles(version, &[(upper.clone(), short.clone())])
            .await
            .unwrap();
        let both = [(upper.clone(), profile()), (lower.clone(), short.clone())];
        database.save_profiles(version, &both).await.unwrap();
        let expected = [(upper.clone(), profile()), (lower.clone(), short)];
        assert_eq!(database.profiles(version).await.unwrap(), expected);
        let nowhere = TableRef::new("bare").column("x");
        assert!(matches!(
            database
                .save_profiles(version, &[(nowhere.clone(), profile())])
                .await,
            Err(PortError::NotFound { kind: "column", .. })
        ));

        let email = |column, decision| classification(column, Category::Email, decision);
        let phone = |column, decision| classification(column, Category::Phone, decision);
        let cases: [(Vec<Classification>, Classification); 5] = [
            (vec![email(&lower, Suggested)], email(&lower, Suggested)),
            (vec![phone(&lower, Suggested)], phone(&lower, Suggested)),
            (
                vec![email(&lower, Rejected), phone(&lower, Suggested)],
                email(&lower, Rejected),
            ),
            (vec![phone(&lower, Suggested)], email(&lower, Rejected)),
            (vec![phone(&lower, Confirmed)], phone(&lower, Confirmed)),
        ];
        for (saved, expected) in cases {
            database
                .save_classifications(version, &saved)
                .await
                .unwrap();
            assert_eq!(database.classifications(version).await.unwrap(), [expected]);
        }
        let together = [email(&upper, Confirmed), phone(&upper, Suggested)];
        database
            .save_classifications(version, &together)
            .await
            .unwrap();
        let all = database.classifications(version).await.unwrap();
        assert_eq!(all, [email(&upper, Confirmed), phone(&lower, Confirmed)]);
        let failing = [phone(&upper, Rejected), email(&nowhere, Suggested)];
        assert!(
            database
                .save_classifications(version, &failing)
                .await
                .is_err()
        );
        assert_eq!(
            database.classifications(version).await.unwrap(),
            all,
            "all or nothing"
        );
        database.close().await;
    }
}
