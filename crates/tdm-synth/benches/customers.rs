//! Rows a second for a ten-column customers table with unique e-mail, and for its orders with a reference and
//! four check constraints. `cargo bench -p tdm-synth --bench customers`.

use std::io::Write as _;
use std::time::Instant;

use tdm_core::catalog::{Check, Column, ForeignKey, Key, TableSchema};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_synth::{Registry, SynthPlan, SynthRequest, TableRequest};

fn text(name: &str, ordinal: u32, length: u32) -> Column {
    let logical = LogicalType::Text {
        max_length: Some(length),
    };
    Column::new(name, ordinal, format!("varchar({length})"), logical).not_null()
}

fn customers() -> TableSchema {
    let mut table = TableSchema::new(TableRef::new("customers"));
    table.columns = vec![
        Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null(),
        text("first_name", 2, 40),
        text("last_name", 3, 40),
        text("email", 4, 80),
        text("phone", 5, 30),
        text("street", 6, 60),
        text("postal_code", 7, 12),
        text("city", 8, 40),
        text("country", 9, 40),
        Column::new(
            "created_at",
            10,
            "timestamp",
            LogicalType::Timestamp { zoned: false },
        )
        .not_null(),
    ];
    table.primary_key = Some(Key::over(["id"]));
    table.unique = vec![Key::over(["email"])];
    table
}

fn orders() -> TableSchema {
    let mut table = TableSchema::new(TableRef::new("orders"));
    let money = LogicalType::Decimal {
        precision: Some(8),
        scale: Some(2),
    };
    table.columns = vec![
        Column::new("id", 1, "bigint", LogicalType::BIGINT).not_null(),
        Column::new("customer_id", 2, "bigint", LogicalType::BIGINT).not_null(),
        Column::new("status", 3, "text", LogicalType::TEXT).not_null(),
        Column::new("total", 4, "numeric(8,2)", money).not_null(),
        Column::new("ordered_on", 5, "date", LogicalType::Date).not_null(),
        Column::new("shipped_on", 6, "date", LogicalType::Date),
    ];
    table.primary_key = Some(Key::over(["id"]));
    table.checks = [
        "status IN ('new', 'paid', 'shipped')",
        "total > 0 AND total <= 500",
        "shipped_on >= ordered_on",
        "status <> 'shipped' OR shipped_on IS NOT NULL",
    ]
    .iter()
    .map(|expression| Check {
        name: None,
        expression: (*expression).to_owned(),
        validated: true,
        exclusion: false,
    })
    .collect();
    table.foreign_keys = vec![ForeignKey::new(
        table.table.clone(),
        TableRef::new("customers"),
        vec![("customer_id".to_owned(), "id".to_owned())],
    )];
    table
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const ROWS: u64 = 1_000_000;
    let (customers, orders) = (customers(), orders());
    let wanted = [
        TableRequest {
            schema: &customers,
            rows: ROWS,
        },
        TableRequest {
            schema: &orders,
            rows: ROWS,
        },
    ];
    let plan = SynthPlan::compile(&SynthRequest::new(&wanted, &Registry::new(), 1))?;
    let mut out = std::io::stdout();
    for table in plan.tables() {
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let start = Instant::now();
            let mut at = 0;
            while at < table.rows {
                table.generator.generate(at..at + 8_192)?;
                at += 8_192;
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        writeln!(
            out,
            "{}: {:.0} rows/s ({:.2} us a row)",
            table.table,
            ROWS as f64 / best,
            best * 1e6 / ROWS as f64
        )?;
    }
    Ok(())
}
