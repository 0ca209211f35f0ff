//! Synthetic data from a schema: rows that nobody lived, each made without the others.
//!
//! A cell is a pure function of the seed, the table, the column's name and the row number, so any split, order
//! or resume gives the same data, and adding a column or a table moves nothing else. Keys, unique sets,
//! references and check constraints are met by construction where that can be, by bounded redrawing else, and
//! what cannot be met is refused with its place, the reason and a remedy before the first row.
//!
//! The crate is pure: it does no I/O, knows no clock and no runtime. Loading is for others.
//!
//! ```
//! use tdm_core::arrow_array::cast::AsArray as _;
//! use tdm_core::catalog::{Column, ForeignKey, Key, TableSchema};
//! use tdm_core::ident::TableRef;
//! use tdm_core::types::LogicalType;
//! use tdm_synth::{Registry, SynthPlan, SynthRequest, TableRequest};
//!
//! let mut customers = TableSchema::new(TableRef::new("customers"));
//! customers.columns = vec![
//!     Column::new("id", 1, "INTEGER", LogicalType::BIGINT).not_null(),
//!     Column::new("first_name", 2, "TEXT", LogicalType::TEXT).not_null(),
//!     Column::new("email", 3, "TEXT", LogicalType::TEXT).not_null(),
//! ];
//! customers.primary_key = Some(Key::over(["id"]));
//! customers.unique = vec![Key::over(["email"])];
//!
//! let mut orders = TableSchema::new(TableRef::new("orders"));
//! orders.columns = vec![
//!     Column::new("id", 1, "INTEGER", LogicalType::BIGINT).not_null(),
//!     Column::new("customer_id", 2, "INTEGER", LogicalType::BIGINT).not_null(),
//! ];
//! orders.primary_key = Some(Key::over(["id"]));
//! let refers = vec![("customer_id".into(), "id".into())];
//! orders.foreign_keys = vec![ForeignKey::new(orders.table.clone(), customers.table.clone(), refers)];
//!
//! let registry = Registry::new();
//! let wanted = [
//!     TableRequest { schema: &orders, rows: 20 },
//!     TableRequest { schema: &customers, rows: 5 },
//! ];
//! let plan = SynthPlan::compile(&SynthRequest::new(&wanted, &registry, 42))?;
//!
//! // Parents come first, whatever the order they were asked for in.
//! let tables = plan.tables();
//! assert_eq!(tables[0].table.name, "customers");
//! let batch = tables[0].generator.generate(0..5)?;
//! let emails = batch.column(2).as_string::<i32>();
//! assert!(emails.iter().flatten().all(|email| email.contains("@example.")));
//! // Any row can be made without the others.
//! let last = tables[0].generator.generate(4..5)?;
//! assert_eq!(last.column(2).as_string::<i32>().value(0), emails.value(4));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod error;
mod locale;
mod make;
mod model;
mod number;
mod pack;
mod permutation;
mod philox;
mod plan;
mod stream;
mod value;

pub use error::{SynthError, SynthErrors};
pub use locale::{DEFAULT_LOCALE, locale_names};
pub use make::registry::Registry;
pub use model::{FitError, FitRequest, RARE, TableModel};
pub use pack::{Pack, PackError, pack_names, pack_text};
pub use permutation::Permutation;
pub use philox::CellRng;
pub use plan::request::{
    ColumnRecipe, EncodingOf, ExistingKeys, NothingExists, SynthRequest, TableRequest,
    natural_encoding,
};
pub use plan::{ColumnCoverage, PlannedTable, SynthPlan};
