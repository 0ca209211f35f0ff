//! Values a second and allocations a value of the hot functions, on one core.
//!
//! `cargo bench -p tdm-masking`. Inputs are texts of 16 bytes in batches of 8,192; the fastest of several rounds
//! counts, because everything slower is the machine and not the function.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures"
)]

use std::sync::Arc;
use std::time::Instant;

use tdm_core::arrow_array::{Array as _, ArrayRef, Int64Array, StringArray};
use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::catalog::{Column, TableSchema};
use tdm_core::function::{BindRequest, MaskContext, NoResources, Params};
use tdm_core::ident::TableRef;
use tdm_core::keyring::{PseudonymDomain, RootKey};
use tdm_core::types::LogicalType;
use tdm_masking::registry::Registry;

const ROWS: usize = 8_192;
const ROUNDS: usize = 40;

fn texts(make: impl Fn(usize) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..ROWS).map(make)))
}

fn main() {
    let registry = Registry::standard();
    let digits = || texts(|i| format!("{:016}", 1_000_000_000_000_000 + i * 7_919));
    let words = || texts(|i| format!("customer-{i:07}"));
    let ints: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=8_192));
    let cases: [(&str, ArrayRef); 14] = [
        ("token", words()),
        ("first_name", words()),
        ("last_name", words()),
        ("scramble", digits()),
        ("permute", ints),
        ("email", texts(|i| format!("p{i:05}@corp.test"))),
        ("username", words()),
        ("full_name", texts(|i| format!("Maria Keller{i:04}"))),
        ("phone", texts(|i| format!("+49 89 {:09}", 123_456 + i))),
        ("credit_card", digits()),
        (
            "date_shift",
            texts(|i| format!("2020-01-{:02} 00:00", 1 + i % 28)),
        ),
        ("number_noise", digits()),
        (
            "uuid",
            texts(|i| format!("0190d3a1-0000-7000-8000-{i:012}")),
        ),
        ("ff1", digits()),
    ];
    println!(
        "{:<14} {:>12} {:>10} {:>12}",
        "function", "M values/s", "ns/value", "allocs/value"
    );
    for (function, input) in cases {
        let (logical, encoding) = if function == "permute" {
            (LogicalType::BIGINT, Encoding::Int64)
        } else {
            (LogicalType::TEXT, Encoding::Text)
        };
        let column = Column::new("c", 1, "native", logical);
        let bound = registry
            .find(function)
            .unwrap()
            .bind(&BindRequest {
                params: &Params::default(),
                column: &BatchColumn::of(&column, encoding),
                table: &TableSchema::new(TableRef::new("t")),
                keyring: &RootKey::new([1; 32]),
                domain: &PseudonymDomain::new("d"),
                resources: &NoResources,
            })
            .unwrap();
        let context = MaskContext {
            origin: 0,
            inputs: &[],
        };
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let output = bound.mask(&input, &context).unwrap();
            best = best.min(start.elapsed().as_secs_f64());
            assert_eq!(output.len(), ROWS);
        }
        let allocations = allocation_counter::measure(|| {
            bound.mask(&input, &context).unwrap();
        });
        println!(
            "{function:<14} {:>12.2} {:>10.0} {:>12.4}",
            ROWS as f64 / best / 1e6,
            best / ROWS as f64 * 1e9,
            allocations.count_total as f64 / ROWS as f64,
        );
    }
}
