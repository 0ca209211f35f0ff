//! Plans: precedence, references, proofs, and what is refused.

#![allow(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use std::sync::Arc;

use tdm_core::arrow_array::{ArrayRef, Int64Array, StringArray};
use tdm_core::batch::{Batch, BatchColumn, BatchSchema, Encoding, Sensitive};
use tdm_core::catalog::{Check, Column, ForeignKey, Generation, Key, TableSchema};
use tdm_core::category::Category;
use tdm_core::finding::{Classification, Decision, Finding};
use tdm_core::function::NoResources;
use tdm_core::ident::TableRef;
use tdm_core::keyring::RootKey;
use tdm_core::rule::RuleSet;
use tdm_core::scalar::{ScalarRef, cell};
use tdm_core::transform::{Form, Transform as _};
use tdm_core::types::LogicalType;
use tdm_masking::error::{PlanErrors, ProblemCode};
use tdm_masking::plan::{MaskingPlan, PlanRequest};
use tdm_masking::policy;
use tdm_masking::registry::Registry;

const INT: LogicalType = LogicalType::Integer {
    bits: 32,
    unsigned: false,
};

fn text(n: u32) -> LogicalType {
    LogicalType::Text {
        max_length: Some(n),
    }
}

fn table(name: &str, columns: &[(&str, LogicalType)]) -> TableSchema {
    let mut table = TableSchema::new(TableRef::new(name));
    table.columns = (1..)
        .zip(columns)
        .map(|(i, (name, logical))| Column::new(*name, i, logical.to_string(), logical.clone()))
        .collect();
    table
}

fn refers(mut table: TableSchema, column: &str, parent: &str, key: &str) -> TableSchema {
    let pairs = vec![(column.to_owned(), key.to_owned())];
    let foreign_key = ForeignKey::new(table.table.clone(), TableRef::new(parent), pairs);
    table.foreign_keys.push(foreign_key);
    table
}

fn keyed(mut table: TableSchema, columns: &[&str]) -> TableSchema {
    for column in &mut table.columns {
        column.nullable &= !columns.contains(&column.name.as_str());
    }
    table.primary_key = Some(Key::over(columns.iter().copied()));
    table
}

fn classified(table: &str, column: &str, category: Category) -> Classification {
    Classification {
        finding: Finding {
            column: TableRef::new(table).column(column),
            category,
            technique: "test".into(),
            confidence: 1.0,
            evidence: Vec::new(),
        },
        decision: Decision::Confirmed,
        decided_by: "someone".into(),
    }
}

fn rules(lines: &[&str]) -> RuleSet {
    let rules: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let (selector, disposition) = line.split_once("=>").unwrap();
            format!(
                "  - {{name: r{i}, selector: {{{selector}}}, disposition: {{{disposition}}}}}\n"
            )
        })
        .collect();
    policy::parse(&format!(
        "name: test\nrules: {}\n{}",
        if rules.is_empty() { "[]" } else { "" },
        rules.concat()
    ))
    .unwrap()
}

fn encoding(column: &Column, form: Form) -> Encoding {
    match (form, &column.logical) {
        (Form::Decoded, LogicalType::Integer { .. }) => Encoding::Int64,
        (Form::Carried, LogicalType::Integer { .. }) => {
            Encoding::Carried(tdm_core::batch::WireForm::PgBinary)
        }
        _ => Encoding::Text,
    }
}

fn compile(
    tables: &[TableSchema],
    classifications: &[Classification],
    rules: &RuleSet,
) -> Result<MaskingPlan, PlanErrors> {
    MaskingPlan::compile(PlanRequest {
        tables,
        relationships: &[],
        classifications,
        rules,
        policy: Some(&policy::standard()),
        registry: &Registry::standard(),
        keyring: &RootKey::new([1; 32]),
        resources: &NoResources,
        encoding: &|_, column, form| encoding(column, form),
        generators: &[],
        seed: 0,
        catalog_fingerprint: "f",
    })
}

fn refused(
    tables: &[TableSchema],
    classifications: &[Classification],
    lines: &[&str],
) -> Vec<(ProblemCode, String)> {
    let errors = compile(tables, classifications, &rules(lines)).unwrap_err();
    errors
        .problems()
        .iter()
        .map(|p| (p.code, p.to_string()))
        .collect()
}

