//! One sample client: asks, tells when it is refused, and tries again, more slowly.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rescind_domain::{Clock as _, Timestamp};
use serde_json::{Value, json};
use ureq::http::request::Builder;
use ureq::http::{Response, StatusCode};

use crate::ambient::SystemClock;
use crate::demo::client::{self, Client};
use crate::demo::management::{DatabaseToken, Management};
use crate::demo::pulse::Pulse;
use crate::demo::samples::{Sample, Work};
use crate::demo::stage::Stage;
use crate::demo::upload::{Upload, Uploaded};
use crate::demo::watch::{News, Outcome, Watch};

/// How long a client that was refused rests: refusals go on, and are seen in the Admin UI.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// How much of what a server says is told, in characters.
const MAX_SAID: usize = 200;

/// A sample client and all that it needs.
pub(crate) struct Worker {
    /// Its connection.
    pub(crate) client: Client,
    /// Where that leads: `HOST:PORT`.
    pub(crate) address: String,
    /// Who it is.
    pub(crate) sample: &'static Sample,
    /// What it presents.
    pub(crate) token: DatabaseToken,
    /// Tells when that was revoked.
    pub(crate) management: Arc<Management>,
    /// Ends it.
    pub(crate) pulse: Arc<Pulse>,
}

impl Worker {
    /// Works until the pulse stops.
    pub(crate) fn work(self) {
        let (stage, mut watch) = (Stage::new(), Watch::new());
        for round in 0.. {
            let outcome = self.ask(round).unwrap_or_else(|e| Outcome::Broken(e.to_string()));
            if !self.pulse.beats() {
                return;
            }
            let pause = match outcome {
                Outcome::Refused { .. } => AFTER_REFUSAL,
                Outcome::Accepted | Outcome::Broken(_) => self.sample.every,
            };
            if let Some(news) = watch.notice(outcome) {
                // A terminal that is gone is no reason to stop: the Admin UI still shows this client.
                let _ = stage.say(self.line(&stage, &news));
            }
            if !self.pulse.wait(pause) {
                return;
            }
        }
    }

    /// The request of this round.
    fn ask(&self, round: usize) -> Result<Outcome, ureq::Error> {
        match self.sample.work {
            Work::Write(path, measure) => {
                let lines = measure(SystemClock.now());
                let request = self.request(path, "text/plain; charset=utf-8");
                let answer = self.client.answer(request, lines)?;
                Ok(outcome(answer.status, &answer.body, false))
            }
            Work::Upload(path, measure, seconds) => {
                let upload = Upload {
                    address: &self.address,
                    path,
                    name: self.sample.name,
                    token: &self.token.secret,
                    pulse: &self.pulse,
                };
                let Uploaded { status, body, midway } =
                    upload.send(seconds, || measure(SystemClock.now()))?;
                Ok(outcome(status, &body, midway))
            }
            Work::Query(queries) => {
                let (database, sql) = queries[round % queries.len()];
                let body = json!({"db": database, "q": sql, "format": "csv"}).to_string();
                let request = self.request("/api/v3/query_sql", "application/json");
                let response = self.client.begin(request, body)?;
                match response.status().is_success() {
                    true => drain(response),
                    false => {
                        let answer = client::read(response)?;
                        Ok(outcome(answer.status, &answer.body, false))
                    }
                }
            }
        }
    }

    fn request(&self, path: &str, content_type: &str) -> Builder {
        self.client
            .request(("POST", path))
            .header("authorization", format!("Bearer {}", self.token.secret))
            .header("content-type", content_type)
    }

    fn line(&self, stage: &Stage, news: &News) -> String {
        let now = SystemClock.now();
        let name = self.sample.name;
        let told = match news {
            News::Works => format!("{name} {}", stage.green("works again")),
            News::Fails(Outcome::Refused { status, said, midway }) => {
                let verb = if *midway {
                    "is cut off in its upload"
                } else {
                    "is refused"
                };
                let told = stage.red(&format!("{verb}: {status}"));
                format!("{name} {told}, \"{said}\"{}", self.circumstances(now))
            }
            News::Fails(Outcome::Broken(why)) => {
                let told = stage.red("gets no whole answer");
                format!("{name} {told}: {why}{}", self.circumstances(now))
            }
            News::StillFails(Outcome::Refused { status, .. }, in_a_row) => {
                format!("{name} is still refused: {status}, {in_a_row} requests in a row")
            }
            News::Fails(Outcome::Accepted) | News::StillFails(_, _) => {
                format!("{name} still gets no whole answer")
            }
        };
        format!("{} UTC  {told}", clock_time(now))
    }

    /// How long after the revocation, where there was one, and of which token.
    fn circumstances(&self, now: Timestamp) -> String {
        let revoked_at = self.management.revoked_at(&self.token.id);
        let after = revoked_at.map_or_else(String::new, |at| {
            format!(
                ", at its next request, {} after it was revoked",
                span(now.micros() - at.micros())
            )
        });
        format!(
            "{after}; token \"{}\", {}",
            self.sample.description, self.token.id
        )
    }
}

/// Reads a long answer and keeps nothing of it.
fn drain(response: Response<ureq::Body>) -> Result<Outcome, ureq::Error> {
    let mut body = response.into_body();
    io::copy(&mut body.as_reader(), &mut io::sink())?;
    Ok(Outcome::Accepted)
}

fn outcome(status: StatusCode, body: &str, midway: bool) -> Outcome {
    if status.is_success() {
        return Outcome::Accepted;
    }
    let told: Option<Value> = serde_json::from_str(body).ok();
    // Each family of endpoints has a form of its own (contract, data-plane).
    let told = told
        .as_ref()
        .and_then(|told| told.get("error").or_else(|| told.get("message"))?.as_str());
    let said = told.unwrap_or(body);
    let said = said.chars().filter(|c| !c.is_control()).take(MAX_SAID).collect();
    Outcome::Refused { status, said, midway }
}

/// So many microseconds, as people say it.
fn span(micros: i64) -> String {
    match micros.max(0) / 1_000 {
        millis @ ..1_000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1e3),
    }
}

/// `HH:MM:SS`.
fn clock_time(at: Timestamp) -> String {
    at.to_rfc3339(0).chars().skip(11).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_told_without_their_wrapping() {
        let said = |body: &str| match outcome(StatusCode::UNAUTHORIZED, body, false) {
            Outcome::Refused { said, .. } => said,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(r#"{"error":"revoked"}"#), "revoked");
        assert_eq!(
            said(r#"{"code":"unauthorized","message":"no access"}"#),
            "no access"
        );
        assert_eq!(said("plain\n\u{1b}[31m"), "plain[31m");
        assert_eq!(outcome(StatusCode::NO_CONTENT, "", false), Outcome::Accepted);
    }

    #[test]
    fn spans_and_times_are_short() {
        assert_eq!(span(-5), "0 ms");
        assert_eq!(span(999_999), "999 ms");
        assert_eq!(span(13_449_000), "13.4 s");
        assert_eq!(clock_time(Timestamp::from_micros(3_661_000_000)), "01:01:01");
    }
}
