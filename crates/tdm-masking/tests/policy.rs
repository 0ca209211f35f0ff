//! The standard policy decides every category on every type, and what it decides binds and runs.

#![allow(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::sync::Arc;

use tdm_core::arrow_array::{Array as _, ArrayRef};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding};
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::category::Category;
use tdm_core::detector::{Span, TextDetector};
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::function::Resources;
use tdm_core::ident::TableRef;
use tdm_core::keyring::RootKey;
use tdm_core::rule::{OnUndecided, RuleSet};
use tdm_core::scalar::{ColumnBuilder, ScalarRef, cell};
use tdm_core::transform::Transform as _;
use tdm_core::types::LogicalType;
use tdm_masking::plan::{MaskingPlan, PlanRequest};
use tdm_masking::policy;
use tdm_masking::registry::Registry;

/// Finds words with an at sign.
#[derive(Debug)]
struct Mails;

impl TextDetector for Mails {
    fn spans(&self, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut start = 0;
        for word in text.split(' ') {
            if word.contains('@') {
                spans.push(Span {
                    range: start..start + word.len(),
                    category: Category::Email,
                    confidence: 1.0,
                });
            }
            start += word.len() + 1;
        }
        spans
    }
}

#[derive(Debug)]
struct WithDetector;

impl Resources for WithDetector {
    fn dictionary(&self, _: &str) -> Option<Arc<std::collections::HashMap<String, String>>> {
        None
    }
    fn list(&self, _: &str) -> Option<Arc<Vec<String>>> {
        None
    }
    fn text_detector(&self) -> Option<Arc<dyn TextDetector>> {
        Some(Arc::new(Mails))
    }
}

fn types() -> Vec<(LogicalType, Encoding)> {
    vec![
        (LogicalType::Boolean, Encoding::Boolean),
        (
            LogicalType::Integer {
                bits: 32,
                unsigned: false,
            },
            Encoding::Int64,
        ),
        (LogicalType::BIGINT, Encoding::Int64),
        (
            LogicalType::Decimal {
                precision: Some(12),
                scale: Some(2),
            },
            Encoding::Text,
        ),
        (LogicalType::Float { bits: 64 }, Encoding::Float64),
        (LogicalType::TEXT, Encoding::Text),
        (
            LogicalType::Text {
                max_length: Some(40),
            },
            Encoding::Text,
        ),
        (LogicalType::Bytes { max_length: None }, Encoding::Bytes),
        (LogicalType::Date, Encoding::Date32),
        (LogicalType::Time, Encoding::Time64),
        (LogicalType::Timestamp { zoned: true }, Encoding::Timestamp),
        (LogicalType::Interval, Encoding::Text),
        (LogicalType::Uuid, Encoding::Text),
        (LogicalType::Json, Encoding::Text),
        (
            LogicalType::Enum {
                labels: vec!["a".into(), "b".into()],
            },
            Encoding::Text,
        ),
        (
            LogicalType::Array {
                element: Box::new(LogicalType::TEXT),
            },
            Encoding::Text,
        ),
    ]
}

fn sample(category: Category, logical: &LogicalType) -> ScalarRef<'static> {
    match logical {
        LogicalType::Boolean => ScalarRef::Boolean(true),
        LogicalType::Integer { .. } => ScalarRef::Int(19_800_229),
        LogicalType::Float { .. } => ScalarRef::Float(48.137),
        LogicalType::Bytes { .. } => ScalarRef::Bytes(b"secret"),
        LogicalType::Date => ScalarRef::Date(3_711),
        LogicalType::Time => ScalarRef::Time(1),
        LogicalType::Timestamp { .. } => ScalarRef::Timestamp(320_000_000_000_000),
        LogicalType::Decimal { .. } => ScalarRef::Text("19.25"),
        LogicalType::Uuid => ScalarRef::Text("0190d3a1-0000-7000-8000-000000000001"),
        LogicalType::Json => ScalarRef::Text(r#"{"email": "maria.keller@corp.test", "n": 1}"#),
        LogicalType::Enum { .. } => ScalarRef::Text("b"),
        LogicalType::Array { .. } => ScalarRef::Text("{x,y}"),
        LogicalType::Interval => ScalarRef::Text("1 day"),
        _ => ScalarRef::Text(match category {
            Category::DateOfBirth => "1980-02-29",
            Category::IpAddress => "192.168.17.3",
            Category::MacAddress => "00:1A:2B:3C:4D:5E",
            Category::GeoLat | Category::GeoLon => "48.137",
            Category::Iban => "DE89370400440532013000",
            Category::CreditCard => "4111 1111 1111 1111",
            _ => "maria.keller@corp.test",
        }),
    }
}

