//! A thing taken apart for storing: parts with a column of their own, and the rest in one document.
//!
//! A part that `tdm-core` gains later lands in the document, and no migration is needed for it.

use sea_orm::prelude::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tdm_core::error::PortResult;

use crate::convert::{document, invalid, parse};
use crate::error::Stop;

type Read<T> = Result<T, Stop>;

/// The parts of a thing by name.
pub(crate) struct Parts(Map<String, Value>);

impl Parts {
    pub(crate) fn of(value: &impl Serialize, object: &'static str) -> PortResult<Self> {
        match document(value, object)? {
            Value::Object(mut parts) => {
                parts.retain(|_, part| !part.is_null());
                Ok(Self(parts))
            }
            _ => Err(invalid(object, "it has no parts")),
        }
    }

    pub(crate) fn from_document(document: Json, object: &'static str) -> Read<Self> {
        match document {
            Value::Object(parts) => Ok(Self(parts)),
            _ => Err(Stop::unreadable(object)),
        }
    }

    /// Takes a part out; NULL when there is none.
    pub(crate) fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    /// Takes a text out.
    pub(crate) fn take_text(&mut self, name: &str) -> Option<String> {
        match self.0.get_mut(name)? {
            Value::String(text) => {
                let text = std::mem::take(text);
                self.0.remove(name);
                Some(text)
            }
            _ => None,
        }
    }

    /// Takes a count out; one that no column holds stays.
    pub(crate) fn take_count(&mut self, name: &str) -> Option<i64> {
        let count = self.0.get(name)?.as_i64()?;
        self.0.remove(name);
        Some(count)
    }

    /// Takes several parts out, as a document.
    pub(crate) fn take_all(&mut self, names: &[&str]) -> Json {
        names
            .iter()
            .filter_map(|&name| self.0.remove_entry(name))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Puts a part back; a part that stayed in the document wins.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.entry(name).or_insert(value.into());
    }

    pub(crate) fn rest(self) -> Json {
        Value::Object(self.0)
    }

    pub(crate) fn parse<T: DeserializeOwned>(self, object: &'static str) -> Read<T> {
        parse(self.rest(), object)
    }
}
