//! The explicit list of functions that rules may name.

use std::sync::Arc;

use tdm_core::function::{Descriptor, MaskingFunction};

use crate::function::{
    Function, choice, compound, constant, contact, ff1, finance, free_text, handle, identity, json,
    network, number, pattern, person, place, text, time, token, uuid,
};

/// Functions by name, in the order of the documentation.
///
/// ```
/// use tdm_masking::registry::Registry;
/// let registry = Registry::standard();
/// assert!(registry.find("email").is_some());
/// assert_eq!(registry.suggest("emial"), Some("email"));
/// ```
#[derive(Debug, Clone)]
pub struct Registry {
    leaves: Vec<Arc<dyn MaskingFunction>>,
    all: Vec<Arc<dyn MaskingFunction>>,
}

impl Registry {
    /// No functions.
    pub fn empty() -> Self {
        Self {
            leaves: Vec::new(),
            all: Vec::new(),
        }
    }

    /// The functions of this crate.
    pub fn standard() -> Self {
        let leaves = [
            constant::NULL,
            constant::FIXED,
            constant::ERASE,
            constant::PICK,
            choice::DEFAULT,
            choice::DICTIONARY,
            choice::CHOOSE,
            token::TOKEN,
            ff1::FF1,
            pattern::FROM_PATTERN,
            pattern::REGEX_REPLACE,
            pattern::TRUNCATE,
            text::SCRAMBLE,
            text::REDACT,
            text::BLANK_SHAPE,
            number::PERMUTE,
            number::NUMBER_NOISE,
            time::DATE_SHIFT,
            time::BIRTH_DATE,
            time::GENERALIZE_YEAR,
            person::FIRST_NAME,
            person::LAST_NAME,
            person::FULL_NAME,
            handle::EMAIL,
            handle::USERNAME,
            contact::PHONE,
            place::STREET,
            place::CITY,
            text::POSTCODE,
            place::REGION,
            place::COUNTRY,
            place::COMPANY,
            identity::NATIONAL_ID,
            finance::CREDIT_CARD,
            finance::IBAN,
            network::IP,
            network::MAC,
            network::URL,
            uuid::UUID,
        ];
        let leaf = |function: Function| -> Arc<dyn MaskingFunction> { Arc::new(function) };
        let mut registry = Self {
            leaves: leaves.into_iter().map(leaf).collect(),
            all: Vec::new(),
        };
        registry.compose();
        registry
    }

    /// The same with `function` added; one of the same name is replaced. It can be named inside JSON and
    /// free text as well.
    #[must_use]
    pub fn with(mut self, function: Arc<dyn MaskingFunction>) -> Self {
        let name = function.descriptor().name;
        self.leaves.retain(|known| known.descriptor().name != name);
        self.leaves.push(function);
        self.compose();
        self
    }

    /// Functions that work inside cells hold the ones they may use there.
    fn compose(&mut self) {
        let replaced = |name: &str| self.leaves.iter().any(|f| f.descriptor().name == name);
        let mut all = self.leaves.clone();
        if !replaced("free_text") {
            all.push(Arc::new(free_text::FreeText {
                functions: all.as_slice().into(),
            }));
        }
        for function in compound::all(&all.as_slice().into()) {
            if !replaced(function.descriptor().name) {
                all.push(Arc::new(function));
            }
        }
        if !replaced("json") {
            all.push(Arc::new(json::Json {
                functions: all.as_slice().into(),
            }));
        }
        self.all = all;
    }

    /// The function called `name`.
    pub fn find(&self, name: &str) -> Option<&Arc<dyn MaskingFunction>> {
        self.all.iter().find(|f| f.descriptor().name == name)
    }

    /// All names in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.descriptors().map(|d| d.name).collect()
    }

    /// All descriptors in order.
    pub fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.all.iter().map(|f| f.descriptor())
    }

    /// The known name that `name` was most likely meant to be.
    pub fn suggest(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.descriptors().map(|d| d.name))
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

/// The candidate nearest to `name`, when one is near enough to be worth naming.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&name, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
