//! What a condition says about single columns, so that makers meet it by construction.
//!
//! Narrowing is never the proof: the guard evaluates the whole condition on every row.

use tdm_core::catalog::TableSchema;

use super::{Comparison, Expr, Function};
use crate::make::bounds::{Bounds, Limit, as_limit, literal_for};
use crate::make::pattern;
use crate::number::Decimal;
use crate::value::Value;

/// Two columns of which one must not be above the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) low: usize,
    pub(crate) high: usize,
    pub(crate) strict: bool,
}

/// Adds what `expr` says to `bounds`, one for each column of `table`, and to `orders`.
pub(crate) fn narrow(
    expr: &Expr,
    table: &TableSchema,
    bounds: &mut [Bounds],
    orders: &mut Vec<Order>,
) {
    match expr {
        Expr::And(a, b) => {
            narrow(a, table, bounds, orders);
            narrow(b, table, bounds, orders);
        }
        Expr::Or(a, b) => either(a, b, table, bounds, orders),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::IsNull(e) => {
                if let Expr::Column(at) = e.as_ref() {
                    bounds[*at].not_null = true;
                }
            }
            Expr::Column(at) => bounds[*at].only(vec![Value::Boolean(false)]),
            _ => {}
        },
        Expr::Column(at) => bounds[*at].only(vec![Value::Boolean(true)]),
        Expr::In { expr, list } => {
            if let (Expr::Column(at), Some(values)) = (expr.as_ref(), literals(expr, list, table)) {
                bounds[*at].only(values);
            }
        }
        Expr::Like {
            expr,
            pattern,
            escape,
            ..
        } => {
            if let Expr::Column(at) = expr.as_ref() {
                bounds[*at].pattern = Some(pattern::from_like(pattern, *escape));
            }
        }
        Expr::Matches { expr, pattern, .. } => {
            if let Expr::Column(at) = expr.as_ref()
                && pattern::parse(pattern).is_ok()
            {
                bounds[*at].pattern = Some(pattern.clone());
            }
        }
        Expr::Call(Function::JsonValid, arguments) => {
            if let [Expr::Column(at)] = arguments.as_slice() {
                bounds[*at].json = true;
            }
        }
        Expr::Compare(comparison, a, b) => compared(*comparison, a, b, table, bounds, orders),
        _ => {}
    }
}

fn literals(expr: &Expr, list: &[Expr], table: &TableSchema) -> Option<Vec<Value>> {
    let Expr::Column(at) = expr else {
        return None;
    };
    list.iter()
        .map(|item| match item {
            Expr::Literal(value) if !value.is_null() => {
                literal_for(&table.columns[*at].logical, value)
            }
            Expr::Negate(inner) => match inner.as_ref() {
                Expr::Literal(value) => value.number().map(|n| Value::Number(n.negate())),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// `x IS NULL OR …` narrows the rest; lists of equalities on one column join; other alternatives say nothing
/// about a single column.
fn either(a: &Expr, b: &Expr, table: &TableSchema, bounds: &mut [Bounds], orders: &mut Vec<Order>) {
    for (test, rest) in [(a, b), (b, a)] {
        if let Expr::IsNull(inner) = test
            && let Expr::Column(at) = inner.as_ref()
        {
            let mut columns = Vec::new();
            rest.mentions(&mut columns);
            if columns.contains(at) {
                let before = bounds[*at].not_null;
                narrow(rest, table, bounds, orders);
                bounds[*at].not_null = before;
            }
            return;
        }
    }
    let mut columns = Vec::new();
    a.mentions(&mut columns);
    b.mentions(&mut columns);
    let Some(&at) = columns.first() else {
        return;
    };
    if columns.iter().all(|c| *c == at)
        && let (Some(mut left), Some(right)) = (values_of(a, at, table), values_of(b, at, table))
    {
        left.extend(right);
        bounds[at].only(left);
    }
}

fn values_of(expr: &Expr, at: usize, table: &TableSchema) -> Option<Vec<Value>> {
    match expr {
        Expr::In { expr, list } => literals(expr, list, table),
        Expr::Compare(Comparison::Equal, a, b) => {
            let item = match (a.as_ref(), b.as_ref()) {
                (Expr::Column(c), item) | (item, Expr::Column(c)) if *c == at => item.clone(),
                _ => return None,
            };
            literals(&Expr::Column(at), &[item], table)
        }
        Expr::Or(a, b) => {
            let mut left = values_of(a, at, table)?;
            left.extend(values_of(b, at, table)?);
            Some(left)
        }
        _ => None,
    }
}

const fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

fn compared(
    comparison: Comparison,
    a: &Expr,
    b: &Expr,
    table: &TableSchema,
    bounds: &mut [Bounds],
    orders: &mut Vec<Order>,
) {
    match (a, b) {
        (Expr::Column(a), Expr::Column(b)) => match comparison {
            Comparison::Less | Comparison::LessOrEqual => orders.push(Order {
                low: *a,
                high: *b,
                strict: comparison == Comparison::Less,
            }),
            Comparison::Greater | Comparison::GreaterOrEqual => orders.push(Order {
                low: *b,
                high: *a,
                strict: comparison == Comparison::Greater,
            }),
            _ => {}
        },
        (Expr::Column(at), other) => {
            if let Some(values) = literals(a, std::slice::from_ref(other), table) {
                limit(&mut bounds[*at], comparison, &values[0]);
            }
        }
        (other, Expr::Column(at)) => {
            if let Some(values) = literals(b, std::slice::from_ref(other), table) {
                limit(&mut bounds[*at], mirrored(comparison), &values[0]);
            }
        }
        (Expr::Call(Function::Length, arguments), Expr::Literal(value)) => {
            if let ([Expr::Column(at)], Some(n)) = (arguments.as_slice(), value.number()) {
                length(&mut bounds[*at], comparison, n);
            }
        }
        (Expr::Literal(_), Expr::Call(Function::Length, _)) => {
            compared(mirrored(comparison), b, a, table, bounds, orders);
        }
        _ => {}
    }
}

fn limit(bounds: &mut Bounds, comparison: Comparison, value: &Value) {
    if comparison == Comparison::Equal {
        bounds.only(vec![value.clone()]);
        return;
    }
    let Some(at) = as_limit(value) else {
        return;
    };
    match comparison {
        Comparison::Less => bounds.lower(Limit {
            at,
            inclusive: false,
        }),
        Comparison::LessOrEqual => bounds.lower(Limit {
            at,
            inclusive: true,
        }),
        Comparison::Greater => bounds.raise(Limit {
            at,
            inclusive: false,
        }),
        Comparison::GreaterOrEqual => bounds.raise(Limit {
            at,
            inclusive: true,
        }),
        Comparison::Equal | Comparison::NotEqual => {}
    }
}

fn length(bounds: &mut Bounds, comparison: Comparison, n: Decimal) {
    let n = usize::try_from(n.floor_at(0)).unwrap_or(0);
    let at_most = |bounds: &mut Bounds, n: usize| {
        bounds.length_max = Some(bounds.length_max.map_or(n, |old| old.min(n)));
    };
    match comparison {
        Comparison::Less => at_most(bounds, n.saturating_sub(1)),
        Comparison::LessOrEqual => at_most(bounds, n),
        Comparison::Greater => bounds.length_min = bounds.length_min.max(n + 1),
        Comparison::GreaterOrEqual => bounds.length_min = bounds.length_min.max(n),
        Comparison::Equal => {
            at_most(bounds, n);
            bounds.length_min = bounds.length_min.max(n);
        }
        Comparison::NotEqual => {}
    }
}
