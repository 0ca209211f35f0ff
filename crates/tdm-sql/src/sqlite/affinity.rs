//! What SQLite makes of a value when it stores it in a column.
//!
//! Receipts must equal a re-read of the target, so the writer hashes values as they will be stored. The rules
//! that are certain are applied here; where a text becomes a number, SQLite itself is asked, because the last
//! bit of a parsed number is its own business.

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// The storage rule of a column (SQLite, "Datatypes", section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Affinity {
    /// The affinity of a declared type; STRICT tables know one word more.
    pub(super) fn of(declared: &str, strict: bool) -> Self {
        let name = declared.to_ascii_uppercase();
        if strict && name == "ANY" {
            return Self::Blob;
        }
        if name.contains("INT") {
            Self::Integer
        } else if ["CHAR", "CLOB", "TEXT"].iter().any(|w| name.contains(w)) {
            Self::Text
        } else if name.is_empty() || name.contains("BLOB") {
            Self::Blob
        } else if ["REAL", "FLOA", "DOUB"].iter().any(|w| name.contains(w)) {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// What a column of this affinity makes of `value`.
    pub(super) fn store(self, value: ValueRef<'_>) -> Outcome {
        match (self, value) {
            (Self::Integer | Self::Numeric, ValueRef::Real(real)) => {
                if real.fract() != 0.0 || !real.is_finite() {
                    Outcome::Same
                } else {
                    // Where whole reals stop being stored as integers has moved between versions.
                    small(real).map_or(Outcome::AskSqlite, Outcome::Integer)
                }
            }
            (Self::Real, ValueRef::Integer(integer)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "SQLite makes the same cast, and the digest must follow it"
                )]
                let real = integer as f64;
                Outcome::Real(real)
            }
            // The sign of zero is lost: it is stored as the integer zero.
            (Self::Real, ValueRef::Real(real)) if real == 0.0 && real.is_sign_negative() => {
                Outcome::Real(0.0)
            }
            (Self::Integer | Self::Numeric | Self::Real, ValueRef::Text(text)) => {
                match numeric(text) {
                    None => Outcome::Same,
                    Some(Some(integer)) if self != Self::Real => Outcome::Integer(integer),
                    Some(_) => Outcome::AskSqlite,
                }
            }
            (Self::Text, ValueRef::Integer(integer)) => Outcome::Text(integer.to_string()),
            (Self::Text, ValueRef::Real(_)) => Outcome::AskSqlite,
            _ => Outcome::Same,
        }
    }
}

/// What is stored.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The value itself.
    Same,
    Integer(i64),
    Real(f64),
    Text(String),
    /// A conversion that only SQLite does exactly as SQLite.
    AskSqlite,
}

/// A whole real of less than 2^50 in size as an integer.
fn small(real: f64) -> Option<i64> {
    const LIMIT: f64 = 1_125_899_906_842_624.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and below 2^50 in size"
    )]
    (real.abs() < LIMIT).then_some(real as i64)
}

/// `None` when `text` does not read as a number as a whole; the integer when it is a short plain one.
fn numeric(text: &[u8]) -> Option<Option<i64>> {
    let space = |b: &u8| matches!(b, b' ' | 0x09..=0x0d);
    let start = text.iter().position(|b| !space(b))?;
    let end = text.iter().rposition(|b| !space(b))? + 1;
    let body = &text[start..end];
    let unsigned = match body.first()? {
        b'+' | b'-' => &body[1..],
        _ => body,
    };
    let digits = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let before = digits(unsigned);
    let mut rest = &unsigned[before..];
    let mut after = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        after = digits(fraction);
        rest = &fraction[after..];
    } else if rest.is_empty() && before > 0 && before <= 18 && start == 0 && end == text.len() {
        let plain = std::str::from_utf8(body).ok()?;
        return Some(plain.parse().ok());
    }
    if before + after == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = match exponent.first() {
            Some(b'+' | b'-') => &exponent[1..],
            _ => exponent,
        };
        let length = digits(exponent);
        if length == 0 {
            return None;
        }
        rest = &exponent[length..];
    }
    rest.is_empty().then_some(None)
}

/// A private database in memory that stores one value and says what became of it.
#[derive(Debug)]
pub(super) struct Oracle {
    connection: Connection,
}

