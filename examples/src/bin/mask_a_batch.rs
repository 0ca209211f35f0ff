//! Clears a batch in memory: rules become a plan, the plan clears what was read. No database, no file, no runtime.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;

use tdm::core::arrow_array::cast::AsArray as _;
use tdm::core::arrow_array::{ArrayRef, Int64Array, StringArray};
use tdm::core::batch::{Batch, BatchColumn, BatchSchema, Encoding};
use tdm::core::catalog::{Column, Key, TableSchema};
use tdm::core::function::NoResources;
use tdm::core::ident::TableRef;
use tdm::core::keyring::RootKey;
use tdm::core::transform::Transform as _;
use tdm::core::types::LogicalType;
use tdm::masking::plan::{MaskingPlan, PlanRequest};
use tdm::masking::policy;
use tdm::masking::registry::Registry;

/// One decision for every column. Leave one out and the plan is refused: a new column never slips through.
const RULES: &str = "
name: example
rules:
  - {name: number, selector: {column: id}, disposition: {action: keep, reason: a number that means nothing outside}}
  - {name: mail, selector: {column: email}, disposition: {action: mask, function: email}}
  - {name: score, selector: {column: score}, disposition: {action: 'null'}}
";

fn main() -> Result<(), Box<dyn Error>> {
    // What introspection would have found.
    let mut table = TableSchema::new(TableRef::new("customers"));
    table.columns = vec![
        Column::new("id", 1, "INTEGER", LogicalType::BIGINT).not_null(),
        Column::new("email", 2, "TEXT", LogicalType::TEXT),
        Column::new("score", 3, "INTEGER", LogicalType::BIGINT),
    ];
    table.primary_key = Some(Key::over(["id"]));

    // First phase: everything that can be wrong with rules, types and constraints is found here, before any row.
    let rules = policy::parse(RULES)?;
    let encoding = |column: &Column| {
        if column.name == "email" {
            Encoding::Text
        } else {
            Encoding::Int64
        }
    };
    let plan = MaskingPlan::compile(PlanRequest {
        tables: std::slice::from_ref(&table),
        relationships: &[],
        classifications: &[],
        rules: &rules,
        policy: None,
        registry: &Registry::standard(),
        keyring: &RootKey::new([7; 32]),
        resources: &NoResources,
        encoding: &|_, column, _| encoding(column),
        generators: &[],
        seed: 0,
        catalog_fingerprint: "example",
    })?;
    for row in plan.coverage() {
        println!(
            "{:20} {:5} by rule `{}`",
            row.column.to_string(),
            row.disposition,
            row.rule
        );
    }

    // What a source would have read. The plan says which columns it wants and in which order.
    let program = plan.table(&table.table).ok_or("the plan has the table")?;
    let columns = program
        .input()
        .iter()
        .map(|wanted| BatchColumn::of(&wanted.column, encoding(&wanted.column)));
    let schema = BatchSchema {
        table: table.table.clone(),
        columns: columns.collect(),
    };
    let arrays: Vec<ArrayRef> = schema
        .columns
        .iter()
        .map(|column| match column.name.as_str() {
            "email" => Arc::new(StringArray::from(vec![
                Some("maria@corp.test"),
                None,
                Some("maria@corp.test"),
            ])) as ArrayRef,
            _ => Arc::new(Int64Array::from(vec![1, 2, 3])),
        })
        .collect();
    let sensitive = Batch::read(Arc::new(schema), arrays, 3, 0)?;

    // Second phase: `sensitive` has a type that no target accepts, `cleared` has the one that every target wants.
    let cleared = program.apply(&sensitive)?;
    let index = cleared
        .schema()
        .index_of("email")
        .ok_or("the column is there")?;
    let emails = cleared.column(index).as_string::<i32>();
    let (first, third) = (emails.value(0), emails.value(2));
    println!("\nmaria@corp.test became {first}");

    // The same value gives the same pseudonym, NULL stays NULL, and the original is gone.
    if first != third
        || cleared.column(index).is_null(0)
        || !cleared.column(index).is_null(1)
        || first.contains("maria")
    {
        return Err("the promise of `email` does not hold".into());
    }
    Ok(())
}
