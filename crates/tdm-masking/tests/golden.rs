//! Golden vectors: the same pseudonym for ever, through one cell, one column and one plan.
//!
//! A change of an output here is a change of every masked dataset that must join with an older one.
//! `TDM_BLESS=1` writes the present outputs into the files.

#![allow(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tdm_core::arrow_array::{ArrayRef, Int64Array, StringArray};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding};
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::function::{BindRequest, MaskContext, NoResources, Params};
use tdm_core::ident::TableRef;
use tdm_core::keyring::{PseudonymDomain, RootKey};
use tdm_core::rule::{Disposition, MaskingRule, OnUndecided, RuleSet, Selector};
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::transform::Transform as _;
use tdm_core::types::LogicalType;
use tdm_masking::plan::{MaskingPlan, PlanRequest};
use tdm_masking::registry::Registry;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vectors>,
}

#[derive(Deserialize)]
struct Vectors {
    function: String,
    #[serde(default)]
    params: Params,
    domain: String,
    /// `text`, `text(n)` or `int`.
    #[serde(rename = "type")]
    kind: String,
    cases: Vec<[String; 2]>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/masking")
}

impl Vectors {
    fn column(&self) -> (Column, Encoding) {
        let (logical, encoding) = match self.kind.as_str() {
            "int" => (LogicalType::BIGINT, Encoding::Int64),
            "text" => (LogicalType::TEXT, Encoding::Text),
            bounded => {
                let n = bounded.trim_start_matches("text(").trim_end_matches(')');
                let max_length = Some(n.parse().unwrap());
                (LogicalType::Text { max_length }, Encoding::Text)
            }
        };
        (Column::new("c", 1, "native", logical), encoding)
    }

    fn array<'a>(&self, inputs: impl Iterator<Item = &'a str>) -> ArrayRef {
        match self.kind.as_str() {
            "int" => Arc::new(
                inputs
                    .map(|v| v.parse::<i64>().unwrap())
                    .collect::<Int64Array>(),
            ),
            _ => Arc::new(StringArray::from_iter_values(inputs)),
        }
    }

    fn run(&self, inputs: &[&str]) -> Vec<String> {
        let (column, encoding) = self.column();
        let registry = Registry::standard();
        let table = TableSchema::new(TableRef::new("t"));
        let bound = registry
            .find(&self.function)
            .unwrap()
            .bind(&BindRequest {
                params: &self.params,
                column: &BatchColumn::of(&column, encoding),
                table: &table,
                keyring: &RootKey::new([42; 32]),
                domain: &PseudonymDomain::new(&self.domain),
                resources: &NoResources,
            })
            .unwrap();
        let context = MaskContext {
            origin: 0,
            inputs: &[],
        };
        let result = bound
            .mask(&self.array(inputs.iter().copied()), &context)
            .unwrap();
        texts(&result)
    }

    fn through_plan(&self) -> Vec<String> {
        let (column, encoding) = self.column();
        let mut table = TableSchema::new(TableRef::new("t"));
        table.columns = vec![column.clone()];
        let rules = RuleSet {
            name: "golden".into(),
            rules: vec![MaskingRule {
                name: "golden".into(),
                selector: Selector {
                    column: Some("c".into()),
                    ..Selector::default()
                },
                disposition: Disposition::Mask {
                    function: self.function.clone(),
                    params: self.params.clone(),
                    domain: Some(self.domain.clone()),
                },
            }],
            on_undecided: OnUndecided::Block,
        };
        let plan = MaskingPlan::compile(PlanRequest {
            tables: std::slice::from_ref(&table),
            relationships: &[],
            classifications: &[],
            rules: &rules,
            policy: None,
            registry: &Registry::standard(),
            keyring: &RootKey::new([42; 32]),
            resources: &NoResources,
            encoding: &|_, _, _| encoding,
            generators: &[],
            seed: 0,
            catalog_fingerprint: "",
        })
        .unwrap();
        let schema = BatchSchema {
            table: table.table.clone(),
            columns: vec![BatchColumn::of(&column, encoding)],
        };
        let array = self.array(self.cases.iter().map(|case| case[0].as_str()));
        let batch = Batch::read(Arc::new(schema), vec![array], self.cases.len(), 0).unwrap();
        let cleared = plan.table(&table.table).unwrap().apply(&batch).unwrap();
        texts(cleared.column(0))
    }
}

fn texts(array: &ArrayRef) -> Vec<String> {
    (0..array.len())
        .map(|row| match cell(array.as_ref(), row) {
            ScalarRef::Text(text) => text.to_owned(),
            ScalarRef::Int(number) => number.to_string(),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

#[test]
fn outputs_are_the_recorded_ones_through_cell_column_and_plan() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 5);
    let mut functions = std::collections::BTreeSet::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap();
        let mut blessed = text.clone();
        for vectors in &file.vectors {
            functions.insert(vectors.function.clone());
            let inputs: Vec<&str> = vectors.cases.iter().map(|case| case[0].as_str()).collect();
            let column = vectors.run(&inputs);
            let cells: Vec<String> = inputs
                .iter()
                .flat_map(|input| vectors.run(&[*input]))
                .collect();
            assert_eq!(column, cells, "{}: cell and column", vectors.function);
            assert_eq!(
                column,
                vectors.through_plan(),
                "{}: column and plan",
                vectors.function
            );
            if std::env::var_os("TDM_BLESS").is_some() {
                for (case, output) in vectors.cases.iter().zip(&column) {
                    let quote = |text: &str| serde_json::to_string(text).unwrap();
                    let line = |output: &str| format!("[{}, {}]", quote(&case[0]), quote(output));
                    blessed = blessed.replacen(&line(&case[1]), &line(output), 1);
                }
                continue;
            }
            let expected: Vec<&str> = vectors.cases.iter().map(|case| case[1].as_str()).collect();
            assert_eq!(
                column,
                expected,
                "{} in {}",
                vectors.function,
                path.display()
            );
        }
        if blessed != text {
            std::fs::write(&path, blessed).unwrap();
        }
    }
    assert!(functions.len() >= 20, "{functions:?}");
}
