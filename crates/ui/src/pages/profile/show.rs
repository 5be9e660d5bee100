//! `/profile`: who one is here, and where one is signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_domain::{Session, SessionId, SessionKind};

use crate::answers::page;
use crate::app::App;
use crate::errors::Fault;
use crate::frame::{Frame, Section};
use crate::times::{Age, Moment};
use crate::visitors::Visitor;

struct Row {
    id: SessionId,
    kind: &'static str,
    address: String,
    agent: String,
    created: Moment,
    used: Option<Age>,
    expires: Moment,
    is_own: bool,
}

/// The page: alone, or below a dialog.
#[derive(Template)]
#[template(path = "profile/show.html")]
pub(super) struct Profile {
    pub(super) frame: Frame,
    name: String,
    joined: Moment,
    sessions: Vec<Row>,
}

/// `GET /profile`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    page(&build(&app, &visitor).await?)
}

/// The page without a dialog.
pub(super) async fn build(app: &App, visitor: &Visitor) -> Result<Profile, Fault> {
    let sessions = app.authority.own_sessions(&visitor.caller).await?;
    Ok(Profile {
        frame: visitor.frame(app, Section::None, "Profile"),
        name: format!("{} {}", visitor.user.first_name, visitor.user.last_name),
        joined: Moment(visitor.user.created_at),
        sessions: sessions.iter().map(|session| row(visitor, session)).collect(),
    })
}

fn row(visitor: &Visitor, session: &Session) -> Row {
    let kind = match session.kind {
        SessionKind::Browser => "Browser",
        SessionKind::Device => "Device",
    };
    Row {
        id: session.id,
        kind,
        address: session.client.address.to_string(),
        agent: called(session.client.agent.as_str()),
        created: Moment(session.created_at),
        used: session.last_used_at.map(|at| Age { at, now: visitor.now }),
        expires: Moment(session.expires_at),
        is_own: visitor.caller.session() == Some(session.id),
    }
}

/// What a client calls itself, in short: the browser and its system, where the text is that of a browser.
fn called(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 5] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(part, _)| agent.contains(part))
            .map(|(_, name)| *name)
    };
    match (agent, first(&BROWSERS), first(&SYSTEMS)) {
        ("", _, _) => "Unknown".to_owned(),
        (_, Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ => agent.chars().take(80).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_called_by_short_names() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
        assert_eq!(called(chrome), "Chrome on Linux");
        assert_eq!(called("influxctl/2.10"), "influxctl/2.10");
        assert_eq!(called(""), "Unknown");
    }
}
