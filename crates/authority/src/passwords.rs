//! Passwords: what is accepted as one, and how it is kept.

use std::sync::Arc;
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
    turns: Arc<Semaphore>,
    /// Checked against when there is no such user, so that the answer takes as long.
    nobodys: String,
}

const AT_ONCE: usize = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const SHORTEST: usize = 12;
const LONGEST_BYTES: usize = 1_024;
/// How many guesses a password must withstand, as the power of ten that zxcvbn estimates. One that is on the lists of
/// the most common ones with some digits at its end does not reach this (NIST SP 800-63B section 3.1.1.2).
const FEWEST_GUESSES: f64 = 9.0;
/// Shorter ones stand in too many others by chance.
const SHORTEST_WORD: usize = 3;
/// Words that everybody thinks of here.
const OF_THE_HOUSE: [&str; 13] = [
    "rescind",
    "influx",
    "influxdb",
    "influxdata",
    "influxctl",
    "telegraf",
    "grafana",
    "token",
    "database",
    "admin",
    "administrator",
    "password",
    "secret",
];

/// What a password is judged by: its beginning. The estimate of a long one made of signs that stand for letters takes
/// seconds, and what begins well does not end worse.
const ESTIMATED: usize = 40;

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
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            nobodys: hash(&*unknown, &salt(rng))?,
        })
    }

    /// The argon2id hash to keep of an acceptable password.
    pub(crate) async fn hash(&self, password: Password, rng: &dyn Rng) -> Result<String, Error> {
        let salt = salt(rng);
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(internal)?;
        let hashing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash(password.as_bytes(), &salt)
        });
        hashing.await.map_err(internal)?
    }

    /// Refuses a password as [`check_strength`] does, in turn with the others and on no thread that serves.
    pub(crate) async fn check(&self, password: &Password, about: &[&str]) -> Result<(), Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(internal)?;
        let password = password.clone();
        let about: Vec<String> = about.iter().map(|&text| text.to_owned()).collect();
        let checking = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            check_strength(&password, &about)
        });
        checking.await.map_err(internal)?
    }

    /// Whether `password` is the one of which `kept` is the hash. Takes as long when nothing is kept.
    pub(crate) async fn matches(&self, password: Password, kept: Option<String>) -> Result<bool, CheckError> {
        let turn = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn
            .map_err(|_| CheckError::Busy)?
            .map_err(|e| CheckError::Failed(internal(e)))?;
        let is_kept = kept.is_some();
        let hash = kept.unwrap_or_else(|| self.nobodys.clone());
        let matching = tokio::task::spawn_blocking(move || {
            // Held by the work itself: whoever asked may have gone away meanwhile.
            let _turn = turn;
            verify(password.as_bytes(), &hash)
        });
        match matching.await {
            Ok(Ok(matches)) => Ok(matches && is_kept),
            Ok(Err(error)) => Err(CheckError::Failed(error)),
            Err(panic) => Err(CheckError::Failed(internal(panic))),
        }
    }
}

/// Refuses what is too short to resist guessing, or too long to hash. Words of the house and words from `about` the user
/// make a password no stronger: what is left without them must withstand guessing by itself.
///
/// # Errors
/// [`Error::Invalid`] on the field `password`.
fn check_strength(password: &str, about: &[&str]) -> Result<(), Error> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST_BYTES {
        return Err(Error::invalid(
            "password",
            format!("must have at least {SHORTEST} characters and at most {LONGEST_BYTES} bytes"),
        ));
    }
    let words = words_about(about);
    let password: &str = &password.chars().take(ESTIMATED).collect::<String>();
    if guesses(password, &words).min(guesses(&without(password, &words), &[])) < FEWEST_GUESSES {
        return Err(Error::invalid(
            "password",
            "is too easy to guess: avoid names, common words, dates and rows of keys; several unrelated words are good",
        ));
    }
    Ok(())
}

/// What the texts are made of, and words of the house, in lower case; no word comes before one that it is part of.
fn words_about(about: &[&str]) -> Vec<String> {
    let parts = about
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let words = about.iter().copied().chain(parts).chain(OF_THE_HOUSE);
    let mut words: Vec<String> = words
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

fn without(password: &str, words: &[String]) -> String {
    let password = password.to_lowercase();
    words.iter().fold(password, |rest, word| rest.replace(word, ""))
}

/// As a power of ten.
fn guesses(password: &str, words: &[String]) -> f64 {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    zxcvbn::zxcvbn(password, &words).guesses_log10()
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

    #[test]
    fn words_of_the_house_and_of_the_person_make_no_password() {
        let about = ["ada.lovelace@example.com", "Augusta", "King-Noel"];
        for weak in [
            "example-ada-12345",
            "Ada-Lovelace-1815",
            "augustakingnoel",
            "Augusta.King.2025",
            "influxdb-token-admin",
            "rescind-admin-2025",
            "Telegraf!Grafana1",
            "influxctl_secret_1",
        ] {
            assert!(check_strength(weak, &about).is_err(), "{weak}");
        }
        assert!(
            check_strength("lovelace onion ferry lamp", &about).is_ok(),
            "one such word does no harm"
        );
    }

    #[test]
    fn common_passwords_are_refused_whatever_stands_at_their_end() {
        let common = [
            "beautiful",
            "summer",
            "liverpool",
            "football",
            "michelle",
            "princess",
            "sunshine",
            "butterfly",
            "trustno",
            "iloveyou",
            "superman",
            "jonathan",
            "chocolate",
            "elizabeth",
            "alexander",
        ];
        let endings = [
            "1234",
            "12345",
            "123456",
            "2025!",
            "2024!!",
            "!",
            "1!",
            "123!",
            "#1",
            "2025",
            "123456789",
            "!!",
        ];
        let mut tried = 0;
        for word in common {
            let capital = word[..1].to_uppercase() + &word[1..];
            for form in [word, &capital] {
                for ending in endings {
                    let password = format!("{form}{ending}");
                    if password.len() >= SHORTEST {
                        assert!(check_strength(&password, &[]).is_err(), "{password}");
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried > 200, "{tried}");
        for password in [
            "thisismypassword",
            "passwordpassword1",
            "qwertyuiop[]",
            "1q2w3e4r5t6y",
        ] {
            assert!(check_strength(password, &[]).is_err(), "{password}");
        }
        for good in [
            "river candle orbit",
            "mx8Tq2nLw0zc",
            "kR7#pq2vXz9L",
            "meadow tiger cloud seven",
        ] {
            assert!(check_strength(good, &[]).is_ok(), "{good}");
        }
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

    /// What comes later costs seconds to judge and is not looked at: it makes nothing good.
    #[test]
    fn a_password_is_judged_by_its_beginning() {
        let beginning = "password".repeat(ESTIMATED / 8);
        let end = "4@8({[<369&#!1|0$5+7%2 correct lamp ferry onion".repeat(20);
        assert!(check_strength(&format!("{beginning}{end}"), &[]).is_err());
        assert!(check_strength(&format!("lovelace onion ferry lamp{end}"), &[]).is_ok());
    }

    #[tokio::test]
    async fn who_goes_away_does_not_make_room_for_others() {
        let passwords = Passwords::new(&SeededRng::new(1)).expect("set up");
        let mut checks: Vec<_> = (0..AT_ONCE)
            .map(|_| Box::pin(passwords.matches(Zeroizing::new("anything".to_owned()), None)))
            .collect();
        for check in &mut checks {
            assert!(futures::poll!(check).is_pending(), "the work has begun");
        }
        drop(checks);
        assert_eq!(passwords.turns.available_permits(), 0);
    }
}
