//! CHECK constraints: read, used to narrow what is made, and evaluated on every row as the last guard.
//!
//! The language is what the three engines print back: comparisons, `AND OR NOT`, `IN`, `BETWEEN`, `LIKE`,
//! regular expressions, `IS NULL`, arithmetic, casts and a handful of functions. Anything else is refused with
//! the constraint's name; the caller may then list the constraint as one that it answers for.

mod eval;
mod lexer;
mod narrow;
mod parser;

use tdm_core::catalog::TableSchema;

pub(crate) use self::eval::compare;
pub(crate) use self::narrow::{Order, narrow};
use crate::value::Value;

/// A condition over the columns of one row.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Column(usize),
    Literal(Value),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(char, Box<Expr>, Box<Expr>),
    In {
        expr: Box<Expr>,
        list: Vec<Expr>,
    },
    Like {
        expr: Box<Expr>,
        pattern: String,
        escape: Option<char>,
        fold: bool,
    },
    Matches {
        expr: Box<Expr>,
        pattern: String,
        regex: Box<regex::Regex>,
    },
    IsNull(Box<Expr>),
    Call(Function, Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Lower,
    Upper,
    Trim,
    Abs,
    Coalesce,
    JsonValid,
    Concat,
}

/// A constraint that can be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) expr: Expr,
    /// Columns that it mentions, ascending.
    pub(crate) columns: Vec<usize>,
}

impl Condition {
    /// Reads `expression` over the columns of `table`. `value` is the column that `VALUE` stands for in the
    /// constraint of a domain.
    ///
    /// # Errors
    /// What cannot be read, as a sentence without values.
    pub(crate) fn read(
        name: String,
        expression: &str,
        table: &TableSchema,
        value: Option<usize>,
    ) -> Result<Self, String> {
        let expr = parser::parse(expression, table, value)?;
        let mut columns = Vec::new();
        expr.mentions(&mut columns);
        columns.sort_unstable();
        columns.dedup();
        Ok(Self {
            name,
            expr,
            columns,
        })
    }

    /// Whether a row may be stored: the condition is true or unknown.
    pub(crate) fn holds(&self, row: &[Value]) -> bool {
        !matches!(*eval::evaluate(&self.expr, row), Value::Boolean(false))
    }
}

impl Expr {
    pub(crate) fn mentions(&self, out: &mut Vec<usize>) {
        match self {
            Self::Column(at) => out.push(*at),
            Self::Literal(_) => {}
            Self::Not(e) | Self::Negate(e) | Self::IsNull(e) => e.mentions(out),
            Self::Like { expr, .. } | Self::Matches { expr, .. } => expr.mentions(out),
            Self::And(a, b)
            | Self::Or(a, b)
            | Self::Compare(_, a, b)
            | Self::Arithmetic(_, a, b) => {
                a.mentions(out);
                b.mentions(out);
            }
            Self::In { expr, list } => {
                expr.mentions(out);
                list.iter().for_each(|e| e.mentions(out));
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|e| e.mentions(out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::bounds::Bounds;
    use crate::number::Decimal;
    use tdm_core::catalog::Column;
    use tdm_core::ident::TableRef;
    use tdm_core::types::LogicalType;

    fn table() -> TableSchema {
        let mut table = TableSchema::new(TableRef::new("t"));
        table.columns = vec![
            Column::new(
                "price",
                1,
                "numeric(10,2)",
                LogicalType::Decimal {
                    precision: Some(10),
                    scale: Some(2),
                },
            ),
            Column::new("status", 2, "text", LogicalType::TEXT),
            Column::new("from_day", 3, "date", LogicalType::Date),
            Column::new("to_day", 4, "date", LogicalType::Date),
        ];
        table
    }

    fn holds(expression: &str, row: &[Value]) -> bool {
        Condition::read("c".into(), expression, &table(), None)
            .unwrap()
            .holds(row)
    }

    fn row(price: Option<&str>, status: &str) -> Vec<Value> {
        vec![
            price.map_or(Value::Null, |p| Value::Number(Decimal::parse(p).unwrap())),
            Value::Text(status.into()),
            Value::Date(10),
            Value::Date(20),
        ]
    }

    #[test]
    fn what_the_engines_print_back_is_read_and_judged() {
        // Expression, price, status, verdict.
        let cases = [
            ("((price >= (0)::numeric))", Some("0"), "x", true),
            ("price >= 0", Some("-0.01"), "x", false),
            ("price >= 0", None, "x", true),
            ("price IS NOT NULL", None, "x", false),
            (
                "((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[]))",
                None,
                "paid",
                true,
            ),
            (
                "((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[]))",
                None,
                "x",
                false,
            ),
            (
                "(`status` in (_utf8mb4'new',_utf8mb4'paid'))",
                None,
                "new",
                true,
            ),
            ("status NOT IN ('new', 'paid')", None, "new", false),
            (
                "price BETWEEN 1 AND 5 AND length(status) > 2",
                Some("5"),
                "abc",
                true,
            ),
            (
                "price BETWEEN 1 AND 5 AND length(status) > 2",
                Some("5"),
                "ab",
                false,
            ),
            ("status LIKE 'A%' OR status IS NULL", None, "Ab", true),
            ("status LIKE 'A\\_%'", None, "Ab", false),
            ("status ~ '^[A-Z]{2}$'", None, "AB", true),
            ("status ~ '^[A-Z]{2}$'", None, "ABC", false),
            ("NOT (price < 3 OR price > 7)", Some("8"), "x", false),
            ("from_day <= to_day", None, "x", true),
            ("from_day > '1970-01-15'", None, "x", false),
            ("(price * 2 + 1) <> 5", Some("2.0"), "x", false),
            ("lower(status) = status", None, "aB", false),
            ("json_valid(`status`)", None, "{\"a\":1}", true),
            ("json_valid(`status`)", None, "{", false),
            ("status <> '' AND coalesce(price, 1) = 1", None, "x", true),
            ("CASE", None, "x", true),
        ];
        for (expression, price, status, verdict) in cases {
            if expression == "CASE" {
                assert!(
                    Condition::read(
                        "c".into(),
                        "CASE WHEN price > 1 THEN 1 END = 1",
                        &table(),
                        None
                    )
                    .is_err()
                );
                assert!(Condition::read("c".into(), "no_such_column > 1", &table(), None).is_err());
                assert!(Condition::read("c".into(), "price > now()", &table(), None).is_err());
                continue;
            }
            assert_eq!(
                holds(expression, &row(price, status)),
                verdict,
                "{expression}"
            );
        }
    }

    #[test]
    fn conjuncts_narrow_the_columns_they_speak_of() {
        let table = table();
        let mut bounds = vec![Bounds::default(); 4];
        let mut orders = Vec::new();
        let text = "price > 0 AND price <= 9.5 AND (status IS NULL OR status IN ('a','b')) AND to_day > from_day AND from_day >= '1970-01-11'";
        let condition = Condition::read("c".into(), text, &table, None).unwrap();
        narrow(&condition.expr, &table, &mut bounds, &mut orders);
        assert_eq!(bounds[0].clip(-1_000, 10_000, 2), Some((1, 950)));
        assert_eq!(bounds[1].list.as_ref().map(Vec::len), Some(2));
        assert_eq!(bounds[2].clip(0, 100, 0), Some((10, 100)));
        assert!(matches!(
            orders[..],
            [Order {
                low: 2,
                high: 3,
                strict: true
            }]
        ));
    }
}
