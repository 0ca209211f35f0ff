//! What a generator is on the inside: it makes a value from draws, and counts and unranks values where it can.
//!
//! Everything here is a pure function of draws or of a rank; which row asks is decided elsewhere.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod bounds;
mod builtins;
pub(crate) mod choice;
pub(crate) mod compose;
pub(crate) mod network;
pub(crate) mod pattern;
pub(crate) mod person;
pub(crate) mod range;
pub(crate) mod registry;
pub(crate) mod vocabulary;
pub(crate) mod words;

use std::fmt;

use serde_json::Value as Json;
use tdm_core::batch::BatchColumn;
use tdm_core::function::{BindError, ParamError, Params, Resources};

use self::bounds::Bounds;
use self::registry::Registry;
use crate::locale::{DEFAULT_LOCALE, Locale, locale, locale_names};
use crate::philox::CellRng;
use crate::stream::{Stream, TableKey};
use crate::value::Value;

/// Where a value is made.
#[derive(Debug)]
pub(crate) struct Draw {
    /// Draws of this cell.
    pub(crate) rng: CellRng,
    /// Row number.
    pub(crate) row: u64,
    /// How often the row was drawn before.
    pub(crate) attempt: u32,
}

impl Draw {
    pub(crate) const fn new(stream: &Stream, row: u64, attempt: u32) -> Self {
        Self {
            rng: stream.at(row, attempt),
            row,
            attempt,
        }
    }
}

/// Makes values of one column.
pub(crate) trait Maker: fmt::Debug + Send + Sync {
    /// Makes a value from draws.
    fn make(&self, draw: &mut Draw, out: &mut Value);

    /// How many different values [`Maker::unrank`] makes; `None` when it cannot.
    fn capacity(&self) -> Option<u64> {
        None
    }

    /// The value of a rank below the capacity; different ranks give different values.
    fn unrank(&self, _rank: u64, _out: &mut Value) {}

    /// Whether ranks are taken in row order instead of scattered.
    fn ordered(&self) -> bool {
        false
    }

    /// How a text is made different from all others, when it can be.
    fn marking(&self) -> Option<Marking> {
        None
    }

    /// Puts `mark`, which is different in every row and of one length, into the text.
    fn mark(&self, _mark: &str, _out: &mut String) {}
}

/// Alphabet and place for what makes a text unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marking {
    /// 10 for digits, 36 for digits and lower-case letters.
    pub(crate) radix: u32,
    /// Most characters that the mark may have.
    pub(crate) room: u32,
}

/// Capacities stop here: beyond, a domain is larger than any table.
pub(crate) const CAPACITY_MAX: u64 = 1 << 62;

/// What a maker is built from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build<'a> {
    pub(crate) params: &'a Params,
    pub(crate) column: &'a BatchColumn,
    pub(crate) key: TableKey,
    pub(crate) bounds: &'a Bounds,
    pub(crate) resources: &'a dyn Resources,
    pub(crate) registry: &'a Registry,
    /// How deep templates are nested.
    pub(crate) depth: u8,
}

pub(crate) type Built = Result<Box<dyn Maker>, BindError>;

impl Build<'_> {
    /// The locale that the parameters name, else the default one.
    pub(crate) fn locale(&self) -> Result<&'static Locale, BindError> {
        let name = self.params.text("locale").unwrap_or(DEFAULT_LOCALE);
        locale(name).ok_or_else(|| {
            self.wrong(
                "locale",
                format!(
                    "there is no locale `{name}`; there are {}",
                    locale_names().join(", ")
                ),
            )
        })
    }

    /// Longest text of the column, in characters.
    pub(crate) fn room(&self) -> usize {
        self.column
            .logical
            .max_length()
            .map_or(usize::MAX, |n| n as usize)
            .min(self.bounds.length_max.unwrap_or(usize::MAX))
    }

    /// The stream of the entity that columns of one row share.
    pub(crate) fn entity(&self, kind: &str) -> Stream {
        let name = self.params.text("entity").unwrap_or("");
        self.key.stream(&format!("\u{1}{kind}/{name}"))
    }

    pub(crate) fn wrong(&self, name: &str, reason: impl Into<String>) -> BindError {
        BindError::Params(vec![ParamError::Value {
            name: name.to_owned(),
            reason: reason.into(),
        }])
    }

    pub(crate) fn json(&self, name: &str) -> Option<&Json> {
        self.params.0.get(name)
    }

    /// Refuses a column that is too short for what is made.
    pub(crate) fn needs(&self, characters: usize, what: &str) -> Result<(), BindError> {
        if self.room() < characters {
            return Err(BindError::Other(format!(
                "needs {characters} characters for {what} and the column has {}; choose another generator or widen the column",
                self.room()
            )));
        }
        Ok(())
    }
}

/// Cuts a text to `room` characters.
pub(crate) fn cut(text: &mut String, room: usize) {
    if text.len() > room
        && let Some((at, _)) = text.char_indices().nth(room)
    {
        text.truncate(at);
        text.truncate(text.trim_end().len());
    }
}

/// Writes `index` with `width` digits of base 10 or 36 after `out`.
pub(crate) fn digits(mut index: u64, radix: u32, width: u32, out: &mut String) {
    let mut buffer = [b'0'; 40];
    let width = (width as usize).min(buffer.len());
    for slot in buffer[..width].iter_mut().rev() {
        let digit = u8::try_from(index % u64::from(radix)).unwrap_or(0);
        *slot = if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        };
        index /= u64::from(radix);
    }
    out.extend(buffer[..width].iter().map(|&b| char::from(b)));
}
