//! Revoking tokens, of either kind: asked about once, told one by one.
//!
//! A few are revoked one after the other, as the documented API does it. Many are revoked by one call, which takes no
//! longer than a few, where the server knows of it. Very many go in batches, of which none keeps another from being sent.

use std::fmt::Display;

use rescind_domain::SecretKind;
use rescind_wire::{ReceiptHeaders, RevokeTokens, RevokedToken, RevokedTokens};
use serde::Deserialize;
use ureq::http::Method;

use crate::commands::{MAX_DESCRIBED, Session, unsure};
use crate::exit::Failure;
use crate::interrupts;
use crate::log::Log;
use crate::output::print;
use crate::prompt::{Question, confirm};
use crate::receipts;

/// What one call takes.
const MOST_TOGETHER: usize = 100_000;

/// Said to whoever does not wait for the end.
const INTERRUPTED: &str = "interrupted: a revocation that is not told above may be done all the same; repeating the \
                           command is safe and waits again";

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
    let mut knows_many = ids.len() > MAX_DESCRIBED;
    let revoke_batch = |batch: &[I]| {
        if knows_many {
            if let Some(done) = revoke_together(session, kind, path, batch) {
                return done;
            }
            knows_many = false;
        }
        session.for_each(batch, |id| {
            session.end(&format!("{path}/{id}"), format!("Revoked {kind} {id}"))
        })
    };
    interrupts::explained(session.log, INTERRUPTED, || {
        in_batches(session.log, ids.chunks(MOST_TOGETHER), revoke_batch)
    })
}

/// Does `act` to each batch; an error does not keep it from the next (contract, CLI-059).
fn in_batches<'a, I: 'a>(
    log: Log,
    mut batches: impl ExactSizeIterator<Item = &'a [I]>,
    mut act: impl FnMut(&'a [I]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut failed = false;
    while let Some(batch) = batches.next() {
        match act(batch) {
            Ok(()) => {}
            Err(Failure::Closed) => return Err(Failure::Closed),
            // Nothing comes after it, and nothing went wrong before.
            Err(error) if batches.len() == 0 && !failed => return Err(error),
            Err(Failure::Told) => failed = true,
            Err(error) => {
                failed = true;
                log.error(&error);
            }
        }
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// Revokes all by one call; `None` if the server knows of no such call.
fn revoke_together<I: Display>(
    session: &Session,
    kind: SecretKind,
    path: &str,
    ids: &[I],
) -> Option<Result<(), Failure>> {
    let body = RevokeTokens {
        ids: ids.iter().map(I::to_string).collect(),
    };
    let sent = session
        .api
        .send_for_receipt(&Method::POST, &format!("{path}/revoke"), &body);
    match sent {
        Ok((revoked, receipt)) => Some(tell(session.log, kind, revoked, receipt)),
        Err(error) if error.is_unknown_call() => None,
        Err(error) => Some(Err(unsure(error))),
    }
}

/// Tells what became of each, and where they are refused by now.
fn tell(
    log: Log,
    kind: SecretKind,
    revoked: RevokedTokens,
    receipt: Option<ReceiptHeaders>,
) -> Result<(), Failure> {
    let mut failed = false;
    for RevokedToken { id, outcome, .. } in revoked.tokens {
        match outcome.as_str() {
            "revoked" | "already_revoked" => print(format!("Revoked {kind} {id}"))?,
            "not_found" => {
                failed = true;
                log.error(format_args!("{id}: {kind} {id} not found"));
            }
            other => {
                failed = true;
                log.error(format_args!("{id}: {other}: this {kind} goes on"));
            }
        }
    }
    if let Some(receipt) = receipt {
        receipts::tell_refused(log, &receipt)?;
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Verbosity;

    /// What became of three batches, each of which ends as told, and which of them were tried.
    fn of_three(ends: impl Fn(u8) -> Result<(), Failure>) -> (Result<(), Failure>, Vec<u8>) {
        let mut tried = Vec::new();
        let all = [1, 2, 3];
        let done = in_batches(Log::new(Verbosity::Normal), all.chunks(1), |batch| {
            tried.extend(batch);
            ends(batch[0])
        });
        (done, tried)
    }

    #[test]
    fn what_goes_wrong_with_one_batch_keeps_no_other_from_being_sent() {
        for bad in [1, 2] {
            let (done, tried) = of_three(|number| match number == bad {
                true => Err(Failure::Failed("nodes have not answered".to_owned())),
                false => Ok(()),
            });
            assert!(matches!(done, Err(Failure::Told)), "{done:?}");
            assert_eq!(tried, [1, 2, 3]);
        }
    }

    #[test]
    fn the_last_batch_alone_gone_wrong_says_so_itself() {
        let (done, tried) = of_three(|number| match number {
            3 => Err(Failure::Failed("nodes have not answered".to_owned())),
            _ => Ok(()),
        });
        assert!(matches!(done, Err(Failure::Failed(_))), "{done:?}");
        assert_eq!(tried, [1, 2, 3]);
    }

    #[test]
    fn nobody_is_told_of_more_once_the_output_is_closed() {
        let (done, tried) = of_three(|_| Err(Failure::Closed));
        assert!(matches!(done, Err(Failure::Closed)), "{done:?}");
        assert_eq!(tried, [1]);
    }
}
