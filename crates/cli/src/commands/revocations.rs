//! Revoking tokens, of either kind: asked about once, told one by one.
//!
//! A few are revoked one after the other, as the documented API does it. Many are revoked by one call, which takes no
//! longer than a few, where the server knows of it.

use std::fmt::Display;

use rescind_domain::SecretKind;
use rescind_wire::{RevokeTokens, RevokedToken, RevokedTokens};
use serde::Deserialize;
use ureq::http::Method;

use crate::commands::{MAX_DESCRIBED, Session, unsure};
use crate::exit::Failure;
use crate::output::print;
use crate::prompt::{Question, confirm};
use crate::receipts;

/// What one call takes.
const MOST_TOGETHER: usize = 100_000;

/// What both kinds of token have in common, as far as the question needs it.
#[derive(Deserialize)]
struct Described {
    description: String,
}

/// Revokes the tokens of these ids, which stand below `path`; asks first unless `force`.
pub(crate) fn revoke<I: Display>(
    session: &Session,
    kind: SecretKind,
    path: &str,
    ids: &[I],
    force: bool,
) -> Result<(), Failure> {
    if !force {
        let describe = |id: &I| -> Result<Option<String>, Failure> {
            if ids.len() > MAX_DESCRIBED {
                return Ok(None);
            }
            match session.api.get::<Described>(&format!("{path}/{id}")) {
                Ok(token) => Ok(Some(token.description)),
                Err(error) if error.is_not_found() => Ok(Some("(no such token)".to_owned())),
                Err(error) => Err(error.into()),
            }
        };
        let subjects = ids.iter().map(|id| Ok((id.to_string(), describe(id)?)));
        confirm(&Question {
            what: &format!("Revoke these {kind}s?"),
            subjects: subjects.collect::<Result<_, Failure>>()?,
            consequence: "This cannot be undone.",
        })?;
    }
    if ids.len() > MAX_DESCRIBED && revoke_together(session, kind, path, ids)? {
        return Ok(());
    }
    session.for_each(ids, |id| {
        session.end(&format!("{path}/{id}"), format!("Revoked {kind} {id}"))
    })
}

/// Revokes all by as few calls as the server takes. Whether it knows of such a call.
fn revoke_together<I: Display>(
    session: &Session,
    kind: SecretKind,
    path: &str,
    ids: &[I],
) -> Result<bool, Failure> {
    let mut failed = false;
    for batch in ids.chunks(MOST_TOGETHER) {
        let body = RevokeTokens {
            ids: batch.iter().map(I::to_string).collect(),
        };
        let sent =
            session
                .api
                .send_for_receipt::<_, RevokedTokens>(&Method::POST, &format!("{path}/revoke"), &body);
        let (revoked, receipt) = match sent {
            Ok(answer) => answer,
            Err(error) if error.is_unknown_call() => return Ok(false),
            Err(error) => return Err(unsure(error)),
        };
        for RevokedToken { id, outcome, .. } in revoked.tokens {
            match outcome.as_str() {
                "revoked" | "already_revoked" => print(format!("Revoked {kind} {id}"))?,
                "not_found" => {
                    failed = true;
                    session.log.error(format_args!("{id}: {kind} {id} not found"));
                }
                other => {
                    failed = true;
                    session
                        .log
                        .error(format_args!("{id}: {other}: this {kind} goes on"));
                }
            }
        }
        if let Some(receipt) = receipt {
            receipts::tell_refused(session.log, &receipt)?;
        }
    }
    if failed { Err(Failure::Told) } else { Ok(true) }
}
