//! Weather: what goes wrong, how often, and what one message meets with.

use std::time::Duration;

use rescind_testkit::SeededRng;

use super::world::{World, nanos};

/// How bad things are.
pub(super) struct Weather {
    /// Whether anything goes wrong at all at present.
    pub(super) is_stormy: bool,
    /// One look at a clock in so many is held up; 0 is none. Likewise below.
    pub(super) stall: u64,
    /// Statements that never arrive.
    pub(super) lost: u64,
    /// Statements that are carried out, and whoever sent them does not learn it.
    pub(super) unanswered: u64,
    /// Statements that arrive late, whether or not somebody still waits.
    pub(super) late: u64,
    /// Signals that nobody hears.
    pub(super) unheard: u64,
    /// How long a durable commit takes at most.
    pub(super) sync: Duration,
    /// What the ledger does that it must not.
    pub(super) lie: Option<Lie>,
}

/// What a catalog, or a clock, could do that breaks the promises: each must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// The read after a renewal shows what was before it.
    ReadBeforeRenewal,
    /// A restart of the database forgets renewals.
    ForgetfulRenewal,
    /// A restart of the database forgets who joined.
    ForgetfulJoining,
    /// Leases are marked as lapsed whatever their number is by now.
    CarelessMark,
    /// Leases are marked as lapsed half a term after their last renewal.
    EarlyMark,
    /// Whoever reads a change has acknowledged it, before it is applied.
    AcknowledgedByReading,
    /// Whoever renews has acknowledged everything.
    AcknowledgedByRenewing,
    /// Revisions are given out before the commit, so that they become visible in another order.
    BareSequence,
    /// Leases are read from a standby that lags behind.
    StandbyLeases,
    /// Changes are read from a standby that lags behind.
    StandbyChanges,
    /// Grants are read from a standby that lags behind.
    StandbyGrants,
    /// Clocks run wrong by more than is allowed for.
    Drift,
}

impl Lie {
    /// All of them.
    pub(super) const ALL: [Self; 12] = [
        Self::ReadBeforeRenewal,
        Self::ForgetfulRenewal,
        Self::CarelessMark,
        Self::EarlyMark,
        Self::AcknowledgedByReading,
        Self::AcknowledgedByRenewing,
        Self::BareSequence,
        Self::StandbyLeases,
        Self::StandbyChanges,
        Self::StandbyGrants,
        Self::ForgetfulJoining,
        Self::Drift,
    ];
}

/// What one statement meets with. Durations in nanoseconds.
pub(super) struct Fate {
    /// After how long it is carried out, if ever.
    pub(super) arrives: Option<u64>,
    /// How long its answer takes, if there is one.
    pub(super) answered: Option<u64>,
    /// After how long whoever sent it is told that it failed, if it is not answered; `None` is never.
    pub(super) fails: Option<u64>,
}

impl Weather {
    /// The weather of a seed.
    pub(super) fn draw(rng: &SeededRng, lie: Option<Lie>) -> Self {
        let often = |choices: &[u64]| choices[rng.below(choices.len() as u64) as usize];
        Self {
            is_stormy: true,
            stall: often(&[0, 0, 400, 150, 50]),
            lost: often(&[0, 200, 50, 20]),
            unanswered: often(&[0, 200, 50, 20]),
            late: often(&[0, 100, 30]),
            unheard: often(&[0, 20, 4, 1]),
            sync: Duration::from_millis(often(&[1, 5, 60])),
            lie,
        }
    }

    pub(super) fn stalls(&self, rng: &SeededRng) -> bool {
        self.is_stormy && self.stall > 0 && rng.below(self.stall) == 0
    }

    pub(super) fn lies(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }
}

impl World {
    /// What a statement of `machine` meets with.
    pub(super) fn fate(&mut self, machine: usize) -> Fate {
        let usual = |world: &Self| world.between(Duration::from_micros(50), Duration::from_millis(2));
        let fate = Fate {
            arrives: Some(usual(self)),
            answered: Some(usual(self)),
            fails: None,
        };
        if self.machines[machine].is_cut_off || !self.postgres.is_up {
            self.disturb(machine);
            let fails = self.failure();
            return Fate {
                arrives: None,
                answered: None,
                fails,
            };
        }
        if !self.weather.is_stormy {
            return fate;
        }
        if self.once_in(self.weather.lost) {
            self.disturb(machine);
            let fails = self.failure();
            return Fate {
                arrives: None,
                answered: None,
                fails,
            };
        }
        if self.once_in(self.weather.unanswered) {
            self.disturb(machine);
            let fails = self.failure();
            return Fate {
                answered: None,
                fails,
                ..fate
            };
        }
        if self.once_in(self.weather.late) {
            self.disturb(machine);
            let arrives = self.between(Duration::from_millis(5), Duration::from_secs(4));
            return Fate {
                arrives: Some(arrives),
                ..fate
            };
        }
        fate
    }

    /// After how long somebody learns that a message got lost, if ever.
    pub(super) fn failure(&self) -> Option<u64> {
        match self.below(4) {
            0 | 1 => Some(self.between(Duration::from_micros(100), Duration::from_millis(50))),
            2 => Some(self.between(Duration::from_millis(50), Duration::from_secs(5))),
            _ => None,
        }
    }

    /// Notes that something befell a machine, so that nothing is expected of what it does meanwhile.
    pub(super) fn disturb(&mut self, machine: usize) {
        self.history.faults += 1;
        self.machines[machine].disturbed = self.machines[machine].disturbed.max(self.now);
    }

    /// How long a durable commit takes.
    pub(super) fn sync(&self) -> u64 {
        let most = if self.weather.is_stormy {
            self.weather.sync
        } else {
            Duration::from_millis(1)
        };
        self.between(Duration::from_micros(100), most.max(Duration::from_micros(200)))
    }

    /// How long an acknowledgement that did not wait for the disk takes to get there.
    pub(super) fn flush(&self) -> u64 {
        nanos(Duration::from_millis(10)) + self.below(nanos(Duration::from_millis(600)))
    }
}
