//! Device requests: a program asks, its user approves in a browser, the program gets a session (RFC 8628).

use std::fmt;
use std::str::FromStr;

use crate::{Client, DeviceRequestId, Rng, Timestamp, UserId};

/// The code a person compares and types: eight consonants, which spell no word and are hard to confuse (RFC 8628
/// section 6.1), shown as `WDJB-MJHT`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserCode(String);

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// Not a user code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be eight letters such as WDJB-MJHT")]
pub struct UserCodeError;

impl UserCode {
    /// A new code: 34 bits, guessed in vain within its few minutes.
    pub fn mint(rng: &dyn Rng) -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut bytes = [0; 16];
            rng.fill(&mut bytes);
            // 240 is the largest multiple of 20 in a byte.
            let fair = bytes.iter().filter(|byte| **byte < 240).take(LENGTH - code.len());
            code.extend(fair.map(|byte| char::from(LETTERS[usize::from(byte % 20)])));
        }
        Self(code)
    }

    /// The eight letters without the dash: what the catalog stores.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = self.0.split_at(LENGTH / 2);
        write!(f, "{left}-{right}")
    }
}

impl FromStr for UserCode {
    type Err = UserCodeError;

    /// In either case, and with any dashes and spaces.
    fn from_str(text: &str) -> Result<Self, UserCodeError> {
        let letters: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .take(LENGTH + 1)
            .collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        if is_code {
            Ok(Self(letters))
        } else {
            Err(UserCodeError)
        }
    }
}

/// Where a device request stands. Expiry follows from the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has answered yet.
    Pending,
    /// This user approved it; the device has not come for its session yet.
    Approved {
        /// Who.
        user: UserId,
    },
    /// A user refused it.
    Denied,
    /// The device came for its session. It works once.
    Redeemed,
}

/// A program that asks to act in a user's name.
#[derive(Debug, Clone)]
pub struct DeviceRequest {
    /// Its id.
    pub id: DeviceRequestId,
    /// What the person compares.
    pub user_code: UserCode,
    /// What the program calls itself (`client_id`).
    pub client_id: String,
    /// The machine it says it runs on; empty if it does not say. Anyone can claim anything.
    pub host: String,
    /// Where its request came from.
    pub client: Client,
    /// When it asked.
    pub created_at: Timestamp,
    /// From when on it is void.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: DeviceState,
}

impl DeviceRequest {
    /// How long a program waits between two questions when nobody said, in seconds (RFC 8628 section 3.2).
    pub const POLL_SECONDS: u32 = 5;

    /// How many seconds longer a program waits each time it is told to (RFC 8628 section 3.5).
    pub const SLOW_DOWN_SECONDS: u32 = 5;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code: UserCode = "WDJB-MJHT".parse().expect("a code");
        for typed in ["wdjbmjht", " WDJB MJHT ", "w-d-j-b-m-j-h-t"] {
            assert_eq!(typed.parse(), Ok(code.clone()));
        }
        for wrong in ["", "WDJB", "WDJBMJHTX", "AEIO-UAEI", "WDJB-MJH1"] {
            assert_eq!(wrong.parse::<UserCode>(), Err(UserCodeError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_minted_is_read_back(seed in any::<[u8; 16]>()) {
            struct Fixed([u8; 16], std::sync::atomic::AtomicU8);
            impl crate::Rng for Fixed {
                fn fill(&self, bytes: &mut [u8]) {
                    let step = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    for (byte, seed) in bytes.iter_mut().zip(self.0) {
                        *byte = seed.wrapping_add(step);
                    }
                }
            }
            let code = UserCode::mint(&Fixed(seed, 0.into()));
            prop_assert_eq!(code.to_string().parse::<UserCode>(), Ok(code));
        }
    }
}
