//! Keyed data masking for values, columns and batches: pure, offline, without a database.
//!
//! - [`registry`] lists the functions that rules may name; each describes itself and more can be added.
//! - [`plan`] turns rules, classifications and a schema into a decision for every column, proves it against keys,
//!   references and lengths, and clears batches. What it refuses, it refuses before a row is read.
//! - [`policy`] holds rule sets that ship as files: a safe decision for every category.
//! - [`leak`] counts what survived, as a gate before publishing; [`risk`] measures who can still be singled out.
//!
//! Who selects which rows, reads them and writes them is left to others.
//!
//! ```
//! use std::sync::Arc;
//! use tdm_core::{arrow_array::{ArrayRef, StringArray}, batch::{Batch, BatchColumn, BatchSchema, Encoding}};
//! use tdm_core::{catalog::{Column, TableSchema}, function::NoResources, ident::TableRef, keyring::RootKey};
//! use tdm_core::{transform::Transform as _, types::LogicalType};
//! use tdm_masking::{plan::{MaskingPlan, PlanRequest}, policy, registry::Registry};
//!
//! let mut table = TableSchema::new(TableRef::new("customers"));
//! table.columns = vec![Column::new("email", 1, "text", LogicalType::TEXT)];
//! let rules = policy::parse("name: mine\nrules:\n  - {name: mail, selector: {column: email}, disposition: {action: mask, function: email}}")?;
//! let plan = MaskingPlan::compile(PlanRequest {
//!     tables: std::slice::from_ref(&table), rules: &rules, registry: &Registry::standard(),
//!     keyring: &RootKey::new([7; 32]), resources: &NoResources, encoding: &|_, _, _| Encoding::Text,
//!     relationships: &[], classifications: &[], policy: None, generators: &[], seed: 0, catalog_fingerprint: "",
//! })?;
//! let schema = BatchSchema { table: table.table.clone(), columns: vec![BatchColumn::of(&table.columns[0], Encoding::Text)] };
//! let cells: ArrayRef = Arc::new(StringArray::from(vec![Some("maria@corp.test"), None]));
//! let cleared = plan.table(&table.table).expect("planned").apply(&Batch::read(Arc::new(schema), vec![cells], 2, 0)?)?;
//! assert_eq!(cleared.rows(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod error;
pub mod leak;
pub mod plan;
pub mod policy;
pub mod registry;
pub mod risk;

mod cells;
mod check;
mod function;
mod group;
mod guard;
mod json_text;
mod permutation;
mod selection;
mod shape;
