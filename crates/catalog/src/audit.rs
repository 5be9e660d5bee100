//! The audit log: listed, and verified as a chain.

use futures::TryStreamExt;
use rescind_domain::{
    AccountId, Act, Actor, AuditEvent, AuditHash, Revision, SessionKind, Timestamp, UserId,
};
use sqlx::any::AnyRow;

use crate::listings::{Filter, Key, Listing};
use crate::rows::Fields;
use crate::{Catalog, Error, Page, Paged, stored};

/// Which events to list, and which page of them.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Only what was done on this account.
    pub account: AccountId,
    /// Only what this one did.
    pub actor: Option<Actor>,
    /// Only acts of this kind.
    pub act: Option<Act>,
    /// Only acts whose word starts with this: `database_token.` is everything done to database tokens.
    pub act_prefix: Option<String>,
    /// Only what was done to the subject with exactly this id.
    pub subject: Option<String>,
    /// Only what was done at this time or later.
    pub from: Option<Timestamp>,
    /// Only what was done before this time.
    pub to: Option<Timestamp>,
    /// Whether the latest comes first.
    pub newest_first: bool,
    /// Which part.
    pub page: Page,
}

impl AuditQuery {
    /// The first page of everything done on `account`, latest first.
    pub fn all(account: AccountId) -> Self {
        Self {
            account,
            actor: None,
            act: None,
            act_prefix: None,
            subject: None,
            from: None,
            to: None,
            newest_first: true,
            page: Page::default(),
        }
    }
}

/// What a walk over the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every event is there and as it was written. Whoever keeps `head` elsewhere can also tell, later, that nobody wrote
    /// the whole chain anew.
    Intact {
        /// How many events there are.
        events: i64,
        /// The hash of the last.
        head: AuditHash,
    },
    /// The chain does not hold.
    Broken {
        /// The first event that is not as it was written.
        sequence: i64,
        /// What is wrong with it.
        fault: AuditFault,
    },
}

/// What is wrong with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    /// It is not there.
    Missing,
    /// It, its hash or the ledger is not as it was written.
    Altered,
    /// It is there, but the ledger does not know of it.
    Unexpected,
}

impl Catalog {
    /// What was done on an account.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`], [`Error::Cursor`].
    pub async fn audit_events(&self, query: &AuditQuery) -> Result<Paged<AuditEvent>, Error> {
        let mut filter = Filter::of_owner("account_id", query.account);
        if let Some(actor) = query.actor {
            filter.and("actor = ?", [actor.to_string().into()]);
        }
        if let Some(act) = query.act {
            filter.and("act = ?", [act.to_string().into()]);
        }
        if let Some(prefix) = &query.act_prefix {
            filter.and(
                "substr(act, 1, length(?)) = ?",
                [prefix.clone().into(), prefix.clone().into()],
            );
        }
        if let Some(subject) = &query.subject {
            filter.and("subject = ?", [subject.clone().into()]);
        }
        if let Some(from) = query.from {
            filter.and("at >= ?", [from.micros().into()]);
        }
        if let Some(to) = query.to {
            filter.and("at < ?", [to.micros().into()]);
        }
        let listing = Listing {
            columns: "sequence, at, revision, actor, account_id, act, subject, details",
            from: "audit_events",
            filter,
            place: Key::int("sequence"),
            id: Key::int("sequence"),
            descending: query.newest_first,
            page: &query.page,
        };
        listing.fetch(&mut *self.reader().await?, read_event).await
    }

    /// The failed attempts to sign in as `user` since it last began a session in a browser, newest first, at most a
    /// thousand.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn sign_in_failures(&self, account: AccountId, user: UserId) -> Result<Vec<AuditEvent>, Error> {
        let in_browser = stored::details_start("kind", SessionKind::Browser.as_str());
        let rows = sqlx::query(
            "SELECT sequence, at, revision, actor, account_id, act, subject, details FROM audit_events
             WHERE account_id = $1 AND subject = $2 AND act = $3 AND sequence > COALESCE((
                 SELECT sequence FROM audit_events
                 WHERE account_id = $1 AND actor = $4 AND act = $5 AND substr(details, 1, length($6)) = $6
                 ORDER BY sequence DESC LIMIT 1), 0)
             ORDER BY sequence DESC LIMIT 1000",
        )
        .bind(account.to_string())
        .bind(user.to_string())
        .bind(Act::SignInFailure.as_str())
        .bind(Actor::User(user).to_string())
        .bind(Act::SessionCreate.as_str())
        .bind(in_browser)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(read_event).collect()
    }

    /// Walks the chain from its first event to its last and compares the end with the ledger.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Corrupt`] when the ledger itself cannot be read.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Error> {
        let mut snapshot = self.snapshot().await?;
        let ledger = sqlx::query("SELECT singleton, audit_sequence, audit_head FROM ledger")
            .fetch_one(&mut *snapshot)
            .await?;
        let ledger = Fields::new(&ledger, "ledger", "singleton");
        let (events, head) = (ledger.int("audit_sequence")?, ledger.audit_hash("audit_head")?);
        let broken = |sequence, fault| Ok(AuditVerdict::Broken { sequence, fault });
        let mut hash = AuditHash::GENESIS;
        let mut sequence = 0;
        let mut rows = sqlx::query(
            "SELECT sequence, at, revision, actor, account_id, act, subject, details, hash
             FROM audit_events ORDER BY sequence",
        )
        .fetch(&mut *snapshot);
        while let Some(row) = rows.try_next().await? {
            let found = Fields::new(&row, "audit_events", "sequence").int("sequence")?;
            sequence += 1;
            if found != sequence {
                return broken(sequence, AuditFault::Missing);
            }
            if sequence > events {
                return broken(sequence, AuditFault::Unexpected);
            }
            match follow(hash, &row) {
                Some(next) => hash = next,
                None => return broken(sequence, AuditFault::Altered),
            }
        }
        if sequence < events {
            return broken(sequence + 1, AuditFault::Missing);
        }
        if hash != head {
            return broken(sequence, AuditFault::Altered);
        }
        Ok(AuditVerdict::Intact { events, head })
    }
}

/// The event's hash, if the event follows `before` and its hash is the one stored. What cannot even be read back was
/// altered, too.
fn follow(before: AuditHash, row: &AnyRow) -> Option<AuditHash> {
    let hash = before.then(&read_event(row).ok()?);
    let stored = Fields::new(row, "audit_events", "sequence").text("hash").ok()?;
    (stored == hash.to_string()).then_some(hash)
}

fn read_event(row: &AnyRow) -> Result<AuditEvent, Error> {
    let fields = Fields::new(row, "audit_events", "sequence");
    Ok(AuditEvent {
        sequence: fields.int("sequence")?,
        at: fields.time("at")?,
        revision: fields.opt_int("revision")?.map(Revision::new),
        actor: fields.parse("actor")?,
        account: fields.parse("account_id")?,
        act: fields.parse("act")?,
        subject: fields.text("subject")?.to_owned(),
        details: fields.read("details", stored::read_details)?,
    })
}
