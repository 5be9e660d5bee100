//! Who uses a management token and for what, as facts: what revoking it would break.

use rescind_authority::{AuditQuery, Page};
use rescind_domain::{Actor, ManagementTokenId, Subject, Verb};

use crate::app::App;
use crate::errors::Fault;
use crate::times::Age;
use crate::visitors::Visitor;
use crate::words::act_in_words;

/// What the dialogs say of a token's use.
pub(super) struct Facts {
    /// When it was last used.
    pub(super) used: Option<Age>,
    /// From where.
    pub(super) address: String,
    /// By which client.
    pub(super) agent: String,
    /// The newest things that were done with it, and when.
    pub(super) acts: Vec<(String, Age)>,
}

/// So many of its acts are shown.
const ACTS: u32 = 5;

/// A day, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;

impl Facts {
    /// The facts of one token.
    pub(super) async fn of(app: &App, visitor: &Visitor, id: ManagementTokenId) -> Result<Self, Fault> {
        let account = visitor.account_of()?;
        let client = app
            .authority
            .management_token_last_client(&visitor.caller, account, id)
            .await?;
        let age = |at| Age { at, now: visitor.now };
        let mut acts = Vec::new();
        if visitor.may(Verb::Read, Subject::AuditEvent) {
            let query = AuditQuery {
                actor: Some(Actor::ManagementToken(id)),
                page: Page::first(ACTS),
                ..AuditQuery::all(account)
            };
            let events = app.authority.audit_events(&visitor.caller, &query).await?;
            acts.extend(
                events
                    .items
                    .iter()
                    .map(|event| (act_in_words(event.act), age(event.at))),
            );
        }
        Ok(match client {
            Some(last) => Self {
                used: Some(age(last.at)),
                address: last.client.address.to_string(),
                agent: last.client.agent.to_string(),
                acts,
            },
            None => Self {
                used: None,
                address: String::new(),
                agent: String::new(),
                acts,
            },
        })
    }

    /// The one fact that decides: whether something still uses it.
    pub(super) fn verdict(&self) -> &'static str {
        match self.is_in_use() {
            true => "It was used in the last 24 hours.",
            false => "It was not used in the last 24 hours.",
        }
    }

    /// Whether something used it in the last 24 hours.
    pub(super) fn is_in_use(&self) -> bool {
        self.used
            .as_ref()
            .is_some_and(|used| used.at > used.now.plus_micros(-DAY))
    }
}
