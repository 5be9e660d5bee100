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
    /// Get a new link: nobody can log in and administer, and the first link was shown at an earlier start.
    Invite {
        /// Who.
        administrator: Email,
    },
    /// Get a profile from where the installation was made.
    Elsewhere {
        /// What is to do besides.
        later: Box<Self>,
    },
    /// Nothing.
    Done,
}

impl SetUp {
    /// Tells it on stderr, for people: beside the log, not in it.
    pub(crate) fn tell(&self, public_url: &str, data_dir: &Path, is_shared: bool) {
        // Whoever closed stderr does not want to know.
        let _ = std::io::stderr()
            .lock()
            .write_all(self.text(public_url, data_dir, is_shared).as_bytes());
    }

    fn text(&self, public_url: &str, data_dir: &Path, is_shared: bool) -> String {
        match self {
            Self::Open {
                administrator,
                secret,
            } => format!(
                "\n  Set a password for {administrator} and log in. This link works once, for three days:\n\n    {}\n\n",
                invitation(public_url, secret)
            ),
            Self::Invite { administrator } if is_shared => format!(
                "\n  Nobody can log in as an administrator yet. The first start showed a one-time link; for a new one, run,\n  \
                 with the same --catalog or RESCIND_CATALOG as this server:\n\n    \
                 rescind user invite {administrator} --role admin --public-url {public_url} --catalog …\n\n",
            ),
            Self::Invite { administrator } => format!(
                "\n  Nobody can log in as an administrator yet. For a new one-time link, stop this server and run:\n\n    \
                 rescind user invite {administrator} --role admin --data-dir {}\n\n",
                data_dir.display()
            ),
            Self::Elsewhere { later } => {
                let mut text = String::new();
                if is_shared {
                    text = format!(
                        "\n  This node joined an installation that exists already. influxctl works here with the influxctl.toml of the\n  \
                         node that made it: copy it to {}/influxctl.toml and start again, which points it here.\n",
                        data_dir.display()
                    );
                }
                text + &later.text(public_url, data_dir, is_shared)
            }
            Self::Done => String::new(),
        }
    }
}
