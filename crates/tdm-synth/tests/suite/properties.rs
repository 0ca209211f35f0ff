//! Random schemas: whatever compiles keeps every constraint, and what does not says why.

use proptest::prelude::*;
use tdm_core::catalog::{Column, ForeignKey, Key, TableSchema};
use tdm_core::ident::TableRef;
use tdm_core::types::LogicalType;
use tdm_synth::{Registry, SynthPlan, SynthRequest, TableRequest};

use crate::judge::{digest, make_all, violations};

fn logical() -> impl Strategy<Value = LogicalType> {
    prop_oneof![
        Just(LogicalType::Boolean),
        (
            prop_oneof![Just(8u8), Just(16), Just(32), Just(64)],
            any::<bool>()
        )
            .prop_map(|(bits, unsigned)| LogicalType::Integer { bits, unsigned }),
        (1u32..=12)
            .prop_flat_map(|p| (Just(p), 0..=p))
            .prop_map(|(p, s)| LogicalType::Decimal {
                precision: Some(p),
                scale: Some(i32::try_from(s).unwrap()),
            }),
        Just(LogicalType::Float { bits: 64 }),
        (1u32..40).prop_map(|n| LogicalType::Text {
            max_length: Some(n)
        }),
        Just(LogicalType::TEXT),
        Just(LogicalType::Bytes {
            max_length: Some(8)
        }),
        Just(LogicalType::Date),
        Just(LogicalType::Time),
        Just(LogicalType::Timestamp { zoned: true }),
        Just(LogicalType::Uuid),
        Just(LogicalType::Json),
        Just(LogicalType::Enum {
            labels: vec!["a".into(), "b".into(), "c".into()]
        }),
    ]
}

const NAMES: [&str; 10] = [
    "name",
    "email",
    "city",
    "price",
    "code",
    "birth_date",
    "phone",
    "x",
    "notes",
    "gender",
];

#[derive(Debug, Clone)]
struct Sketch {
    columns: Vec<(LogicalType, bool, usize)>,
    parents: Vec<(usize, bool, bool)>,
    composite: bool,
    unique: Option<usize>,
    rows: u64,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    (
        prop::collection::vec((logical(), any::<bool>(), 0..NAMES.len()), 0..5),
        prop::collection::vec(
            (
                any::<prop::sample::Index>().prop_map(|i| i.index(6)),
                any::<bool>(),
                prop::bool::weighted(0.2),
            ),
            0..3,
        ),
        any::<bool>(),
        prop::option::of(0usize..5),
        0u64..60,
    )
        .prop_map(|(columns, parents, composite, unique, rows)| Sketch {
            columns,
            parents,
            composite,
            unique,
            rows,
        })
}

/// Tables after the sketches: each may refer to earlier ones and to itself.
fn schemas(sketches: &[Sketch]) -> Vec<TableSchema> {
    sketches
        .iter()
        .enumerate()
        .map(|(at, sketch)| {
            let mut table = TableSchema::new(TableRef::new(format!("t{at}")));
            let mut ordinal = 1..;
            let id = Column::new("id", ordinal.next().unwrap(), "bigint", LogicalType::BIGINT)
                .not_null();
            table.columns.push(id);
            table.primary_key = Some(Key::over(["id"]));
            for (nth, (parent, nullable, one)) in sketch.parents.iter().enumerate() {
                let parent = parent % (at + 1);
                let name = format!("ref{nth}");
                let mut column = Column::new(
                    &name,
                    ordinal.next().unwrap(),
                    "bigint",
                    LogicalType::BIGINT,
                );
                column.nullable = *nullable;
                table.columns.push(column);
                table.foreign_keys.push(ForeignKey::new(
                    table.table.clone(),
                    TableRef::new(format!("t{parent}")),
                    vec![(name.clone(), "id".into())],
                ));
                if *one && parent != at {
                    table.unique.push(Key::over([name]));
                }
            }
            if sketch.composite && sketch.parents.len() == 2 {
                table.unique.push(Key::over(["ref0", "ref1"]));
            }
            for (nth, (logical, nullable, name)) in sketch.columns.iter().enumerate() {
                let name = format!("c{nth}_{}", NAMES[*name]);
                let mut column =
                    Column::new(&name, ordinal.next().unwrap(), "native", logical.clone());
                column.nullable = *nullable;
                if sketch.unique == Some(nth) {
                    table.unique.push(Key::over([name]));
                }
                table.columns.push(column);
            }
            table
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_compiles_keeps_every_constraint(sketches in prop::collection::vec(sketch(), 1..6), seed in any::<u64>()) {
        let schemas = schemas(&sketches);
        let wanted: Vec<TableRequest<'_>> = schemas
            .iter()
            .zip(&sketches)
            .map(|(schema, sketch)| TableRequest { schema, rows: sketch.rows })
            .collect();
        let registry = Registry::new();
        match SynthPlan::compile(&SynthRequest::new(&wanted, &registry, seed)) {
            Ok(plan) => {
                let made = make_all(&plan);
                let all: Vec<&TableSchema> = schemas.iter().collect();
                prop_assert_eq!(violations(&all, &made), Vec::<String>::new());
                for table in plan.tables().iter().filter(|t| t.rows > 0) {
                    let name = &table.table.name;
                    prop_assert_eq!(digest(&plan, name, 1), digest(&plan, name, 7));
                }
            }
            Err(errors) => {
                // The only reasons there can be: too few values or nothing to refer to.
                let text = errors.to_string();
                prop_assert!(
                    errors.0.iter().all(|_| text.contains("different values")
                        || text.contains("no row to refer to")
                        || text.contains("cannot both be met")),
                    "{}", text
                );
            }
        }
    }
}
