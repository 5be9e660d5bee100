//! `…/revoke`, of both kinds of tokens: what it would break, then the act, then the proof. One token has an address of its
//! own, several are named by the list's: `…/revoke?token=…&token=…`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{RevokeOutcome, Revoked};
use rescind_domain::{Receipt, Subject, TokenStatus, Verb};

use crate::answers::{page_with, see};
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::Submission;
use crate::frame::Frame;
use crate::notices::Notice;
use crate::paths::{Named, PathId};
use crate::problems::Problems;
use crate::times::{Age, Moment};
use crate::tokens::{AnyToken, LastUse, line};
use crate::visitors::Visitor;
use crate::words::{count, excerpt, grouped, receipt};

/// A kind of token that is revoked from its list.
pub(super) trait Revocable: Sized + Send + Sync + 'static {
    /// Its id.
    type Id: PathId + Copy + Ord + fmt::Display + Sync;
    /// The list that dialogs lie over.
    type List: Template + Send;
    /// What it is to rights.
    const SUBJECT: Subject;
    /// How pages speak of it.
    const WORDS: Words;

    /// What it has in common with the other kind.
    fn common(&self) -> AnyToken;
    /// Where the list is.
    fn list_path(visitor: &Visitor) -> Result<String, Fault>;
    /// The list as `below` tells it, and its address.
    fn list(
        app: &Arc<App>,
        visitor: &Visitor,
        below: &Fields,
    ) -> impl Future<Output = Result<(Self::List, String), Fault>> + Send;
    /// What stands around the list.
    fn frame(list: &mut Self::List) -> &mut Frame;
    /// The token with this id.
    fn find(app: &App, visitor: &Visitor, id: Self::Id) -> impl Future<Output = Result<Self, Fault>> + Send;
    /// What it was used for.
    fn use_of(app: &App, visitor: &Visitor, token: &Self) -> impl Future<Output = Result<Use, Fault>> + Send;
    /// Revokes one. It is no error when it was revoked before.
    fn revoke(
        app: &App,
        visitor: &Visitor,
        id: Self::Id,
    ) -> impl Future<Output = Result<Receipt, Fault>> + Send;
    /// Revokes several at once.
    fn revoke_all(
        app: &App,
        visitor: &Visitor,
        ids: Vec<Self::Id>,
    ) -> impl Future<Output = Result<Outcomes<Self::Id>, Fault>> + Send;
}

/// What came of each, and of the nodes.
pub(super) type Outcomes<Id> = (Vec<Revoked<Id>>, Receipt);