impl Oracle {
    pub(super) fn open() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE one (i INTEGER, t TEXT, b BLOB, r REAL, n NUMERIC);
             INSERT INTO one DEFAULT VALUES; BEGIN",
        )?;
        Ok(Self { connection })
    }

    /// Stores `value` in a column of `affinity` and gives `read` what comes back.
    pub(super) fn store<T>(
        &self,
        affinity: Affinity,
        value: ValueRef<'_>,
        read: impl FnOnce(ValueRef<'_>) -> T,
    ) -> rusqlite::Result<T> {
        let column = match affinity {
            Affinity::Integer => "i",
            Affinity::Text => "t",
            Affinity::Blob => "b",
            Affinity::Real => "r",
            Affinity::Numeric => "n",
        };
        let mut write = self
            .connection
            .prepare_cached(&format!("UPDATE one SET {column} = ?1"))?;
        write.execute([ToSqlOutput::Borrowed(value)])?;
        let mut back = self
            .connection
            .prepare_cached(&format!("SELECT {column} FROM one"))?;
        back.query_row([], |row| Ok(read(row.get_ref(0)?)))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    fn owned(value: ValueRef<'_>) -> Value {
        value.try_into().unwrap()
    }

    /// Every declared type × every value: our rule against what SQLite returns.
    #[test]
    fn stored_values_are_what_sqlite_returns() {
        let types = [
            "INTEGER",
            "INT",
            "TINYINT",
            "TEXT",
            "VARCHAR(3)",
            "CLOB",
            "BLOB",
            "",
            "REAL",
            "DOUBLE",
            "FLOAT",
            "NUMERIC",
            "DECIMAL(10,2)",
            "DATE",
            "DATETIME",
            "BOOLEAN",
            "JSON",
            "POINT",
            "CHARINT",
            "ANY",
        ];
        let texts = [
            "",
            " ",
            "0",
            "-0",
            "+7",
            "007",
            "12345678901234567",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1.0",
            "1.5",
            "-0.0",
            ".5",
            "5.",
            ".",
            "1e3",
            "1e",
            "1e+",
            "1.5E-3",
            "e5",
            " 12 ",
            "12 x",
            "0x10",
            "12\u{0}",
            "abc",
            "NaN",
            "Infinity",
            "1_000",
            "2024-01-02",
            "\u{a0}1",
            "99999999999999999999999",
            "1e400",
            "-",
            "+",
            "12.50",
            "0.1",
            "123456789012345678901234567890.5",
            "\t1\n",
            "\u{b}1",
        ];
        let mut values: Vec<Value> = texts.iter().map(|t| Value::Text((*t).to_owned())).collect();
        for integer in [
            0,
            1,
            -1,
            i64::MAX,
            i64::MIN,
            1 << 47,
            (1 << 53) + 1,
            -(1 << 51),
        ] {
            values.push(Value::Integer(integer));
        }
        for real in [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1.5,
            0.1,
            1e15,
            1e300,
            -1e-300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            2_251_799_813_685_249.0,
            2_251_799_813_685_247.0,
            4_503_599_627_370_496.0,
            9_007_199_254_740_992.0,
            9_007_199_254_740_994.0,
            -9e15,
            2_251_799_813_685_248.0,
            -2_251_799_813_685_248.0,
            9e18,
            1e19,
            5e-324,
        ] {
            values.push(Value::Real(real));
        }
        values.push(Value::Blob(b"12".to_vec()));
        values.push(Value::Blob(Vec::new()));
        values.push(Value::Null);

        let oracle = Oracle::open().unwrap();
        let connection = Connection::open_in_memory().unwrap();
        for declared in types {
            connection
                .execute_batch(&format!(
                    "DROP TABLE IF EXISTS t; CREATE TABLE t (c {declared})"
                ))
                .unwrap();
            let affinity = Affinity::of(declared, false);
            for value in &values {
                connection.execute("DELETE FROM t", []).unwrap();
                connection
                    .execute("INSERT INTO t VALUES (?1)", [value])
                    .unwrap();
                let truth: Value = connection
                    .query_row("SELECT c FROM t", [], |row| row.get(0))
                    .unwrap();
                let ours = match affinity.store(value.into()) {
                    Outcome::Same => value.clone(),
                    Outcome::Integer(v) => Value::Integer(v),
                    Outcome::Real(v) => Value::Real(v),
                    Outcome::Text(v) => Value::Text(v),
                    Outcome::AskSqlite => oracle.store(affinity, value.into(), owned).unwrap(),
                };
                let same = match (&ours, &truth) {
                    (Value::Real(a), Value::Real(b)) => a.to_bits() == b.to_bits(),
                    (a, b) => a == b,
                };
                assert!(same, "{declared}: {value:?} gives {truth:?}, not {ours:?}");
            }
        }
    }
}
