//! Admission: from the bytes of a secret to a permit, or to a caller.

use std::sync::Arc;

use rescind_domain::{Ask, Clock, DatabaseView, Permit, Presented, SecretKind, Tether, Timestamp, decide};

use crate::closures::Closure;
use crate::grants::{Entry, Grant};
use crate::node::Node;
use crate::tethers::Expiring;
use crate::{Authority, Caller, Refusal};

/// An admitted request of the data plane: its permit, and how to learn that it must stop.
#[derive(Debug, Clone)]
pub struct Admission {
    permit: Permit,
    bond: Bond,
}

/// What ends the work: the token's own end, and that of its time if it has one.
#[derive(Debug, Clone)]
enum Bond {
    Lasting(Arc<Entry>),
    Expiring(Expiring),
}

impl Admission {
    /// Decides whether the token of `entry` may do this.
    pub(crate) fn of(entry: Arc<Entry>, ask: Ask<'_>, clock: &Arc<dyn Clock>) -> Result<Self, Refusal> {
        let Grant::Database(grant) = &entry.grant else {
            return Err(Refusal::Unknown);
        };
        let Some(end) = grant.expires_at else {
            let permit = decide(grant, ask, Arc::clone(&entry) as Arc<dyn Tether>)?;
            return Ok(Self {
                permit,
                bond: Bond::Lasting(entry),
            });
        };
        let clock = Arc::clone(clock);
        let expiring = Expiring {
            entry: Arc::clone(&entry),
            end,
            clock,
        };
        let permit = decide(grant, ask, Arc::new(expiring.clone()))?;
        Ok(Self {
            permit,
            bond: Bond::Expiring(expiring),
        })
    }

    /// What the engine and the forwarding of requests want to see.
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Returns once the token is revoked, loses rights or expires (promise G2): race running work against it.
    pub async fn cut(&self) {
        match &self.bond {
            Bond::Lasting(entry) => entry.cut().await,
            Bond::Expiring(expiring) => expiring.cut().await,
        }
    }
}

impl Authority {
    /// Admits a request of the data plane. Takes no lock that a query holds, and allocates only for tokens that
    /// expire.
    ///
    /// # Errors
    /// [`Refusal`]: 401, 403 or 503 in the words of the HTTP faces.
    pub fn admit(&self, secret: &[u8], ask: Ask<'_>) -> Result<Admission, Refusal> {
        let entry = self.recognise(secret, &[SecretKind::Database])?;
        Admission::of(entry, ask, &self.settings.clock)
    }

    /// Recognises the caller of an administrative act by its bearer token: a management token, or the access token that
    /// the device flow gave to a user.
    ///
    /// # Errors
    /// [`Refusal`], never [`Refusal::Forbidden`]: rights are checked by each use case.
    pub fn authenticate(&self, secret: &[u8]) -> Result<Caller, Refusal> {
        self.recognise_caller(secret, &[SecretKind::Management, SecretKind::Access])
    }

    /// Recognises a signed-in user by the secret of its browser's session.
    ///
    /// # Errors
    /// [`Refusal`], never [`Refusal::Forbidden`]. [`Refusal::Expired`] for a session that lay idle too long, too.
    pub fn authenticate_session(&self, secret: &[u8]) -> Result<Caller, Refusal> {
        self.recognise_caller(secret, &[SecretKind::Session])
    }

    /// As [`Self::authenticate_session`], for what a page asks on its own: it is no use of the session, which ends by
    /// itself when its user does nothing.
    ///
    /// # Errors
    /// As [`Self::authenticate_session`].
    pub fn authenticate_session_quietly(&self, secret: &[u8]) -> Result<Caller, Refusal> {
        let (entry, _) = self.recognise_quietly(secret, &[SecretKind::Session])?;
        caller_of(&entry.grant)
    }

    fn recognise_caller(&self, secret: &[u8], wanted: &'static [SecretKind]) -> Result<Caller, Refusal> {
        let entry = self.recognise(secret, wanted)?;
        caller_of(&entry.grant)
    }

    /// The active database that an admitted request names, if it exists.
    pub fn database_view(&self, permit: &Permit) -> Option<Arc<DatabaseView>> {
        self.directory().database(permit.cluster(), permit.database())
    }

    fn recognise(&self, secret: &[u8], wanted: &'static [SecretKind]) -> Result<Arc<Entry>, Refusal> {
        let (entry, now) = self.recognise_quietly(secret, wanted)?;
        self.grants().note_use(&entry, now);
        Ok(entry)
    }

    /// Recognises without noting a use; says what time it is, too.
    fn recognise_quietly(
        &self,
        secret: &[u8],
        wanted: &'static [SecretKind],
    ) -> Result<(Arc<Entry>, Timestamp), Refusal> {
        let entry = self.node.recognise(secret)?;
        // Asking the time costs as much as a look-up: only a token that expires is worth it.
        let now = match entry.grant.expires_at() {
            Some(end) => {
                let now = self.clock().now();
                if end <= now || self.lay_idle(&entry, now) {
                    return Err(Refusal::Expired);
                }
                now
            }
            None => self.recently(),
        };
        // Only now: whoever holds a dead token of the other kind learns that it is dead, not where it would work.
        let presented = entry.grant.kind();
        if !wanted.contains(&presented) {
            let wanted = wanted[0];
            return Err(Refusal::WrongKind { presented, wanted });
        }
        Ok((entry, now))
    }

    fn lay_idle(&self, entry: &Entry, now: Timestamp) -> bool {
        match &entry.grant {
            Grant::Session(grant) => self.is_idle(grant.kind, entry.used_at(), now),
            Grant::Database(_) | Grant::Management(_) => false,
        }
    }
}

impl Node {
    /// What is said while this node cannot know which tokens hold.
    pub(crate) fn not_current(&self) -> Refusal {
        match self.obstacle.closure() {
            Closure::Final => Refusal::Closed,
            _ => Refusal::Unavailable,
        }
    }

    /// The entry of a secret that neither is unknown nor was revoked. It may have expired.
    pub(crate) fn recognise(&self, secret: &[u8]) -> Result<Arc<Entry>, Refusal> {
        // First of all: a node that cannot know must not even say that a token is unknown (promise G3). And before the
        // look-up: otherwise the node could catch up in between, and bless what it knew before.
        if !self.is_current() {
            return Err(self.not_current());
        }
        let presented = Presented::parse(secret)?;
        let entry = self.grants.find(&presented.hash).ok_or(Refusal::Unknown)?;
        if entry.is_revoked() {
            return Err(Refusal::Revoked);
        }
        Ok(entry)
    }
}

fn caller_of(grant: &Grant) -> Result<Caller, Refusal> {
    match grant {
        Grant::Management(grant) => Ok(Caller::by_management_token(grant)),
        Grant::Session(grant) => Ok(Caller::by_session(grant)),
        Grant::Database(_) => Err(Refusal::Unknown),
    }
}
