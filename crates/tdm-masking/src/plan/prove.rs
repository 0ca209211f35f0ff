//! Promises against constraints: what would be violated, said before a row is read.

use tdm_core::catalog::TableSchema;
use tdm_core::rule::Disposition;

use super::PlanRequest;
use super::bind::{Action, BoundColumn};
use crate::check::{allowed_labels, mentions};
use crate::error::{PlanProblem, PlanWarning, ProblemCode};

/// A set of columns that must not repeat.
pub(super) struct UniqueKey {
    pub(super) columns: Vec<String>,
    primary: bool,
    /// Whether two NULLs count as equal.
    nulls_equal: bool,
}

/// All keys of a table: primary key, unique constraints, unique indexes over plain columns. A partial index
/// counts in full: what it leaves out cannot be told here.
pub(super) fn keys(table: &TableSchema) -> Vec<UniqueKey> {
    let primary = table
        .primary_key
        .iter()
        .map(|k| (k.columns.clone(), true, true));
    let unique = table
        .unique
        .iter()
        .map(|k| (k.columns.clone(), false, k.nulls_not_distinct));
    let indexes = table
        .indexes
        .iter()
        .filter(|i| i.unique)
        .map(|i| (i.plain_columns(), false, false));
    primary
        .chain(unique)
        .chain(indexes)
        .filter(|(columns, ..)| !columns.is_empty())
        .map(|(columns, primary, nulls_equal)| UniqueKey {
            columns,
            primary,
            nulls_equal,
        })
        .collect()
}

fn column<'b, 'a, 'd>(
    table: &TableSchema,
    name: &str,
    bound: &'b [BoundColumn<'a, 'd>],
) -> Option<&'b BoundColumn<'a, 'd>> {
    bound
        .iter()
        .find(|b| b.decided.column.table == table.table && b.decided.column.column == name)
}

/// Whether a key still holds after masking.
pub(super) fn holds(key: &UniqueKey, table: &TableSchema, bound: &[BoundColumn<'_, '_>]) -> bool {
    let always_null = |name: &String| {
        column(table, name, bound).is_some_and(|b| matches!(b.action, Action::Null))
    };
    if !key.primary && !key.nulls_equal && key.columns.iter().any(always_null) {
        return true;
    }
    // A computed column follows the columns it is computed from and cannot be judged here.
    let injective = |name: &str| column(table, name, bound).is_none_or(BoundColumn::injective);
    if key.columns.iter().all(|name| injective(name)) {
        return true;
    }
    // What is left injective may be a key by itself.
    let rest: Vec<&str> = key
        .columns
        .iter()
        .map(String::as_str)
        .filter(|n| injective(n))
        .collect();
    !rest.is_empty()
        && keys(table).iter().any(|other| {
            other.columns.len() < key.columns.len()
                && other.columns.iter().all(|c| rest.contains(&c.as_str()))
        })
}

pub(super) fn prove(
    request: &PlanRequest<'_>,
    bound: &[BoundColumn<'_, '_>],
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    for table in request.tables {
        uniqueness(request, table, bound, problems);
    }
    for column in bound {
        reference(request, column, problems);
        nullability(column, problems);
        length(column, problems);
        dropped(request, column, problems);
        checks(column, problems, warnings);
    }
}

fn problem(
    column: &BoundColumn<'_, '_>,
    code: ProblemCode,
    reason: String,
    remedy: &str,
) -> PlanProblem {
    PlanProblem::new(code, reason, remedy)
        .at(&column.decided.column)
        .by(&column.decided.rule)
}

fn what(column: &BoundColumn<'_, '_>) -> String {
    match &column.decided.disposition {
        Disposition::Mask { function, .. } => format!("`{function}`"),
        Disposition::Generate { generator, .. } => format!("generator `{generator}`"),
        other => format!("`{}`", other.as_str()),
    }
}

/// Functions that fit a unique column of this type.
fn fitting(request: &PlanRequest<'_>, column: &BoundColumn<'_, '_>) -> String {
    let class = column.decided.logical.class();
    let names: Vec<&str> = request
        .registry
        .descriptors()
        .filter(|d| d.promise.injective && d.accepts.contains(&class))
        .map(|d| d.name)
        .collect();
    if names.is_empty() {
        "keep the column with a reason".to_owned()
    } else {
        format!("one of these would do: {}", names.join(", "))
    }
}

fn uniqueness(
    request: &PlanRequest<'_>,
    table: &TableSchema,
    bound: &[BoundColumn<'_, '_>],
    problems: &mut Vec<PlanProblem>,
) {
    for key in keys(table) {
        if holds(&key, table, bound) {
            continue;
        }
        let lossy = key
            .columns
            .iter()
            .filter_map(|name| column(table, name, bound));
        for column in lossy.filter(|c| !c.injective() && !matches!(c.action, Action::Drop)) {
            let kind = if key.primary {
                "primary key"
            } else {
                "unique key"
            };
            let list = key.columns.join(", ");
            let reason = format!(
                "{} may give one value for two, and the {kind} ({list}) forbids it",
                what(column)
            );
            problems.push(problem(
                column,
                ProblemCode::Uniqueness,
                reason,
                &fitting(request, column),
            ));
        }
    }
}

