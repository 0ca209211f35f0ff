//! Classifies a data dictionary (`table,column,type`) and prints one line per column.
//!
//! `cargo run -p tdm-pii --example classify_dictionary -- dictionary.csv [--why]`
#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use tdm_pii::{Classifier, explain, read_dictionary};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a dictionary file")?;
    let why = arguments.next().as_deref() == Some("--why");
    let rows = read_dictionary(&std::fs::read_to_string(path)?)?;
    println!("table,column,category,confidence");
    for (row, answer) in rows
        .iter()
        .zip(Classifier::standard().classify_dictionary(&rows))
    {
        let finding = &answer.finding;
        println!(
            "{},{},{},{:.2}",
            row.table, row.column, finding.category, finding.confidence
        );
        if why {
            println!("    {}", explain(finding));
        }
    }
    Ok(())
}
