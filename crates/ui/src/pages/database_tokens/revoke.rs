//! `/clusters/{cluster}/database-tokens/{token}/revoke`, and of several: what is said of database tokens.

use std::sync::Arc;

use rescind_domain::{DatabaseToken, DatabaseTokenId, Receipt, Subject};

use super::facts::Facts;
use super::list::{self, ListPage};
use super::permissions::in_words;
use super::{common, list_path};
use crate::app::App;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::pages::revoking::{Brief, Detail, Outcomes, Revocable, Use, Words};
use crate::tokens::AnyToken;
use crate::visitors::Visitor;

impl Revocable for DatabaseToken {
    type Id = DatabaseTokenId;
    type List = ListPage;

    const SUBJECT: Subject = Subject::DatabaseToken;
    const WORDS: Words = Words {
        title: ["Revoke Database Token", "Revoke Database Tokens"],
        consequence: [
            "Everything that uses this token is refused on every node from the moment you revoke it, and what it has \
             running is cut.",
            "Everything that uses one of these tokens is refused on every node from the moment you revoke it, and what \
             it has running is cut.",
        ],
        in_use: ["is in use", "are in use"],
        use_column: "Last 24 hours",
    };

    fn common(&self) -> AnyToken {
        common(self)
    }

    fn list_path(visitor: &Visitor) -> Result<String, Fault> {
        Ok(list_path(visitor.place()?.cluster))
    }

    async fn list(app: &Arc<App>, visitor: &Visitor, below: &Fields) -> Result<(ListPage, String), Fault> {
        let state = list::state(visitor, below)?;
        let address = state.href();
        Ok((list::build(app, visitor, state).await?, address))
    }

    fn frame(list: &mut ListPage) -> &mut Frame {
        &mut list.frame
    }

    async fn find(app: &App, visitor: &Visitor, id: DatabaseTokenId) -> Result<Self, Fault> {
        let place = visitor.place()?;
        Ok(app.authority.database_token(&visitor.caller, place, id).await?)
    }

    async fn use_of(app: &App, visitor: &Visitor, token: &Self) -> Result<Use, Fault> {
        let facts = Facts::of(app, visitor, visitor.place()?, token).await?;
        let mut details = vec![Detail {
            term: "In the last 24 hours",
            lines: vec![(facts.last_day(), None)],
        }];
        if !facts.databases.is_empty() {
            details.push(Detail {
                term: "On",
                lines: facts.databases.iter().map(|line| (line.clone(), None)).collect(),
            });
        }
        Ok(Use {
            verdict: facts.verdict(),
            is_current: facts.is_in_use(),
            brief: Brief::Words(match facts.is_in_use() {
                true => facts.last_day(),
                false => "not used".to_owned(),
            }),
            opens: Some(in_words(&token.permissions)),
            details,
            last: facts.last,
        })
    }

    async fn revoke(app: &App, visitor: &Visitor, id: DatabaseTokenId) -> Result<Receipt, Fault> {
        let place = visitor.place()?;
        Ok(app
            .authority
            .revoke_database_token(&visitor.caller, place, id)
            .await?)
    }

    async fn revoke_all(
        app: &App,
        visitor: &Visitor,
        ids: Vec<DatabaseTokenId>,
    ) -> Result<Outcomes<DatabaseTokenId>, Fault> {
        let place = visitor.place()?;
        Ok(app
            .authority
            .revoke_database_tokens(&visitor.caller, place, ids)
            .await?)
    }
}
