//! Mail: invitations, handed to a mail server over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use rescind_domain::{Chain, Email};
use rescind_ui::{Mail, Post, PostError};
use tokio::time::timeout;

use crate::args::People;
use crate::failure::Failure;
use crate::values::SmtpText;

/// How long a mail server may take for one step.
const STEP: Duration = Duration::from_secs(10);
/// How long it may take in all: somebody waits for the page that says that the mail is out.
const PATIENCE: Duration = Duration::from_secs(20);
/// Characters of a mail server's words that are shown.
const SHOWN: usize = 200;
/// Where a server takes mail without asking who one is (RFC 5321 section 4.5.4.2).
const RELAY_PORT: u16 = 25;

/// Hands mail to one server.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// The mailer that the flags describe, if they describe one.
    ///
    /// # Errors
    /// Names the flag that is wrong, and the fix; never what it holds, which may be a password.
    pub(crate) fn of(people: &People) -> Result<Option<Self>, Failure> {
        let wrong = |text: &str| Failure::new(text).into_usage();
        let (text, flag) = match (&people.smtp_url, &people.smtp_url_file) {
            (Some(text), _) => (text.clone(), "--smtp-url"),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|e| {
                    Failure::because(format!("--smtp-url-file: {} cannot be read", file.display()), e)
                        .into_usage()
                })?;
                (SmtpText::from(text), "--smtp-url-file")
            }
            (None, None) if people.smtp_from.is_some() => {
                return Err(wrong(
                    "--smtp-from: is of no use without --smtp-url or --smtp-url-file",
                ));
            }
            (None, None) => return Ok(None),
        };
        let Some(from) = &people.smtp_from else {
            return Err(wrong(
                "--smtp-from: is needed with a mail server: the sender, such as rescind@example.com",
            ));
        };
        let from = mailbox(from).map_err(|_| wrong("--smtp-from: mail servers take no such address"))?;
        let transport = transport(text.expose()).map_err(|why| wrong(&format!("{flag}: {why}")))?;
        Ok(Some(Self { transport, from }))
    }

    async fn hand_over(&self, mail: Mail) -> Result<(), PostError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(mailbox(&mail.to).map_err(|e| PostError(e.to_string()))?)
            .subject(mail.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|e| PostError(e.to_string()))?;
        match timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(PostError(presentable(&Chain(&error).to_string()))),
            Err(_) => Err(PostError(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

#[async_trait]
impl Post for Mailer {
    async fn send(&self, mail: Mail) -> Result<(), PostError> {
        let sent = self.hand_over(mail).await;
        match &sent {
            Ok(()) => tracing::info!("handed a message to the mail server"),
            Err(PostError(why)) => tracing::warn!(why, "the mail server did not take a message"),
        }
        sent
    }
}

fn mailbox(address: &Email) -> Result<Mailbox, AddressError> {
    let address: Address = address.as_str().parse()?;
    Ok(Mailbox::new(None, address))
}

/// A password goes over TLS only, unless the URL says `tls=opportunistic`.
fn transport(text: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, &'static str> {
    const WRONG: &str = "must be smtps://HOST, smtps://USER:PASSWORD@HOST or smtp://…, with a port if it is not the usual \
        one; percent-encode what is special in a password";
    let uri: Uri = text.parse().map_err(|_| WRONG)?;
    let authority = uri.authority().ok_or(WRONG)?.as_str();
    let has_user = authority.contains('@');
    let is_usual = uri.port().is_none();
    let (url, port) = match (uri.scheme_str(), uri.query()) {
        (Some("smtps"), None) | (Some("smtp"), Some("tls=required" | "tls=opportunistic")) => {
            (text.to_owned(), None)
        }
        (Some("smtp"), None) if has_user => (with_tls(text, "required"), None),
        (Some("smtp"), None) => (with_tls(text, "opportunistic"), is_usual.then_some(RELAY_PORT)),
        _ => return Err(WRONG),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| WRONG)?;
    let at_port = |builder: AsyncSmtpTransportBuilder| match port {
        Some(port) => builder.port(port),
        None => builder,
    };
    Ok(at_port(builder).timeout(Some(STEP)).build())
}

fn with_tls(url: &str, tls: &str) -> String {
    format!("{url}?tls={tls}")
}

/// What a mail server said, in short and without secrets.
fn presentable(text: &str) -> String {
    let text = rescind_domain::redact(text);
    let clean = text.chars().filter(|c| !c.is_control());
    clean.take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_names_a_mail_server_is_one() {
        for good in [
            "smtps://mail.example.com",
            "smtps://rescind:p%40ss@mail.example.com:465",
            "smtp://127.0.0.1:2525",
            "smtp://rescind:hush@mail.example.com",
            "smtp://rescind:hush@mail.example.com?tls=opportunistic",
        ] {
            assert!(transport(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "mail.example.com",
            "https://mail.example.com",
            "smtp://",
            "smtp://a?tls=none",
        ] {
            assert!(transport(bad).is_err(), "{bad}");
        }
    }
}
