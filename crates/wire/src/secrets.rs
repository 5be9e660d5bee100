//! The one form in which a secret travels: in the answer to its creation.

use std::fmt;

use rescind_domain::{Secret, SecretPrefix};
use serde::{Deserialize, Serialize};

/// A token's secret in clear. `Debug` shows its prefix only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 64, description = "A token's secret in clear."))]
pub struct SecretText(String);

impl SecretText {
    /// The whole string. Call it only to hand the secret to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(SecretPrefix::CHARS).collect();
        write!(f, "SecretText({shown}…)")
    }
}

impl From<&Secret> for SecretText {
    fn from(secret: &Secret) -> Self {
        Self(secret.expose().to_owned())
    }
}
