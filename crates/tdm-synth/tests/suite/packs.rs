//! Packs: each scenario of each keeps its own constraints, and a broken pack says where.

use tdm_core::catalog::TableSchema;
use tdm_synth::{Pack, Registry, SynthPlan, SynthRequest, TableRequest, pack_names, pack_text};

use crate::judge::{make_all, violations};

#[test]
fn every_scenario_of_every_pack_keeps_every_constraint() {
    assert_eq!(
        pack_names(),
        ["banking", "healthcare", "hr", "retail", "telecom"]
    );
    let registry = Registry::new();
    for name in pack_names() {
        let pack = Pack::read(pack_text(name).unwrap()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!(pack.name, name);
        let recipes = pack.recipes();
        assert!(pack.scenarios().count() >= 2);
        for scenario in pack.scenarios() {
            for scale in [0.1, 0.5] {
                let rows = pack.rows(scenario, scale).unwrap();
                let wanted: Vec<TableRequest<'_>> = pack
                    .schemas
                    .iter()
                    .map(|schema| TableRequest {
                        schema,
                        rows: rows.iter().find(|(t, _)| *t == schema.table).unwrap().1,
                    })
                    .collect();
                let request = SynthRequest {
                    recipes: &recipes,
                    classifications: &pack.classifications,
                    shrink: true,
                    ..SynthRequest::new(&wanted, &registry, 1)
                };
                let plan = SynthPlan::compile(&request)
                    .unwrap_or_else(|e| panic!("{name} {scenario} {scale}:\n{e}"));
                let made = make_all(&plan);
                let all: Vec<&TableSchema> = pack.schemas.iter().collect();
                assert_eq!(
                    violations(&all, &made),
                    Vec::<String>::new(),
                    "{name} {scenario}"
                );
            }
        }
    }
}

#[test]
fn a_broken_pack_names_column_reason_and_remedy() {
    let text = r#"{"name":"x","summary":"y","scenarios":{"s":{"t":5,"u":1}},"tables":{"t":{"columns":{
        "a":{"type":"bigint","key":true},
        "b":{"type":"varchar(9)","category":"shoe_size"},
        "c":{"type":"varchr(9)"},
        "d":{"type":"bigint","refers":"nowhere.id"},
        "e":{"typ":"bigint"}}}}}"#;
    let errors = Pack::read(text).unwrap_err();
    let all = errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    for part in [
        "t.b: unknown category `shoe_size`; use",
        "t.c: unknown type",
        "t.d: it refers to nowhere.id",
        "t.e:",
        "scenario `s`: it names the table `u`",
    ] {
        assert!(all.contains(part), "{part} is missing in\n{all}");
    }
    assert!(
        Pack::read("{").unwrap_err()[0]
            .to_string()
            .starts_with("line 1")
    );
}

#[test]
fn columns_keep_the_order_of_the_file() {
    let pack = Pack::read(pack_text("retail").unwrap()).unwrap();
    let names: Vec<&str> = pack.schemas[1]
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["id", "category_id", "sku", "name", "price", "active"]
    );
}
