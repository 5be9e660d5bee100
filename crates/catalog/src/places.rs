//! Places: how far somebody has come with the feed of changes and with the audit log.
//!
//! The audit log is the witness of the catalog's history. Its events are never deleted, and the hash of each covers all
//! before it: whoever knows one of them can tell later whether the catalog has gone on from there, or went back and was acted
//! on since. A revision alone cannot: the same one is given again.

use rescind_domain::{AuditHash, Revision};

use crate::rows::Fields;
use crate::{ChangeKind, Error, migrations};

/// How far somebody has come with the feed. One revision may have very many changes, which are read and applied in
/// pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPlace {
    /// Every change up to this revision.
    pub revision: Revision,
    /// And of the next revision those up to this one, in the order of the feed.
    pub within: Option<ChangeKind>,
    /// Where the audit log was when they were read.
    pub audit: AuditPlace,
}

/// At the end of that revision, and nothing is known of the audit log.
impl From<Revision> for FeedPlace {
    fn from(revision: Revision) -> Self {
        Self {
            revision,
            within: None,
            audit: AuditPlace::default(),
        }
    }
}

/// How far somebody has seen the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPlace {
    /// Up to this event; 0 is before the first.
    pub sequence: i64,
    /// The hash of that event.
    pub head: AuditHash,
}

/// Nothing of it: every log goes on from there.
impl Default for AuditPlace {
    fn default() -> Self {
        Self {
            sequence: 0,
            head: AuditHash::GENESIS,
        }
    }
}

/// Where the catalog is, of a row of the ledger with `holds_seen`: how many events are as `seen` says.
///
/// # Errors
/// [`Error::Rewound`] if none is, or if the catalog is behind `seen`; [`Error::NewerSchema`], [`Error::Corrupt`].
pub(crate) fn present(ledger: Fields<'_>, seen: FeedPlace) -> Result<FeedPlace, Error> {
    migrations::check(ledger)?;
    let revision = Revision::new(ledger.int("current")?);
    let holds_seen = seen.audit.sequence == 0 || ledger.int("holds_seen")? > 0;
    if revision < seen.revision || !holds_seen {
        return Err(Error::Rewound {
            seen: seen.revision,
            found: revision,
        });
    }
    Ok(FeedPlace {
        revision,
        within: None,
        audit: AuditPlace {
            sequence: ledger.int("audit_sequence")?,
            head: ledger.audit_hash("audit_head")?,
        },
    })
}
