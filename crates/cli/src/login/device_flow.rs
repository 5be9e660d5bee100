//! The device flow as a client sees it (RFC 8628 sections 3.1 to 3.5), without the network and without the clock.

use std::time::Duration;

use rescind_wire::{
    AccessToken, DEFAULT_POLL_SECONDS, DeviceAuthorization, OAuthError, OAuthErrorCode, SLOW_DOWN_SECONDS,
};

use crate::clock::Clock;

/// The shortest pause between two questions, whatever the provider allows.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after the provider was not reached.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// The longest that a login waits for its approval, whatever the provider allows.
const LONGEST_LIFETIME: Duration = Duration::from_secs(86_400);

/// Whoever hands out device codes and access tokens.
pub(crate) trait Provider {
    /// Asks for a device code.
    fn authorize(&self) -> Result<DeviceAuthorization, LoginError>;

    /// Asks whether the device code was approved.
    fn redeem(&self, authorization: &DeviceAuthorization) -> Answer;
}

/// What a provider says when it is asked for the access token.
pub(crate) enum Answer {
    /// Approved.
    Granted(AccessToken),
    /// Not, or not yet.
    Refused(OAuthError),
    /// No answer, or one that says that it cannot tell at the moment: worth asking again.
    Unreachable(String),
    /// An answer that nobody understands: asking again is of no use.
    Strange(LoginError),
}

