//! Finds personal data in database columns and in text. Pure and offline: no I/O, no clock, no network.
//!
//! A [`Classifier`] combines what a column's name, table, type and sampled values say into one calibrated answer
//! per column: a category of `tdm_core` or `none`, with a confidence and the reasons. Reasons hold counts and words
//! of the schema, never a value. [`SpanDetector`] finds personal data inside free text and JSON strings.
//!
//! ```
//! use tdm_core::catalog::{Column, TableSchema};
//! use tdm_core::category::Category;
//! use tdm_core::detector::{ColumnContext, ColumnSample};
//! use tdm_core::ident::TableRef;
//! use tdm_core::types::LogicalType;
//! use tdm_pii::Classifier;
//!
//! let mut table = TableSchema::new(TableRef::new("kunden"));
//! table.columns.push(Column::new("nachname", 1, "text", LogicalType::TEXT));
//! let context = ColumnContext { table: &table, column: &table.columns[0], profile: None };
//! let answer = Classifier::standard().classify_column(&context, &ColumnSample::default());
//! assert_eq!(answer.effective(), Category::PersonNameLast);
//! ```
//!
//! Own knowledge comes in by code or by file: [`ClassifierBuilder::with_detector`],
//! [`ClassifierBuilder::with_lexicon`], [`ClassifierBuilder::with_config`].
//!
//! What it leaves to others: reading samples (discovery), deciding what to do with a category (masking rules),
//! and the last word (a person, through a ledger of decisions).

mod classifier;
mod config;
mod dictionary;
mod error;
mod explain;
mod fusion;
mod json;
mod name;
pub mod regime;
mod review;
mod text;
mod value;

pub use classifier::{Classifier, ClassifierBuilder};
pub use dictionary::{DictionaryRow, read_csv, read_dictionary};
pub use error::{Error, LexiconError, Result};
pub use explain::explain;
pub use review::{Ledger, LedgerEntry, fingerprint};
pub use text::SpanDetector;
