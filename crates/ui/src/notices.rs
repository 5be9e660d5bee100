//! The line that says what was just done. It travels over the redirect in a cookie that lives for a minute, and stays on
//! the page until the reader goes on.

use std::fmt::Write as _;

use rescind_domain::{NodeState, Receipt, Revision};

use crate::icons::{Icon, icon};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// What was asked is done.
    Done,
    /// Something to know.
    Told,
    /// Something to mind.
    Warned,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    tone: Tone,
    /// What it says; escaped where it is shown.
    pub(crate) text: String,
    /// What each node made of it, where there are several or one is awaited.
    pub(crate) nodes: Vec<NodeLine>,
    /// Who waits for its nodes may go on with that.
    pub(crate) again: Option<Again>,
}

/// What one node made of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeLine {
    /// Its name.
    pub(crate) name: String,
    /// What is known of it: `applied`, `lapsed` or `awaited`, and milliseconds behind the first.
    state: String,
}

/// How to wait again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Again {
    /// For which revision.
    pub(crate) revision: i64,
    /// The page that shall tell of it.
    pub(crate) back: String,
}

/// The longest text, in bytes: a cookie has room for 4 KiB, and percent-encoding makes three of a byte.
const LONGEST: usize = 1_200;
/// The most bytes that the names of nodes take of that.
const NODES: usize = 500;
/// Between what travels.
const BREAK: char = '\u{1f}';

impl Notice {
    /// What was asked is done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self::new(Tone::Done, text.into())
    }

    /// Something to know.
    pub(crate) fn told(text: impl Into<String>) -> Self {
        Self::new(Tone::Told, text.into())
    }

    /// Something to mind.
    pub(crate) fn warned(text: impl Into<String>) -> Self {
        Self::new(Tone::Warned, text.into())
    }

    fn new(tone: Tone, text: String) -> Self {
        let mut text = text.replace(BREAK, " ");
        text.truncate(text.floor_char_boundary(LONGEST));
        Self {
            tone,
            text,
            nodes: Vec::new(),
            again: None,
        }
    }

    /// The same, with what the receipt says of each node. One that is not complete is something to mind.
    pub(crate) fn proven(mut self, receipt: &Receipt) -> Self {
        if !receipt.is_complete() {
            self.tone = Tone::Warned;
            self.again = Some(Again {
                revision: Revision::get(receipt.revision),
                back: "/".to_owned(),
            });
        } else if receipt.nodes.len() == 1 {
            return self;
        }
        let mut nodes: Vec<_> = receipt.nodes.iter().collect();
        // Those of most interest, should there be no room for all.
        nodes.sort_by_key(|node| match node.state {
            NodeState::Awaited => 0,
            NodeState::Lapsed => 1,
            NodeState::Applied { .. } => 2,
        });
        let line = |node: &&rescind_domain::NodeReceipt| NodeLine {
            name: node.node.clone(),
            state: match node.state {
                NodeState::Applied { after } => format!("applied {}", after.as_millis()),
                NodeState::Lapsed => "lapsed".to_owned(),
                NodeState::Awaited => "awaited".to_owned(),
            },
        };
        self.nodes = nodes.iter().map(line).collect();
        self
    }

    /// The same, shown at `location`.
    pub(crate) fn at(mut self, location: &str) -> Self {
        if let Some(again) = &mut self.again {
            again.back = location.to_owned();
        }
        self
    }

    /// The same, where there is no going away to wait.
    pub(crate) fn without_waiting(mut self) -> Self {
        self.again = None;
        self
    }

    /// The class that colours it.
    pub(crate) fn class(&self) -> &'static str {
        match self.tone {
            Tone::Done => "good",
            Tone::Told => "",
            Tone::Warned => "warn",
        }
    }

    /// Its shape.
    pub(crate) fn icon(&self) -> Icon {
        icon(match self.tone {
            Tone::Done => "check-circle",
            Tone::Told => "info",
            Tone::Warned => "warning",
        })
    }

    /// How it travels.
    pub(crate) fn packed(&self) -> String {
        let tone = match self.tone {
            Tone::Done => 'd',
            Tone::Told => 't',
            Tone::Warned => 'w',
        };
        let mut packed = format!("{tone}{}", self.text);
        if self.nodes.is_empty() && self.again.is_none() {
            return packed;
        }
        let mut nodes = String::new();
        for NodeLine { name, state } in &self.nodes {
            if nodes.len() + name.len() + state.len() + 2 > NODES {
                break;
            }
            // Writing to a String cannot fail.
            let _ = write!(nodes, "{name} {state},");
        }
        let room = LONGEST.saturating_sub(nodes.len() + BEYOND);
        packed.truncate(packed.floor_char_boundary(room));
        let _ = write!(packed, "{BREAK}{nodes}");
        if let Some(Again { revision, back }) = &self.again {
            let fits = packed.len() + back.len() + 25 <= LONGEST;
            let back = if fits { back } else { "/" };
            let _ = write!(packed, "{BREAK}{revision}{BREAK}{back}");
        }
        packed
    }

    /// What travelled.
    pub(crate) fn unpack(packed: &str) -> Option<Self> {
        let mut parts = packed.split(BREAK);
        let mut characters = parts.next()?.chars();
        let tone = match characters.next()? {
            'd' => Tone::Done,
            't' => Tone::Told,
            'w' => Tone::Warned,
            _ => return None,
        };
        let mut notice = Self::new(tone, characters.collect());
        let lines = parts.next().unwrap_or_default().split_terminator(',');
        let line = |line: &str| {
            let (name, state) = line.split_once(' ')?;
            let (name, state) = (name.to_owned(), state.to_owned());
            Some(NodeLine { name, state })
        };
        notice.nodes = lines.filter_map(line).collect();
        let revision = parts.next().and_then(|revision| revision.parse().ok());
        notice.again = revision.zip(parts.next()).map(|(revision, back)| Again {
            revision,
            back: back.to_owned(),
        });
        Some(notice)
    }
}

