//! Engines and types: what a column is, in the server's words and in ours.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A database engine family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
    /// The in-memory doubles of this crate.
    Memory,
}

impl Engine {
    /// The word that configuration and reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a column means, whatever engine holds it.
///
/// The native type is always kept beside it ([`crate::catalog::Column::native`]), so nothing is lost by
/// a type that only one engine knows: it is [`LogicalType::Other`] and travels carried.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogicalType {
    /// True or false.
    Boolean,
    /// A whole number of `bits` width.
    Integer {
        /// Width in bits: 8, 16, 24, 32 or 64.
        bits: u8,
        /// Whether negative numbers are excluded.
        unsigned: bool,
    },
    /// An exact decimal number.
    Decimal {
        /// Total digits; `None` when unbounded.
        precision: Option<u32>,
        /// Digits after the point; `None` when unbounded.
        scale: Option<i32>,
    },
    /// A binary floating-point number of 32 or 64 bits.
    Float {
        /// Width in bits.
        bits: u8,
    },
    /// Characters.
    Text {
        /// Longest value in characters; `None` when unbounded.
        max_length: Option<u32>,
    },
    /// Bytes.
    Bytes {
        /// Longest value in bytes; `None` when unbounded.
        max_length: Option<u32>,
    },
    /// A calendar day.
    Date,
    /// A time of day.
    Time,
    /// A point in time, or a wall-clock time when `zoned` is false.
    Timestamp {
        /// Whether the server stores an instant rather than a wall-clock time.
        zoned: bool,
    },
    /// A length of time.
    Interval,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// One of a list of labels, in the order the schema declares them.
    Enum {
        /// The labels. They are schema, not data.
        labels: Vec<String>,
    },
    /// An array of another type.
    Array {
        /// Type of the elements.
        element: Box<LogicalType>,
    },
    /// A type that only the server understands; its values are carried and never decoded.
    Other,
}

impl LogicalType {
    /// Unbounded text.
    pub const TEXT: Self = Self::Text { max_length: None };
    /// A signed 64-bit integer.
    pub const BIGINT: Self = Self::Integer {
        bits: 64,
        unsigned: false,
    };

    /// The class that function descriptors name.
    pub const fn class(&self) -> TypeClass {
        match self {
            Self::Boolean => TypeClass::Boolean,
            Self::Integer { .. } => TypeClass::Integer,
            Self::Decimal { .. } => TypeClass::Decimal,
            Self::Float { .. } => TypeClass::Float,
            Self::Text { .. } => TypeClass::Text,
            Self::Bytes { .. } => TypeClass::Bytes,
            Self::Date => TypeClass::Date,
            Self::Time => TypeClass::Time,
            Self::Timestamp { .. } => TypeClass::Timestamp,
            Self::Interval => TypeClass::Interval,
            Self::Uuid => TypeClass::Uuid,
            Self::Json => TypeClass::Json,
            Self::Enum { .. } => TypeClass::Enum,
            Self::Array { .. } => TypeClass::Array,
            Self::Other => TypeClass::Other,
        }
    }

    /// Longest value in characters (text) or bytes (bytes), when the schema bounds it.
    pub const fn max_length(&self) -> Option<u32> {
        match self {
            Self::Text { max_length } | Self::Bytes { max_length } => *max_length,
            _ => None,
        }
    }
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { bits, unsigned } => {
                write!(f, "{}int{bits}", if *unsigned { "u" } else { "" })
            }
            Self::Float { bits } => write!(f, "float{bits}"),
            Self::Decimal {
                precision: Some(p),
                scale: Some(s),
            } => write!(f, "decimal({p},{s})"),
            Self::Text {
                max_length: Some(n),
            } => write!(f, "text({n})"),
            Self::Bytes {
                max_length: Some(n),
            } => write!(f, "bytes({n})"),
            Self::Array { element } => write!(f, "{element}[]"),
            other => f.write_str(other.class().as_str()),
        }
    }
}

/// A logical type without its measures: what a function says it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each names the variant of LogicalType of the same name"
)]
pub enum TypeClass {
    Boolean,
    Integer,
    Decimal,
    Float,
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Interval,
    Uuid,
    Json,
    Enum,
    Array,
    Other,
}

impl TypeClass {
    /// The word that messages use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Enum => "enum",
            Self::Array => "array",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for TypeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
