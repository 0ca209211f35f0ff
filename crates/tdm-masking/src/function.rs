//! The catalogue: one file per family, one [`Function`] per name.

use std::fmt;

use tdm_core::batch::{BatchColumn, Encoding};
use tdm_core::function::{
    BindError, BindRequest, BoundMask, Descriptor, MaskingFunction, ParamError, Parameter,
    ParameterKind, Promise,
};
use tdm_core::keyring::{DomainKey, PseudonymDomain};
use tdm_core::types::TypeClass;

pub(crate) mod choice;
pub(crate) mod compound;
pub(crate) mod constant;
pub(crate) mod contact;
pub(crate) mod ff1;
pub(crate) mod finance;
pub(crate) mod free_text;
pub(crate) mod handle;
pub(crate) mod identity;
pub(crate) mod json;
pub(crate) mod nested;
pub(crate) mod network;
pub(crate) mod number;
pub(crate) mod pattern;
pub(crate) mod person;
pub(crate) mod place;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod uuid;
pub(crate) mod vocabulary;

type Bound = Result<Box<dyn BoundMask>, BindError>;

/// A function that is nothing but a descriptor and a way to bind.
pub(crate) struct Function {
    pub(crate) descriptor: Descriptor,
    pub(crate) bind: fn(&BindRequest<'_>) -> Bound,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function")
            .field(&self.descriptor.name)
            .finish()
    }
}

impl MaskingFunction for Function {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn bind(&self, request: &BindRequest<'_>) -> Bound {
        check(&self.descriptor, request)?;
        (self.bind)(request)
    }
}

/// Checks parameters, type and encoding against a descriptor.
pub(crate) fn check(descriptor: &Descriptor, request: &BindRequest<'_>) -> Result<(), BindError> {
    request
        .params
        .check(descriptor.parameters)
        .map_err(BindError::Params)?;
    let class = request.column.logical.class();
    if !descriptor.accepts.contains(&class) {
        return Err(BindError::Type {
            found: request.column.logical.clone(),
            accepts: descriptor.accepts.to_vec(),
        });
    }
    if matches!(request.column.encoding, Encoding::Carried(_)) {
        return Err(BindError::Other(
            "the source cannot decode this type; keep, null or drop the column".to_owned(),
        ));
    }
    Ok(())
}

/// Types that hold one short text, a number read as text included.
pub(crate) const TEXTUAL: &[TypeClass] = &[TypeClass::Text];
/// Types whose digits can be scrambled.
pub(crate) const DIGITS: &[TypeClass] = &[TypeClass::Text, TypeClass::Integer, TypeClass::Decimal];
/// Types that hold a day, in one form or another.
pub(crate) const DAYS: &[TypeClass] = &[
    TypeClass::Date,
    TypeClass::Timestamp,
    TypeClass::Text,
    TypeClass::Integer,
];
/// Numbers, numbers in text included.
pub(crate) const NUMBERS: &[TypeClass] = &[
    TypeClass::Integer,
    TypeClass::Decimal,
    TypeClass::Float,
    TypeClass::Text,
];
/// Every type.
pub(crate) const ANY: &[TypeClass] = &[
    TypeClass::Boolean,
    TypeClass::Integer,
    TypeClass::Decimal,
    TypeClass::Float,
    TypeClass::Text,
    TypeClass::Bytes,
    TypeClass::Date,
    TypeClass::Time,
    TypeClass::Timestamp,
    TypeClass::Interval,
    TypeClass::Uuid,
    TypeClass::Json,
    TypeClass::Enum,
    TypeClass::Array,
];

/// A bijection that keeps the shape.
pub(crate) const BIJECTION: Promise = Promise {
    deterministic: true,
    injective: true,
    null_preserving: true,
    format_preserving: true,
    length_max: None,
};

/// The key of a function in its domain. `label` names what is drawn, so that two functions that draw the
/// same thing (a first name, alone or inside a whole name) agree.
pub(crate) fn key(request: &BindRequest<'_>, label: &str) -> DomainKey {
    request.keyring.domain_key(request.domain).subkey(label)
}

/// The key of `label` in a domain of its own name: parts of a value that have a column elsewhere.
pub(crate) fn key_of(request: &BindRequest<'_>, domain: &str, label: &str) -> DomainKey {
    request
        .keyring
        .domain_key(&PseudonymDomain::new(domain))
        .subkey(label)
}

/// An optional parameter.
pub(crate) const fn parameter(
    name: &'static str,
    kind: ParameterKind,
    default: &'static str,
    summary: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        summary,
        default: Some(default),
    }
}

/// The locale parameter that all vocabularies share.
pub(crate) const LOCALE: Parameter = parameter(
    "locale",
    ParameterKind::Text,
    "en",
    "Language whose words are used: de, en, es, fr, it, nl, pl, pt.",
);

/// The parameter by which the plan asks for different outputs on a unique column.
pub(crate) const UNIQUE: Parameter = parameter(
    "unique",
    ParameterKind::Boolean,
    "auto",
    "Whether a keyed token is added so that no two values meet; the plan turns it on for unique columns.",
);

pub(crate) fn bad(name: &str, reason: impl Into<String>) -> BindError {
    BindError::Params(vec![ParamError::Value {
        name: name.to_owned(),
        reason: reason.into(),
    }])
}

/// A whole number from the parameters, within bounds.
pub(crate) fn integer(
    request: &BindRequest<'_>,
    name: &str,
    default: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, BindError> {
    let value = request.params.integer(name).unwrap_or(default);
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(bad(
            name,
            format!("must be from {} to {}", range.start(), range.end()),
        ))
    }
}

/// A count from the parameters, within bounds.
pub(crate) fn count(
    request: &BindRequest<'_>,
    name: &str,
    default: u32,
    max: u32,
) -> Result<usize, BindError> {
    let value = integer(request, name, default.into(), 0..=max.into())?;
    usize::try_from(value).map_err(|_| bad(name, "is too large"))
}

/// One word of several from the parameters.
pub(crate) fn word<'p>(
    request: &BindRequest<'p>,
    name: &str,
    default: &'static str,
    words: &[&str],
) -> Result<&'p str, BindError> {
    let value = request.params.text(name).unwrap_or(default);
    if words.contains(&value) {
        Ok(value)
    } else {
        Err(bad(name, format!("must be one of {}", words.join(", "))))
    }
}

/// A column like `column` that holds text, for functions that work inside a cell.
pub(crate) fn inner_column(column: &BatchColumn) -> BatchColumn {
    BatchColumn {
        name: column.name.clone(),
        native: "text".to_owned(),
        logical: tdm_core::types::LogicalType::TEXT,
        nullable: true,
        encoding: Encoding::Text,
    }
}
