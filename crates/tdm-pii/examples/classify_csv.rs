//! Classifies the columns of a comma-separated file by names and values and prints one line per column.
//!
//! `cargo run -p tdm-pii --example classify_csv -- customers.csv [--why]`
#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::path::PathBuf;

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::detector::ColumnContext;
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_pii::{Classifier, explain, read_csv};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("name a file")?);
    let why = arguments.next().as_deref() == Some("--why");
    let columns = read_csv(&std::fs::read_to_string(&path)?, 1_000)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut table = TableSchema::new(TableRef::new(name));
    for (ordinal, (column, _)) in (1..).zip(&columns) {
        table
            .columns
            .push(Column::new(column, ordinal, "text", LogicalType::TEXT));
    }
    let classifier = Classifier::standard();
    println!("table,column,category,confidence");
    for (column, (_, sample)) in table.columns.iter().zip(&columns) {
        let context = ColumnContext {
            table: &table,
            column,
            profile: None,
        };
        let finding = classifier.classify_column(&context, sample).finding;
        println!(
            "{},{},{:.2}",
            finding.column, finding.category, finding.confidence
        );
        if why {
            println!("    {}", explain(&finding));
        }
    }
    Ok(())
}
