//! Errors of the facade, and the exit code each means.

use std::path::PathBuf;

use tdm_core::error::{ErrorClass, PortError};

use crate::workflow::Problems;

/// Why a command could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A workflow file is wrong.
    #[error("{0}")]
    Workflow(#[from] Problems),
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// A file cannot be read or written.
    #[error("{path}: {reason}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The metadata database is not ready.
    #[error("metadata database: {0}")]
    Metadata(String),
    /// A database failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Subset, build or deployment failed.
    #[error(transparent)]
    Provision(#[from] tdm_provision::Error),
    /// Discovery failed.
    #[error("discover: {0}")]
    Discovery(String),
    /// Rules, functions and schema do not fit together.
    #[error("{0}")]
    Plan(String),
    /// A guard refused.
    #[error("{0}")]
    Guard(String),
    /// A check found what it looks for: drift, disagreement.
    #[error("{0}")]
    Findings(String),
    /// A step of a job failed.
    #[error("step {step}: {source}")]
    Step {
        /// The step.
        step: &'static str,
        /// Why.
        source: Box<Self>,
    },
}

impl From<tdm_model::Error> for Error {
    fn from(error: tdm_model::Error) -> Self {
        Self::Metadata(error.to_string())
    }
}

impl From<migration::Error> for Error {
    fn from(error: migration::Error) -> Self {
        Self::Metadata(error.to_string())
    }
}

impl Error {
    /// A file could not be read or written.
    pub fn file(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::File {
            path: path.into(),
            reason: error.kind().to_string(),
        }
    }

    /// The process exit code: 1 internal, 2 usage or configuration, 3 findings, 4 guard, 5 database unavailable,
    /// 130 cancelled.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Workflow(_) | Self::Settings(_) | Self::File { .. } | Self::Plan(_) => 2,
            Self::Metadata(_) => 5,
            Self::Port(error) => of_class(error.class()),
            Self::Provision(error) => of_class(error.class()),
            Self::Discovery(_) => 5,
            Self::Guard(_) => 4,
            Self::Findings(_) => 3,
            Self::Step { source, .. } => source.exit_code(),
        }
    }

    /// Stable code for logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Workflow(_) => "workflow.invalid",
            Self::Settings(_) => "settings.invalid",
            Self::File { .. } => "file.failed",
            Self::Metadata(_) => "metadata.not_ready",
            Self::Port(PortError::Cancelled) => "cancelled",
            Self::Port(PortError::Unavailable { .. }) => "port.unavailable",
            Self::Port(PortError::Denied { .. }) => "port.denied",
            Self::Port(_) => "port.failed",
            Self::Provision(error) => error.code(),
            Self::Discovery(_) => "discover.failed",
            Self::Plan(_) => "plan.refused",
            Self::Guard(_) => "guard.refused",
            Self::Findings(_) => "findings",
            Self::Step { source, .. } => source.code(),
        }
    }

    /// Whether the work was cancelled rather than failed.
    pub const fn is_cancelled(&self) -> bool {
        match self {
            Self::Port(PortError::Cancelled) => true,
            Self::Provision(error) => error.is_cancelled(),
            Self::Step { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }
}

const fn of_class(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::Config | ErrorClass::Schema => 2,
        ErrorClass::Data => 3,
        ErrorClass::Guard => 4,
        ErrorClass::Unavailable | ErrorClass::Backend => 5,
        ErrorClass::Cancelled => 130,
        _ => 1,
    }
}

/// Result of the facade.
pub type Result<T, E = Error> = std::result::Result<T, E>;
