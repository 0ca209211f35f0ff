//! Measures values a second through the full detector set, columns a second by name and type, and texts a second.
//!
//! `cargo run --release -p tdm-pii --example rate`
#![expect(clippy::print_stdout, reason = "a program for a terminal")]
#![expect(
    clippy::cast_precision_loss,
    reason = "rates need no more than 52 bits"
)]

use std::time::Instant;

use tdm_core::catalog::{Column, TableSchema};
use tdm_core::detector::{ColumnContext, ColumnSample, TextDetector as _};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_pii::{Classifier, DictionaryRow, SpanDetector};

fn main() {
    let classifier = Classifier::standard();
    let made: [fn(u64) -> String; 12] = [
        |i| format!("user{i}@example.com"),
        |i| format!("+49 30 {}", 1_000_000 + i * 37),
        |i| format!("{}", 4_000_000_000_000_000 + i * 7_919),
        |i| format!("Anna{i} Kowalska"),
        |i| {
            ["Anna Kowalska", "John Smith", "Luca Rossi"][usize::try_from(i % 3).unwrap_or(0)]
                .to_owned()
                + &"x".repeat(usize::try_from(i % 7).unwrap_or(0))
        },
        |i| format!("Hauptstraße {i}"),
        |i| format!("{}", 100_000_000 + i * 13),
        |i| format!("DE{:02}37040044{:010}", i % 97, i),
        |i| format!("{:04}-{:02}-{:02}", 1940 + i % 70, 1 + i % 12, 1 + i % 28),
        |i| format!("{}.{:06}", 40 + i % 20, i * 31 % 1_000_000),
        |i| format!("ORD-{i:06}"),
        |i| format!("{:08x}-0000-4000-8000-{:012x}", i, i * 77),
    ];
    let mut table = TableSchema::new(TableRef::new("t"));
    table
        .columns
        .push(Column::new("c1", 1, "text", LogicalType::TEXT));
    let context = ColumnContext {
        table: &table,
        column: &table.columns[0],
        profile: None,
    };
    let samples: Vec<ColumnSample> = made
        .iter()
        .map(|make| ColumnSample::new((0..1_000).map(|i| (make(i), 1)).collect(), 0))
        .collect();
    let start = Instant::now();
    let mut values = 0;
    while start.elapsed().as_secs_f64() < 2.0 {
        for sample in &samples {
            std::hint::black_box(classifier.classify_column(&context, sample));
            values += sample.values().len();
        }
    }
    println!(
        "{:.2} M values/s",
        values as f64 / start.elapsed().as_secs_f64() / 1e6
    );

    if std::env::var_os("TDM_RATE_EACH").is_some() {
        for (kind, sample) in samples.iter().enumerate() {
            let start = Instant::now();
            for _ in 0..100 {
                std::hint::black_box(classifier.classify_column(&context, sample));
            }
            println!(
                "kind {kind}: {:.0} ns a value",
                start.elapsed().as_secs_f64() * 1e4
            );
        }
    }
    let names = [
        "id",
        "customer_email",
        "vorname",
        "codigo_postal",
        "dateOfBirth",
        "x17",
        "product_name",
        "is_active",
        "numero_securite_sociale",
        "created_at",
    ];
    let rows: Vec<DictionaryRow> = (0..10_000)
        .map(|i| DictionaryRow {
            table: format!("t{}", i / 20),
            column: format!("{}_{}", names[i % names.len()], i % 7),
            native: Some("varchar(40)".to_owned()),
        })
        .collect();
    let start = Instant::now();
    std::hint::black_box(classifier.classify_dictionary(&rows));
    println!(
        "10,000 columns by name and type in {:.3} s",
        start.elapsed().as_secs_f64()
    );

    let spans = SpanDetector::standard();
    let text = "Dear Mrs Okonjo, your order 4711 was sent to 12 Main Street, Boston, MA 02101 on 2024-01-05. Call +44 20 7946 0018 with questions.";
    let start = Instant::now();
    let mut texts = 0;
    while start.elapsed().as_secs_f64() < 1.0 {
        std::hint::black_box(spans.spans(text));
        texts += 1;
    }
    println!(
        "{:.0} texts/s ({} bytes each)",
        f64::from(texts) / start.elapsed().as_secs_f64(),
        text.len()
    );
}