/// How pages speak of a kind of token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// The titles, of one and of several.
    pub(super) title: [&'static str; 2],
    /// What happens, of one and of several.
    pub(super) consequence: [&'static str; 2],
    /// That one of several is used, and that more are.
    pub(super) in_use: [&'static str; 2],
    /// What the table of several says of their use.
    pub(super) use_column: &'static str,
}

/// What a token was used for, as facts: what revoking it would break.
pub(super) struct Use {
    /// The one fact that decides: whether something still uses it.
    pub(super) verdict: String,
    /// Whether something does.
    pub(super) is_current: bool,
    /// When it was last used, and by whom.
    pub(super) last: Option<LastUse>,
    /// The same in a word, among several.
    pub(super) brief: Brief,
    /// What the token opens, where its kind does not say it.
    pub(super) opens: Option<String>,
    /// What else there is to know.
    pub(super) details: Vec<Detail>,
}

/// A token's use in a word.
pub(super) enum Brief {
    /// Words.
    Words(String),
    /// When the last use was.
    At(Age),
}

/// A fact and what is known: words, and how long ago it was.
pub(super) struct Detail {
    pub(super) term: &'static str,
    pub(super) lines: Vec<(String, Option<Age>)>,
}

#[derive(Template)]
#[template(path = "revoking/one.html")]
struct OneDialog {
    sheet: Sheet,
    consequence: &'static str,
    id: String,
    description: String,
    expires: Option<Moment>,
    created: Moment,
    use_: Use,
    problems: Problems,
}

struct Chosen {
    id: String,
    description: String,
    use_: Use,
}

#[derive(Template)]
#[template(path = "revoking/several.html")]
struct SeveralDialog {
    sheet: Sheet,
    words: Words,
    chosen: Vec<Chosen>,
    total: String,
    in_use: usize,
    problems: Problems,
}

/// As many as a page of the list can hold.
const MOST: usize = 100;

/// `GET …/{token}/revoke`.
pub(super) async fn ask<T: Revocable>(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Named(id): Named<T::Id>,
) -> Result<Response, Fault> {
    let token = T::find(&app, &visitor, id).await?;
    let common = token.common();
    visitor.must_with(Verb::Delete, common.subject, common.created_by)?;
    if let Some(gone) = already_revoked(&common) {
        return Ok(see(&common.href, Some(gone)));
    }
    let below = visitor.browser.query.clone();
    one(&app, &visitor, &token, &below, Problems::default()).await
}

/// `POST …/{token}/revoke`.
pub(super) async fn act<T: Revocable>(
    State(app): State<Arc<App>>,
    Named(id): Named<T::Id>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let token = T::find(&app, &visitor, id).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    if !form.fields.is_on("understood") {
        let mut problems = Problems::default();
        problems.add("understood", "Tick the box to revoke the token.");
        return one(&app, &visitor, &token, &back, problems).await;
    }
    let common = token.common();
    let proof = T::revoke(&app, &visitor, id).await?;
    let told = receipt("Refused", &proof);
    let notice = match already_revoked(&common) {
        Some(gone) => Notice::told(format!("{} {told}", gone.text)),
        None => Notice::done(format!("Revoked “{}”. {told}", line(&common.description))),
    };
    let location = back.after(&T::list_path(&visitor)?);
    Ok(form.done(&location, notice.proven(&proof)))
}

/// `GET …/revoke`.
pub(super) async fn ask_several<T: Revocable>(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Fault> {
    visitor.must(Verb::Delete, T::SUBJECT)?;
    let query = &visitor.browser.query;
    let tokens = chosen::<T>(&app, &visitor, query).await?;
    // What the page below needs, without what was chosen on it.
    let below = query.clone().with("token", "");
    if tokens.is_empty() {
        let location = below.after(&T::list_path(&visitor)?);
        let words = "None of the chosen tokens can be revoked any more. Tick the tokens to revoke.";
        return Ok(see(&location, Some(Notice::told(words))));
    }
    several(&app, &visitor, &tokens, &below, Problems::default()).await
}

/// `POST …/revoke`.
pub(super) async fn act_on_several<T: Revocable>(
    State(app): State<Arc<App>>,
    form: Submission,
) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    visitor.must(Verb::Delete, T::SUBJECT)?;
    let tokens = chosen::<T>(&app, &visitor, &form.fields).await?;
    let back = Fields::parse(form.fields.raw("back").as_bytes());
    let location = back.after(&T::list_path(&visitor)?);
    if tokens.is_empty() {
        let words =
            "None of them is there to be revoked by you: they were revoked before, or others made them.";
        let proof = app.authority.wait_for_nodes(&visitor.caller).await?;
        return Ok(form.done(&location, Notice::told(words).proven(&proof)));
    }
    if !form.fields.is_on("understood") {
        let mut problems = Problems::default();
        problems.add("understood", "Tick the box to revoke the tokens.");
        return several(&app, &visitor, &tokens, &back, problems).await;
    }
    let ids = tokens.iter().map(|(id, _)| *id).collect();
    let (outcomes, proof) = T::revoke_all(&app, &visitor, ids).await?;
    Ok(form.done(&location, revoked(&outcomes, &proof)))
}

/// Those of the named tokens that the visitor can revoke.
async fn chosen<T: Revocable>(
    app: &App,
    visitor: &Visitor,
    fields: &Fields,
) -> Result<Vec<(T::Id, T)>, Fault> {
    let named = fields.all("token").filter_map(|text| text.parse().ok());
    let ids: BTreeSet<T::Id> = named.take(MOST).collect();
    let mut tokens = Vec::new();
    for id in ids {
        let token = T::find(app, visitor, id).await?;
        let common = token.common();
        let is_revoked = common.status(visitor.now) == TokenStatus::Revoked;
        if !is_revoked && visitor.may_with(Verb::Delete, common.subject, common.created_by) {
            tokens.push((id, token));
        }
    }
    Ok(tokens)
}

async fn one<T: Revocable>(
    app: &Arc<App>,
    visitor: &Visitor,
    token: &T,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let (mut list, cancel) = T::list(app, visitor, below).await?;
    let frame = T::frame(&mut list);
    let common = token.common();
    let status = problems.status();
    let dialog = OneDialog {
        sheet: Sheet::new(
            frame,
            T::WORDS.title[0],
            format!("{}/revoke", common.href),
            cancel,
        ),
        consequence: T::WORDS.consequence[0],
        id: common.id,
        description: match common.description.trim() {
            "" => line(""),
            text => excerpt(text, 400),
        },
        expires: common.expires_at.map(Moment),
        created: Moment(common.created_at),
        use_: T::use_of(app, visitor, token).await?,
        problems,
    };
    frame.open(&dialog)?;
    page_with(status, &list)
}

async fn several<T: Revocable>(
    app: &Arc<App>,
    visitor: &Visitor,
    tokens: &[(T::Id, T)],
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let mut chosen = Vec::new();
    for (id, token) in tokens {
        chosen.push(Chosen {
            id: id.to_string(),
            description: line(&token.common().description),
            use_: T::use_of(app, visitor, token).await?,
        });
    }
    let (mut list, cancel) = T::list(app, visitor, below).await?;
    let frame = T::frame(&mut list);
    let status = problems.status();
    let action = format!("{}/revoke", T::list_path(visitor)?);
    let dialog = SeveralDialog {
        sheet: Sheet::new(frame, T::WORDS.title[1], action, cancel),
        words: T::WORDS,
        total: count(chosen.len() as u64, "token"),
        in_use: chosen.iter().filter(|one| one.use_.is_current).count(),
        chosen,
        problems,
    };
    frame.open(&dialog)?;
    page_with(status, &list)
}

/// What came of revoking several: others may have been faster, or have made them.
fn revoked<Id>(outcomes: &[Revoked<Id>], proof: &Receipt) -> Notice {
    let now = outcomes.iter().filter(|one| one.outcome == RevokeOutcome::Now);
    let now = now.count();
    let told = receipt("Refused", proof);
    let words = format!("Revoked {}.", count(now as u64, "token"));
    let notice = match outcomes.len() - now {
        0 => Notice::done(format!("{words} {told}")),
        others => Notice::told(format!(
            "{words} {} more had been revoked before, or may not be revoked by you. {told}",
            grouped(others as u64)
        )),
    };
    notice.proven(proof)
}

/// Said instead of an error when somebody else was faster.
fn already_revoked(token: &AnyToken) -> Option<Notice> {
    let at = token.state.revoked_at()?;
    Some(Notice::told(format!(
        "“{}” was revoked before, at {}.",
        line(&token.description),
        at.to_rfc3339(0)
    )))
}
