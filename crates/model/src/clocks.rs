//! Clocks: how long what a process measures really lasts (authority: `terms.rs`).
//!
//! Time passes in ticks of real time. A process counts on its own stopwatch, whose rate is off by at most the drift; a
//! term is over earlier by the drift, and a fence waits longer by it, as there.

/// How far a clock of the wrong rate is off at the end of a term, in ticks: the bound that the protocol assumes.
const DRIFT: u8 = 1;

/// The rate of a machine's clock, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rate {
    /// What it calls a term lasts longer. Of nodes this is the worst case: whatever a node with a faster clock does, one
    /// with a slow clock may do too.
    Slow,
    /// As real time.
    Right,
    /// What it calls a term is over sooner. The worst case of those who wait.
    Fast,
}

impl Rate {
    /// Every rate.
    pub const ALL: [Self; 3] = [Self::Slow, Self::Right, Self::Fast];

    fn real(self, own: u8) -> u8 {
        match self {
            Self::Slow => own + DRIFT,
            Self::Right => own,
            Self::Fast => own.saturating_sub(DRIFT),
        }
    }
}

/// The length of terms, and by how much they are cut short and outlasted.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// The term of a lease, in ticks.
    pub ttl: u8,
    /// Whether nodes and waiters keep off each other by the drift.
    pub keeps_margin: bool,
}

impl Clocks {
    /// How many ticks of real time a node takes itself to be admitting after it asked for a term.
    #[must_use]
    pub fn term(self, rate: Rate) -> u8 {
        rate.real(self.ttl.saturating_sub(self.margin()))
    }

    /// How many ticks of real time pass before a waiter takes a term to be over that may just have begun.
    #[must_use]
    pub fn outlasting(self, rate: Rate) -> u8 {
        rate.real(self.ttl + self.margin())
    }

    fn margin(self) -> u8 {
        if self.keeps_margin { DRIFT } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What makes it sound to check most scopes with slow nodes and a fast waiter only.
    #[test]
    fn slow_nodes_and_fast_waiters_are_the_worst_case() {
        for ttl in 1..5 {
            let clocks = Clocks {
                ttl,
                keeps_margin: true,
            };
            let terms = Rate::ALL.map(|rate| clocks.term(rate));
            let waits = Rate::ALL.map(|rate| clocks.outlasting(rate));
            assert_eq!(terms.iter().max(), Some(&clocks.term(Rate::Slow)));
            assert_eq!(waits.iter().min(), Some(&clocks.outlasting(Rate::Fast)));
            assert_eq!(clocks.term(Rate::Slow), clocks.outlasting(Rate::Fast));
        }
    }
}
