//! Datasets: named test data, and their immutable, digested builds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::RowDigest;
use crate::ident::{DatasetVersionId, SchemaVersionId};
use crate::time::UtcMicros;

/// How the rows of a dataset version came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetSource {
    /// Rows of a source, all columns kept with a reason.
    Subset,
    /// Rows of a source, masked.
    Masked,
    /// Generated rows.
    Synthetic,
    /// Masked and generated rows.
    Mixed,
}

impl DatasetSource {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subset => "subset",
            Self::Masked => "masked",
            Self::Synthetic => "synthetic",
            Self::Mixed => "mixed",
        }
    }
}

/// Where a dataset version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetStatus {
    /// Being made.
    Building,
    /// Complete, verified and visible.
    Published,
    /// Its job failed or was cancelled.
    Failed,
    /// Its data was removed on request.
    Retired,
}

impl DatasetStatus {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }
}

/// One build of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetVersion {
    /// Identifier.
    pub id: DatasetVersionId,
    /// Name of the dataset.
    pub dataset: String,
    /// Number within the dataset, from 1.
    pub version: u32,
    /// Schema version it was built from, when there is one.
    pub schema_version: Option<SchemaVersionId>,
    /// How its rows came to be.
    pub source: DatasetSource,
    /// Where it stands.
    pub status: DatasetStatus,
    /// Namespace inside the target database.
    pub location: Option<String>,
    /// Rows over all tables and the merged digest of them.
    pub digest: Option<RowDigest>,
    /// When it was begun.
    pub created: UtcMicros,
}

/// Facts about a dataset version by key: digests by table, key fingerprint, rule set, options.
pub type DatasetFacts = BTreeMap<String, Value>;
