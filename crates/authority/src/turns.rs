//! Turns: revocations that wait for the ledger at the same time share one transaction.
//!
//! Acts follow one another, each with its round trips to the catalog and its wait for the disk. When many callers revoke
//! at once, whoever has the turn therefore revokes for all who wait by then: one revision, one audit event each. Whoever
//! comes alone pays nothing for it. More than share a transaction elsewhere take several turns.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rescind_domain::{Receipt, Revision};
use tokio::sync::oneshot;

use crate::asks::{Ask, Revocation, Verdict};
use crate::grants::TokenRef;
use crate::{Authority, Error, REVOKED_TOGETHER, Refusal};

/// Who waits, and who has the turn.
#[derive(Default)]
pub(crate) struct Turns {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

/// Somebody who waits to be told what became of an ask.
struct Waiting {
    ask: Ask,
    answer: oneshot::Sender<Result<Answer, Error>>,
}

/// What became of it, by which revision.
struct Answer {
    verdict: Verdict,
    revision: Revision,
}

impl Turns {
    /// Those who have waited longest.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock();
        let some = waiting.len().min(REVOKED_TOGETHER);
        waiting.drain(..some).collect()
    }
}

impl Authority {
    /// Revokes one token; the policy was asked. Returns when every node acts by it and the token's work has ended.
    ///
    /// # Errors
    /// [`Error::NotFound`], and what every act may return.
    pub(crate) async fn revoke(self: &Arc<Self>, ask: Ask) -> Result<Receipt, Error> {
        let wait = ask.caller.wait();
        self.act(move |this| async move {
            let Answer { verdict, revision } = this.take_turn(ask).await?;
            match verdict {
                Verdict::Now => {
                    let receipt = this.fence_off(ask.token, revision, wait).await?;
                    this.note_receipt(ask.receipt(), &receipt, wait);
                    Ok(receipt)
                }
                Verdict::Before(_) => this.fence_off(ask.token, revision, wait).await,
                Verdict::NotYours(reason) => Err(reason),
                Verdict::NotFound => Err(match ask.token {
                    TokenRef::Database(id) => Error::not_found("database token", id),
                    TokenRef::Management(id) => Error::not_found("management token", id),
                    TokenRef::Session(id) => Error::not_found("session", id),
                }),
            }
        })
        .await
    }

    /// Waits until the ask was answered, by this caller's turn or by that of somebody else.
    async fn take_turn(&self, ask: Ask) -> Result<Answer, Error> {
        let (answer, mut answered) = oneshot::channel();
        self.turns.waiting.lock().push(Waiting { ask, answer });
        let _turn = tokio::select! {
            biased;
            answer = &mut answered => return answer.map_err(|gone| Error::Internal(Box::new(gone)))?,
            turn = self.turns.turn.lock() => turn,
        };
        loop {
            let waiting = self.turns.take();
            // Nobody waits, if who had the turn before answered everybody.
            if waiting.is_empty() {
                break;
            }
            self.revoke_for_all(waiting).await;
            if let Ok(answer) = answered.try_recv() {
                return answer;
            }
        }
        answered.await.map_err(|gone| Error::Internal(Box::new(gone)))?
    }

    async fn revoke_for_all(&self, waiting: Vec<Waiting>) {
        let (asks, answers): (Vec<Ask>, Vec<_>) = waiting
            .into_iter()
            .map(|Waiting { ask, answer }| (ask, answer))
            .unzip();
        match self.revoke_together(&asks).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    // Nobody listens any more only when the process is about to end.
                    let _ = answer.send(result);
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.befell_all()));
                }
            }
        }
    }

    /// Each as if it came alone, one after the other. An error is everybody's: nothing, or perhaps all, was done.
    async fn revoke_together(&self, asks: &[Ask]) -> Result<Vec<Result<Answer, Error>>, Error> {
        let mut revocation = Revocation::begin(self.begin(None).await?, asks).await?;
        let mut stood = HashMap::new();
        let mut verdicts = Vec::with_capacity(asks.len());
        for ask in asks {
            verdicts.push(match self.check_turn(&mut revocation, ask, &mut stood).await {
                Ok(()) => Ok(revocation.revoke(ask)),
                Err(Error::Unavailable(error)) => return Err(Error::Unavailable(error)),
                Err(Error::Internal(error)) => return Err(Error::Internal(error)),
                Err(reason) => Err(reason),
            });
        }
        let revision = revocation.commit(self).await?;
        let answer = |verdict| Answer { verdict, revision };
        Ok(verdicts.into_iter().map(|verdict| verdict.map(answer)).collect())
    }

    /// Whether whoever asks still may, at this place of the order.
    async fn check_turn(
        &self,
        revocation: &mut Revocation,
        ask: &Ask,
        stood: &mut HashMap<TokenRef, rescind_domain::Role>,
    ) -> Result<(), Error> {
        let Some(standing) = ask.caller.standing() else {
            return Ok(());
        };
        if revocation.revokes(standing.token) {
            return Err(Error::Refused(Refusal::Revoked));
        }
        let role = ask.caller.role();
        if stood.get(&standing.token) == Some(&role) {
            return Ok(());
        }
        self.check_standing(revocation.transaction(), standing).await?;
        stood.insert(standing.token, role);
        Ok(())
    }
}
