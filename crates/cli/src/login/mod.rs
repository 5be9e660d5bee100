//! Logging in: how a person lets this command act in their name for an hour (contract, influxctl section 4).

mod browser;
mod cache;
mod device_flow;
mod machine;
mod prompt;
mod provider;
mod settings;

use std::io::{self, IsTerminal};
use std::time::Duration;

use rescind_domain::Timestamp;
use rescind_wire::DeviceAuthorization;

pub(crate) use device_flow::LoginError;

use crate::api::{Peer, agent, is_one_word};
use crate::clock::{Clock, SystemClock};
use crate::config::TlsEntry;
use crate::exit::Failure;
use crate::log::Log;
use crate::login::cache::{CacheFile, Kept, Purpose};
use crate::login::device_flow::log_in;
use crate::login::provider::HttpProvider;
use crate::login::settings::Settings;
use crate::profiles::Profile;
use crate::tls::{provider_tls_config, tls_config};

/// How long a token lives when its provider does not say (contract, influxctl section 4).
const DEFAULT_LIFETIME: u64 = 3_600;
/// A token that expires sooner is not worth presenting.
const MARGIN_MICROS: i64 = 10_000_000;

/// The way of one profile to a token of a person.
pub(crate) struct Login {
    settings: Settings,
    peer: Peer,
    tls: TlsEntry,
    cache: Option<CacheFile>,
    clock: SystemClock,
    log: Log,
}

/// What became of a logout.
pub(crate) enum LoggedOut {
    /// There was no token.
    NotLoggedIn,
    /// The token is gone, here and there.
    Ended,
    /// The token is gone here; whoever gave it does not offer to end it.
    RemovedUntil(Timestamp),
}

impl Login {
    /// The login of `profile`.
    ///
    /// # Errors
    /// `[profile.auth.oauth2]` makes no sense.
    pub(crate) fn of(profile: &Profile, timeout: Duration, log: Log) -> Result<Self, Failure> {
        let server = profile.peer(timeout);
        let settings = Settings::of(&profile.oauth2, &server.origin, &profile.place)?;
        let purpose = Purpose::new(
            server.origin.clone(),
            profile.account,
            settings.client_id.clone(),
            settings.token_url.clone(),
        );
        let directory = match profile.has_token_file() {
            true => None,
            false => cache::directory(variable),
        };
        let peer = match settings.is_own() {
            true => server,
            false => Peer {
                origin: origin_of(&settings.token_url).to_owned(),
                keys: "auth.oauth2.device_url and auth.oauth2.token_url",
                is_server: false,
                ..server
            },
        };
        Ok(Self {
            settings,
            peer,
            tls: profile.tls.clone(),
            cache: directory.map(|directory| CacheFile::of(&directory, purpose)),
            clock: SystemClock::start(),
            log,
        })
    }

    /// The token that was kept, or that of a new login.
    ///
    /// # Errors
    /// The login failed.
    pub(crate) fn secret(&self) -> Result<String, LoginError> {
        match self.kept() {
            Some(kept) => {
                self.log
                    .debug(format_args!("logged in until {}", kept.expires_at.0));
                Ok(kept.access_token.expose().to_owned())
            }
            None => self.renew().map(|(secret, _)| secret),
        }
    }

    /// Logs in, whether there is a token or not; says until when.
    ///
    /// # Errors
    /// The login failed.
    pub(crate) fn renew(&self) -> Result<(String, Timestamp), LoginError> {
        let provider = self
            .provider()
            .map_err(|error| LoginError::Failed(error.to_string()))?;
        let token = log_in(&provider, &self.clock, |authorization| self.show(authorization))?;
        let secret = token.access_token.expose();
        if !token.token_type.eq_ignore_ascii_case("bearer") || !is_one_word(secret) {
            let what = "what it hands out is no bearer token";
            return Err(LoginError::Failed(self.peer.wrong_product(what)));
        }
        let seconds = i64::try_from(token.expires_in.unwrap_or(DEFAULT_LIFETIME)).unwrap_or(i64::MAX);
        let expires_at = self.clock.now().plus_micros(seconds.saturating_mul(1_000_000));
        let kept = match &self.cache {
            Some(file) => file
                .store(&token.access_token, expires_at)
                .map_err(|error| format!("{}: {error}", file.path().display())),
            None => Err("no home directory is known".to_owned()),
        };
        if let Err(error) = kept {
            self.log
                .warn(format_args!("the next command will ask to log in again: {error}"));
        }
        Ok((secret.to_owned(), expires_at))
    }

