//! Models: what is learned from rows comes back in rows, and nothing that should stay behind does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tdm_core::arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Sensitive};
use tdm_core::catalog::{Column, ForeignKey, Key, TableSchema};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_synth::{
    CellRng, FitError, FitRequest, Registry, SynthPlan, SynthRequest, TableModel, TableRequest,
    natural_encoding,
};

use crate::judge::{Cell, digest, make_all, violations};
use crate::shop::{int, refers};

const ROWS: i64 = 8_000;

fn schema() -> TableSchema {
    let mut table = TableSchema::new(TableRef::new("visits"));
    table.columns = vec![
        int("id", 1),
        int("patient_id", 2),
        Column::new("ward", 3, "text", LogicalType::TEXT).not_null(),
        Column::new("cost", 4, "double", LogicalType::Float { bits: 64 }),
        Column::new("day", 5, "date", LogicalType::Date).not_null(),
        Column::new("secret_name", 6, "text", LogicalType::TEXT),
    ];
    table.primary_key = Some(Key::over(["id"]));
    refers(&mut table, "patient_id", "patients");
    table
}

/// Rows in which the ward decides the cost, and a few values are rare.
fn real(schema: &TableSchema) -> Batch<Sensitive> {
    let mix = |row: i64, salt: u64| {
        let mut z = (row.cast_unsigned() ^ salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z >> 33).cast_signed()
    };
    let ward = |row: i64| match mix(row, 1) % 10 {
        0 => "icu",
        1..=3 => "surgery",
        _ => "general",
    };
    let cost = |row: i64| match ward(row) {
        _ if mix(row, 5) % 20 == 0 => None,
        "icu" => Some(5_000.0 + (mix(row, 2) % 100_000) as f64 / 100.0),
        "surgery" => Some(2_000.0 + (mix(row, 2) % 50_000) as f64 / 100.0),
        _ => Some((mix(row, 2) % 40_000) as f64 / 100.0),
    };
    let rare = |row: i64| if row == 17 { "leper colony" } else { ward(row) };
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS)),
        Arc::new(Int64Array::from_iter_values(
            (0..ROWS).map(|r| mix(r, 3) % 500),
        )),
        Arc::new(StringArray::from_iter_values((0..ROWS).map(rare))),
        Arc::new(Float64Array::from_iter((0..ROWS).map(cost))),
        Arc::new(Date32Array::from_iter_values(
            (0..ROWS).map(|r| 19_000 + i32::try_from(mix(r, 4) % 700).unwrap()),
        )),
        Arc::new(StringArray::from_iter_values(
            (0..ROWS).map(|r| format!("name {}", r % 7)),
        )),
    ];
    let columns = schema
        .columns
        .iter()
        .map(|c| BatchColumn::of(c, natural_encoding(&c.logical)))
        .collect();
    let shape = BatchSchema {
        table: schema.table.clone(),
        columns,
    };
    Batch::read(Arc::new(shape), arrays, usize::try_from(ROWS).unwrap(), 0).unwrap()
}

fn fit(schema: &TableSchema, batch: &Batch<Sensitive>) -> TableModel {
    let foreign_key: &ForeignKey = &schema.foreign_keys[0];
    TableModel::fit(
        &FitRequest {
            schema,
            personal: &["secret_name".to_owned()],
            references: &[(foreign_key, 600)],
        },
        std::slice::from_ref(batch),
    )
    .unwrap()
}

