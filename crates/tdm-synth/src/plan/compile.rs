//! Compiles a request: reads constraints, assigns every column its source, checks capacities, tries some rows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tdm_core::arrow_array::{Array, ArrayRef};
use tdm_core::catalog::{TableSchema, hex};

use super::draft::Draft;
use super::references::{Cycle, Links, collect};
use super::request::SynthRequest;
use super::rows::Given;
use super::table::{Choice, Fault, Plans, Source};
use super::{ColumnCoverage, SynthPlan};
use crate::check::{Condition, Order, narrow};
use crate::error::{SynthError, SynthErrors};
use crate::locale::{locale, locale_names};
use crate::make::bounds::Bounds;
use crate::value::Value;

/// Rows of a table that are tried before the plan is accepted.
const PILOT_ROWS: u64 = 128;
/// How often row counts are reduced: each time the tables that depend on others follow them.
const SHRINKS_MAX: usize = 16;

/// Compiles, with fewer rows where the request allows it and keys leave no other way.
pub(super) fn compile(request: &SynthRequest<'_>) -> Result<SynthPlan, SynthErrors> {
    let mut tables = request.tables.to_vec();
    for _ in 0..=SHRINKS_MAX {
        let errors = match compile_exactly(&SynthRequest {
            tables: &tables,
            ..*request
        }) {
            Ok(mut plan) => {
                let changed = tables
                    .iter()
                    .zip(request.tables)
                    .filter(|(now, asked)| now.rows != asked.rows);
                plan.shrunk = changed
                    .map(|(now, asked)| (now.schema.table.clone(), asked.rows, now.rows))
                    .collect();
                return Ok(plan);
            }
            Err(errors) => errors,
        };
        let short = |error: &SynthError| matches!(error, SynthError::Capacity { .. });
        if !request.shrink || !errors.0.iter().all(short) {
            return Err(errors);
        }
        for error in &errors.0 {
            if let SynthError::Capacity {
                table,
                capacity,
                rows,
                ..
            } = error
                && let Some(asked) = tables.iter_mut().find(|t| t.schema.table == *table)
            {
                asked.rows = asked
                    .rows
                    .saturating_sub(rows.saturating_sub(*capacity).max(1));
            }
        }
    }
    compile_exactly(&SynthRequest {
        tables: &tables,
        ..*request
    })
}

fn compile_exactly(request: &SynthRequest<'_>) -> Result<SynthPlan, SynthErrors> {
    let mut errors = Vec::new();
    check_request(request, &mut errors);
    let links = collect(request, &mut errors);
    let mut drafts: Vec<Draft<'_>> = (0..request.tables.len())
        .map(|table| Draft::new(request, &links, table, &mut errors))
        .collect();
    freeze_referred(request, &links, &mut drafts);
    let mut plans = Plans::default();
    let mut coverage = Vec::new();
    for draft in drafts {
        plans.tables.push(draft.finish(&mut coverage, &mut errors));
    }
    if errors.is_empty() {
        find_key_cycles(&plans, &mut errors);
    }
    if errors.is_empty() {
        fill_agreeing(request, &links, &mut plans, &mut errors);
    }
    if errors.is_empty() {
        pilot(&plans, &links, &mut errors);
    }
    if !errors.is_empty() {
        return Err(SynthErrors(errors));
    }
    let late = links
        .links
        .iter()
        .filter(|l| l.cycle == Cycle::Late)
        .map(|l| l.foreign_key.describe())
        .collect();
    let hash = hash(request, &plans, &coverage);
    Ok(SynthPlan {
        plans: Arc::new(plans),
        order: links.order,
        coverage,
        late,
        shrunk: Vec::new(),
        hash,
    })
}

fn check_request(request: &SynthRequest<'_>, errors: &mut Vec<SynthError>) {
    let mut seen = HashSet::new();
    for table in request.tables {
        if !seen.insert(&table.schema.table) {
            errors.push(SynthError::Table {
                table: table.schema.table.clone(),
                reason: "it is asked for twice".to_owned(),
                remedy: "name it once with all its rows".to_owned(),
            });
        }
        if locale(request.locale).is_none() {
            errors.push(SynthError::Table {
                table: table.schema.table.clone(),
                reason: format!("there is no locale `{}`", request.locale),
                remedy: format!("choose one of {}", locale_names().join(", ")),
            });
            return;
        }
    }
    for recipe in request.recipes {
        let table = request
            .tables
            .iter()
            .find(|t| t.schema.table == recipe.column.table);
        let known = table.is_some_and(|t| t.schema.column(&recipe.column.column).is_some());
        if !known {
            errors.push(SynthError::Column {
                column: recipe.column.clone(),
                reason: "a recipe names it and it is not among the columns to make".to_owned(),
                remedy: "correct the name or add the table".to_owned(),
            });
        }
    }
}