fn batch(table: &TableSchema, plan: &MaskingPlan, arrays: Vec<ArrayRef>) -> Batch<Sensitive> {
    let columns = plan
        .table(&table.table)
        .unwrap()
        .input()
        .iter()
        .map(|request| BatchColumn::of(&request.column, encoding(&request.column, request.form)))
        .collect();
    let rows = arrays[0].len();
    let schema = BatchSchema {
        table: table.table.clone(),
        columns,
    };
    Batch::read(Arc::new(schema), arrays, rows, 0).unwrap()
}

const KEEP: &str = "column: '*' => action: keep, reason: test";

#[test]
fn an_undecided_column_stops_the_plan_and_a_computed_one_needs_no_decision() {
    let mut t = table("t", &[("a", text(9)), ("b", text(9))]);
    t.columns[1].generation = Generation::Computed {
        expression: "a".into(),
        stored: true,
    };
    let problems = refused(std::slice::from_ref(&t), &[], &[]);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0, ProblemCode::Undecided);
    assert!(
        problems[0].1.starts_with("column t.a: "),
        "{}",
        problems[0].1
    );
    let plan = compile(&[t], &[], &rules(&[KEEP])).unwrap();
    assert_eq!(plan.coverage().len(), 1);
}

#[test]
fn an_exact_column_beats_a_pattern_beats_a_category_beats_a_type() {
    let t = table("t", &[("mail", text(60))]);
    let class = [classified("t", "mail", Category::Email)];
    let all = [
        "type: text => action: keep, reason: type",
        "category: email => action: keep, reason: category",
        "column: 'm*' => action: keep, reason: pattern",
        "table: T, column: MAIL => action: keep, reason: exact",
        "column: mail => action: keep, reason: later",
    ];
    for (count, reason) in [
        (1, "type"),
        (2, "category"),
        (3, "pattern"),
        (4, "exact"),
        (5, "exact"),
    ] {
        let plan = compile(std::slice::from_ref(&t), &class, &rules(&all[..count])).unwrap();
        let expected = if count == 1 {
            None
        } else {
            Some(reason.to_owned())
        };
        // A type alone gives way to the policy's rule for the category.
        assert_eq!(plan.coverage()[0].reason, expected);
    }
}

fn shop() -> Vec<TableSchema> {
    vec![
        keyed(
            table("customer", &[("id", INT), ("mail", text(60))]),
            &["id"],
        ),
        refers(
            keyed(
                table(
                    "orders",
                    &[("id", INT), ("customer_id", LogicalType::BIGINT)],
                ),
                &["id"],
            ),
            "customer_id",
            "customer",
            "id",
        ),
        refers(
            table("note", &[("who", LogicalType::BIGINT), ("mail", text(80))]),
            "who",
            "orders",
            "customer_id",
        ),
    ]
}

#[test]
fn a_rule_on_one_column_reaches_its_whole_group_and_joins_hold() {
    let tables = shop();
    let class = [
        classified("customer", "mail", Category::Email),
        classified("note", "mail", Category::Email),
        classified("orders", "id", Category::None),
        classified("note", "who", Category::None),
    ];
    let plan = compile(
        &tables,
        &class,
        &rules(&["table: customer, column: id => action: mask, function: permute"]),
    )
    .unwrap();
    let row = |t: &str, c: &str| {
        let place = TableRef::new(t).column(c);
        plan.coverage()
            .iter()
            .find(|r| r.column == place)
            .unwrap()
            .clone()
    };
    for (t, c) in [
        ("customer", "id"),
        ("orders", "customer_id"),
        ("note", "who"),
    ] {
        let row = row(t, c);
        assert_eq!(row.function.as_deref(), Some("permute"));
        assert_eq!(row.domain.unwrap().0, "customer.id");
    }
    assert_eq!(row("note", "who").decided_by, "reference to customer.id");
    assert_eq!(row("customer", "mail").decided_by, "someone");
    assert_eq!(row("orders", "id").disposition, "keep");

    let ids: Vec<i64> = (1..500).chain([i32::MAX.into()]).collect();
    let mails: Vec<String> = ids.iter().map(|i| format!("p{i}@corp.test")).collect();
    let ints = || -> ArrayRef { Arc::new(Int64Array::from(ids.clone())) };
    let texts = || -> ArrayRef { Arc::new(StringArray::from(mails.clone())) };
    let customer = plan.table(&tables[0].table).unwrap();
    let a = customer
        .apply(&batch(&tables[0], &plan, vec![ints(), texts()]))
        .unwrap();
    let note = plan.table(&tables[2].table).unwrap();
    let b = note
        .apply(&batch(&tables[2], &plan, vec![ints(), texts()]))
        .unwrap();
    let mut seen = std::collections::HashSet::new();
    for row in 0..ids.len() {
        let id = cell(a.column(0).as_ref(), row);
        assert!(id == cell(b.column(0).as_ref(), row));
        assert!(
            cell(a.column(1).as_ref(), row) == cell(b.column(1).as_ref(), row),
            "one e-mail, one pseudonym"
        );
        let ScalarRef::Int(id) = id else {
            panic!("not a number")
        };
        assert!((1..=i64::from(i32::MAX)).contains(&id) && seen.insert(id));
    }
}

