//! Who uses a management token and for what, as facts: what revoking it would break.

use rescind_authority::{AuditQuery, Page};
use rescind_domain::{Actor, ManagementToken, Subject, Verb};

use crate::app::App;
use crate::errors::Fault;
use crate::times::Age;
use crate::tokens::{LastUse, last_use};
use crate::visitors::Visitor;
use crate::words::act_in_words;

/// What the dialogs say of a token's use.
pub(super) struct Facts {
    /// When it was last used, and by whom.
    pub(super) last: Option<LastUse>,
    /// The newest things that were done with it, and when.
    pub(super) acts: Vec<(String, Age)>,
}

/// So many of its acts are shown.
const ACTS: u32 = 5;

impl Facts {
    /// The facts of one token.
    pub(super) async fn of(app: &App, visitor: &Visitor, token: &ManagementToken) -> Result<Self, Fault> {
        let account = visitor.account_of()?;
        let client = app
            .authority
            .management_token_last_client(&visitor.caller, account, token.id)
            .await?;
        let mut acts = Vec::new();
        if visitor.may(Verb::Read, Subject::AuditEvent) {
            let query = AuditQuery {
                actor: Some(Actor::ManagementToken(token.id)),
                page: Page::first(ACTS),
                ..AuditQuery::all(account)
            };
            let events = app.authority.audit_events(&visitor.caller, &query).await?;
            acts.extend(events.items.iter().map(|event| {
                let age = Age {
                    at: event.at,
                    now: visitor.now,
                };
                (act_in_words(event.act), age)
            }));
        }
        Ok(Self {
            last: last_use(token.last_used_at, client, visitor.now),
            acts,
        })
    }

    /// The one fact that decides: whether something still uses it.
    pub(super) fn verdict(&self) -> &'static str {
        match self.is_in_use() {
            true => "It was used in the last 24 hours.",
            false => "It was not used in the last 24 hours.",
        }
    }

    /// When it was last used.
    pub(super) fn used(&self) -> Option<Age> {
        self.last.as_ref().map(|last| last.age)
    }

    /// Whether something used it in the last 24 hours.
    pub(super) fn is_in_use(&self) -> bool {
        self.last.as_ref().is_some_and(LastUse::is_of_today)
    }
}