/// Columns that others refer to keep the value of the first attempt.
fn freeze_referred(request: &SynthRequest<'_>, links: &Links, drafts: &mut [Draft<'_>]) {
    for link in &links.links {
        let Some(parent) = link.parent else {
            continue;
        };
        for name in link.foreign_key.parent_columns() {
            if let Some(at) = request.tables[parent]
                .schema
                .columns
                .iter()
                .position(|c| c.name == name)
            {
                drafts[parent].frozen[at] = true;
            }
        }
    }
}

/// Reads the constraints of a table and of the domains of its columns.
pub(super) fn read_conditions(
    request: &SynthRequest<'_>,
    schema: &TableSchema,
    bounds: &mut [Bounds],
    orders: &mut Vec<Order>,
    errors: &mut Vec<SynthError>,
) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut read = |name: String, expression: &str, value: Option<usize>| {
        if request.unchecked.contains(&name) {
            return;
        }
        match Condition::read(name.clone(), expression, schema, value) {
            Ok(condition) => {
                narrow(&condition.expr, schema, bounds, orders);
                conditions.push(condition);
            }
            Err(reason) => errors.push(SynthError::Constraint {
                table: schema.table.clone(),
                constraint: name,
                reason: format!("it holds {reason}"),
                remedy: "list it as unchecked and answer for it, or simplify it".to_owned(),
            }),
        }
    };
    for (at, check) in schema
        .checks
        .iter()
        .enumerate()
        .filter(|(_, c)| !c.exclusion)
    {
        let name = check
            .name
            .clone()
            .unwrap_or_else(|| format!("check {}", at + 1));
        read(name, &check.expression, None);
    }
    for (at, column) in schema.columns.iter().enumerate() {
        let native = column
            .native
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .trim_matches('"');
        for domain in request
            .types
            .iter()
            .filter(|t| t.kind == "domain" && t.name.name == native)
        {
            for (nth, expression) in domain_checks(&domain.definition).into_iter().enumerate() {
                read(
                    format!("{} of {}, check {}", domain.name, column.name, nth + 1),
                    expression,
                    Some(at),
                );
            }
        }
    }
    conditions
}

/// The conditions after each `CHECK` of a definition.
fn domain_checks(definition: &str) -> Vec<&str> {
    let upper = definition.to_ascii_uppercase();
    let mut found = Vec::new();
    for (at, word) in upper.match_indices("CHECK") {
        let rest = &definition[at + word.len()..];
        let Some(start) = rest.find('(').filter(|s| rest[..*s].trim().is_empty()) else {
            continue;
        };
        let mut depth = 0;
        for (offset, c) in rest[start..].char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                found.push(&rest[start..=start + offset]);
                break;
            }
        }
    }
    found
}

/// A key that needs itself to be computed cannot be made.
fn find_key_cycles(plans: &Plans, errors: &mut Vec<SynthError>) {
    // 1 while a column is looked at, 2 when it is known to be fine.
    let mut state: BTreeMap<(usize, usize), u8> = BTreeMap::new();
    for table in 0..plans.tables.len() {
        for column in 0..plans.tables[table].columns.len() {
            let mut stack = vec![((table, column), false)];
            while let Some((at, done)) = stack.pop() {
                if done {
                    state.insert(at, 2);
                    continue;
                }
                match state.get(&at) {
                    Some(2) => continue,
                    Some(_) => {
                        let plan = &plans.tables[at.0];
                        errors.push(SynthError::Column {
                            column: plan.table.column(&plan.columns[at.1].name),
                            reason: "its value depends on itself by way of references".to_owned(),
                            remedy: "leave one of the references of the cycle out".to_owned(),
                        });
                        return;
                    }
                    None => {}
                }
                state.insert(at, 1);
                stack.push((at, true));
                stack.extend(needs(plans, at).into_iter().map(|next| (next, false)));
            }
        }
    }
}

/// The columns that a column's value is computed from.
fn needs(plans: &Plans, (table, column): (usize, usize)) -> Vec<(usize, usize)> {
    let plan = &plans.tables[table];
    let Source::Reference { reference, part } = &plan.columns[column].source else {
        return Vec::new();
    };
    let made = &plan.references[*reference];
    let mut out = Vec::new();
    if let Some(parent) = made.parents.table
        && !matches!(made.choice, Choice::Never)
    {
        out.push((parent, made.parents.columns[*part]));
    }
    if let Choice::Agreeing { shared, .. } = &made.choice {
        out.extend(shared.iter().map(|&c| (table, c)));
    }
    out
}