    /// Forgets the token that the server has refused.
    pub(crate) fn forget(&self, secret: &str) {
        let forgotten = self.cache.as_ref().map_or(Ok(()), |file| file.forget(secret));
        if let Err(error) = forgotten {
            self.log
                .warn(format_args!("cannot remove the token of the login: {error}"));
        }
    }

    /// Ends the token at the server and forgets it.
    ///
    /// # Errors
    /// It cannot be removed, or was removed and the server could not be told.
    pub(crate) fn end(&self) -> Result<LoggedOut, Failure> {
        let Some(file) = &self.cache else {
            return Ok(LoggedOut::NotLoggedIn);
        };
        let kept = file.load().ok().flatten();
        let alive = kept.filter(|kept| self.clock.now() < kept.expires_at.0);
        let ended = match (&alive, &self.settings.revoke_url) {
            (Some(kept), Some(url)) => self
                .provider()
                .map_err(|error| error.to_string())
                .and_then(|provider| provider.revoke(url, &kept.access_token)),
            _ => Ok(()),
        };
        let was_there = file.clear().map_err(Failure::because(format!(
            "cannot remove {}",
            file.path().display()
        )))?;
        match (was_there, alive, ended) {
            (true, Some(kept), Err(message)) => Err(Failure::Failed(format!(
                "the token is removed here, but works elsewhere until {}, for the server was not told: {message}",
                kept.expires_at.0.to_rfc3339(0)
            ))),
            (true, Some(kept), Ok(())) if self.settings.revoke_url.is_none() => {
                Ok(LoggedOut::RemovedUntil(kept.expires_at.0))
            }
            (true, _, _) => Ok(LoggedOut::Ended),
            (false, _, _) => Ok(LoggedOut::NotLoggedIn),
        }
    }

    /// Who is logged in to, for messages.
    pub(crate) fn origin(&self) -> &str {
        &self.peer.origin
    }

    /// The token that was kept, if it is fit for use.
    fn kept(&self) -> Option<Kept> {
        let file = self.cache.as_ref()?;
        let shown = file.path().display();
        let kept = match file.load() {
            Ok(kept) => kept?,
            Err(error) => {
                self.log.warn(format_args!("cannot read {shown}: {error}"));
                return None;
            }
        };
        if kept.is_exposed {
            self.log.warn(format_args!(
                "{shown} is not used: others than its owner can read it"
            ));
            return None;
        }
        let soon = self.clock.now().plus_micros(MARGIN_MICROS);
        (soon < kept.expires_at.0 && is_one_word(kept.access_token.expose())).then_some(kept)
    }

    fn provider(&self) -> Result<HttpProvider<'_>, Failure> {
        let (tls, host_name) = match self.settings.is_own() {
            true => (tls_config(&self.tls)?, machine::name()),
            // A machine's name is nobody's business but the server's.
            false => (provider_tls_config(&self.tls)?, None),
        };
        Ok(HttpProvider {
            agent: agent(tls, self.peer.timeout),
            peer: self.peer.clone(),
            settings: &self.settings,
            host_name,
            log: self.log,
        })
    }

    fn show(&self, authorization: &DeviceAuthorization) {
        prompt::show(&self.peer.origin, authorization);
        if io::stdin().is_terminal() {
            let page = &authorization.verification_uri_complete;
            browser::open(page.as_ref().unwrap_or(&authorization.verification_uri), variable);
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Scheme, host and port of a web address.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn an_origin_has_no_path() {
        for url in [
            "https://id.example:1/x/y",
            "https://id.example:1",
            "https://id.example:1?x=/",
        ] {
            assert_eq!(origin_of(url), "https://id.example:1", "{url}");
        }
    }
}
