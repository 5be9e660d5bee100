//! Machines: how time goes on each, whether it goes on at all, and what runs there.

use std::sync::Arc;
use std::time::Duration;

use rescind_catalog::NodeInfo;
use rescind_domain::{Clock, Stopwatch, Timestamp};

use super::world::{self, Bell, Moment, nanos, with};
use crate::node::Node;

/// One machine, and the process of Rescind on it.
pub(super) struct Machine {
    /// By how many millionths its clocks are too fast.
    pub(super) rate: i64,
    /// What its stopwatch showed when the world began.
    pub(super) head_start: u64,
    /// By how much its wall clock is off, in microseconds.
    pub(super) wall: i64,
    /// For how long it was suspended: its timers stood still.
    pub(super) slept: u64,
    pub(super) is_suspended: bool,
    /// For how long some of its threads, or all, have stood still.
    pub(super) stood_still: u64,
    /// How many reasons there are for it to stand still.
    pub(super) pauses: u32,
    /// Whether messages pass between it and the catalog.
    pub(super) is_cut_off: bool,
    /// When something last befell it, or its way to the catalog.
    pub(super) disturbed: Moment,
    pub(super) is_started: bool,
    /// Its process, if it runs and has got so far.
    pub(super) process: Option<Process>,
    /// How many processes there were.
    pub(super) starts: u32,
    /// How many of its tasks are held up half-way, and since when one is.
    pub(super) stalled: u32,
    pub(super) stalled_since: Moment,
    pub(super) tasks: Vec<usize>,
    pub(super) parked: Vec<Arc<Bell>>,
}

/// A process of Rescind.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) node: Arc<Node>,
    pub(super) shutdown: tokio_util::sync::CancellationToken,
}

impl Machine {
    pub(super) const fn new(rate: i64, head_start: u64) -> Self {
        Self {
            rate,
            head_start,
            wall: 0,
            slept: 0,
            is_suspended: false,
            stood_still: 0,
            pauses: 0,
            is_cut_off: false,
            disturbed: 0,
            is_started: false,
            process: None,
            starts: 0,
            stalled: 0,
            stalled_since: 0,
            tasks: Vec::new(),
            parked: Vec::new(),
        }
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    /// What its stopwatch shows at `now`.
    pub(super) fn stopwatch(&self, now: Moment) -> u64 {
        let passed = i128::from(now) * i128::from(1_000_000 + self.rate) / 1_000_000;
        self.head_start + u64::try_from(passed).expect("time goes forward")
    }

    /// What its timers go by: they stand still while it is suspended.
    pub(super) fn timer(&self, now: Moment) -> u64 {
        self.stopwatch(now) - self.slept
    }

    /// How long `left` on its clocks is in truth.
    pub(super) fn in_truth(&self, left: u64) -> u64 {
        let truth = i128::from(left) * 1_000_000 / i128::from(1_000_000 + self.rate);
        u64::try_from(truth).expect("not long") + 1
    }
}

/// The stopwatch of a machine. Whoever reads it may be held up before and after.
pub(super) struct SimulatedStopwatch(pub(super) usize);

impl Stopwatch for SimulatedStopwatch {
    fn elapsed(&self) -> Duration {
        stall(self.0);
        let shown = with(|world| world.machines[self.0].stopwatch(world.now));
        if !world::is_at_once() {
            stall(self.0);
        }
        Duration::from_nanos(shown)
    }
}

/// The wall clock of a machine.
pub(super) struct SimulatedClock(pub(super) usize);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let micros =
            with(|world| world.machines[self.0].wall + i64::try_from(world.now / 1_000).expect("soon"));
        Timestamp::from_micros(micros)
    }
}

/// A process may be stopped between any two of its steps, and a thread may wait for a processor while others run. Here
/// this happens in the middle of what takes no time otherwise: where the clock is looked at.
fn stall(machine: usize) {
    const DEEPEST: u32 = 3;
    if world::here() != Some(machine) || world::depth() >= DEEPEST {
        return;
    }
    let until = with(|world| {
        if !world.weather.stalls(&world.rng) {
            return None;
        }
        let is_whole = world.once_in(2);
        let most = Duration::from_millis(if world.once_in(3) { 4_000 } else { 40 });
        let until = world.now + world.between(Duration::from_micros(10), most);
        world.history.faults += 1;
        let machine = &mut world.machines[machine];
        machine.disturbed = until;
        if machine.stalled == 0 {
            machine.stalled_since = world.now;
        }
        machine.stalled += 1;
        machine.stood_still += until - world.now;
        machine.pauses += u32::from(is_whole);
        Some((until, is_whole))
    });
    let Some((until, is_whole)) = until else { return };
    world::run_until(until);
    if is_whole {
        with(|world| world.resume(machine));
    }
    while with(|world| world.machines[machine].is_paused()) {
        let later = with(|world| world.now) + nanos(Duration::from_millis(5));
        world::run_until(later);
    }
    with(|world| {
        let now = world.now;
        let machine = &mut world.machines[machine];
        machine.stalled -= 1;
        machine.stood_still += now - until;
        machine.disturbed = machine.disturbed.max(now);
    });
}

/// The name of a machine's process.
pub(super) fn name(machine: usize, start: u32) -> String {
    format!("m{machine}.{start}")
}

/// The id of a machine's process.
pub(super) fn node_info(machine: usize, start: u32, ttl: Duration) -> NodeInfo {
    let mut id = [0; 16];
    id[0] = u8::try_from(machine).expect("few");
    id[12..].copy_from_slice(&start.to_be_bytes());
    NodeInfo {
        id: rescind_domain::NodeId::from_bytes(id),
        name: name(machine, start),
        address: String::new(),
        version: String::new(),
        ttl,
    }
}
