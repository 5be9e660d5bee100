//! Secrets: minted once, shown once, remembered only as a hash.
//!
//! A secret is a prefix that names its kind, 58 random base62 characters (345 bits) and 6 characters of CRC-32 over
//! all that precedes them, so that a typing error or a scanner's false hit is told apart without a look-up.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::Rng;

/// What a secret opens. One kind never works in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// Reads and writes named databases.
    Database,
    /// Administers an account.
    Management,
    /// Carries a user's session from page to page, as a cookie.
    Session,
    /// Administers in a user's name for an hour: what the device flow hands out (RFC 8628).
    Access,
    /// Opens a one-time link: an invitation, or the set-up of the first administrator.
    Invitation,
    /// Lets a device ask whether its user has approved it (RFC 8628 section 3.2: `device_code`).
    Device,
}

impl SecretKind {
    const ALL: [Self; 6] = [
        Self::Database,
        Self::Management,
        Self::Session,
        Self::Access,
        Self::Invitation,
        Self::Device,
    ];

    /// What every secret of this kind starts with (contract, API-025).
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Database => "apiv1_",
            Self::Management => "M.V1.",
            Self::Session => "S.V1.",
            Self::Access => "A.V1.",
            Self::Invitation => "I.V1.",
            Self::Device => "D.V1.",
        }
    }
}

/// Words as people read them: "database token".
impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "database token",
            Self::Management => "management token",
            Self::Session => "session",
            Self::Access => "access token",
            Self::Invitation => "invitation",
            Self::Device => "device code",
        })
    }
}

const RANDOM_CHARS: usize = 58;
const CHECK_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A secret in clear. Its memory is wiped on drop and `Debug` shows the prefix only.
#[derive(Clone)]
pub struct Secret {
    kind: SecretKind,
    text: Zeroizing<String>,
}

impl Secret {
    /// A new secret.
    pub fn mint(kind: SecretKind, rng: &dyn Rng) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(
            kind.prefix().len() + RANDOM_CHARS + CHECK_CHARS,
        ));
        text.push_str(kind.prefix());
        let mut pool = Zeroizing::new([0u8; 64]);
        let mut random = 0;
        while random < RANDOM_CHARS {
            rng.fill(&mut *pool);
            // 248 is the largest multiple of 62 in a byte: higher values would favour the first letters.
            for byte in pool
                .iter()
                .filter(|byte| **byte < 248)
                .take(RANDOM_CHARS - random)
            {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
                random += 1;
            }
        }
        let check = checksum(text.as_bytes());
        text.extend(check.iter().map(|byte| char::from(*byte)));
        Self { kind, text }
    }

    /// The whole string. Call it only to hand the secret to its owner.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What this opens.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// What the catalog stores.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha512::digest(self.text.as_bytes()).into())
    }

    /// The part that lists may show.
    pub fn prefix(&self) -> SecretPrefix {
        SecretPrefix(self.text[..SecretPrefix::CHARS].to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", &self.text[..SecretPrefix::CHARS])
    }
}

/// The first nine characters of a secret: enough to recognise it, useless to guess it (contract, CLI-048).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPrefix(String);

impl SecretPrefix {
    /// How many characters lists may show.
    pub const CHARS: usize = 9;

    /// A prefix as the catalog stored it.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-512 of a whole secret: what is stored and looked up (contract, data-plane section 9).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 64]);

impl SecretHash {
    /// The hash as the catalog stored it.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Shows four bytes: a hash is no secret, but nothing needs all of it in a log.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "SecretHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// Why a presented text cannot be a secret that Rescind minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not of the form that Rescind mints.
    #[error("not a token: it should start with apiv1_ or M.V1. and be complete")]
    Form,
    /// Of the right form, but a character is wrong.
    #[error("not a token: its checksum does not match, a character is wrong or missing")]
    Checksum,
}

/// A text that a client presented and that has the form and the checksum of a secret; not yet known to any catalog.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// The kind its prefix claims.
    pub kind: SecretKind,
    /// What to look up.
    pub hash: SecretHash,
}

impl Presented {
    /// Checks form and checksum, then hashes. Allocates nothing: this is the first step of every admission.
    ///
    /// # Errors
    /// [`SecretError::Form`] and [`SecretError::Checksum`], both before anything is hashed or looked up.
    pub fn parse(text: &[u8]) -> Result<Self, SecretError> {
        let kind = SecretKind::ALL
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix().as_bytes()))
            .ok_or(SecretError::Form)?;
        if text.len() != kind.prefix().len() + RANDOM_CHARS + CHECK_CHARS {
            return Err(SecretError::Form);
        }
        let (body, check) = text.split_at(text.len() - CHECK_CHARS);
        if checksum(body) != check {
            return Err(SecretError::Checksum);
        }
        Ok(Self {
            kind,
            hash: SecretHash(Sha512::digest(text).into()),
        })
    }
}

