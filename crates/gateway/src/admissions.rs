//! Admission of one request: from its credential to a permit and a database.

use std::sync::Arc;

use rescind_authority::{Admission, Refusal};
use rescind_domain::{Action, Ask, DatabaseName, DatabaseView, Forbidden};

use crate::credentials::Credential;
use crate::failures::Failure;
use crate::gateway::Gateway;
use crate::names::Target;

/// Who decides: the authority, or for benchmarks nobody.
pub(crate) enum Admitter {
    /// The authority, on every request anew.
    Checking {
        /// A name to ask about where a request names none that a database can have.
        probe: DatabaseName,
    },
    /// Nobody: an admission that was granted once, before the benchmark began.
    #[cfg(feature = "bench-always-admit")]
    Prepared(Admission),
}

impl Admitter {
    pub(crate) fn checking() -> Self {
        let probe = "_".repeat(DatabaseName::MAX_BYTES);
        Self::Checking {
            probe: probe.parse().expect("underscores make a database name"),
        }
    }
}

impl Gateway {
    /// Whether the token may do this to the database that the request names. Nothing is said about whether it exists.
    pub(crate) fn admit(
        &self,
        credential: &Credential<'_>,
        action: Action,
        target: &Target,
    ) -> Result<Admission, Failure> {
        let probe = match self.admitter() {
            Admitter::Checking { probe } => probe,
            #[cfg(feature = "bench-always-admit")]
            Admitter::Prepared(admission) => return Ok(admission.clone()),
        };
        let secret = credential.as_bytes();
        match target {
            Target::Named(database) => Ok(self.authority().admit(secret, Ask { action, database })?),
            // Whoever may do it to every database learns that there is none of this name; nobody else does.
            Target::Impossible(name) => match self.authority().admit(
                secret,
                Ask {
                    action,
                    database: probe,
                },
            ) {
                Ok(_) => Err(Failure::DatabaseNotFound(name.clone())),
                Err(Refusal::Forbidden(Forbidden { action, .. })) => Err(Failure::Forbidden {
                    action,
                    database: name.clone(),
                }),
                Err(refusal) => Err(refusal.into()),
            },
        }
    }

    /// Whether the token is good at all, before anything is read of a body that says for what.
    pub(crate) fn authenticate(&self, credential: &Credential<'_>) -> Result<(), Failure> {
        match self.admitter() {
            Admitter::Checking { probe } => {
                let ask = Ask {
                    action: Action::Read,
                    database: probe,
                };
                match self.authority().admit(credential.as_bytes(), ask) {
                    Ok(_) | Err(Refusal::Forbidden(_)) => Ok(()),
                    Err(refusal) => Err(refusal.into()),
                }
            }
            #[cfg(feature = "bench-always-admit")]
            Admitter::Prepared(_) => Ok(()),
        }
    }

    /// The active database that an admitted request names.
    pub(crate) fn database(&self, admission: &Admission) -> Result<Arc<DatabaseView>, Failure> {
        let permit = admission.permit();
        let view = self.authority().database_view(permit);
        view.ok_or_else(|| Failure::DatabaseNotFound(permit.database().to_string()))
    }

    /// Why an admission was cut: what the token is refused for now, or only that it was changed.
    pub(crate) fn reason_of_cut(&self, credential: &Credential<'_>, admission: &Admission) -> Failure {
        let permit = admission.permit();
        let target = Target::Named(permit.database().clone());
        match self.admit(credential, permit.action(), &target) {
            Ok(_) => Failure::Interrupted,
            Err(refusal) => refusal,
        }
    }
}
