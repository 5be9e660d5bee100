//! The row of a token in a list, without what only one kind has.

use rescind_domain::{Timestamp, TokenStatus, Verb};

use super::{AnyToken, DAY, line};
use crate::lists::ListState;
use crate::times::{Age, Moment};
use crate::visitors::Known;
use crate::words::Chip;

/// What a row shows.
pub(crate) struct Row {
    /// The token's id.
    pub(crate) id: String,
    /// Its page.
    pub(crate) href: String,
    /// Whether it works.
    pub(crate) status: Chip,
    /// Whether it does not work any more.
    pub(crate) is_gone: bool,
    /// What it is for, in one line.
    pub(crate) description: String,
    /// When it was made.
    pub(crate) created: Moment,
    /// When it ends.
    pub(crate) expires: Option<Moment>,
    /// How soon, where that is worth a word.
    pub(crate) ends: Option<Age>,
    /// When it was last used.
    pub(crate) used: Option<Age>,
    /// Where its dialog is; empty where the visitor may not, or the token is revoked.
    pub(crate) revoke: String,
}

impl Row {
    /// The row of this token, in a list of this state.
    pub(crate) fn of(visitor: &Known, state: &ListState, token: AnyToken) -> Self {
        let now = visitor.now;
        let status = token.status(now);
        let ends = token.expires_at.filter(|_| status == TokenStatus::Active);
        Self {
            status: status.into(),
            is_gone: status != TokenStatus::Active,
            description: line(&token.description),
            created: Moment(token.created_at),
            expires: token.expires_at.map(Moment),
            ends: ends.and_then(|at| soon(at, now)),
            used: token.last_used_at.map(|at| Age { at, now }),
            revoke: token.dialog(visitor, state, Verb::Delete, "revoke"),
            id: token.id,
            href: token.href,
        }
    }
}

/// An expiry within a week is worth a word.
fn soon(at: Timestamp, now: Timestamp) -> Option<Age> {
    (at < now.plus_micros(7 * DAY)).then_some(Age { at, now })
}
