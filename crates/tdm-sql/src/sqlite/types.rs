//! Types that SQLite columns declare, and what they mean to us.
//!
//! SQLite keeps any text as a type. What it stores follows the [`Affinity`] that it reads out of the text;
//! what the author meant follows the name, which is what the logical type says.

use tdm_core::batch::Encoding;
use tdm_core::types::{LogicalType, TypeClass};

use super::affinity::Affinity;

/// The meaning of a declared type. The flag says whether the name was known; an unknown one goes by affinity.
pub(super) fn logical(declared: &str) -> (LogicalType, bool) {
    let (name, measures) = split(declared);
    let length = measures.first().copied();
    let integer = |bits, unsigned| LogicalType::Integer { bits, unsigned };
    let decimal = || LogicalType::Decimal {
        precision: length,
        scale: match (measures.get(1), length) {
            (Some(scale), _) => i32::try_from(*scale).ok(),
            (None, Some(_)) => Some(0),
            (None, None) => None,
        },
    };
    let unsigned = name.contains("UNSIGNED");
    let base = name.replace("UNSIGNED", "");
    let known = match base.trim() {
        "BOOL" | "BOOLEAN" => LogicalType::Boolean,
        "TINYINT" | "INT1" => integer(8, unsigned),
        "SMALLINT" | "INT2" => integer(16, unsigned),
        "MEDIUMINT" => integer(24, unsigned),
        "INT" | "INTEGER" | "INT4" | "INT8" | "BIGINT" | "BIG INT" | "SERIAL" | "BIGSERIAL" => {
            integer(64, unsigned)
        }
        "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" | "MONEY" | "DECIMAL_TEXT" => decimal(),
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "FLOAT8" | "FLOAT4" => {
            LogicalType::Float { bits: 64 }
        }
        "CHAR" | "CHARACTER" | "VARCHAR" | "NCHAR" | "NVARCHAR" | "VARCHAR2" | "NVARCHAR2"
        | "VARYING CHARACTER" | "CHARACTER VARYING" | "NATIVE CHARACTER" | "TEXT" | "CLOB"
        | "NTEXT" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "STRING" | "CITEXT" => {
            LogicalType::Text { max_length: length }
        }
        "BLOB" | "BINARY" | "VARBINARY" | "VARBINARY BLOB" | "BYTEA" | "TINYBLOB"
        | "MEDIUMBLOB" | "LONGBLOB" | "IMAGE" => LogicalType::Bytes { max_length: length },
        "DATE" => LogicalType::Date,
        "TIME" => LogicalType::Time,
        "DATETIME"
        | "TIMESTAMP"
        | "DATETIME2"
        | "SMALLDATETIME"
        | "TIMESTAMP WITHOUT TIME ZONE" => LogicalType::Timestamp { zoned: false },
        "TIMESTAMPTZ" | "DATETIMEOFFSET" | "TIMESTAMP WITH TIME ZONE" | "TIMESTAMP_TZ" => {
            LogicalType::Timestamp { zoned: true }
        }
        "INTERVAL" => LogicalType::Interval,
        "JSON" | "JSONB" | "JSON_TEXT" => LogicalType::Json,
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" | "UUID_TEXT" => LogicalType::Uuid,
        // No type at all, or STRICT's own word for one: any value may be there.
        "" | "ANY" => LogicalType::Other,
        _ => {
            let guessed = match Affinity::of(declared, false) {
                Affinity::Integer => LogicalType::BIGINT,
                Affinity::Text => LogicalType::Text { max_length: length },
                Affinity::Real => LogicalType::Float { bits: 64 },
                Affinity::Blob if base.contains("BLOB") => {
                    LogicalType::Bytes { max_length: length }
                }
                Affinity::Blob | Affinity::Numeric => LogicalType::Other,
            };
            return (guessed, false);
        }
    };
    (known, true)
}

/// The type's words in capitals with single spaces, and the numbers in its parentheses.
fn split(declared: &str) -> (String, Vec<u32>) {
    let (name, rest) = declared.split_once('(').unwrap_or((declared, ""));
    let (inner, tail) = rest.split_once(')').unwrap_or((rest, ""));
    let words: Vec<String> = name
        .split_whitespace()
        .chain(tail.split_whitespace())
        .map(str::to_ascii_uppercase)
        .collect();
    let measures = inner
        .split(',')
        .map_while(|number| number.trim().parse().ok())
        .collect();
    (words.join(" "), measures)
}