/// What a path and a revision may take beyond text and nodes.
const BEYOND: usize = 200;

impl NodeLine {
    /// What is known of it, as people read it.
    pub(crate) fn words(&self) -> String {
        match self.state.split_once(' ') {
            Some((_, ms)) => format!("acts by it, after {ms} ms"),
            None if self.state == "lapsed" => "did not answer and has stopped serving by itself".to_owned(),
            None => "has not answered yet".to_owned(),
        }
    }
}

/// Receipts to tell of.
#[cfg(test)]
pub(crate) mod proofs {
    use super::*;
    use rescind_domain::{NodeReceipt, Timestamp};
    use std::time::Duration;

    pub(crate) const APPLIED: NodeState = NodeState::Applied {
        after: Duration::from_millis(3),
    };

    /// Of revision 7, with nodes in these states.
    pub(crate) fn proof_of(states: impl IntoIterator<Item = NodeState>) -> Receipt {
        let node = |(number, state)| NodeReceipt {
            node: format!("node-{number}"),
            state,
        };
        let nodes: Vec<_> = states.into_iter().enumerate().map(node).collect();
        let is_complete = nodes.iter().all(|node| node.state != NodeState::Awaited);
        Receipt {
            revision: Revision::new(7),
            effective_at: is_complete.then(|| Timestamp::from_micros(1)),
            took: Duration::from_secs(10),
            nodes,
            settled_within: (!is_complete).then(|| Duration::from_secs(2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::proofs::{APPLIED, proof_of};
    use super::*;
    use crate::cookies::Cookie;

    /// Browsers drop a cookie of more than 4,096 bytes.
    #[test]
    fn the_longest_notice_fits_a_cookie() {
        for letter in ["a", "“", "🦀"] {
            let packed = Notice::done(letter.repeat(5_000)).packed();
            let cookie = Cookie::Notice.set(&packed, Some(60), true);
            assert!(cookie.len() <= 4_096, "{letter}: {}", cookie.len());
            assert!(Notice::unpack(&packed).is_some_and(|notice| notice.packed() == packed));
        }
    }

    fn receipt(nodes: usize) -> Receipt {
        let node = |number: usize| match number {
            0 => NodeState::Awaited,
            1 => NodeState::Lapsed,
            _ => APPLIED,
        };
        proof_of((0..nodes).map(node))
    }

    #[test]
    fn what_is_known_of_nodes_travels_along() {
        let notice = Notice::done("Revoked “a\u{1f}b”.")
            .proven(&receipt(3))
            .at("/clusters/x?y=z");
        let arrived = Notice::unpack(&notice.packed()).expect("unpacked");
        assert_eq!((&arrived, arrived.class()), (&notice, "warn"));
        assert_eq!(
            arrived.again.map(|again| (again.revision, again.back)),
            Some((7, "/clusters/x?y=z".to_owned()))
        );
        let lines: Vec<_> = arrived
            .nodes
            .iter()
            .map(|node| format!("{}: {}", node.name, node.words()))
            .collect();
        assert_eq!(
            lines,
            [
                "node-0: has not answered yet",
                "node-1: did not answer and has stopped serving by itself",
                "node-2: acts by it, after 3 ms",
            ]
        );
    }

    #[test]
    fn very_many_nodes_and_a_long_text_fit_a_cookie() {
        let back = format!("/{}", "x".repeat(5_000));
        let notice = Notice::done("🦀".repeat(5_000)).proven(&receipt(1_000)).at(&back);
        let packed = notice.packed();
        let cookie = Cookie::Notice.set(&packed, Some(60), true);
        assert!(cookie.len() <= 4_096, "{}", cookie.len());
        let arrived = Notice::unpack(&packed).expect("unpacked");
        assert_eq!(arrived.nodes[0].name, "node-0");
        assert_eq!(arrived.again.map(|again| again.back).as_deref(), Some("/"));
    }

    #[test]
    fn one_node_that_acts_is_not_told_of() {
        let notice = Notice::done("Done.");
        assert_eq!(notice.clone().proven(&proof_of([APPLIED])), notice);
    }
}