/// Why a login led to no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoginError {
    /// The person said no.
    #[error("the login was denied{}", because(.0.as_deref()))]
    Denied(Option<String>),
    /// Nobody said anything while the codes worked.
    #[error("the login was not approved in time{}: run the command again", because(.0.as_deref()))]
    Expired(Option<String>),
    /// The provider refuses for another reason.
    #[error("the login was refused: {}{}", .0.error, because(.0.error_description.as_deref()))]
    Refused(OAuthError),
    /// The provider was not understood or not reached, or something here is missing.
    #[error("{0}")]
    Failed(String),
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// Logs in: asks for a code, lets `show` tell the person, and asks for the token until there is one.
///
/// # Errors
/// The person refuses or is too late, or the provider is not reached, not understood, or refuses.
pub(crate) fn log_in(
    provider: &dyn Provider,
    clock: &dyn Clock,
    show: impl FnOnce(&DeviceAuthorization),
) -> Result<AccessToken, LoginError> {
    let authorization = provider.authorize()?;
    let began = clock.elapsed();
    let lifetime = Duration::from_secs(authorization.expires_in).min(LONGEST_LIFETIME);
    show(&authorization);
    let seconds = authorization.interval.unwrap_or(DEFAULT_POLL_SECONDS);
    let mut interval = Duration::from_secs(seconds.into()).max(SHORTEST_PAUSE);
    let mut backoff = None;
    let mut silence = None;
    loop {
        let left = lifetime.saturating_sub(clock.elapsed().saturating_sub(began));
        let pause = backoff.unwrap_or(interval);
        if left.is_zero() {
            return Err(LoginError::Expired(silence));
        }
        clock.wait(pause.min(left));
        if pause >= left {
            return Err(LoginError::Expired(silence));
        }
        let refusal = match provider.redeem(&authorization) {
            Answer::Granted(token) => return Ok(token),
            Answer::Strange(error) => return Err(error),
            Answer::Unreachable(reason) => {
                // RFC 8628 section 3.5: fewer questions after each failure, such as half as many.
                backoff = Some((pause * 2).min(LONGEST_BACKOFF.max(interval)));
                silence = Some(reason);
                continue;
            }
            Answer::Refused(refusal) => refusal,
        };
        (backoff, silence) = (None, None);
        match refusal.error {
            OAuthErrorCode::AuthorizationPending => {}
            OAuthErrorCode::SlowDown => interval += Duration::from_secs(SLOW_DOWN_SECONDS.into()),
            OAuthErrorCode::AccessDenied => return Err(LoginError::Denied(refusal.error_description)),
            OAuthErrorCode::ExpiredToken => return Err(LoginError::Expired(refusal.error_description)),
            _ => return Err(LoginError::Refused(refusal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::VecDeque;

    use rescind_domain::Timestamp;

    use super::*;

    /// Time that passes only where somebody waits or an answer takes its time.
    struct Script {
        elapsed: Cell<Duration>,
        waited: RefCell<Vec<u64>>,
        expires_in: u64,
        interval: Option<u32>,
        answers: RefCell<VecDeque<Answer>>,
    }

    impl Script {
        fn new(expires_in: u64, interval: Option<u32>, answers: impl IntoIterator<Item = Answer>) -> Self {
            Self {
                elapsed: Cell::new(Duration::from_secs(7)),
                waited: RefCell::default(),
                expires_in,
                interval,
                answers: RefCell::new(answers.into_iter().collect()),
            }
        }

        /// How it ended, and the seconds of each pause.
        fn play(self) -> (Result<AccessToken, LoginError>, Vec<u64>) {
            let ended = log_in(&self, &self, |shown| assert_eq!(shown.user_code, "WDJB-MJHT"));
            (ended, self.waited.into_inner())
        }
    }

    impl Clock for Script {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0)
        }

        fn elapsed(&self) -> Duration {
            self.elapsed.get()
        }

        fn wait(&self, duration: Duration) {
            self.elapsed.set(self.elapsed.get() + duration);
            self.waited.borrow_mut().push(duration.as_secs());
        }
    }

    impl Provider for Script {
        fn authorize(&self) -> Result<DeviceAuthorization, LoginError> {
            let body = serde_json::json!({
                "device_code": "D.V1.code", "user_code": "WDJB-MJHT", "verification_uri": "http://localhost/device",
                "expires_in": self.expires_in, "interval": self.interval,
            });
            serde_json::from_value(body).map_err(|error| LoginError::Failed(error.to_string()))
        }

        fn redeem(&self, _: &DeviceAuthorization) -> Answer {
            // Every question takes a tenth of a second.
            self.elapsed.set(self.elapsed.get() + Duration::from_millis(100));
            self.answers.borrow_mut().pop_front().unwrap_or_else(pending)
        }
    }

    fn refused(error: OAuthErrorCode) -> Answer {
        Answer::Refused(OAuthError {
            error,
            error_description: Some("says who".to_owned()),
        })
    }

    fn pending() -> Answer {
        refused(OAuthErrorCode::AuthorizationPending)
    }

    fn slow_down() -> Answer {
        refused(OAuthErrorCode::SlowDown)
    }

    fn unreachable() -> Answer {
        Answer::Unreachable("nobody listens".to_owned())
    }

    fn granted() -> Answer {
        let token = r#"{"access_token":"A.V1.token","token_type":"Bearer"}"#;
        Answer::Granted(serde_json::from_str(token).expect("a token"))
    }

    fn waits(interval: Option<u32>, answers: impl IntoIterator<Item = Answer>) -> Vec<u64> {
        let (ended, waited) = Script::new(900, interval, answers).play();
        assert_eq!(ended.expect("granted").access_token.expose(), "A.V1.token");
        waited
    }

    #[test]
    fn the_interval_is_kept_and_grows_for_good_when_told_to() {
        assert_eq!(waits(Some(2), [pending(), pending(), granted()]), [2, 2, 2]);
        assert_eq!(waits(None, [pending(), granted()]), [5, 5]);
        assert_eq!(waits(Some(0), [pending(), granted()]), [1, 1]);
        assert_eq!(
            waits(
                Some(2),
                [slow_down(), pending(), slow_down(), pending(), granted()]
            ),
            [2, 7, 7, 12, 12]
        );
    }

    #[test]
    fn silence_doubles_the_pause_until_there_is_an_answer() {
        assert_eq!(
            waits(
                Some(5),
                [
                    unreachable(),
                    unreachable(),
                    unreachable(),
                    unreachable(),
                    unreachable(),
                    pending(),
                    granted()
                ]
            ),
            [5, 10, 20, 40, 60, 60, 5]
        );
        // What was learned before the silence still holds after it.
        assert_eq!(
            waits(Some(1), [slow_down(), unreachable(), pending(), granted()]),
            [1, 6, 12, 6]
        );
        // A pause longer than the longest backoff is not shortened by it.
        assert_eq!(waits(Some(90), [unreachable(), granted()]), [90, 90]);
    }

    #[test]
    fn nobody_asks_longer_than_the_code_lives() {
        let (ended, waited) = Script::new(12, Some(5), []).play();
        assert_eq!(ended, Err(LoginError::Expired(None)));
        // After two pauses and two questions 1.8 seconds are left.
        assert_eq!(waited, [5, 5, 1]);
        assert_eq!(
            Script::new(0, Some(5), [granted()]).play().0,
            Err(LoginError::Expired(None))
        );
        assert_eq!(
            Script::new(20, Some(5), [pending(), unreachable()]).play(),
            (
                Err(LoginError::Expired(Some("nobody listens".to_owned()))),
                vec![5, 5, 9]
            )
        );
        let (ended, waited) = Script::new(u64::MAX, Some(u32::MAX), [granted()]).play();
        assert_eq!((ended, waited), (Err(LoginError::Expired(None)), vec![86_400]));
    }

    #[test]
    fn a_refusal_ends_it_in_the_providers_words() {
        for (code, message) in [
            (OAuthErrorCode::AccessDenied, "the login was denied: says who"),
            (
                OAuthErrorCode::ExpiredToken,
                "the login was not approved in time: says who: run the command again",
            ),
            (
                OAuthErrorCode::InvalidClient,
                "the login was refused: invalid_client: says who",
            ),
            (
                OAuthErrorCode::Other("consent_required".to_owned()),
                "the login was refused: consent_required: says who",
            ),
        ] {
            let (ended, waited) = Script::new(900, Some(5), [pending(), refused(code), granted()]).play();
            assert_eq!(ended.expect_err("refused").to_string(), message);
            assert_eq!(waited, [5, 5]);
        }
    }
}