#[test]
fn every_category_on_every_type_is_decided_bound_and_hidden() {
    for name in policy::NAMES {
        covers(&policy::named(name).unwrap());
    }
    assert!(policy::named("nothing").is_none());
}

fn covers(policy: &RuleSet) {
    let none = RuleSet {
        name: "none".into(),
        rules: Vec::new(),
        on_undecided: OnUndecided::Block,
    };
    let registry = Registry::standard();
    for category in Category::ALL {
        for (logical, encoding) in types() {
            for nullable in [true, false] {
                let mut table = TableSchema::new(TableRef::new("t"));
                let mut column = Column::new("c", 1, "native", logical.clone());
                column.nullable = nullable;
                table.columns = vec![column.clone()];
                let classification = Classification {
                    finding: Finding {
                        column: table.table.column("c"),
                        category: *category,
                        technique: "test".into(),
                        confidence: 1.0,
                        evidence: Vec::new(),
                    },
                    decision: Decision::Confirmed,
                    decided_by: "someone".into(),
                };
                let plan = MaskingPlan::compile(PlanRequest {
                    tables: std::slice::from_ref(&table),
                    relationships: &[],
                    classifications: std::slice::from_ref(&classification),
                    rules: &none,
                    policy: Some(policy),
                    registry: &registry,
                    keyring: &RootKey::new([1; 32]),
                    resources: &WithDetector,
                    encoding: &|_, _, _| encoding,
                    generators: &[],
                    seed: 0,
                    catalog_fingerprint: "",
                })
                .unwrap_or_else(|e| panic!("{category} on {logical}, nullable {nullable}: {e}"));
                let program = plan.table(&table.table).unwrap();
                let value = sample(*category, &logical);
                let mut builder = ColumnBuilder::new(encoding, 2);
                builder.push(value).unwrap();
                builder.push(ScalarRef::Null).unwrap();
                let array: ArrayRef = builder.finish();
                let read = !program.input().is_empty();
                let schema = BatchSchema {
                    table: table.table.clone(),
                    columns: read
                        .then(|| BatchColumn::of(&column, encoding))
                        .into_iter()
                        .collect(),
                };
                let arrays = if read { vec![array] } else { Vec::new() };
                let batch = Batch::read(Arc::new(schema), arrays, 2, 0).unwrap();
                let cleared = program
                    .apply(&batch)
                    .unwrap_or_else(|e| panic!("{category} on {logical}: {e}"));
                let masked = cell(cleared.column(0).as_ref(), 0);
                let row = &plan.coverage()[0];
                if row.disposition == "keep" {
                    assert!(row.reason.as_ref().is_some_and(|r| r.len() > 10));
                    assert!(matches!(
                        category,
                        Category::None
                            | Category::AddressCountry
                            | Category::AddressRegion
                            | Category::Health
                    ));
                } else if !matches!(row.function.as_deref(), Some("pick")) {
                    assert!(masked != value, "{category} on {logical} kept its value");
                }
                if !nullable {
                    assert!(!cleared.column(0).is_null(0), "{category} on {logical}");
                }
            }
        }
    }
}
