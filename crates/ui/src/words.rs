//! Words and numbers as people read them. One thing has one word everywhere.

use std::fmt;
use std::time::Duration;

use rescind_domain::{Act, ClusterState, InvitationStatus, NodeState, Receipt, TokenStatus};

use crate::icons::{Icon, icon};

/// A status: a shape, a word and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chip {
    /// Its shape.
    pub(crate) icon: Icon,
    /// Its word.
    pub(crate) word: &'static str,
    /// The class that colours it: `good`, `warn` or none.
    pub(crate) class: &'static str,
}

impl Chip {
    /// A chip of these.
    pub(crate) fn new(shape: &str, word: &'static str, class: &'static str) -> Self {
        Self {
            icon: icon(shape),
            word,
            class,
        }
    }
}

impl From<TokenStatus> for Chip {
    fn from(status: TokenStatus) -> Self {
        match status {
            TokenStatus::Active => Self::new("check-circle", "Active", "good"),
            TokenStatus::Expired => Self::new("clock", "Expired", "warn"),
            TokenStatus::Revoked => Self::new("ban", "Revoked", ""),
        }
    }
}

impl From<InvitationStatus> for Chip {
    fn from(status: InvitationStatus) -> Self {
        match status {
            InvitationStatus::Pending => Self::new("dashed", "pending", "warn"),
            InvitationStatus::Accepted => Self::new("check-circle", "accepted", "good"),
            InvitationStatus::Expired => Self::new("clock", "expired", ""),
            InvitationStatus::Revoked => Self::new("ban", "revoked", ""),
        }
    }
}

impl From<ClusterState> for Chip {
    fn from(state: ClusterState) -> Self {
        match state {
            ClusterState::Ready => Self::new("check-circle", "Ready", "good"),
            ClusterState::Deleted => Self::new("ban", "Deleted", ""),
        }
    }
}

/// What a receipt proves, as a sentence: `verb` is "Refused" after a revocation and "In force" after all else.
pub(crate) fn receipt(verb: &str, receipt: &Receipt) -> String {
    let nodes = receipt.nodes.len();
    let named = |wanted| {
        let such = receipt.nodes.iter().filter(move |node| node.state == wanted);
        in_a_row(such.map(|node| node.node.as_str()))
    };
    if let Some(within) = receipt.settled_within {
        let so_far = receipt
            .nodes
            .iter()
            .filter(|node| node.state != NodeState::Awaited);
        let waiting = match named(NodeState::Awaited).as_str() {
            "" => "other nodes, which could not be asked".to_owned(),
            names => names.to_owned(),
        };
        return format!(
            "{verb} on {} of {nodes} nodes so far. Still waiting for {waiting}: it is done for good, and in {} at the \
             latest every node acts by it or has stopped serving by itself. Revision {}.",
            so_far.count(),
            took(within),
            receipt.revision
        );
    }
    let aside = match named(NodeState::Lapsed).as_str() {
        "" => String::new(),
        names => format!(" ({names} had stopped serving)"),
    };
    format!(
        "{verb} on {nodes} of {nodes} nodes{aside} after {}. Revision {}.",
        took(receipt.took),
        receipt.revision
    )
}

/// `node-1`, `node-1 and node-2`, `node-1, node-2 and 7 more`.
fn in_a_row<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} and {other}"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more", more.len()),
    }
}

/// `11 ms`, `1.4 s`.
pub(crate) fn took(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..1_000 => "less than 1 ms".to_owned(),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// `1 token`, `1,204 tokens`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// `1,204,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0 B`, `2.4 kB`, `17 MB`: powers of 1000, as the documented pages show sizes.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1_000 {
        return format!("{number} B");
    }
    let mut size = number as f64 / 1_000.0;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    let digits = usize::from(size < 9.95);
    format!("{size:.digits$} {}", UNITS[unit])
}

/// The first and the last characters of an id: enough to tell two apart at a glance.
pub(crate) fn short_id(id: impl fmt::Display) -> String {
    let id = id.to_string();
    if id.len() == 36 && id.is_ascii() {
        format!("{}…{}", &id[..8], &id[32..])
    } else {
        id
    }
}

/// The beginning of a text, where the whole of it would push everything else away.
pub(crate) fn excerpt(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What was done, as people read it: "Database token revoked".
pub(crate) fn act_in_words(act: Act) -> String {
    let (thing, verb) = act.as_str().split_once('.').unwrap_or((act.as_str(), ""));
    let verb = match verb {
        "create" => "created",
        "update" => "changed",
        "rename" => "renamed",
        "delete" => "deleted",
        "undelete" => "restored",
        "purge" => "removed from disk",
        "revoke" => "revoked",
        "password" => "given a password",
        "disable" => "disabled",
        "enable" => "enabled",
        "accept" => "accepted",
        "end" => "ended",
        "failure" => "failed",
        "approve" => "approved",
        "deny" => "denied",
        other => other,
    };
    let thing = match thing {
        "sign_in" => "login".to_owned(),
        thing => thing.replace('_', " "),
    };
    let mut words = format!("{thing} {verb}");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// `admin` as people read it.
pub(crate) fn role(role: rescind_domain::Role) -> &'static str {
    match role {
        rescind_domain::Role::Admin => "Admin",
        rescind_domain::Role::Member => "Member",
        rescind_domain::Role::Auditor => "Auditor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let sizes = [0, 999, 1_000, 2_449, 9_949, 9_950, 17_400_000, 999_600, u64::MAX].map(bytes);
        assert_eq!(
            sizes,
            [
                "0 B", "999 B", "1.0 kB", "2.4 kB", "9.9 kB", "10 kB", "17 MB", "1.0 MB", "18 EB"
            ]
        );
        assert_eq!([7, 1_000, 1_204_567].map(grouped), ["7", "1,000", "1,204,567"]);
        assert_eq!([1, 2].map(|n| count(n, "token")), ["1 token", "2 tokens"]);
        let times = [300, 11_400, 1_440_000].map(|micros| took(Duration::from_micros(micros)));
        assert_eq!(times, ["less than 1 ms", "11 ms", "1.4 s"]);
    }
}