/// CRC-32 (ISO-HDLC) in base62, most significant digit first.
fn checksum(body: &[u8]) -> [u8; CHECK_CHARS] {
    let mut rest = crc32fast::hash(body);
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// How many characters after a prefix are taken for those of a secret. Fewer are words like `apiv1_requests`, and of no
/// use to whoever would guess the other 43.
const TELLING_CHARS: usize = 16;

/// A text with every secret in it cut off after its prefix, and all else left as it is. Whoever repeats what a client
/// sent, in an answer or in the log, sends it through here first: clients put tokens where names belong.
///
/// Case is no matter: SQL and names fold it.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut told = 0;
    let mut from = 0;
    while let Some(start) = after_prefix(text, from) {
        let random = text[start..]
            .bytes()
            .take_while(u8::is_ascii_alphanumeric)
            .count();
        if random >= TELLING_CHARS {
            shown.push_str(&text[told..start]);
            shown.push('…');
            told = start + random;
        }
        // Not behind them: of two secrets without a gap, the first one's characters run into the second one's prefix.
        from = start;
    }
    if told == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[told..]);
    Cow::Owned(shown)
}

/// Where the first prefix of a secret at or behind `from` ends.
fn after_prefix(text: &str, from: usize) -> Option<usize> {
    let prefixes = SecretKind::ALL.map(|kind| kind.prefix().as_bytes());
    (from..text.len()).find_map(|at| {
        let rest = &text.as_bytes()[at..];
        let is_start = |prefix: &&&[u8]| {
            rest.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        prefixes.iter().find(is_start).map(|prefix| at + prefix.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Counting(AtomicU8);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = self.0.fetch_add(7, Ordering::Relaxed));
        }
    }

    fn mint(kind: SecretKind, seed: u8) -> Secret {
        Secret::mint(kind, &Counting(AtomicU8::new(seed)))
    }

    #[test]
    fn a_minted_secret_has_the_documented_form() {
        insta::assert_snapshot!(
            [SecretKind::Database, SecretKind::Management]
                .map(|kind| mint(kind, 0).expose().to_owned())
                .join("\n")
        );
        assert_eq!(
            format!("{:?}", mint(SecretKind::Database, 0)),
            "Secret(apiv1_07E…)"
        );
    }

    #[test]
    fn a_text_is_repeated_without_the_secrets_in_it() {
        let database = mint(SecretKind::Database, 0);
        let management = mint(SecretKind::Management, 3);
        let (a, m) = (database.expose(), management.expose());
        let lower = a.to_lowercase();
        let cases = [
            format!("database \"{a}\" not found"),
            format!("mem,token={a},host=ä v={m}i 17"),
            format!("No field named {lower}."),
            format!("{a}{m}{a}"),
            format!("apiv1_{a}_x M.V1.{m}.y"),
            format!("the beginning {a:.32}"),
            a.to_owned(),
        ];
        insta::assert_snapshot!(cases.map(|text| redact(&text).into_owned()).join("\n"));
    }

    #[test]
    fn a_text_without_a_secret_is_left_alone() {
        for text in [
            "",
            "not a token: it should start with apiv1_ or M.V1. and be complete",
            "apiv1_requests_total_of_every_endpoint,host=a v=1",
            "apiv1_07E…",
            "m.v1.temperature",
            "ünïcödé apiv1",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_secret_survives_wherever_it_stands(before in "\\PC{0,20}", after in "\\PC{0,20}", seed: u8) {
            for kind in SecretKind::ALL {
                let secret = mint(kind, seed);
                let text = format!("{before}{}{after}", secret.expose());
                let shown = redact(&text);
                let random = &secret.expose()[kind.prefix().len()..];
                prop_assert!(!shown.contains(&random[..4]) && !shown.contains(&random[60..]), "{}", shown);
                prop_assert!(shown.starts_with(&before), "{}", shown);
            }
        }

        #[test]
        fn what_is_minted_is_recognised(seed: u8, management: bool) {
            let kind = if management { SecretKind::Management } else { SecretKind::Database };
            let secret = mint(kind, seed);
            let presented = Presented::parse(secret.expose().as_bytes()).expect("recognised");
            prop_assert_eq!((presented.kind, presented.hash), (kind, secret.hash()));
        }

        #[test]
        fn one_wrong_character_is_noticed(seed: u8, at in 0usize..70, with in 0usize..62) {
            let secret = mint(SecretKind::Database, seed);
            let mut bytes = secret.expose().as_bytes().to_vec();
            prop_assume!(bytes[at] != BASE62[with]);
            bytes[at] = BASE62[with];
            prop_assert!(Presented::parse(&bytes).is_err());
        }

        #[test]
        fn no_other_text_is_a_secret(text in "\\PC{0,100}") {
            prop_assert!(Presented::parse(text.as_bytes()).is_err());
        }
    }
}
