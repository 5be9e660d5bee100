//! `/sign-in`: with e-mail address and password, on to where one wanted to go, with what one had typed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use rescind_authority::{FailedAttempts, Place, SignInError, SignedIn, TokenSearch};
use rescind_domain::{Receipt, Secret};

use crate::answers::{page_with, see};
use crate::app::App;
use crate::cookies::Cookie;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::forms::GateSubmission;
use crate::frame::{Frame, GateFrame, Section};
use crate::notices::Notice;
use crate::paths::local;
use crate::visitors::{PATIENCE, Presence, Stranger, Visitor};
use crate::words::{self, receipt};

/// What precedes the names of fields that are kept for a form to be sent again.
const KEPT: &str = "kept-";
/// The field that says where that form goes.
const ACTION: &str = "resume";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    gate: GateFrame,
    next: String,
    email: String,
    message: String,
    kept: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "resume.html")]
struct Resume {
    frame: Frame,
    action: String,
    kept: Vec<(String, String)>,
    shown: Vec<(String, String)>,
}

/// The address of the page, which leads on to `next`.
pub(crate) fn address(next: &str) -> String {
    match next {
        "/" => "/sign-in".to_owned(),
        next => Fields::default().with("next", next).after("/sign-in"),
    }
}

/// `GET /sign-in`.
pub(crate) async fn show(State(app): State<Arc<App>>, presence: Presence) -> Result<Response, Fault> {
    match presence {
        Presence::Visitor(visitor) => Ok(see(&local(visitor.browser.query.text("next")), None)),
        Presence::Stranger(stranger) => {
            let next = local(stranger.browser.query.text("next"));
            sign_in(
                &app,
                &stranger,
                StatusCode::OK,
                next,
                String::new(),
                String::new(),
                Vec::new(),
            )
        }
    }
}

/// `POST /sign-in`.
pub(crate) async fn submit(State(app): State<Arc<App>>, form: GateSubmission) -> Result<Response, Fault> {
    let fields = &form.fields;
    let email = fields.text("email").to_owned();
    let next = local(fields.text("next"));
    let password = fields.raw("password").to_owned();
    let client = form.presence.browser().client.clone();
    let mut wait = None;
    let (status, message) = match app.authority.sign_in(&email, password, client).await {
        Ok(signed_in) => return welcome(&app, &form, &signed_in, &next).await,
        Err(SignInError::Wrong) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "The email address or the password is wrong.".to_owned(),
        ),
        Err(SignInError::Throttled { retry_after }) => {
            wait = Some(retry_after.as_secs().max(1));
            let words = words::count(retry_after.as_secs().max(1), "second");
            (
                StatusCode::TOO_MANY_REQUESTS,
                format!("Too many attempts. Try again in {words}."),
            )
        }
        Err(SignInError::Failed(error)) => return Err(error.into()),
    };
    let kept = fields
        .iter()
        .filter(|(name, _)| *name == ACTION || name.starts_with(KEPT));
    let kept = kept
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut response = sign_in(&app, &form.stranger(), status, next, email, message, kept)?;
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The page for someone whose session ended before this form arrived: signing in, then sending it again. Whoever is
/// signed in by now needs the second step only.
pub(crate) fn resume(
    app: &Arc<App>,
    presence: &Presence,
    action: String,
    fields: Fields,
) -> Result<Response, Fault> {
    match presence {
        Presence::Visitor(visitor) => {
            let kept = pairs(&fields);
            send_again(app, visitor, action, kept)
        }
        Presence::Stranger(stranger) => {
            let mut kept = vec![(ACTION.to_owned(), action)];
            kept.extend(
                pairs(&fields)
                    .into_iter()
                    .map(|(name, value)| (format!("{KEPT}{name}"), value)),
            );
            let status = StatusCode::UNAUTHORIZED;
            sign_in(
                app,
                stranger,
                status,
                "/".to_owned(),
                String::new(),
                String::new(),
                kept,
            )
        }
    }
}

/// Signed in: the cookie, and on to the page that was wanted, or to the form that waits.
pub(crate) async fn welcome(
    app: &Arc<App>,
    form: &GateSubmission,
    signed_in: &SignedIn,
    next: &str,
) -> Result<Response, Fault> {
    let former = end_former(app, form).await?;
    let told = told(signed_in.failed_attempts.as_ref(), former.as_ref());
    let fields = &form.fields;
    let mut response = match fields.given(ACTION).map(local) {
        None => see(next, told.map(|notice| notice.at(next))),
        Some(action) => {
            let kept = fields.iter().filter_map(|(name, value)| {
                let name = name.strip_prefix(KEPT)?;
                Some((name.to_owned(), value.to_owned()))
            });
            let mut browser = form.presence.browser().clone();
            // Waiting again would lead away from what was typed.
            browser.notice = told.map(Notice::without_waiting);
            let visitor = Visitor::just_signed_in(app, signed_in, browser).await?;
            send_again(app, &visitor, action, kept.collect())?
        }
    };
    let cookie = Cookie::Session.set(signed_in.secret.expose(), None, app.secure);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    // Whoever comes to let a device in looks at no list.
    if !next.starts_with("/device") {
        tokio::spawn(look_ahead(Arc::clone(app), signed_in.secret.clone()));
    }
    Ok(response)
}

