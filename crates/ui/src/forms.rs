//! Forms: read within a bound, proven to come from our own page, acted upon once.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::answers::see;
use crate::app::App;
use crate::cookies::Cookie;
use crate::errors::Fault;
use crate::fields::Fields;
use crate::notices::Notice;
use crate::once::{Made, Turn};
use crate::visitors::{Presence, Stranger, Visitor};

/// The largest form, in bytes: a thousand permissions and the longest description, percent-encoded.
const LARGEST: usize = 256 * 1_024;
/// How long the whole of one may take to arrive. Strangers may send forms: none of them holds a connection for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What proves that a form came from a page shown to this browser: derived from a secret that only this browser and the
/// server hold.
#[derive(Clone)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    /// The seal that goes with a cookie's value.
    pub(crate) fn of(secret: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"rescind form\0");
        digest.update(secret.as_bytes());
        Self(digest.finalize().into())
    }

    /// The token for one form. Masked anew each time, so that the size of a packed page, which also holds what its
    /// reader searched for, tells nothing about it.
    pub(crate) fn token(&self, app: &App) -> String {
        let mut mask = [0; 32];
        app.rng.fill(&mut mask);
        let masked = mask.iter().zip(self.0).map(|(mask, byte)| mask ^ byte);
        let mut token = String::with_capacity(128);
        for byte in mask.iter().copied().chain(masked) {
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        token
    }

    /// Whether `token` is one of this seal's. Takes the same time for every wrong one.
    fn made(&self, token: &str) -> bool {
        let Some(bytes) = unhex(token) else { return false };
        let (mask, masked) = bytes.split_at(32);
        let pairs = mask.iter().zip(masked).zip(self.0);
        pairs.fold(0, |differences, ((mask, byte), own)| {
            differences | (mask ^ byte ^ own)
        }) == 0
    }
}

fn unhex(text: &str) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    if text.len() != 128 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A form that a visitor sent: read, proven, and not acted upon before.
pub(crate) struct Submission {
    /// Who sent it.
    pub(crate) visitor: Visitor,
    /// What it holds.
    pub(crate) fields: Fields,
    turn: Option<OwnedMutexGuard<Option<Made>>>,
}

impl Submission {
    /// Done: on to `location`, which shows `notice`. A second submit of the same form is led there too.
    pub(crate) fn done(mut self, location: &str, notice: Notice) -> Response {
        self.remember(location, &notice.text);
        see(location, Some(notice.at(location)))
    }

    /// Done, where the answer is a page of its own. A second submit of the same form is told `words` at `location`.
    pub(crate) fn remember(&mut self, location: &str, words: &str) {
        if let Some(turn) = &mut self.turn {
            **turn = Some(Made {
                location: location.to_owned(),
                words: words.to_owned(),
            });
        }
    }
}

impl FromRequest<Arc<App>> for Submission {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Fault> {
        let is_ours = says_same_origin(request.headers());
        let (presence, uri, fields) = read(request, app).await?;
        let visitor = match presence {
            Presence::Visitor(visitor) => visitor,
            // Whoever logs out of a session that has ended is where they want to be.
            Presence::Stranger(_) if uri.path() == "/sign-out" => {
                return Err(Fault::SignIn { next: "/".to_owned() });
            }
            Presence::Stranger(_) => return Err(resumable(&uri, fields)),
        };
        match check(&visitor.seal, &fields) {
            // Shown during another session of the same browser: the visitor signed in again in between.
            Err(_) if is_ours => return Err(resumable(&uri, fields)),
            other => other?,
        }
        let turn = match fields.given("once").filter(|once| once.len() == 32) {
            Some(once) => match app.once.take(format!("{} {once}", visitor.user.id)).await {
                Turn::First(turn) => Some(turn),
                Turn::Again(made) => return Err(Fault::Again(made)),
            },
            None => None,
        };
        Ok(Self {
            visitor,
            fields,
            turn,
        })
    }
}

/// A form that someone who is not signed in sent: to sign in, or to accept an invitation.
pub(crate) struct GateSubmission {
    /// Who sent it.
    pub(crate) presence: Presence,
    /// What it holds.
    pub(crate) fields: Fields,
    /// The secret of the session that the browser came with, whether this node knows it or not.
    pub(crate) former: Option<String>,
}

impl FromRequest<Arc<App>> for GateSubmission {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Fault> {
        let former = Cookie::Session.read(request.headers(), app.secure);
        let (presence, _, fields) = read(request, app).await?;
        check(presence.seal(), &fields)?;
        Ok(Self {
            presence,
            fields,
            former,
        })
    }
}

impl GateSubmission {
    /// Whoever sent it, as someone to show the same page to again.
    pub(crate) fn stranger(&self) -> Stranger {
        match &self.presence {
            Presence::Stranger(stranger) => Stranger::clone(stranger),
            Presence::Visitor(visitor) => Stranger::signed_in(visitor),
        }
    }
}