/// Sorts parents by the columns in which two references must agree.
fn fill_agreeing(
    request: &SynthRequest<'_>,
    links: &Links,
    plans: &mut Plans,
    errors: &mut Vec<SynthError>,
) {
    for &table in &links.order {
        for reference in 0..plans.tables[table].references.len() {
            let plan = &plans.tables[table];
            let made = &plan.references[reference];
            let Choice::Agreeing { shared, .. } = &made.choice else {
                continue;
            };
            // Which part of the parent's key each shared column is compared with.
            let schema = request.tables[table].schema;
            let parts: Vec<usize> = shared
                .iter()
                .filter_map(|&c| {
                    let link = links
                        .links
                        .iter()
                        .find(|l| l.table == table && l.foreign_key.describe() == made.described)?;
                    link.foreign_key
                        .columns
                        .iter()
                        .position(|(child, _)| *child == schema.columns[c].name)
                })
                .collect();
            let mut rows: HashMap<String, Vec<u64>> = HashMap::new();
            let mut value = Value::Null;
            for parent in 0..made.parents.total() {
                let mut key = String::new();
                for &part in &parts {
                    if plans.key(&made.parents, part, parent, &mut value).is_err() {
                        errors.push(SynthError::Reference {
                            reference: made.described.clone(),
                            reason: "a key of the parent cannot be made".to_owned(),
                            remedy: "correct the parent's columns".to_owned(),
                        });
                        return;
                    }
                    value.write(&mut key);
                    key.push('\u{1}');
                }
                rows.entry(key).or_default().push(parent);
            }
            if let Choice::Agreeing { rows: slot, .. } =
                &mut plans.tables[table].references[reference].choice
            {
                *slot = rows;
            }
        }
    }
}

/// Makes some rows of each table, so that what cannot work is known before anything is loaded.
fn pilot(plans: &Plans, links: &Links, errors: &mut Vec<SynthError>) {
    for &table in &links.order {
        let plan = &plans.tables[table];
        let mut slots = vec![Value::Null; plan.columns.len()];
        let spread = PILOT_ROWS.min(plan.rows);
        let rows = (0..spread.min(PILOT_ROWS / 2)).chain((1..=spread / 2).map(|n| plan.rows - n));
        for row in rows {
            let Err(fault) = plans.row(table, row, &Given::default(), &mut slots) else {
                continue;
            };
            errors.push(match fault {
                Fault::Column { column, reason } => SynthError::Column {
                    column: plan.table.column(&plan.columns[column].name),
                    reason: reason.to_owned(),
                    remedy: "give a recipe that fits the column".to_owned(),
                },
                Fault::Condition { condition } => SynthError::Constraint {
                    table: plan.table.clone(),
                    constraint: plan.conditions[condition].name.clone(),
                    reason: "it refuses what can be made, however often a row is drawn again"
                        .to_owned(),
                    remedy:
                        "give recipes for its columns, or list it as unchecked and answer for it"
                            .to_owned(),
                },
                Fault::Reference { reference } => SynthError::Reference {
                    reference: plan.references[reference].described.clone(),
                    reason: "NULL is not allowed and for some row there is nothing to refer to"
                        .to_owned(),
                    remedy: "make more rows of the parent".to_owned(),
                },
            });
            break;
        }
    }
}

/// Rows of arrays as text, one entry a row without NULLs.
pub(super) fn text_tuples(arrays: &[ArrayRef]) -> HashSet<String> {
    let rows = arrays.first().map_or(0, Array::len);
    (0..rows)
        .filter(|&row| arrays.iter().all(|a| !a.is_null(row)))
        .map(|row| {
            let mut text = String::new();
            for array in arrays {
                Value::read(array.as_ref(), row).write(&mut text);
                text.push('\u{1}');
            }
            text
        })
        .collect()
}

fn hash(request: &SynthRequest<'_>, plans: &Plans, coverage: &[ColumnCoverage]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    add("tdm-synth/1");
    add(&format!(
        "{} {} {}",
        request.seed, request.locale, request.fill_cycles
    ));
    for asked in request.tables {
        add(&asked.rows.to_string());
        add(&serde_json::to_string(asked.schema).expect("a schema is plain data with string keys"));
    }
    for recipe in request.recipes {
        add(&format!("{} {}", recipe.column, recipe.generator));
        add(&serde_json::to_string(&recipe.params).expect("parameters are JSON"));
    }
    for model in request.models {
        add(&serde_json::to_string(model.as_ref()).expect("a model is plain data"));
    }
    for made in coverage {
        add(&format!(
            "{} {} {} {}",
            made.column, made.generator, made.unique, made.null_share
        ));
    }
    request.unchecked.iter().for_each(|name| add(name));
    let mut text = String::new();
    for plan in &plans.tables {
        for shape in &plan.schema.columns {
            add(&format!("{} {:?}", shape.name, shape.encoding));
        }
        for reference in &plan.references {
            add(&reference.described);
            for value in reference.parents.existing.iter().flatten() {
                text.clear();
                value.write(&mut text);
                add(&text);
            }
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_of_domains_are_found() {
        let found = domain_checks(
            "CREATE DOMAIN year AS integer CONSTRAINT year_check CHECK (((VALUE >= 1901) AND (VALUE <= 2155)))",
        );
        assert_eq!(found, ["(((VALUE >= 1901) AND (VALUE <= 2155)))"]);
        assert!(domain_checks("CREATE DOMAIN checked AS text").is_empty());
    }
}
