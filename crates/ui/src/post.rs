//! E-mail, for invitations.

use async_trait::async_trait;
use rescind_domain::Email;

/// A message of plain text.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it is for.
    pub to: Email,
    /// Its subject, one line.
    pub subject: String,
    /// Its text; may hold a one-time link.
    pub text: String,
}

/// Why a message was not handed over.
#[derive(Debug, thiserror::Error)]
#[error("the mail server did not take the message: {0}")]
pub struct PostError(pub String);

/// Hands messages to a mail server.
#[async_trait]
pub trait Post: Send + Sync {
    /// Hands over one message. It may still not arrive.
    ///
    /// # Errors
    /// [`PostError`] when the mail server cannot be reached or refuses.
    async fn send(&self, mail: Mail) -> Result<(), PostError>;
}