/// How a logical type lies in a batch that SQLite decoded. SQLite has no booleans and no dates: booleans are
/// integers, everything that is neither number nor bytes is text.
pub(super) const fn encoding(logical: &LogicalType) -> Encoding {
    match logical.class() {
        TypeClass::Integer | TypeClass::Boolean => Encoding::Int64,
        TypeClass::Float => Encoding::Float64,
        TypeClass::Bytes => Encoding::Bytes,
        _ => Encoding::Text,
    }
}

/// The declared type that holds values of `logical` without loss, for tables that another engine declared.
///
/// NUMERIC affinity turns text that reads as a number into a number. Where that would lose digits, or change
/// what a document says, the name carries `TEXT`, which gives the column TEXT affinity.
pub(super) fn declared(logical: &LogicalType) -> String {
    match logical {
        LogicalType::Boolean => "BOOLEAN".to_owned(),
        LogicalType::Integer {
            unsigned: true,
            bits: 64,
        } => "DECIMAL_TEXT(20,0)".to_owned(),
        LogicalType::Integer { bits, unsigned } => {
            let name = match bits {
                8 => "TINYINT",
                16 => "SMALLINT",
                24 => "MEDIUMINT",
                32 => "INTEGER",
                _ => "BIGINT",
            };
            format!("{name}{}", if *unsigned { " UNSIGNED" } else { "" })
        }
        LogicalType::Decimal {
            precision: Some(p),
            scale: Some(s),
        } if *p <= 15 && *s >= 0 => format!("DECIMAL({p},{s})"),
        LogicalType::Decimal {
            precision: Some(p),
            scale: Some(s),
        } => format!("DECIMAL_TEXT({p},{s})"),
        LogicalType::Decimal { .. } => "DECIMAL_TEXT".to_owned(),
        LogicalType::Float { .. } => "REAL".to_owned(),
        LogicalType::Text {
            max_length: Some(n),
        } => format!("VARCHAR({n})"),
        LogicalType::Bytes {
            max_length: Some(n),
        } => format!("VARBINARY({n}) BLOB"),
        LogicalType::Bytes { .. } => "BLOB".to_owned(),
        LogicalType::Date => "DATE".to_owned(),
        LogicalType::Time => "TIME".to_owned(),
        LogicalType::Timestamp { zoned: true } => "TIMESTAMPTZ".to_owned(),
        LogicalType::Timestamp { zoned: false } => "DATETIME".to_owned(),
        LogicalType::Uuid => "UUID_TEXT".to_owned(),
        LogicalType::Json => "JSON_TEXT".to_owned(),
        _ => "TEXT".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_names_mean_what_their_authors_meant() {
        let cases = [
            ("INTEGER", "int64"),
            ("int unsigned", "uint64"),
            ("UNSIGNED BIG INT", "uint64"),
            ("NVARCHAR(120)", "text(120)"),
            ("character varying (3)", "text(3)"),
            ("DECIMAL(10, 2)", "decimal(10,2)"),
            ("NUMERIC(5)", "decimal(5,0)"),
            ("DATETIME", "timestamp"),
            ("TIMESTAMP(6) WITH TIME ZONE", "timestamp"),
            ("BOOLEAN", "boolean"),
            ("JSON", "json"),
            ("UNIQUEIDENTIFIER", "uuid"),
            ("STRING", "text"),
            ("", "other"),
            ("MY_INT_KIND", "int64"),
            ("GEOMETRY", "other"),
        ];
        for (declared, shown) in cases {
            assert_eq!(logical(declared).0.to_string(), shown, "{declared}");
        }
        assert!(!logical("GEOMETRY").1);
    }

    #[test]
    fn what_we_declare_means_what_it_was_made_for() {
        let types = [
            LogicalType::Boolean,
            LogicalType::BIGINT,
            LogicalType::Integer {
                bits: 16,
                unsigned: true,
            },
            LogicalType::Decimal {
                precision: Some(10),
                scale: Some(2),
            },
            LogicalType::Decimal {
                precision: Some(38),
                scale: Some(9),
            },
            LogicalType::Decimal {
                precision: None,
                scale: None,
            },
            LogicalType::Float { bits: 64 },
            LogicalType::TEXT,
            LogicalType::Text {
                max_length: Some(7),
            },
            LogicalType::Bytes { max_length: None },
            LogicalType::Bytes {
                max_length: Some(7),
            },
            LogicalType::Date,
            LogicalType::Time,
            LogicalType::Timestamp { zoned: true },
            LogicalType::Timestamp { zoned: false },
            LogicalType::Uuid,
            LogicalType::Json,
        ];
        for wanted in types {
            assert_eq!(logical(&declared(&wanted)), (wanted, true));
        }
    }
}
