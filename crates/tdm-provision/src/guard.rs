//! Guards: what must never happen, whatever a workflow says.

use tdm_core::place::{Environment, EnvironmentKind};
use tdm_core::port::{Namespace, NamespaceState, ServerIdentity, TargetDatabase};

use crate::error::{Error, Result};

/// A place with its identity, for comparing.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// What it is, for the message: `source`, `target`, ``environment `qa` ``.
    pub role: String,
    /// Which database it is.
    pub identity: &'a ServerIdentity,
}

/// Refuses when `read` and `written` are one database, by whatever names they were reached.
///
/// # Errors
/// When they are.
pub fn distinct(read: &Place<'_>, written: &Place<'_>) -> Result<()> {
    if read.identity == written.identity {
        return Err(Error::Guard(format!(
            "{} and {} are the same database; what is read must not be written",
            read.role, written.role
        )));
    }
    Ok(())
}

/// Refuses a production environment as a target.
///
/// # Errors
/// When it is one.
pub fn may_be_target(environment: &Environment) -> Result<()> {
    if environment.kind == EnvironmentKind::Production {
        return Err(Error::Guard(format!(
            "environment `{}` is production; production is only ever a source",
            environment.name
        )));
    }
    Ok(())
}

/// Refuses a main namespace that holds tables which are not ours, unless `adopt` says that they may be replaced.
///
/// # Errors
/// When it does, or the database cannot be looked at.
pub async fn replaceable(place: &dyn TargetDatabase, adopt: bool) -> Result<()> {
    match place.state(&Namespace::Main).await? {
        NamespaceState::Foreign { tables } if !adopt => Err(Error::Guard(format!(
            "the environment's database holds {tables} tables that were not provisioned by tdm; \
             empty it, or set `adopt: true` to replace them"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_database_under_two_names_is_refused() {
        let identity = ServerIdentity("7:42".to_owned());
        let (a, b) = (identity.clone(), ServerIdentity("7:43".to_owned()));
        let source = Place {
            role: "source".to_owned(),
            identity: &identity,
        };
        assert!(
            distinct(
                &source,
                &Place {
                    role: "target".to_owned(),
                    identity: &a
                }
            )
            .is_err()
        );
        assert!(
            distinct(
                &source,
                &Place {
                    role: "target".to_owned(),
                    identity: &b
                }
            )
            .is_ok()
        );
    }

    #[test]
    fn production_is_never_a_target() {
        let place = |kind| Environment {
            name: "e".to_owned(),
            kind,
            connection: None,
            config: serde_json::Map::new(),
        };
        assert!(may_be_target(&place(EnvironmentKind::Production)).is_err());
        for kind in [
            EnvironmentKind::Staging,
            EnvironmentKind::Test,
            EnvironmentKind::Development,
        ] {
            assert!(may_be_target(&place(kind)).is_ok());
        }
    }
}
