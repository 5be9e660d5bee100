//! E-mail, for invitations.

use async_trait::async_trait;
use rescind_domain::{Email, Invitation};

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

impl Mail {
    /// The message that brings the link of an invitation; `from` is the name of whoever invites, empty where a program
    /// does. Every face sends the same.
    pub fn invitation(invitation: &Invitation, link: &str, from: &str) -> Self {
        let greeting = match invitation.first_name.as_str() {
            "" => "Hello,".to_owned(),
            name => format!("Hello {name},"),
        };
        let subject = match from {
            "" => "Your invitation to Rescind".to_owned(),
            from => format!("{from} invites you to Rescind"),
        };
        let expires = invitation.expires_at.to_rfc3339(0);
        let text = format!(
            "{greeting}\n\nopen this link to set your password and log in:\n\n{link}\n\nIt works once, until {expires}.\nIf you \
             expected no such message, do nothing.\n"
        );
        Self {
            to: invitation.email.clone(),
            subject,
            text,
        }
    }
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
