//! Adapters to users' databases: introspection, consistent snapshots, row streams, bulk load and publication.
//!
//! Each engine lives in a folder of its own behind the ports of `tdm-core`; drivers are named nowhere else in
//! the workspace. The crate knows no rules, no metadata database and no configuration files: it is handed a
//! [`DatabaseUrl`] and gives back trait objects.
//!
//! What an engine here cannot do yet is refused with [`PortError::Unsupported`], never half done.
//!
//! [`PortError::Unsupported`]: tdm_core::error::PortError::Unsupported

mod connect;
mod error;
mod quote;
mod scrub;
pub mod sqlite;
mod url;

pub use connect::{SourceDatabase, open_source, open_target};
pub use error::SqlError;
pub use quote::Dialect;
pub use url::DatabaseUrl;
