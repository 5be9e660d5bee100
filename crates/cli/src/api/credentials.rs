//! What a request presents: a token that was given, or one that a login brings when it is needed.

use std::cell::OnceCell;

use super::ApiError;
use crate::exit::Failure;
use crate::login::Login;

/// A token's secret, and where it came from. No `Debug`: it holds a secret.
pub(crate) struct Credential {
    secret: String,
    /// For messages: a flag, a variable, a key of a profile or a file.
    pub(crate) source: String,
}

impl Credential {
    /// The token `secret` of `source`.
    ///
    /// # Errors
    /// It is no token: empty, or with characters that would end a header.
    pub(crate) fn new(secret: String, source: String) -> Result<Self, Failure> {
        if secret.is_empty() {
            return Err(Failure::Failed(format!("{source} is empty: give a token")));
        }
        if !is_one_word(&secret) {
            return Err(Failure::Failed(format!(
                "{source} holds characters that no token has: copy it again"
            )));
        }
        Ok(Self { secret, source })
    }
}

/// Whether `secret` can stand in a header.
pub(crate) fn is_one_word(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where the token of a request comes from.
pub(crate) enum Credentials {
    /// It is known.
    Given(Credential),
    /// It is the one that was kept, or a new one; found out at the first request, and once.
    Login {
        login: Box<Login>,
        secret: OnceCell<Result<String, String>>,
    },
}

impl Credentials {
    /// Logs in at the first request.
    pub(crate) fn login(login: Login) -> Self {
        Self::Login {
            login: Box::new(login),
            secret: OnceCell::new(),
        }
    }

    /// The token.
    ///
    /// # Errors
    /// There is none, for the login failed; it is not tried again.
    pub(super) fn secret(&self) -> Result<&str, ApiError> {
        match self {
            Self::Given(credential) => Ok(&credential.secret),
            Self::Login { login, secret } => {
                let secret = secret.get_or_init(|| login.secret().map_err(|error| error.to_string()));
                secret
                    .as_deref()
                    .map_err(|message| ApiError::local(message.to_owned()))
            }
        }
    }

    /// The server answered 401: what a login brought is of no use any more (contract, influxctl section 4).
    pub(super) fn were_refused(&self) {
        if let Self::Login { login, secret } = self
            && let Some(Ok(secret)) = secret.get()
        {
            login.forget(secret);
        }
    }

    /// What to do about a refusal.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Given(credential) => format!("check {}", credential.source),
            Self::Login { .. } => "run the command again to log in".to_owned(),
        }
    }
}
