//! What must hold whatever the values are: naming, repetition and nulls may not turn an answer round.

use std::sync::Arc;

use proptest::prelude::*;
use tdm_core::catalog::{Catalog, Column, ForeignKey, TableSchema};
use tdm_core::category::Category;
use tdm_core::detector::{ColumnContext, ColumnSample, Detector};
use tdm_core::finding::{Classification, Finding};
use tdm_core::ident::TableRef;
use tdm_core::types::{Engine, LogicalType};
use tdm_pii::{Classifier, explain};

fn classify(
    table: &str,
    column: &str,
    logical: LogicalType,
    values: &[(String, u64)],
    nulls: u64,
) -> Classification {
    let mut schema = TableSchema::new(TableRef::new(table));
    schema.columns.push(Column::new(column, 1, "x", logical));
    let context = ColumnContext {
        table: &schema,
        column: &schema.columns[0],
        profile: None,
    };
    Classifier::standard().classify_column(&context, &ColumnSample::new(values.to_vec(), nulls))
}

fn list(values: &[&str]) -> Vec<(String, u64)> {
    values.iter().map(|v| ((*v).to_owned(), 1)).collect()
}

const EMAILS: &[&str] = &[
    "ann@example.com",
    "bob@example.org",
    "c.d@example.net",
    "e@f.de",
    "g@h.pl",
];

#[test]
fn a_name_without_meaning_never_raises_confidence() {
    for (name, values, category) in [
        ("email", EMAILS, Category::Email),
        (
            "vorname",
            &["Anna", "Hans", "Petra", "Klaus", "Monika", "Uwe"][..],
            Category::PersonNameFirst,
        ),
        (
            "ip_address",
            &["192.168.1.7", "10.20.30.40", "203.0.113.9", "8.8.4.4"][..],
            Category::IpAddress,
        ),
    ] {
        let named = classify("customers", name, LogicalType::TEXT, &list(values), 0);
        let bare = classify("customers", "c1", LogicalType::TEXT, &list(values), 0);
        assert_eq!(named.finding.category, category);
        assert!(
            bare.finding.category != category
                || bare.finding.confidence <= named.finding.confidence
        );
    }
}

#[test]
fn repeating_values_and_adding_nulls_changes_nothing() {
    let once = classify("t", "c1", LogicalType::TEXT, &list(EMAILS), 0);
    let often: Vec<_> = list(EMAILS).into_iter().map(|(v, _)| (v, 1_000)).collect();
    let many = classify("t", "c1", LogicalType::TEXT, &often, 0);
    let nulls = classify("t", "c1", LogicalType::TEXT, &list(EMAILS), 1_000_000);
    assert_eq!(once, many);
    assert_eq!(once, nulls);
}

#[test]
fn values_can_veto_a_name_and_speak_for_a_nameless_column() {
    let flags = classify(
        "customers",
        "phone",
        LogicalType::TEXT,
        &list(&["0", "1"]),
        0,
    );
    assert_eq!(flags.effective(), Category::None);
    let boolean = classify("customers", "phone", LogicalType::Boolean, &[], 0);
    assert_eq!(boolean.effective(), Category::None);
    let nameless = classify("t", "c17", LogicalType::TEXT, &list(EMAILS), 0);
    assert_eq!(nameless.effective(), Category::Email);
}

#[test]
fn documents_are_read_path_by_path() {
    let documents = list(&[
        r#"{"customer":{"email":"ann@example.com","phone":"+49 30 123456"},"items":[1,2]}"#,
        r#"{"customer":{"email":"bob@example.org","phone":"+49 40 654321"},"items":[3]}"#,
        r#"{"customer":{"email":"cy@example.net","phone":"+49 89 112233"},"items":[]}"#,
    ]);
    let personal = classify("orders", "payload", LogicalType::Json, &documents, 0);
    assert_eq!(personal.effective(), Category::FreeText);
    let plain = list(&[r#"{"width":10,"height":20}"#, r#"{"width":11,"height":21}"#]);
    assert_eq!(
        classify("parts", "payload", LogicalType::Json, &plain, 0).effective(),
        Category::None
    );
}

#[test]
fn a_column_that_refers_to_personal_data_holds_it_too() {
    let mut users = TableSchema::new(TableRef::new("users"));
    users
        .columns
        .push(Column::new("login", 1, "text", LogicalType::TEXT));
    let mut log = TableSchema::new(TableRef::new("log"));
    log.columns
        .push(Column::new("who", 1, "text", LogicalType::TEXT));
    log.foreign_keys.push(ForeignKey::new(
        TableRef::new("log"),
        TableRef::new("users"),
        vec![("who".into(), "login".into())],
    ));
    let mut deep = TableSchema::new(TableRef::new("log_note"));
    deep.columns
        .push(Column::new("who", 1, "text", LogicalType::TEXT));
    let chain = ForeignKey::new(
        TableRef::new("log_note"),
        TableRef::new("log"),
        vec![("who".into(), "who".into())],
    );
    let mut catalog = Catalog::new(Engine::Memory, "1");
    catalog.tables = vec![log, deep, users];
    let answers = Classifier::standard().classify_catalog(&catalog, &|_| None, &[chain]);
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|a| a.effective() == Category::Username));
}