fn reference(
    request: &PlanRequest<'_>,
    column: &BoundColumn<'_, '_>,
    problems: &mut Vec<PlanProblem>,
) {
    if !column.decided.grouped {
        return;
    }
    match &column.action {
        Action::Mask(mask) => {
            let promise = mask.promise();
            if !promise.deterministic || !promise.injective {
                let reason = format!(
                    "{} does not keep references: one value must become one other value, everywhere",
                    what(column)
                );
                problems.push(problem(
                    column,
                    ProblemCode::Reference,
                    reason,
                    &fitting(request, column),
                ));
            }
        }
        Action::Generate(..) => problems.push(problem(
            column,
            ProblemCode::Reference,
            "references join this column to others, and a generator does not look at them"
                .to_owned(),
            &fitting(request, column),
        )),
        Action::Null | Action::Drop if referred(request, column) => problems.push(problem(
            column,
            ProblemCode::Reference,
            "other tables refer to this column".to_owned(),
            "keep or mask it",
        )),
        _ => {}
    }
}

/// Whether another column refers to this one.
fn referred(request: &PlanRequest<'_>, column: &BoundColumn<'_, '_>) -> bool {
    let place = &column.decided.column;
    let references = request
        .tables
        .iter()
        .flat_map(|t| &t.foreign_keys)
        .chain(request.relationships);
    references
        .filter(|f| f.parent == place.table)
        .any(|f| f.columns.iter().any(|(_, parent)| *parent == place.column))
}

fn nullability(column: &BoundColumn<'_, '_>, problems: &mut Vec<PlanProblem>) {
    let nullable = match &column.action {
        Action::Null => true,
        Action::Mask(mask) => mask.output().nullable,
        Action::Generate(generator, _) => generator.output().nullable,
        Action::Keep | Action::Drop => return,
    };
    if nullable && !column.decided.source.nullable {
        let reason = format!("{} may give NULL, and the column is NOT NULL", what(column));
        problems.push(problem(
            column,
            ProblemCode::NotNull,
            reason,
            "use `erase`, `fixed` or a function that keeps NULL and makes none",
        ));
    }
}

fn length(column: &BoundColumn<'_, '_>, problems: &mut Vec<PlanProblem>) {
    if let (Action::Mask(mask), Some(max)) =
        (&column.action, column.decided.source.logical.max_length())
        && let Some(longest) = mask.promise().length_max
        && longest > max
    {
        let reason = format!(
            "{} gives up to {longest} characters, and the column takes {max}",
            what(column)
        );
        problems.push(problem(
            column,
            ProblemCode::Length,
            reason,
            "shorten it by the function's parameters, or use `scramble`",
        ));
    }
}

fn dropped(
    request: &PlanRequest<'_>,
    column: &BoundColumn<'_, '_>,
    problems: &mut Vec<PlanProblem>,
) {
    if !matches!(column.action, Action::Drop) {
        return;
    }
    let name = &column.decided.column.column;
    let table = column.decided.table;
    let child = table
        .foreign_keys
        .iter()
        .any(|f| f.columns.iter().any(|(c, _)| c == name));
    let used = if keys(table).iter().any(|k| k.columns.contains(name)) {
        "a key"
    } else if child || referred(request, column) {
        "a reference"
    } else if table.checks.iter().any(|c| mentions(&c.expression, name)) {
        "a check constraint"
    } else {
        return;
    };
    problems.push(problem(
        column,
        ProblemCode::Drop,
        format!("the column is part of {used}"),
        "use `null` or a masking function instead",
    ));
}

fn checks(
    column: &BoundColumn<'_, '_>,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    let Disposition::Mask {
        function, params, ..
    } = &column.decided.disposition
    else {
        return;
    };
    let name = &column.decided.column.column;
    let table = column.decided.table;
    // NULL satisfies every check that does not ask for it.
    if matches!(column.action, Action::Null)
        || !table.checks.iter().any(|c| mentions(&c.expression, name))
    {
        return;
    }
    let labels = allowed_labels(table, name);
    let allowed = |value: &serde_json::Value| {
        value
            .as_str()
            .is_some_and(|v| labels.iter().any(|l| l == v))
    };
    let fits = match function.as_str() {
        _ if labels.is_empty() => None,
        "erase" => Some(true),
        "pick" => Some(
            params
                .list("from")
                .is_none_or(|list| list.iter().all(allowed)),
        ),
        "fixed" => Some(params.0.get("value").is_some_and(allowed)),
        _ => Some(false),
    };
    match fits {
        Some(true) => {}
        Some(false) => problems.push(problem(
            column,
            ProblemCode::Check,
            format!(
                "a check constraint allows {} listed values, and `{function}` gives others",
                labels.len()
            ),
            "use `pick`, `fixed` with a listed value, or keep the column with a reason",
        )),
        None => {
            let check = table.checks.iter().find(|c| mentions(&c.expression, name));
            let constraint = check
                .and_then(|c| c.name.as_deref())
                .unwrap_or("without a name");
            warnings.push(PlanWarning {
                column: Some(column.decided.column.clone()),
                rule: Some(column.decided.rule.clone()),
                text: format!("check constraint {constraint} mentions the column, and nothing proves that `{function}` satisfies it"),
            });
        }
    }
}