#[test]
fn shares_dependence_and_children_per_parent_come_back() {
    let schema = schema();
    let batch = real(&schema);
    let model = fit(&schema, &batch);
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<TableModel>(&text).unwrap(), model);
    assert!(
        !text.contains("leper") && !text.contains("name 3"),
        "rare and personal values stay behind"
    );
    assert_eq!(
        model.columns().collect::<BTreeSet<_>>(),
        ["cost", "day", "ward"].into()
    );

    let mut patients = TableSchema::new(TableRef::new("patients"));
    patients.columns = vec![int("id", 1)];
    patients.primary_key = Some(Key::over(["id"]));
    let models = [Arc::new(model)];
    let wanted = [
        TableRequest {
            schema: &schema,
            rows: 8_000,
        },
        TableRequest {
            schema: &patients,
            rows: 600,
        },
    ];
    let registry = Registry::new();
    let request = SynthRequest {
        models: &models,
        ..SynthRequest::new(&wanted, &registry, 5)
    };
    let plan = SynthPlan::compile(&request).unwrap();
    let made = make_all(&plan);
    assert_eq!(
        violations(&[&schema, &patients], &made),
        Vec::<String>::new()
    );
    assert_eq!(digest(&plan, "visits", 1), digest(&plan, "visits", 7));

    let rows = &made["visits"];
    let original: BTreeMap<&str, Vec<Cell>> = schema
        .columns
        .iter()
        .enumerate()
        .map(|(at, c)| (c.name.as_str(), crate::judge::cells(batch.column(at))))
        .collect();
    let share = |cells: &[Cell], wanted: &str| {
        cells
            .iter()
            .filter(|c| c.as_deref() == Some(wanted))
            .count() as f64
            / ROWS as f64
    };
    for ward in ["icu", "surgery", "general"] {
        // Standard error at most 0.0056.
        assert!(
            (share(&rows["ward"], ward) - share(&original["ward"], ward)).abs() < 0.02,
            "{ward}"
        );
    }
    let nulls = rows["cost"].iter().filter(|c| c.is_none()).count() as f64 / ROWS as f64;
    assert!((nulls - 0.05).abs() < 0.015, "{nulls}");
    // The ward decides the cost's range, as it did.
    for row in 0..8_000 {
        if let Some(cost) = &rows["cost"][row] {
            let cost: f64 = cost.parse().unwrap();
            match rows["ward"][row].as_deref().unwrap() {
                "icu" => assert!((4_900.0..6_100.0).contains(&cost)),
                "surgery" => assert!((1_900.0..2_600.0).contains(&cost)),
                _ => assert!((0.0..500.0).contains(&cost)),
            }
        }
    }
    // Kolmogorov's distance of the days: 1.36 / sqrt(4000) is exceeded once in twenty by chance alone.
    let sorted = |cells: &[Cell]| {
        let mut days: Vec<String> = cells.iter().flatten().cloned().collect();
        days.sort();
        days
    };
    let (a, b) = (sorted(&original["day"]), sorted(&rows["day"]));
    let distance = a
        .iter()
        .map(|day| {
            (a.partition_point(|d| d <= day) as f64 / a.len() as f64
                - b.partition_point(|d| d <= day) as f64 / b.len() as f64)
                .abs()
        })
        .fold(0.0, f64::max);
    assert!(distance < 0.03, "{distance}");
    // As many parents with each number of children, exactly.
    let histogram = |cells: &[Cell]| {
        let mut children: BTreeMap<&str, u64> = BTreeMap::new();
        cells
            .iter()
            .flatten()
            .for_each(|c| *children.entry(c).or_default() += 1);
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        children
            .into_values()
            .for_each(|n| *counts.entry(n).or_default() += 1);
        counts
    };
    assert_eq!(
        histogram(&rows["patient_id"]),
        histogram(&original["patient_id"])
    );
}

#[test]
fn too_few_rows_and_missing_columns_are_said() {
    let schema = schema();
    let batch = real(&schema);
    let request = FitRequest {
        schema: &schema,
        personal: &[],
        references: &[],
    };
    let error = TableModel::fit::<Sensitive>(&request, &[]).unwrap_err();
    assert!(matches!(error, FitError::TooSmall { rows: 0, .. }));
    let mut wider = schema.clone();
    wider
        .columns
        .push(Column::new("more", 7, "text", LogicalType::TEXT));
    let error = TableModel::fit(
        &FitRequest {
            schema: &wider,
            ..request
        },
        &[batch],
    )
    .unwrap_err();
    assert!(error.to_string().contains("visits.more"));
    // The public generator is usable by itself.
    let _: fn(&mut CellRng) -> u64 = CellRng::long;
}