#[test]
fn two_rules_that_disagree_over_a_reference_are_refused_with_the_path() {
    let mut tables = shop();
    tables[2].columns.pop();
    let problems = refused(
        &tables,
        &[],
        &[
            "table: customer, column: id => action: mask, function: permute",
            "table: note, column: who => action: keep, reason: kept",
            KEEP,
        ],
    );
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0, ProblemCode::Contradiction);
    assert!(
        problems[0]
            .1
            .contains("customer.id - orders.customer_id - note.who"),
        "{}",
        problems[0].1
    );
}

#[test]
fn a_child_may_lose_its_reference_but_a_parent_may_not_lose_its_key() {
    let tables = shop();
    let ok = compile(
        &tables,
        &[],
        &rules(&["table: note, column: who => action: 'null'", KEEP]),
    )
    .unwrap();
    assert_eq!(ok.table(&tables[2].table).unwrap().input().len(), 1);
    let problems = refused(
        &tables,
        &[],
        &["table: orders, column: customer_id => action: drop", KEEP],
    );
    assert!(
        problems.iter().any(|p| p.0 == ProblemCode::Drop),
        "{problems:?}"
    );
}

#[test]
fn what_a_function_promises_is_proven_against_the_schema() {
    let keys = keyed(table("t", &[("k", text(40)), ("v", text(40))]), &["k"]);
    let one = |t: &TableSchema, line: &str| {
        refused(std::slice::from_ref(t), &[], &[line, KEEP])[0].clone()
    };
    let (code, message) = one(&keys, "column: k => action: mask, function: redact");
    assert_eq!(code, ProblemCode::Uniqueness);
    assert!(
        message.contains("token") && message.contains("primary key (k)"),
        "{message}"
    );
    // A name can be made unique, and is.
    let plan = compile(
        std::slice::from_ref(&keys),
        &[],
        &rules(&["column: k => action: mask, function: city", KEEP]),
    )
    .unwrap();
    assert!(plan.coverage()[0].promise.unwrap().injective);

    let null = refused(
        std::slice::from_ref(&keys),
        &[],
        &["column: k => action: 'null'", KEEP],
    );
    assert!(null.iter().any(|p| p.0 == ProblemCode::NotNull), "{null:?}");
    assert_eq!(
        one(&keys, "column: k => action: mask, function: 'null'").0,
        ProblemCode::Bind
    );
    assert_eq!(
        one(&keys, "column: v => action: mask, function: permut").0,
        ProblemCode::UnknownFunction
    );
    assert!(
        one(&keys, "column: v => action: mask, function: permut")
            .1
            .contains("did you mean `permute`?")
    );
    assert_eq!(
        one(
            &keys,
            "column: v => action: mask, function: token, params: {lenght: 3}"
        )
        .0,
        ProblemCode::Parameter
    );
}

#[test]
fn composite_keys_need_every_masked_part_to_be_injective_or_a_smaller_key() {
    let mut t = keyed(
        table("t", &[("a", text(40)), ("b", text(40)), ("c", text(40))]),
        &["a", "b"],
    );
    let line = ["column: b => action: mask, function: redact", KEEP];
    assert_eq!(
        refused(std::slice::from_ref(&t), &[], &line)[0].0,
        ProblemCode::Uniqueness
    );
    t.unique.push(Key::over(["a"]));
    assert!(compile(std::slice::from_ref(&t), &[], &rules(&line)).is_ok());
    t.unique.clear();
    assert!(
        compile(
            &[t],
            &[],
            &rules(&["column: c => action: mask, function: redact", KEEP])
        )
        .is_ok()
    );
}

