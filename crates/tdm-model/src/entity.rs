//! The tables of the metadata database as sea-orm sees them, one file each.
//!
//! Nothing outside this crate names an entity: what leaves is made of `tdm-core`'s words.

pub(crate) mod schema;

pub(crate) mod columns;
pub(crate) mod connections;
pub(crate) mod dataset_metadata;
pub(crate) mod dataset_versions;
pub(crate) mod environments;
pub(crate) mod job_logs;
pub(crate) mod jobs;
pub(crate) mod lineage;
pub(crate) mod masking_rules;
pub(crate) mod pii_classification;
pub(crate) mod relationships;
pub(crate) mod schema_versions;
pub(crate) mod schemas;
pub(crate) mod tables;
