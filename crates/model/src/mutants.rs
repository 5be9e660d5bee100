//! Mutants: the protocol with one thing done wrong. Each must be found, or the check proves nothing.

use std::fmt;

/// One thing done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// DESIGN section 4: changes read in the same statement as the renewal.
    ReadWithRenewal,
    /// DESIGN section 4: changes read before the renewal.
    ReadBeforeRenewal,
    /// DESIGN section 4: acknowledged before applied.
    AcknowledgedBeforeApplied,
    /// DESIGN section 4: the term counted from the answer.
    TermFromAnswer,
    /// DESIGN section 4: the term checked only after the look-up.
    TermAfterLookUp,
    /// DESIGN section 4: revisions from a bare sequence, so that 6 may commit before 5.
    BareSequence,
    /// DESIGN section 4: a lease marked as lapsed before a term and the drift have passed.
    LapsedEarly,
    /// DESIGN section 4: a lease marked as lapsed whatever its number is by then.
    LapsedBlindly,
    /// DESIGN section 4: the tether registered only after the look-up.
    TetherAfterLookUp,
    /// A renewal that PostgreSQL may forget when it crashes, as an acknowledgement.
    RenewalNotDurable,
    /// The same of the renewal that begins a lease.
    JoinNotDurable,
    /// The term is not checked once more before the effect.
    TermNotCheckedLast,
    /// The tether is not checked once more before the effect.
    TetherNotCheckedLast,
    /// Neither nodes nor waiters allow for clocks of the wrong rate.
    NoMargin,
    /// The node's clock stands still while its machine is suspended, as `CLOCK_MONOTONIC` does.
    ClockStandsStill,
    /// The fence knows the rows only as they were when the act's transaction began.
    RowsReadBeforeCommit,
    /// An acknowledgement does not wait for the work that was cut.
    AcknowledgedBeforeEnded,
    /// A node that shuts down gives its lease up before the work that passed its last check has ended.
    LeavesBeforeEnded,
    /// A lease that begins anew after its row was forgotten counts from one again.
    NumbersUsedAgain,
    /// A node that is too far behind applies what is left of the feed.
    GapNotNoticed,
    /// The fence waits for acknowledgements and lapses only, and not for a term on its own stopwatch.
    FenceWithoutEnd,
    /// The fence looks at the rows only when it hears a signal.
    FenceTrustsSignals,
}

impl Mutant {
    /// Every mutant, those of DESIGN section 4 first.
    pub const ALL: [Self; 22] = [
        Self::ReadWithRenewal,
        Self::ReadBeforeRenewal,
        Self::AcknowledgedBeforeApplied,
        Self::TermFromAnswer,
        Self::TermAfterLookUp,
        Self::BareSequence,
        Self::LapsedEarly,
        Self::LapsedBlindly,
        Self::TetherAfterLookUp,
        Self::RenewalNotDurable,
        Self::JoinNotDurable,
        Self::TermNotCheckedLast,
        Self::TetherNotCheckedLast,
        Self::NoMargin,
        Self::ClockStandsStill,
        Self::RowsReadBeforeCommit,
        Self::AcknowledgedBeforeEnded,
        Self::LeavesBeforeEnded,
        Self::NumbersUsedAgain,
        Self::GapNotNoticed,
        Self::FenceWithoutEnd,
        Self::FenceTrustsSignals,
    ];

    /// What is done wrong, in the words of DESIGN section 4 where it names the mutant.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadWithRenewal => "changes read with the renewal",
            Self::ReadBeforeRenewal => "changes read before the renewal",
            Self::AcknowledgedBeforeApplied => "acknowledged before applied",
            Self::TermFromAnswer => "term counted from the answer",
            Self::TermAfterLookUp => "term checked only after the look-up",
            Self::BareSequence => "bare-sequence feed",
            Self::LapsedEarly => "lapsed marked early",
            Self::LapsedBlindly => "lapsed marked without compare-and-set",
            Self::TetherAfterLookUp => "tether registered after the look-up",
            Self::RenewalNotDurable => "renewal lost when PostgreSQL crashes",
            Self::JoinNotDurable => "join lost when PostgreSQL crashes",
            Self::TermNotCheckedLast => "term not checked before the effect",
            Self::TetherNotCheckedLast => "tether not checked before the effect",
            Self::NoMargin => "no margin for drift",
            Self::ClockStandsStill => "clock that stands still while suspended",
            Self::RowsReadBeforeCommit => "fence reads the rows before the commit",
            Self::AcknowledgedBeforeEnded => "acknowledged before cut work has ended",
            Self::LeavesBeforeEnded => "lease given up before work has ended",
            Self::NumbersUsedAgain => "numbers of leases used again",
            Self::GapNotNoticed => "pruned feed applied as if it were whole",
            Self::FenceWithoutEnd => "fence waits for acknowledgements only",
            Self::FenceTrustsSignals => "fence wakes up for signals only",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