#[test]
fn a_check_that_lists_values_is_proven_and_any_other_is_reported() {
    let mut t = table("t", &[("g", text(9)), ("n", text(9))]);
    t.columns[0].nullable = false;
    for (name, expression) in [("g_check", "g IN ('M', 'F')"), ("n_check", "length(n) > 2")] {
        t.checks.push(Check {
            name: Some(name.into()),
            expression: expression.into(),
            validated: true,
            exclusion: false,
        });
    }
    let tables = [t];
    let problems = refused(
        &tables,
        &[],
        &["column: g => action: mask, function: scramble", KEEP],
    );
    assert_eq!(problems[0].0, ProblemCode::Check);
    for fine in ["pick", "erase"] {
        let line = format!("column: g => action: mask, function: {fine}");
        assert!(compile(&tables, &[], &rules(&[&line, KEEP])).is_ok());
    }
    let plan = compile(
        &tables,
        &[],
        &rules(&["column: n => action: mask, function: scramble", KEEP]),
    )
    .unwrap();
    assert!(
        plan.warnings()
            .iter()
            .any(|w| w.to_string().contains("n_check"))
    );
}

#[test]
fn rules_that_reach_nothing_are_named() {
    let tables = [table("customer", &[("email", text(60))])];
    let problems = refused(
        &tables,
        &[],
        &[
            "table: custmer, column: email => action: 'null'",
            "table: customer, column: emial => action: 'null'",
            KEEP,
        ],
    );
    assert!(problems.iter().all(|p| p.0 == ProblemCode::UnknownColumn));
    assert!(
        problems
            .iter()
            .any(|p| p.1.contains("did you mean `customer`?")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|p| p.1.contains("did you mean `email`?")),
        "{problems:?}"
    );
    let plan = compile(
        &tables,
        &[],
        &rules(&["column: 'x*' => action: 'null'", KEEP]),
    )
    .unwrap();
    assert_eq!(plan.warnings().len(), 1);
}

#[test]
fn all_problems_come_at_once() {
    let tables = [table("t", &[("a", text(60)), ("b", INT), ("c", text(3))])];
    let problems = refused(
        &tables,
        &[],
        &[
            "column: a => action: mask, function: nope",
            "column: b => action: mask, function: email",
            "column: c => action: keep, reason: ' '",
            " => action: 'null'",
        ],
    );
    let codes: Vec<ProblemCode> = problems.iter().map(|p| p.0).collect();
    for code in [
        ProblemCode::UnknownFunction,
        ProblemCode::Type,
        ProblemCode::ReasonMissing,
        ProblemCode::EmptySelector,
    ] {
        assert!(codes.contains(&code), "{code}: {problems:?}");
    }
}

#[test]
fn the_hash_follows_everything_that_decides_an_output() {
    let tables = shop();
    let base = rules(&[KEEP]);
    let plan = |rules: &RuleSet, key: u8, catalog: &str| {
        MaskingPlan::compile(PlanRequest {
            tables: &tables,
            relationships: &[],
            classifications: &[],
            rules,
            policy: None,
            registry: &Registry::standard(),
            keyring: &RootKey::new([key; 32]),
            resources: &NoResources,
            encoding: &|_, column, form| encoding(column, form),
            generators: &[],
            seed: 0,
            catalog_fingerprint: catalog,
        })
        .unwrap()
        .hash()
        .to_owned()
    };
    let first = plan(&base, 1, "a");
    assert_eq!(first, plan(&base, 1, "a"));
    assert_eq!(first.len(), 64);
    let masked = |params: &str| {
        rules(&[
            &format!("column: mail => action: mask, function: token, params: {{{params}}}"),
            KEEP,
        ])
    };
    let mut all = vec![
        first,
        plan(&base, 2, "a"),
        plan(&base, 1, "b"),
        plan(&masked("length: 20"), 1, "a"),
        plan(&masked("length: 21"), 1, "a"),
    ];
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5);
}

