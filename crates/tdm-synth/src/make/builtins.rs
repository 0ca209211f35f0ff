//! The built-in generators, one by one, with their parameters.

use tdm_core::function::{Descriptor, Parameter, ParameterKind, Promise};
use tdm_core::types::TypeClass;

use super::{
    Build, Built, account, address, choice, compose, network, pattern, person, range, vocabulary,
    words,
};

const fn parameter(
    name: &'static str,
    kind: ParameterKind,
    summary: &'static str,
    default: Option<&'static str>,
) -> Parameter {
    Parameter {
        name,
        kind,
        summary,
        default,
    }
}

use ParameterKind as P;
use TypeClass as T;

const LOCALE: Parameter = parameter(
    "locale",
    P::Text,
    "Locale of names and words.",
    Some("en-US"),
);
const ENTITY: Parameter = parameter(
    "entity",
    P::Text,
    "Which person, address or card of the row; columns of one entity agree.",
    Some(""),
);
const MIN: Parameter = parameter("min", P::Any, "Smallest value.", Some("by type"));
const MAX: Parameter = parameter("max", P::Any, "Largest value.", Some("by type"));
const STEP: Parameter = parameter("step", P::Integer, "Distance between values.", Some("1"));
const SCALE: Parameter = parameter(
    "scale",
    P::Integer,
    "Digits after the point.",
    Some("the column's"),
);

const SKEW: Parameter = parameter(
    "skew",
    P::Integer,
    "1 for even values; up to 8 for more and more low ones.",
    Some("1"),
);

const NONE: &[Parameter] = &[];
const LOCAL: &[Parameter] = &[LOCALE];
const ENTITIES: &[Parameter] = &[LOCALE, ENTITY];
const CARD: &[Parameter] = &[
    ENTITY,
    parameter("issuer", P::Text, "Only this issuer.", Some("any")),
];
const COUNTRY: &[Parameter] = &[
    LOCALE,
    parameter(
        "country",
        P::Text,
        "Country code of the account.",
        Some("the locale's"),
    ),
];

const TEXTS: &[TypeClass] = &[T::Text];
const NUMBERS: &[TypeClass] = &[T::Integer, T::Decimal, T::Float, T::Text];
const ANY: &[TypeClass] = &[
    T::Boolean,
    T::Integer,
    T::Decimal,
    T::Float,
    T::Text,
    T::Bytes,
    T::Date,
    T::Time,
    T::Timestamp,
    T::Interval,
    T::Uuid,
    T::Json,
    T::Enum,
    T::Array,
    T::Other,
];

/// Generated values say nothing about anyone: what is left to warn of is that they are not production's.
const WEAKNESS: &str = "Values follow no distribution of real data unless a profile is given.";

const fn describe(
    name: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    accepts: &'static [TypeClass],
) -> Descriptor {
    Descriptor {
        name,
        summary,
        parameters,
        accepts,
        promise: Promise {
            deterministic: true,
            injective: false,
            null_preserving: false,
            format_preserving: false,
            length_max: None,
        },
        weakness: WEAKNESS,
    }
}

