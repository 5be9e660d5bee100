//! Passwords: what is accepted as one, and how it is kept.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rescind_domain::Rng;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::Error;

/// A password in clear, wiped when dropped.
pub(crate) type Password = Zeroizing<String>;

/// Hashes passwords, a few at a time: each takes 19 MiB and some ten milliseconds of one core, which nobody outside may
/// ask for without bound.
pub(crate) struct Passwords {
    turns: Semaphore,
    /// Checked against when there is no such user, so that the answer takes as long.
    nobodys: String,
}

const AT_ONCE: usize = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const SHORTEST: usize = 12;
const LONGEST_BYTES: usize = 1_024;

/// Why a password was not checked.
pub(crate) enum CheckError {
    /// Too many others are being checked.
    Busy,
    Failed(Error),
}

impl Passwords {
    pub(crate) fn new(rng: &dyn Rng) -> Result<Self, Error> {
        let mut unknown = Zeroizing::new([0; 32]);
        rng.fill(&mut *unknown);
        Ok(Self {
            turns: Semaphore::new(AT_ONCE),
            nobodys: hash(&*unknown, &salt(rng))?,
        })
    }

    /// The argon2id hash to keep of an acceptable password.
    pub(crate) async fn hash(&self, password: Password, rng: &dyn Rng) -> Result<String, Error> {
        let salt = salt(rng);
        let _turn = self.turns.acquire().await.map_err(internal)?;
        tokio::task::spawn_blocking(move || hash(password.as_bytes(), &salt))
            .await
            .map_err(internal)?
    }

    /// Whether `password` is the one of which `kept` is the hash. Takes as long when nothing is kept.
    pub(crate) async fn matches(&self, password: Password, kept: Option<String>) -> Result<bool, CheckError> {
        let turn = tokio::time::timeout(LONGEST_WAIT, self.turns.acquire()).await;
        let _turn = turn
            .map_err(|_| CheckError::Busy)?
            .map_err(|e| CheckError::Failed(internal(e)))?;
        let is_kept = kept.is_some();
        let hash = kept.unwrap_or_else(|| self.nobodys.clone());
        let matching = tokio::task::spawn_blocking(move || verify(password.as_bytes(), &hash));
        match matching.await {
            Ok(Ok(matches)) => Ok(matches && is_kept),
            Ok(Err(error)) => Err(CheckError::Failed(error)),
            Err(panic) => Err(CheckError::Failed(internal(panic))),
        }
    }
}

/// Refuses what is too short to resist guessing, or too long to hash.
///
/// # Errors
/// [`Error::Invalid`] on the field `password`.
pub(crate) fn check_strength(password: &str, about: &[&str]) -> Result<(), Error> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST_BYTES {
        return Err(Error::invalid(
            "password",
            format!("must have at least {SHORTEST} characters and at most {LONGEST_BYTES} bytes"),
        ));
    }
    let guessable = zxcvbn::zxcvbn(password, about);
    if guessable.score() < zxcvbn::Score::Three {
        return Err(Error::invalid(
            "password",
            "is too easy to guess: avoid names, common words, dates and rows of keys; several unrelated words are good",
        ));
    }
    Ok(())
}

fn salt(rng: &dyn Rng) -> [u8; 16] {
    let mut salt = [0; 16];
    rng.fill(&mut salt);
    salt
}

/// The work factors are the library's, which follow OWASP's advice for argon2id: 19 MiB, two passes, one lane.
fn hash(password: &[u8], salt: &[u8]) -> Result<String, Error> {
    let hash = Argon2::default().hash_password_with_salt(password, salt);
    hash.map(|hash| hash.to_string()).map_err(internal)
}

fn verify(password: &[u8], hash: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash).map_err(internal)?;
    Ok(Argon2::default().verify_password(password, &hash).is_ok())
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_testkit::SeededRng;

    #[test]
    fn short_and_common_passwords_are_refused() {
        for weak in [
            "",
            "elevenchars",
            "passwordpassword",
            "qwertyuiopasdf",
            "ada@example.com",
        ] {
            assert!(check_strength(weak, &["ada@example.com"]).is_err(), "{weak}");
        }
        assert!(check_strength("correct lamp ferry onion", &[]).is_ok());
        assert!(check_strength(&"x7 q".repeat(300), &[]).is_err());
    }

    #[tokio::test]
    async fn only_the_kept_password_matches_and_nothing_kept_matches_nothing() {
        let rng = SeededRng::new(1);
        let passwords = Passwords::new(&rng).expect("set up");
        let of = |text: &str| Zeroizing::new(text.to_owned());
        let kept = passwords
            .hash(of("correct lamp ferry onion"), &rng)
            .await
            .expect("hashed");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        for (text, kept, expected) in [
            ("correct lamp ferry onion", Some(kept.clone()), true),
            ("correct lamp ferry oniom", Some(kept), false),
            ("correct lamp ferry onion", None, false),
        ] {
            let matches = passwords.matches(of(text), kept).await;
            assert!(matches.is_ok_and(|matches| matches == expected), "{text}");
        }
    }
}
