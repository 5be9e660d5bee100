//! What became of tokens that were revoked together.

use rescind_authority::{RevokeOutcome, Revoked};
use rescind_domain::Receipt;
use rescind_wire::{RevokedToken, RevokedTokens};

/// As answers show it.
pub(crate) fn shown<Id: ToString>(outcomes: &[Revoked<Id>], receipt: &Receipt) -> RevokedTokens {
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
    RevokedTokens {
        tokens: outcomes.iter().map(one).collect(),
        receipt: Some(receipt.into()),
    }
}

/// Those that a dry run found.
pub(crate) fn found<Id: ToString>(ids: &[Id]) -> RevokedTokens {
    let one = |id: &Id| RevokedToken {
        id: id.to_string(),
        outcome: "found".to_owned(),
        revoked_at: None,
    };
    RevokedTokens {
        tokens: ids.iter().map(one).collect(),
        receipt: None,
    }
}
