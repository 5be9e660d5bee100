//! Tokens of both kinds, as pages see them: what they have in common, how they are listed, and how a new secret is handed
//! over.

use rescind_domain::{Actor, LastClient, Subject, Timestamp, TokenState, TokenStatus, Verb};

use crate::lists::ListState;
use crate::times::Age;
use crate::visitors::Known;

pub(crate) mod created;
pub(crate) mod creators;
pub(crate) mod expiry;
pub(crate) mod filters;
pub(crate) mod rows;

/// A day, in microseconds.
const DAY: i64 = 86_400 * 1_000_000;

/// A token of either kind.
#[derive(Debug, Clone)]
pub(crate) struct AnyToken {
    /// What it is to rights.
    pub(crate) subject: Subject,
    /// Its id.
    pub(crate) id: String,
    /// Its page.
    pub(crate) href: String,
    /// What it is for; may be empty.
    pub(crate) description: String,
    /// Who made it.
    pub(crate) created_by: Actor,
    /// When.
    pub(crate) created_at: Timestamp,
    /// When it ends by itself.
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was last used.
    pub(crate) last_used_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub(crate) state: TokenState,
}

impl AnyToken {
    /// Whether it works.
    pub(crate) fn status(&self, now: Timestamp) -> TokenStatus {
        self.state.status(self.expires_at, now)
    }

    /// Where the dialog for an act is, over the list; empty where the visitor may not, or the token is revoked.
    pub(crate) fn dialog(&self, visitor: &Known, state: &ListState, verb: Verb, word: &str) -> String {
        let may = visitor.may_with(verb, self.subject, self.created_by);
        match may && self.status(visitor.now) != TokenStatus::Revoked {
            true => state.over(&format!("{}/{word}", self.href)),
            false => String::new(),
        }
    }
}

/// A description for one line: its beginning, or what stands for none.
pub(crate) fn line(description: &str) -> String {
    let text: String = description.chars().take(200).collect();
    match text.trim() {
        "" => "No description".to_owned(),
        text => text.to_owned(),
    }
}

/// When a token was last used, and by whom, if that is known.
pub(crate) struct LastUse {
    /// When.
    pub(crate) age: Age,
    /// From which address, and by which client: empty where it does not say its name.
    pub(crate) client: Option<(String, String)>,
}

impl LastUse {
    /// Whether it was within the last 24 hours.
    pub(crate) fn is_of_today(&self) -> bool {
        self.age.at > self.age.now.plus_micros(-DAY)
    }
}

/// The last use of a token. Its moment is known of every token that was used; the client is not, of tokens used before
/// clients were kept, and of some of very many that are used at once.
pub(crate) fn last_use(at: Option<Timestamp>, client: Option<LastClient>, now: Timestamp) -> Option<LastUse> {
    let age = Age { at: at?, now };
    let client = client.map(|last| (last.client.address.to_string(), last.client.agent.to_string()));
    Some(LastUse { age, client })
}

/// A ready-made piece of text for a client.
pub(crate) struct Snippet {
    /// Which client.
    pub(crate) name: &'static str,
    /// What to put there.
    pub(crate) text: String,
}

/// What a profile says besides where the server does not speak TLS.
pub(crate) fn tls_of_profile(url: &str) -> &'static str {
    match url.starts_with("https:") {
        true => "",
        false => "\n\n[profile.tls]\ndisable = true",
    }
}

/// The host and the port of an address, as profiles want them.
pub(crate) fn host_and_port(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let usual = if url.starts_with("https:") { "443" } else { "80" };
    rest.rsplit_once(':').unwrap_or((rest, usual))
}
