//! Connections and environments.

use serde_json::json;
use tdm_core::error::{ErrorClass, PortError};
use tdm_core::place::{Connection, Environment, EnvironmentKind};
use tdm_core::port::PlaceStore as _;

use crate::given::connection;
use crate::scratch::{Scratch, scratches};
#[tokio::test]
async fn places_come_back_and_are_replaced_by_name() {
    for scratch in scratches!() {
        let database = scratch.migrated().await;
        let shop = database.save_connection(&connection("shop")).await.unwrap();
        let upper = database.save_connection(&connection("Shop")).await.unwrap();
        assert_ne!(shop.id, upper.id, "names differ by case");
        let changed = Connection {
            secret: None,
            options: serde_json::Map::new(),
            ..connection("shop")
        };
        let again = database.save_connection(&changed).await.unwrap();
        assert_eq!((again.id, &again.connection), (shop.id, &changed));
        assert_eq!(
            database.connection("shop").await.unwrap(),
            Some(again.clone())
        );
        assert_eq!(database.connection("none").await.unwrap(), None);
        assert_eq!(database.connections().await.unwrap(), [upper, again]);

        let mut qa = Environment {
            name: "qa".to_owned(),
            kind: EnvironmentKind::Test,
            connection: Some("shop".to_owned()),
            config: [("note".to_owned(), json!({"deep": [1.5, null]}))]
                .into_iter()
                .collect(),
        };
        let stored = database.save_environment(&qa).await.unwrap();
        assert_eq!(stored.environment, qa);
        qa.connection = None;
        qa.kind = EnvironmentKind::Production;
        let again = database.save_environment(&qa).await.unwrap();
        assert_eq!((again.id, &again.environment), (stored.id, &qa));
        assert_eq!(
            database.environment("qa").await.unwrap(),
            Some(again.clone())
        );
        assert_eq!(database.environments().await.unwrap(), [again]);
        qa.connection = Some("nowhere".to_owned());
        let refused = database.save_environment(&qa).await.unwrap_err();
        assert_eq!(
            refused,
            PortError::NotFound {
                kind: "connection",
                name: "nowhere".to_owned()
            }
        );
        database.close().await;
    }
}

#[tokio::test]
async fn a_password_in_a_location_is_refused_and_not_repeated() {
    let scratch = Scratch::sqlite().await;
    let database = scratch.migrated().await;
    for location in [
        "postgres://reader:hunter2@db/shop",
        "mysql://reader:hunter2@db",
        "postgres://db/shop?password=hunter2",
        "postgres://reader@db/shop?sslmode=off&PASSWORD=hunter2",
    ] {
        let bad = Connection {
            location: location.to_owned(),
            ..connection("shop")
        };
        let error = database.save_connection(&bad).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Config);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert_eq!(database.connections().await.unwrap(), []);
    for location in [
        "sqlite:dir/a:b@c.sqlite",
        "postgres://reader@db:5432/shop?sslmode=off",
    ] {
        let good = Connection {
            location: location.to_owned(),
            ..connection("shop")
        };
        database.save_connection(&good).await.unwrap();
    }
}
