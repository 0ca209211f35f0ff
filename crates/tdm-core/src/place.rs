//! Connections and environments: where databases are, with secrets by reference only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ident::{ConnectionId, EnvironmentId};
use crate::types::Engine;

/// Where a secret is to be had. The reference itself is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum SecretRef {
    /// Environment variable.
    Env(String),
    /// File whose content, without surrounding white space, is the secret.
    File(String),
    /// Command whose output, without surrounding white space, is the secret; split at white space, no shell.
    Command(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Command(command) => write!(f, "cmd:{command}"),
        }
    }
}

/// A text is no secret reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is referred to as env:NAME, file:PATH or cmd:COMMAND")]
pub struct BadSecretRef;

impl FromStr for SecretRef {
    type Err = BadSecretRef;
    fn from_str(text: &str) -> Result<Self, BadSecretRef> {
        match text.split_once(':') {
            Some(("env", rest)) if !rest.is_empty() => Ok(Self::Env(rest.to_owned())),
            Some(("file", rest)) if !rest.is_empty() => Ok(Self::File(rest.to_owned())),
            Some(("cmd", rest)) if !rest.is_empty() => Ok(Self::Command(rest.to_owned())),
            _ => Err(BadSecretRef),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = BadSecretRef;
    fn try_from(text: String) -> Result<Self, BadSecretRef> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

/// A database that can be connected to. Holds no password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Unique name.
    pub name: String,
    /// Engine.
    pub engine: Engine,
    /// URL without password: `sqlite:path`, `postgres://user@host:5432/db`, `mysql://user@host:3306/db`.
    pub location: String,
    /// Where the password is, when one is needed.
    pub secret: Option<SecretRef>,
    /// Engine-specific options.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// Namespace of the datasets in lineage, for example `postgres://host:5432`.
    pub lineage_namespace: String,
}

/// A connection as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredConnection {
    /// Identifier.
    pub id: ConnectionId,
    /// The connection.
    pub connection: Connection,
}

/// What an environment is for. Production is only ever a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are their own definition")]
pub enum EnvironmentKind {
    Production,
    Staging,
    Test,
    Development,
}

impl EnvironmentKind {
    /// The word that the metadata database stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Test => "test",
            Self::Development => "development",
        }
    }
}

/// A place that data is deployed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Unique name.
    pub name: String,
    /// What it is for.
    pub kind: EnvironmentKind,
    /// Its own connection by name; without one, the target database itself.
    pub connection: Option<String>,
    /// Settings.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// An environment as a store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEnvironment {
    /// Identifier.
    pub id: EnvironmentId,
    /// The environment.
    pub environment: Environment,
}
