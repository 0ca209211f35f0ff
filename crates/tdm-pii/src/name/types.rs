//! Which types can hold which categories, and native type names read without a database.

use tdm_core::category::Category;
use tdm_core::types::LogicalType;

/// Why a column of this type cannot hold the category; `None` when it can.
///
/// `number_words` says that the name speaks of a number (house number, number of children).
pub(crate) fn veto(
    category: Category,
    logical: &LogicalType,
    number_words: bool,
) -> Option<&'static str> {
    use Category as C;
    let special = matches!(
        category,
        C::Health
            | C::Religion
            | C::Ethnicity
            | C::SexualOrientation
            | C::Political
            | C::Union
            | C::Biometric
            | C::Gender
            | C::OtherPersonal
            | C::None
    );
    let fits = match logical {
        LogicalType::Boolean => special,
        LogicalType::Integer { bits, .. } => match category {
            C::PersonNameFirst
            | C::PersonNameLast
            | C::PersonNameFull
            | C::Email
            | C::AddressCity
            | C::AddressRegion
            | C::AddressCountry
            | C::UrlPersonal
            | C::FreeText
            | C::PasswordHash
            | C::SecretToken
            | C::Username
            | C::Iban => false,
            C::AddressStreet => number_words,
            C::Phone | C::NationalId | C::TaxId | C::BankAccount => *bits >= 24,
            _ => true,
        },
        LogicalType::Decimal { scale, .. } => match category {
            C::GeoLat | C::GeoLon | C::Financial | C::Health | C::OtherPersonal | C::None => true,
            C::Phone
            | C::NationalId
            | C::TaxId
            | C::BankAccount
            | C::CreditCard
            | C::AddressPostcode
            | C::DateOfBirth
            | C::Gender
            | C::Passport
            | C::DriverLicense
            | C::DeviceId => scale.is_none_or(|s| s <= 0),
            _ => false,
        },
        LogicalType::Float { .. } => matches!(
            category,
            C::GeoLat
                | C::GeoLon
                | C::Financial
                | C::Health
                | C::OtherPersonal
                | C::Biometric
                | C::None
        ),
        LogicalType::Date => {
            matches!(
                category,
                C::DateOfBirth | C::Health | C::OtherPersonal | C::CreditCard | C::None
            ) || special && category != C::Gender
        }
        LogicalType::Timestamp { .. } => matches!(
            category,
            C::DateOfBirth | C::Health | C::OtherPersonal | C::None
        ),
        LogicalType::Time | LogicalType::Interval => {
            matches!(category, C::DateOfBirth | C::None)
        }
        LogicalType::Uuid => matches!(
            category,
            C::DeviceId | C::SecretToken | C::OtherPersonal | C::None
        ),
        LogicalType::Bytes { .. } => matches!(
            category,
            C::Biometric
                | C::PasswordHash
                | C::SecretToken
                | C::UrlPersonal
                | C::IpAddress
                | C::OtherPersonal
                | C::NationalId
                | C::CreditCard
                | C::Iban
                | C::BankAccount
                | C::Passport
                | C::TaxId
                | C::Health
                | C::None
        ),
        LogicalType::Text {
            max_length: Some(length),
        } => *length >= shortest(category),
        LogicalType::Enum { .. } => !matches!(
            category,
            C::PersonNameFirst
                | C::PersonNameLast
                | C::PersonNameFull
                | C::Email
                | C::Phone
                | C::AddressStreet
                | C::Username
                | C::PasswordHash
                | C::SecretToken
                | C::FreeText
        ),
        _ => true,
    };
    (!fits).then_some("type cannot hold it")
}

/// Characters that the shortest sensible value needs.
const fn shortest(category: Category) -> u32 {
    use Category as C;
    match category {
        C::Email | C::MacAddress | C::UrlPersonal => 6,
        C::Phone | C::PasswordHash | C::FreeText => 5,
        C::SecretToken | C::NationalId | C::TaxId | C::Passport | C::DriverLicense => 4,
        C::PersonNameFull | C::AddressStreet | C::IpAddress => 4,
        C::PersonNameLast | C::AddressCity | C::Username => 3,
        C::Iban => 15,
        C::DeviceId | C::BankAccount | C::AddressPostcode => 3,
        C::CreditCard | C::AddressRegion | C::AddressCountry | C::DateOfBirth => 2,
        _ => 1,
    }
}

