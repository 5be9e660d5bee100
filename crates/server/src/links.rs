//! One-time links, and who may see them.
//!
//! A link is the one URL with a secret in it. It works once, until its invitation expires, and is shown where it is made and nowhere
//! else: by `serve` on stderr when the first start made it, by `rescind user invite` on stdout, in the answer of the
//! management API, on the page of the Admin UI, and in the mail that carries it. No line of the log holds one.

use std::io::Write as _;
use std::path::Path;

use rescind_domain::{Email, Secret};

/// The link that `secret` opens; `public_url` has no slash at its end.
pub(crate) fn invitation(public_url: &str, secret: &Secret) -> String {
    format!("{public_url}/invitations/{}", secret.expose())
}

/// What the first administrator still has to do.
pub(crate) enum SetUp {
    /// Open this link: it was made just now.
    Open {
        /// Who.
        administrator: Email,
        /// Opens the link.
        secret: Secret,
    },
    /// Get a new link: nobody can sign in and administer, and the first link was shown at an earlier start.
    Invite {
        /// Who.
        administrator: Email,
    },
    /// Nothing.
    Done,
}

impl SetUp {
    /// Tells it on stderr, for people: beside the log, not in it.
    pub(crate) fn tell(&self, public_url: &str, data_dir: &Path) {
        let text = match self {
            Self::Open {
                administrator,
                secret,
            } => format!(
                "\n  Set a password for {administrator} and sign in. This link works once, for three days:\n\n    {}\n\n",
                invitation(public_url, secret)
            ),
            Self::Invite { administrator } => format!(
                "\n  Nobody can sign in as an administrator yet. For a new one-time link, stop this server and run:\n\n    \
                 rescind user invite {administrator} --role admin --data-dir {}\n\n",
                data_dir.display()
            ),
            Self::Done => return,
        };
        // Whoever closed stderr does not want to know.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
