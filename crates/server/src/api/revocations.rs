//! What became of tokens that were revoked together.

use rescind_authority::{RevokeOutcome, Revoked};
use rescind_wire::RevokedToken;

/// As answers show it.
pub(crate) fn shown<Id: ToString>(outcomes: &[Revoked<Id>]) -> Vec<RevokedToken> {
    let one = |revoked: &Revoked<Id>| {
        let (outcome, revoked_at) = match revoked.outcome {
            RevokeOutcome::Now => ("revoked", None),
            RevokeOutcome::Before { at } => ("already_revoked", Some(at.into())),
            RevokeOutcome::NotFound => ("not_found", None),
            RevokeOutcome::NotYours => ("forbidden", None),
        };
        RevokedToken {
            id: revoked.id.to_string(),
            outcome: outcome.to_owned(),
            revoked_at,
        }
    };
    outcomes.iter().map(one).collect()
}

/// Those that a dry run found.
pub(crate) fn found<Id: ToString>(ids: &[Id]) -> Vec<RevokedToken> {
    let one = |id: &Id| RevokedToken {
        id: id.to_string(),
        outcome: "found".to_owned(),
        revoked_at: None,
    };
    ids.iter().map(one).collect()
}
