//! A YAML document as a tree that knows where each part stands, so that every problem can be said with its
//! line, and all of them at once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a file, lines and columns from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
}

/// A value with the place where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Position,
}

/// A part of a document.
pub(super) type Node = Located<Yaml>;

/// What a part of a document is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Located<String>, Node)>),
}

impl Yaml {
    /// The word that messages use.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(*v),
            Self::Int(v) => Value::from(*v),
            Self::Float(v) => Value::from(*v),
            Self::Text(v) => Value::String(v.clone()),
            Self::List(items) => items.iter().map(|node| node.value.to_json()).collect(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.value.clone(), node.value.to_json()))
                .collect(),
        }
    }
}

/// Parses a document.
///
/// # Errors
/// When it is not YAML: place and reason.
pub(super) fn parse(text: &str) -> Result<Node, Located<String>> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options::<Wrapped>(text, options)
        .map(|wrapped| wrapped.0)
        .map_err(|error| {
            let at = error.location().map_or(Position::default(), position);
            Located {
                value: error.to_string(),
                at,
            }
        })
}

fn position(location: serde_saphyr::Location) -> Position {
    Position {
        line: location.line(),
        column: location.column(),
    }
}

struct Wrapped(Node);

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Yaml>::deserialize(deserializer)?;
        Ok(Self(Located {
            value: spanned.value,
            at: position(spanned.referenced),
        }))
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

/// A key as the user meant it: `null`, `true` and `7` are names where a name stands.
fn key_name(key: &Yaml) -> Option<String> {
    match key {
        Yaml::Null => Some("null".to_owned()),
        Yaml::Bool(value) => Some(value.to_string()),
        Yaml::Int(value) => Some(value.to_string()),
        Yaml::Text(value) => Some(value.clone()),
        Yaml::Float(_) | Yaml::List(_) | Yaml::Map(_) => None,
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Yaml, E> {
        Ok(Yaml::Int(v))
    }

    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Yaml, E> {
        i64::try_from(v)
            .map(Yaml::Int)
            .map_err(|_| E::custom("a number beyond 64 bits"))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(v.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(Wrapped(node)) = items.next_element()? {
            list.push(node);
        }
        Ok(Yaml::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Yaml, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<Yaml>>()? {
            let name = key_name(&key.value)
                .ok_or_else(|| serde::de::Error::custom("a key must be a name"))?;
            let Wrapped(node) = entries.next_value()?;
            let at = position(key.referenced);
            map.push((Located { value: name, at }, node));
        }
        Ok(Yaml::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_know_their_lines() {
        let node = parse("a: 1\nb:\n  - x\n  - c: no\n").unwrap();
        let Yaml::Map(entries) = &node.value else {
            panic!("a map")
        };
        assert_eq!(entries[1].0.at.line, 2);
        let Yaml::List(items) = &entries[1].1.value else {
            panic!("a list")
        };
        assert_eq!((items[0].at.line, items[1].at.line), (3, 4));
        let Yaml::Map(inner) = &items[1].value else {
            panic!("a map")
        };
        assert_eq!(
            inner[0].1.value,
            Yaml::Text("no".to_owned()),
            "`no` is a word, not a truth value"
        );
    }

    #[test]
    fn a_key_may_be_a_word_that_yaml_reads_as_something_else() {
        let node = parse("null: true\n7: x\n").unwrap();
        let Yaml::Map(entries) = &node.value else {
            panic!("a map")
        };
        assert_eq!(
            (entries[0].0.value.as_str(), entries[1].0.value.as_str()),
            ("null", "7")
        );
    }

    #[test]
    fn broken_yaml_is_refused_with_its_line() {
        assert!(parse("a: 1\nb: [1, 2\n").unwrap_err().at.line >= 2);
        assert!(parse("a: 1\na: 2\n").is_err(), "a key may stand once");
    }
}