#[test]
fn kept_columns_are_carried_and_lineage_says_what_was_done() {
    let tables = shop();
    let plan = compile(
        &tables,
        &[classified("customer", "mail", Category::Email)],
        &rules(&[
            "column: 'id' => action: keep, reason: key",
            "table: note, column: mail => action: drop",
        ]),
    )
    .unwrap();
    let customer = plan.table(&tables[0].table).unwrap();
    let forms: Vec<Form> = customer.input().iter().map(|r| r.form).collect();
    assert_eq!(forms, [Form::Carried, Form::Decoded]);
    let lineage = plan.lineage(&tables[0].table);
    assert_eq!(
        (lineage[0].transformation.as_str(), lineage[0].masked),
        ("copy", false)
    );
    assert_eq!(
        (lineage[1].transformation.as_str(), lineage[1].masked),
        ("email", true)
    );
    assert_eq!(plan.lineage(&tables[2].table).len(), 1);
    assert_eq!(
        plan.masked_columns(&tables[0].table),
        [tables[0].table.column("mail")]
    );
}

#[test]
fn a_batch_of_another_shape_is_refused() {
    let tables = shop();
    let plan = compile(&tables, &[], &rules(&[KEEP])).unwrap();
    let schema = BatchSchema {
        table: tables[0].table.clone(),
        columns: vec![BatchColumn::of(&tables[0].columns[1], Encoding::Text)],
    };
    let array: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let foreign = Batch::read(Arc::new(schema), vec![array], 1, 0).unwrap();
    assert!(
        plan.table(&tables[0].table)
            .unwrap()
            .apply(&foreign)
            .is_err()
    );
}

#[test]
fn no_error_holds_a_value() {
    const CANARY: &str = "zq-canary-7731";
    let tables = [table("t", &[("c", text(60))])];
    for function in [
        "permute",
        "number_noise",
        "date_shift",
        "birth_date",
        "generalize_year",
        "ip",
        "mac",
        "uuid",
        "json, params: {strings: keep}",
    ] {
        let plan = compile(
            &tables,
            &[],
            &rules(&[&format!("column: c => action: mask, function: {function}")]),
        )
        .unwrap();
        let array: ArrayRef = Arc::new(StringArray::from(vec!["", CANARY]));
        let batch = batch(&tables[0], &plan, vec![array]);
        let error = plan
            .table(&tables[0].table)
            .unwrap()
            .apply(&batch)
            .unwrap_err();
        let shown = format!("{error} {error:?} {plan:?} {batch:?}");
        assert!(!shown.contains("canary"), "{function}");
        assert!(
            error
                .to_string()
                .starts_with("column t.c, rule `r0`, row 1: "),
            "{error}"
        );
    }
}

#[test]
fn conditions_preserved_values_and_mismatches() {
    let tables = [table("t", &[("kind", text(9)), ("day", text(20))])];
    let run = |params: &str| {
        let line =
            format!("column: day => action: mask, function: date_shift, params: {{{params}}}");
        let plan = compile(&tables, &[], &rules(&[&line, KEEP])).unwrap();
        let kinds: ArrayRef = Arc::new(StringArray::from(vec!["p", "c", "p", "p"]));
        let days: ArrayRef = Arc::new(StringArray::from(vec![
            Some("2020-01-01"),
            Some("2020-01-01"),
            Some("n/a"),
            None,
        ]));
        let cleared = plan.table(&tables[0].table).unwrap().apply(&batch(
            &tables[0],
            &plan,
            vec![kinds, days],
        ));
        cleared.map(|b| {
            (0..4)
                .map(|row| match cell(b.column(1).as_ref(), row) {
                    ScalarRef::Text(text) => text.to_owned(),
                    _ => "-".to_owned(),
                })
                .collect::<Vec<_>>()
        })
    };
    assert!(run("days: 9").is_err());
    let preserved = run("days: 9, preserve: [n/a]").unwrap();
    assert_eq!((preserved[2].as_str(), preserved[3].as_str()), ("n/a", "-"));
    assert_ne!(preserved[0], "2020-01-01");
    let chosen = run("days: 9, preserve: [n/a], when: {column: kind, is: p}").unwrap();
    assert_eq!(chosen[1], "2020-01-01");
    assert_eq!(chosen[0], preserved[0]);
    assert_eq!(run("days: 9, on_mismatch: 'null'").unwrap()[2], "-");
    assert_eq!(run("days: 9, on_mismatch: blank").unwrap()[2], "x/x");
    for wrong in [
        "when: {column: nobody, is: p}",
        "when: {column: kind}",
        "when: {column: kind, like: p}",
        "on_mismatch: keep",
        "preserve: x",
    ] {
        let line =
            format!("column: day => action: mask, function: date_shift, params: {{{wrong}}}");
        assert_eq!(refused(&tables, &[], &[&line, KEEP]).len(), 1, "{wrong}");
    }
}