#[test]
fn surrogate_keys_hold_no_personal_data() {
    let mut table = TableSchema::new(TableRef::new("customers"));
    table
        .columns
        .push(Column::new("id", 1, "int", LogicalType::BIGINT));
    table
        .columns
        .push(Column::new("customer", 2, "int", LogicalType::BIGINT));
    table.primary_key = Some(tdm_core::catalog::Key::over(["id"]));
    let ids: Vec<(String, u64)> = (100_000_000..100_000_200_u64)
        .map(|i| (i.to_string(), 1))
        .collect();
    for column in &table.columns {
        let context = ColumnContext {
            table: &table,
            column,
            profile: None,
        };
        let answer =
            Classifier::standard().classify_column(&context, &ColumnSample::new(ids.clone(), 0));
        assert_eq!(answer.effective(), Category::None, "{}", column.name);
    }
}

#[derive(Debug)]
struct Wristbands;

impl Detector for Wristbands {
    fn name(&self) -> &'static str {
        "wristbands"
    }

    fn inspect(&self, context: &ColumnContext<'_>, sample: &ColumnSample) -> Vec<Finding> {
        let matched = sample
            .values()
            .filter(|(v, _)| v.starts_with("WB!"))
            .count();
        if matched * 2 < sample.values().len().max(1) {
            return Vec::new();
        }
        vec![Finding {
            column: context.table.table.column(&context.column.name),
            category: Category::OtherPersonal,
            technique: self.name().to_owned(),
            confidence: 0.97,
            evidence: Vec::new(),
        }]
    }
}

#[test]
fn own_detectors_patterns_and_lists_take_part() {
    let classifier = Classifier::builder()
        .with_detector(Arc::new(Wristbands))
        .with_lexicon("is", "is", "[person_name.first strong]\nskírnarnafn")
        .unwrap()
        .with_config(
            "deny = ['mobile']\n[names]\n'stamm nr' = 'other_personal'\n[columns]\n't.fixed' = 'health'\n[[pattern]]\nname = 'badge'\ncategory = 'other_personal'\nregex = 'Q[0-9]{4}'\n",
        )
        .unwrap()
        .build();
    let ask = |column: &str, values: &[&str]| {
        let mut table = TableSchema::new(TableRef::new("t"));
        table
            .columns
            .push(Column::new(column, 1, "text", LogicalType::TEXT));
        let context = ColumnContext {
            table: &table,
            column: &table.columns[0],
            profile: None,
        };
        classifier
            .classify_column(&context, &ColumnSample::new(list(values), 0))
            .effective()
    };
    assert_eq!(
        ask("c1", &["WB!1", "WB!2", "WB!3"]),
        Category::OtherPersonal
    );
    assert_eq!(
        ask("c1", &["Q1234", "Q2345", "Q9876"]),
        Category::OtherPersonal
    );
    assert_eq!(ask("Skírnarnafn", &[]), Category::PersonNameFirst);
    assert_eq!(ask("stammNr", &[]), Category::OtherPersonal);
    assert_eq!(ask("mobile", &[]), Category::None);
    assert_eq!(ask("fixed", &[]), Category::Health);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values_give_one_answer_without_a_value_in_its_reasons(
        column in "[a-zA-Z_]{1,24}",
        values in proptest::collection::vec("\\PC{0,40}", 0..24),
    ) {
        let secret = "zq-Canary-77@hidden.example";
        let mut list: Vec<(String, u64)> = values.into_iter().map(|v| (v, 1)).collect();
        list.push((secret.to_owned(), 1));
        let answer = classify("t", &column, LogicalType::TEXT, &list, 0);
        prop_assert!((0.0..=1.0).contains(&answer.finding.confidence));
        let told = format!("{:?} {}", answer, explain(&answer.finding));
        prop_assert!(!told.contains("Canary"));
    }
}