pub(super) type Entry = (Descriptor, fn(&Build<'_>) -> Built);

pub(super) const BUILTINS: &[Entry] = &[
    (
        describe(
            "boolean",
            "True or false.",
            &[parameter("share", P::Number, "Share of true.", Some("0.5"))],
            &[T::Boolean, T::Integer],
        ),
        choice::boolean,
    ),
    (
        describe(
            "bytes",
            "Random bytes.",
            &[parameter(
                "length",
                P::Integer,
                "How many.",
                Some("1 to 16"),
            )],
            &[T::Bytes],
        ),
        words::bytes,
    ),
    (
        describe(
            "card_issuer",
            "Issuer that fits the row's card number.",
            CARD,
            TEXTS,
        ),
        account::card_issuer,
    ),
    (
        describe(
            "choice",
            "One of a list, evenly or by weight.",
            &[
                parameter(
                    "values",
                    P::Any,
                    "List of values, or map from value to weight.",
                    Some("the column's labels"),
                ),
                parameter(
                    "weights",
                    P::List,
                    "One weight for each value.",
                    Some("even"),
                ),
            ],
            ANY,
        ),
        choice::choice,
    ),
    (
        describe("city", "City of the row's address.", ENTITIES, TEXTS),
        address::city,
    ),
    (
        describe("company", "Name of a company.", LOCAL, TEXTS),
        vocabulary::company,
    ),
    (
        describe(
            "constant",
            "One fixed value.",
            &[parameter("value", P::Any, "The value.", None)],
            ANY,
        ),
        choice::constant,
    ),
    (
        describe(
            "country",
            "Country of the row's address, as a code where the column is short.",
            ENTITIES,
            TEXTS,
        ),
        address::country,
    ),
    (
        describe(
            "credit_card",
            "Card number of a test range, with check digit.",
            CARD,
            TEXTS,
        ),
        account::credit_card,
    ),
    (
        describe(
            "date",
            "Day in a range.",
            &[MIN, MAX, SKEW],
            &[T::Date, T::Timestamp, T::Text],
        ),
        range::date,
    ),
    (
        describe(
            "decimal",
            "Exact number in a range.",
            &[MIN, MAX, SCALE, SKEW],
            NUMBERS,
        ),
        range::decimal,
    ),
    (
        describe(
            "email",
            "E-mail address that fits the row's person, at example.com, .org or .net.",
            ENTITIES,
            TEXTS,
        ),
        person::email,
    ),
    (
        describe(
            "fake",
            "Word list of the fake crate, English or Latin.",
            &[parameter("kind", P::Text, "Which list.", None)],
            TEXTS,
        ),
        vocabulary::fake,
    ),
    (
        describe(
            "first_name",
            "Given name of the row's person.",
            ENTITIES,
            TEXTS,
        ),
        person::first_name,
    ),
    (
        describe(
            "float",
            "Binary number in a range.",
            &[MIN, MAX, SCALE, SKEW],
            NUMBERS,
        ),
        range::float,
    ),
    (
        describe(
            "full_name",
            "Whole name of the row's person.",
            ENTITIES,
            TEXTS,
        ),
        person::full_name_of,
    ),
    (
        describe(
            "gender",
            "Gender of the row's person: female or male, F or M where the column is short.",
            ENTITIES,
            TEXTS,
        ),
        person::gender,
    ),
    (
        describe(
            "hash",
            "Hexadecimal digits.",
            &[parameter("length", P::Integer, "How many.", Some("64"))],
            TEXTS,
        ),
        pattern::hash,
    ),
    (
        describe(
            "iban",
            "Account number of a bank that does not exist, with check digits.",
            COUNTRY,
            TEXTS,
        ),
        account::iban,
    ),
    (
        describe(
            "integer",
            "Whole number in a range.",
            &[MIN, MAX, STEP, SKEW],
            NUMBERS,
        ),
        range::integer,
    ),
    (
        describe(
            "ip",
            "Internet address of a documentation range.",
            &[parameter("version", P::Integer, "4 or 6.", Some("4"))],
            &[T::Text, T::Other],
        ),
        network::ip,
    ),
    (
        describe("job", "Job title.", LOCAL, TEXTS),
        vocabulary::job_title,
    ),
    (
        describe(
            "json",
            "JSON document whose texts may hold {{generator}}.",
            &[
                LOCALE,
                ENTITY,
                parameter("template", P::Any, "The document.", Some("a small object")),
            ],
            &[T::Json, T::Text],
        ),
        compose::json,
    ),
    (
        describe(
            "last_name",
            "Family name of the row's person.",
            ENTITIES,
            TEXTS,
        ),
        person::last_name,
    ),
    (
        describe(
            "list",
            "One line of a configured list.",
            &[parameter("name", P::Text, "Name of the list.", None)],
            TEXTS,
        ),
        choice::list,
    ),
    (
        describe(
            "mac",
            "Locally administered hardware address.",
            NONE,
            &[T::Text, T::Other],
        ),
        network::mac,
    ),
    (
        describe("null", "NULL in every row.", NONE, ANY),
        choice::null,
    ),
    (
        describe("paragraph", "A few sentences.", LOCAL, TEXTS),
        words::paragraph,
    ),
    (
        describe(
            "pattern",
            "Text after a pattern in the language of regular expressions.",
            &[
                parameter("pattern", P::Text, "The pattern.", Some("the constraint's")),
                parameter(
                    "ignore_case",
                    P::Boolean,
                    "Use one case of each letter only.",
                    Some("false"),
                ),
            ],
            &[T::Text, T::Other],
        ),
        pattern::pattern,
    ),
    (
        describe(
            "phone",
            "Telephone number of a range kept free for fiction.",
            LOCAL,
            TEXTS,
        ),
        address::phone,
    ),
    (
        describe(
            "postcode",
            "Postal code of the row's address.",
            ENTITIES,
            TEXTS,
        ),
        address::postcode,
    ),
    (
        describe("region", "Region of the row's address.", ENTITIES, TEXTS),
        address::region,
    ),
    (
        describe("sentence", "A sentence.", LOCAL, TEXTS),
        words::sentence,
    ),
    (
        describe(
            "serial",
            "Running number.",
            &[
                parameter("start", P::Integer, "Number of the first row.", Some("1")),
                STEP,
            ],
            NUMBERS,
        ),
        range::serial,
    ),
    (
        describe(
            "street",
            "Street and number of the row's address.",
            ENTITIES,
            TEXTS,
        ),
        address::street,
    ),
    (
        describe(
            "template",
            "Text with {{generator}} in it.",
            &[
                LOCALE,
                ENTITY,
                parameter("template", P::Text, "The text.", None),
            ],
            TEXTS,
        ),
        compose::template,
    ),
    (
        describe(
            "time",
            "Time of day in a range.",
            &[MIN, MAX, SKEW],
            &[T::Time, T::Text],
        ),
        range::time,
    ),
    (
        describe(
            "timestamp",
            "Point in time in a range.",
            &[MIN, MAX, SKEW],
            &[T::Timestamp, T::Date, T::Text],
        ),
        range::timestamp,
    ),
    (
        describe("url", "Web address at example.com.", LOCAL, TEXTS),
        network::url,
    ),
    (
        describe(
            "username",
            "User name that fits the row's person.",
            ENTITIES,
            TEXTS,
        ),
        person::username,
    ),
    (
        describe("uuid", "Random UUID.", NONE, &[T::Uuid, T::Text]),
        words::uuid,
    ),
    (
        describe(
            "with_nulls",
            "Another generator with a share of NULLs.",
            &[
                LOCALE,
                ENTITY,
                parameter("generator", P::Text, "Name of the other.", None),
                parameter("params", P::Map, "Its parameters.", Some("none")),
                parameter("share", P::Number, "Share of NULLs.", Some("0.1")),
            ],
            ANY,
        ),
        compose::with_nulls,
    ),
    (
        describe(
            "words",
            "A few words.",
            &[
                LOCALE,
                parameter("min_words", P::Integer, "Fewest words.", Some("1")),
                parameter("max_words", P::Integer, "Most words.", Some("3")),
            ],
            TEXTS,
        ),
        words::words,
    ),
];
