//! `/accounts/{account}/management-tokens/{token}/revoke`, and of several: what is said of management tokens.

use std::sync::Arc;

use rescind_domain::{ManagementToken, ManagementTokenId, Receipt, Subject};

use super::facts::Facts;
use super::list::{self, ListPage};
use super::{common, list_path};
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::pages::revoking::{Brief, Detail, Outcomes, Revocable, Use, Words};
use crate::tokens::AnyToken;
use crate::visitors::Visitor;

impl Revocable for ManagementToken {
    type Id = ManagementTokenId;
    type List = ListPage;

    const SUBJECT: Subject = Subject::ManagementToken;
    const WORDS: Words = Words {
        title: ["Revoke Management Token", "Revoke Management Tokens"],
        consequence: [
            "Whatever administers this account with this token is refused on every node from the moment you revoke it.",
            "Whatever administers this account with one of these tokens is refused on every node from the moment you \
             revoke it.",
        ],
        in_use: ["was used in the last 24 hours", "were used in the last 24 hours"],
        use_column: "Last Used",
    };

    fn common(&self) -> AnyToken {
        common(self)
    }

    fn list_path(visitor: &Visitor) -> Result<String, Fault> {
        Ok(list_path(visitor.account_of()?))
    }

    async fn list(app: &Arc<App>, visitor: &Visitor, below: &Fields) -> Result<(ListPage, String), Fault> {
        let state = list::state(visitor, below)?;
        let address = state.href();
        Ok((list::build(app, visitor, state).await?, address))
    }

    fn frame(list: &mut ListPage) -> &mut Frame {
        &mut list.frame
    }

    async fn find(app: &App, visitor: &Visitor, id: ManagementTokenId) -> Result<Self, Fault> {
        let account = visitor.account_of()?;
        Ok(app
            .authority
            .management_token(&visitor.caller, account, id)
            .await?)
    }

    async fn use_of(app: &App, visitor: &Visitor, token: &Self) -> Result<Use, Fault> {
        let facts = Facts::of(app, visitor, token).await?;
        let mut lines: Vec<_> = facts
            .acts
            .iter()
            .map(|(act, age)| (act.clone(), Some(*age)))
            .collect();
        if lines.is_empty() {
            lines.push(("None".to_owned(), None));
        }
        Ok(Use {
            verdict: facts.verdict().to_owned(),
            is_current: facts.is_in_use(),
            brief: match facts.used() {
                Some(age) => Brief::At(age),
                None => Brief::Words("Never".to_owned()),
            },
            opens: None,
            details: vec![Detail {
                term: "Newest acts",
                lines,
            }],
            last: facts.last,
        })
    }

    async fn revoke(app: &App, visitor: &Visitor, id: ManagementTokenId) -> Result<Receipt, Fault> {
        let account = visitor.account_of()?;
        Ok(app
            .authority
            .revoke_management_token(&visitor.caller, account, id)
            .await?)
    }

    async fn revoke_all(
        app: &App,
        visitor: &Visitor,
        ids: Vec<ManagementTokenId>,
    ) -> Result<Outcomes<ManagementTokenId>, Fault> {
        let account = visitor.account_of()?;
        Ok(app
            .authority
            .revoke_management_tokens(&visitor.caller, account, ids)
            .await?)
    }
}