/// Ends the session that this browser had before (ASVS 7.2.4), on every node: this one may not know it, or take it for
/// expired by its own clock.
async fn end_former(app: &App, form: &GateSubmission) -> Result<Option<Receipt>, Fault> {
    match &form.former {
        Some(secret) => Ok(app
            .authority
            .end_by_secret_within(secret.as_bytes(), PATIENCE)
            .await?),
        None => Ok(None),
    }
}

/// What to say first: what somebody may have tried meanwhile, and which nodes may still admit the former session.
fn told(failed: Option<&FailedAttempts>, former: Option<&Receipt>) -> Option<Notice> {
    let former = former.filter(|proof| !proof.is_complete());
    let ended = |proof| {
        let told = receipt("Refused", proof);
        format!("The session that this browser had before is ended. {told}")
    };
    let words: Vec<String> = [failed.map(in_words), former.map(ended)]
        .into_iter()
        .flatten()
        .collect();
    let notice = (!words.is_empty()).then(|| Notice::warned(words.join(" ")))?;
    Some(match former {
        Some(proof) => notice.proven(proof),
        None => notice,
    })
}

/// The first look at a list of a million tokens takes seconds. Whoever signs in will want one: it is looked at already.
async fn look_ahead(app: Arc<App>, secret: Secret) {
    let Ok(caller) = app
        .authority
        .authenticate_session_quietly(secret.expose().as_bytes())
    else {
        return;
    };
    let account = caller.account();
    let clusters = app.authority.clusters(&caller, account).await.unwrap_or_default();
    for cluster in clusters.iter().map(|cluster| cluster.id) {
        let place = Place { account, cluster };
        let looked = app
            .authority
            .search_database_tokens(&caller, place, &TokenSearch::default())
            .await;
        if let Err(error) = looked {
            tracing::debug!(%error, "a list of tokens was not looked at ahead");
        }
    }
}

/// What somebody may have tried meanwhile.
fn in_words(failed: &FailedAttempts) -> String {
    let client = &failed.last.client;
    let agent = match client.agent.as_str() {
        "" => String::new(),
        agent => format!(" ({agent})"),
    };
    format!(
        "{} to log in failed since you last did, the last from {}{agent} at {}.",
        words::count(failed.count as u64, "attempt"),
        client.address,
        failed.last.at.to_rfc3339(0)
    )
}

fn send_again(
    app: &Arc<App>,
    visitor: &Visitor,
    action: String,
    kept: Vec<(String, String)>,
) -> Result<Response, Fault> {
    let is_typed = |name: &str| !matches!(name, "back" | "next" | "seen" | "offset" | "permissions");
    let shown = kept
        .iter()
        .filter(|(name, value)| is_typed(name) && !value.is_empty())
        .map(|(name, value)| (label(name), shown(value)))
        .collect();
    page_with(
        StatusCode::OK,
        &Resume {
            frame: visitor.frame(app, Section::None, "Send it again?"),
            action,
            kept,
            shown,
        },
    )
}

/// A value as people read it: boxes that are ticked are sent as `1`.
fn shown(value: &str) -> String {
    match value {
        "1" | "on" => "Yes".to_owned(),
        "*" => "All Databases".to_owned(),
        text => text.chars().take(400).collect(),
    }
}

/// A field's name as people read it, without the number of its row.
fn label(name: &str) -> String {
    let mut words = name
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == '-')
        .replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

fn pairs(fields: &Fields) -> Vec<(String, String)> {
    fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn sign_in(
    app: &Arc<App>,
    stranger: &Stranger,
    status: StatusCode,
    next: String,
    email: String,
    message: String,
    kept: Vec<(String, String)>,
) -> Result<Response, Fault> {
    let gate = GateFrame::new(app, stranger, "Log In");
    let view = SignIn {
        gate,
        next,
        email,
        message,
        kept,
    };
    page_with(status, &view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::proofs::{APPLIED, proof_of};
    use rescind_domain::{Agent, Client, LastClient, NodeState, Timestamp};
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn what_is_amiss_is_told_and_nothing_else() {
        let failed = FailedAttempts {
            count: 2,
            last: LastClient {
                at: Timestamp::from_micros(0),
                client: Client {
                    address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    agent: Agent::new(""),
                },
            },
        };
        let complete = proof_of([APPLIED, NodeState::Lapsed]);
        let incomplete = proof_of([APPLIED, NodeState::Awaited]);
        assert_eq!(told(None, None), None);
        assert_eq!(told(None, Some(&complete)), None, "it is over everywhere");
        let both = told(Some(&failed), Some(&incomplete)).expect("two things to mind");
        insta::assert_snapshot!(both.text);
        assert_eq!(both.class(), "warn");
        assert_eq!(both.again.as_ref().map(|again| again.revision), Some(7));
        assert_eq!(both.without_waiting().again, None);
        let former = told(None, Some(&incomplete)).expect("a node to mind");
        assert_eq!((former.nodes.len(), former.class()), (2, "warn"));
        assert!(told(Some(&failed), Some(&complete)).is_some_and(|notice| notice.nodes.is_empty()));
    }

    #[test]
    fn signing_in_leads_to_this_server_only() {
        for next in ["/clusters/1?q=a", "/"] {
            assert_eq!(local(next), next);
        }
        for next in [
            "",
            "x",
            "//elsewhere.test",
            "/\\elsewhere.test",
            "https://elsewhere.test",
            "/\t/x",
            "/sign-out",
        ] {
            assert_eq!(local(next), "/", "{next:?}");
        }
    }
}