async fn read(request: Request, app: &App) -> Result<(Presence, Uri, Fields), Fault> {
    let presence = request.extensions().get::<Presence>().cloned();
    let presence = presence.expect("every route of a page lies behind `recognise`");
    if !is_from_here(request.headers(), request.uri()) {
        return Err(Fault::forged());
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    let essence = kind.and_then(|kind| kind.to_str().ok()?.split(';').next());
    let is_form = essence.is_some_and(|kind| {
        kind.trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !is_form {
        let text = "It must be sent as application/x-www-form-urlencoded.";
        return Err(Fault::unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let uri = request.uri().clone();
    let _place = app.room.enter(&presence).await?;
    let body = collect(request, PATIENCE).await?;
    Ok((presence, uri, Fields::parse(&body)))
}

/// How many forms may be arriving at once: they are kept in memory, 256 KiB each. Strangers have places of their own, so
/// that they cannot keep those out who are signed in.
pub(crate) struct Room {
    strangers: Semaphore,
    visitors: Semaphore,
}

const PLACES: usize = 64;
/// How long a form waits for a place.
const QUEUE: Duration = Duration::from_secs(5);

impl Default for Room {
    fn default() -> Self {
        Self {
            strangers: Semaphore::new(PLACES),
            visitors: Semaphore::new(PLACES),
        }
    }
}

impl Room {
    async fn enter(&self, presence: &Presence) -> Result<SemaphorePermit<'_>, Fault> {
        let places = match presence {
            Presence::Stranger(_) => &self.strangers,
            Presence::Visitor(_) => &self.visitors,
        };
        match timeout(QUEUE, places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::unreadable(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many others are being sent at this moment. Send it again.",
            )),
        }
    }
}

async fn collect(request: Request, patience: Duration) -> Result<Bytes, Fault> {
    let body = Limited::new(request.into_body(), LARGEST).collect();
    let Ok(body) = timeout(patience, body).await else {
        let text = "It did not arrive in time. Send it again.";
        return Err(Fault::unreadable(StatusCode::REQUEST_TIMEOUT, text));
    };
    match body {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::unreadable(
            StatusCode::PAYLOAD_TOO_LARGE,
            "It is larger than 256 KiB. Shorten what was typed.",
        )),
        Err(_) => Err(Fault::unreadable(
            StatusCode::BAD_REQUEST,
            "The connection ended before all of it had arrived.",
        )),
    }
}

fn check(seal: &Seal, fields: &Fields) -> Result<(), Fault> {
    if seal.made(fields.raw("csrf")) {
        Ok(())
    } else {
        Err(Fault::forged())
    }
}

/// Whether the browser vouches for the page that the form came from (Fetch Metadata).
fn says_same_origin(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "same-origin")
}

/// Whether the browser says that a form came from our own page, or says nothing: the seal is checked as well. Over HTTP
/// to another machine there is no Fetch Metadata, and without a referrer `Origin` is `null`.
fn is_from_here(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    match origin {
        None | Some("null") => true,
        Some(origin) => origin.split_once("://").map(|(_, authority)| authority) == host,
    }
}

/// What a form needs to be sent again after signing in: all but passwords and what belongs to the ended session.
fn resumable(uri: &Uri, fields: Fields) -> Fault {
    let typed = fields
        .iter()
        .filter(|(name, _)| !matches!(*name, "csrf" | "once") && !name.contains("password"))
        .fold(Fields::default(), |kept, (name, value)| kept.and(name, value));
    let action = uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    Fault::Resume {
        action,
        fields: typed,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::{StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn a_form_that_does_not_arrive_is_not_waited_for() {
        let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"email=a"))]);
        let body = Body::from_stream(begun.chain(stream::pending()));
        let refused = collect(Request::new(body), Duration::from_millis(1)).await;
        let Err(Fault::Told { status, .. }) = refused else {
            panic!("no end comes");
        };
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn a_form_from_elsewhere_is_told_apart() {
        let uri: Uri = "/x".parse().expect("a path");
        for (name, value, here) in [
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "none", true),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "cross-site", false),
            ("origin", "http://rescind.test:81", true),
            ("origin", "http://rescind.test", false),
            ("origin", "https://elsewhere.test", false),
            ("origin", "null", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "rescind.test:81".parse().expect("a host"));
            headers.insert(name, value.parse().expect("a value"));
            assert_eq!(is_from_here(&headers, &uri), here, "{name}: {value}");
        }
    }

    #[test]
    fn typed_text_survives_without_passwords() {
        let fields = Fields::parse(b"csrf=a&once=b&current_password=c&password=d&description=e");
        let uri = "/x?y=1".parse().expect("a path");
        let Fault::Resume { action, fields } = resumable(&uri, fields) else {
            panic!("a form to resume")
        };
        assert_eq!(
            (action.as_str(), fields.to_string().as_str()),
            ("/x?y=1", "description=e")
        );
    }
}