/// Reads a native type of any engine, with or without measures. `None` when it says nothing.
pub(crate) fn parse(native: &str) -> Option<LogicalType> {
    let text = native.trim().to_ascii_lowercase();
    if let Some(element) = text.strip_suffix("[]") {
        return Some(LogicalType::Array {
            element: Box::new(parse(element)?),
        });
    }
    let (name, measure) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.split(')').next().unwrap_or_default()),
        None => (text.as_str(), ""),
    };
    let unsigned = text.contains("unsigned");
    let name = name
        .trim()
        .trim_end_matches(" unsigned")
        .trim_end_matches(" zerofill")
        .trim();
    let mut numbers = measure.split(',').map(|n| n.trim().parse::<u32>().ok());
    let first = numbers.next().flatten();
    let second = numbers.next().flatten();
    let integer = |bits| LogicalType::Integer { bits, unsigned };
    Some(match name {
        "bool" | "boolean" => LogicalType::Boolean,
        "bit" if first.unwrap_or(1) == 1 => LogicalType::Boolean,
        "bit" | "varbit" | "bit varying" => LogicalType::Other,
        "tinyint" if first == Some(1) => LogicalType::Boolean,
        "tinyint" | "int1" => integer(8),
        "smallint" | "int2" | "smallserial" | "year" => integer(16),
        "mediumint" => integer(24),
        "int" | "integer" | "int4" | "serial" => integer(32),
        "bigint" | "int8" | "bigserial" | "long" => integer(64),
        "decimal" | "numeric" | "number" | "dec" => LogicalType::Decimal {
            precision: first,
            scale: if first.is_some() {
                Some(second.and_then(|s| i32::try_from(s).ok()).unwrap_or(0))
            } else {
                None
            },
        },
        "money" | "smallmoney" => LogicalType::Decimal {
            precision: Some(19),
            scale: Some(4),
        },
        "float" | "double" | "double precision" | "float8" | "binary_double" => {
            LogicalType::Float { bits: 64 }
        }
        "real" | "float4" | "binary_float" => LogicalType::Float { bits: 32 },
        "char" | "character" | "nchar" | "bpchar" => LogicalType::Text {
            max_length: Some(first.unwrap_or(1)),
        },
        "varchar" | "character varying" | "nvarchar" | "varchar2" | "nvarchar2" | "string"
        | "native character" | "varying character" | "citext" => {
            LogicalType::Text { max_length: first }
        }
        "text" | "tinytext" | "mediumtext" | "longtext" | "clob" | "nclob" | "ntext" => {
            LogicalType::TEXT
        }
        "blob" | "bytea" | "binary" | "varbinary" | "tinyblob" | "mediumblob" | "longblob"
        | "image" | "raw" => LogicalType::Bytes { max_length: first },
        "date" => LogicalType::Date,
        "time" | "timetz" | "time without time zone" | "time with time zone" => LogicalType::Time,
        "datetime"
        | "datetime2"
        | "smalldatetime"
        | "timestamp"
        | "timestamp without time zone" => LogicalType::Timestamp { zoned: false },
        "timestamptz" | "timestamp with time zone" | "datetimeoffset" => {
            LogicalType::Timestamp { zoned: true }
        }
        "interval" => LogicalType::Interval,
        "uuid" | "uniqueidentifier" | "guid" => LogicalType::Uuid,
        "json" | "jsonb" => LogicalType::Json,
        "enum" | "set" => LogicalType::Enum { labels: Vec::new() },
        _ if name.starts_with("timestamp") => LogicalType::Timestamp {
            zoned: text.contains("with time zone"),
        },
        _ if name.contains("char") => LogicalType::Text { max_length: first },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_types_of_all_engines_are_read() {
        for (native, class) in [
            ("VARCHAR(20)", "text"),
            ("int(10) unsigned", "integer"),
            ("tinyint(1)", "boolean"),
            ("numeric(10,2)", "decimal"),
            ("timestamp(6) with time zone", "timestamp"),
            ("character varying(12)", "text"),
            ("NVARCHAR2(40 CHAR)", "text"),
            ("text[]", "array"),
            ("double precision", "float"),
        ] {
            assert_eq!(parse(native).unwrap().class().as_str(), class, "{native}");
        }
        assert_eq!(parse("tsvector"), None);
    }

    #[test]
    fn a_boolean_holds_no_phone_but_may_hold_a_pregnancy() {
        assert!(veto(Category::Phone, &LogicalType::Boolean, false).is_some());
        assert!(veto(Category::Health, &LogicalType::Boolean, false).is_none());
        let code = LogicalType::Text {
            max_length: Some(2),
        };
        assert!(veto(Category::Email, &code, false).is_some());
        assert!(veto(Category::AddressCountry, &code, false).is_none());
    }
}
