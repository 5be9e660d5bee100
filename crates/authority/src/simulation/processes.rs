//! Processes of Rescind: how they start, what they do with requests, how they end.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rescind_domain::{Action, Ask, Clock, DatabaseName, Stopwatch};
use tokio_util::sync::CancellationToken;

use super::history::{Answer, Work};
use super::machines::{Process, SimulatedClock, SimulatedStopwatch, name, node_info};
use super::postgres::{Rights, SimulatedLedger};
use super::timers::{sleep, timeout};
use super::world::{self, Moment, kill, spawn, with};
use crate::leases::{Leases, Shared};
use crate::node::Node;
use crate::{Admission, Error};

/// Starts a process on a machine, again and again until it has begun, and lets it run to its end.
pub(super) fn start(machine: usize, ttl: Duration, admits: bool) {
    // Somebody else may have done so.
    if with(|world| std::mem::replace(&mut world.machines[machine].is_started, true)) {
        return;
    }
    spawn(Some(machine), async move {
        let process = loop {
            let process = open(machine, ttl, admits);
            match timeout(Duration::from_secs(3), begin(&process.node, admits)).await {
                Ok(Ok(())) => break process,
                _ => sleep(Duration::from_millis(100)).await,
            }
        };
        with(|world| world.machines[machine].process = Some(process.clone()));
        let Leases::Shared(shared) = &process.node.leases else {
            unreachable!("made below")
        };
        if admits {
            process.node.keep_lease(shared, &process.shutdown).await;
        } else {
            process.shutdown.cancelled().await;
        }
        with(|world| {
            world.machines[machine].process = None;
            // From outside: a task cannot end itself with the others.
            world.after(0, move || end(machine, ttl, admits));
        });
        std::future::pending().await
    });
}

fn end(machine: usize, ttl: Duration, admits: bool) {
    if crash(machine) {
        let delay = with(|world| world.between(Duration::from_millis(1), Duration::from_secs(2)));
        with(|world| world.after(delay, move || start(machine, ttl, admits)));
    } else {
        let soon = 1_000_000;
        with(|world| world.after(soon, move || end(machine, ttl, admits)));
    }
}

/// Ends what runs on a machine at once; `false` if one of its tasks is held up half-way.
pub(super) fn crash(machine: usize) -> bool {
    let can = with(|world| world.machines[machine].stalled == 0);
    if can {
        let process = with(|world| world.machines[machine].process.take());
        kill(machine);
        with(|world| {
            world.machines[machine].is_started = false;
            let node = name(machine, world.machines[machine].starts);
            for work in world.history.works.iter_mut().filter(|work| work.node == node) {
                work.is_running = false;
            }
        });
        drop(process);
    }
    can
}

fn open(machine: usize, ttl: Duration, admits: bool) -> Process {
    let start = with(|world| {
        world.machines[machine].starts += 1;
        world.machines[machine].starts
    });
    let ledger = SimulatedLedger {
        machine,
        stale: Arc::new(Mutex::new(None)),
    };
    let node = Node::new(
        node_info(machine, start, ttl),
        Arc::new(ledger),
        Arc::new(SimulatedClock(machine)) as Arc<dyn Clock>,
        Arc::new(SimulatedStopwatch(machine)) as Arc<dyn Stopwatch>,
        Leases::Shared(Box::new(Shared::new(admits))),
    );
    Process {
        node: Arc::new(node),
        shutdown: CancellationToken::new(),
    }
}

/// As `Authority::open` does.
async fn begin(node: &Node, admits: bool) -> Result<(), Error> {
    node.start().await?;
    if admits {
        node.renew().await?;
    }
    Ok(())
}

/// What a request wants: that is, how its work runs once it is admitted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Read, check, act.
    Short,
    /// A long body, then one effect that takes a while.
    Upload,
    /// One effect after the other.
    Stream,
}

/// A request for a right of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) token: usize,
    pub(super) right: Rights,
    pub(super) kind: Kind,
    pub(super) sent: Moment,
}

/// Answers a request, and does what it asks.
pub(super) async fn handle(process: Process, machine: usize, request: Request) {
    let Request {
        token, right, sent, ..
    } = request;
    let (answer, admission) = admit(&process.node, request);
    let node = &process.node.info.name;
    let work = with(|world| {
        let now = world.now;
        world.history.answered(node, token, right, answer, sent, now);
        world.history.works.push(Work {
            token,
            right,
            node: node.clone(),
            machine,
            stood_still: world.machines[machine].stood_still,
            is_running: admission.is_some(),
            hangs: false,
        });
        world.history.works.len() - 1
    });
    if let Some(admission) = admission {
        run(&admission, request.kind, work).await;
        drop(admission);
        with(|world| world.history.works[work].is_running = false);
    }
}

pub(super) fn admit(node: &Node, request: Request) -> (Answer, Option<Admission>) {
    thread_local! {
        static NAME: DatabaseName = "a".parse().expect("a name");
    }
    let secret = with(|world| world.history.tokens[request.token].secret.expose().to_owned());
    let action = if request.right == 1 {
        Action::Read
    } else {
        Action::Write
    };
    let admitted = NAME.with(|database| {
        let entry = node.recognise(secret.as_bytes())?;
        Admission::of(entry, Ask { action, database }, &node.clock)
    });
    match admitted {
        Ok(admission) => (Answer::Admitted, Some(admission)),
        Err(refusal) => (Answer::from(&refusal), None),
    }
}

async fn run(admission: &Admission, kind: Kind, work: usize) {
    let most =
        |most: u64| with(|world| world.between(Duration::from_micros(10), Duration::from_millis(most)));
    match kind {
        Kind::Short => {
            sleep(Duration::from_nanos(most(3))).await;
            take_effect(admission, work);
        }
        Kind::Upload => {
            let body = sleep(Duration::from_nanos(most(3_000)));
            tokio::select! {
                biased;
                () = admission.cut() => return,
                () = body => {}
            }
            if take_effect(admission, work) {
                let hangs = with(|world| world.weather.is_stormy && world.once_in(50));
                with(|world| world.history.works[work].hangs = hangs);
                let sync = if hangs { 8_000 } else { 30 };
                sleep(Duration::from_nanos(most(sync))).await;
            }
        }
        Kind::Stream => {
            for _ in 0..20 {
                let pause = sleep(Duration::from_nanos(most(200)));
                tokio::select! {
                    biased;
                    () = admission.cut() => break,
                    () = pause => {}
                }
                if !take_effect(admission, work) {
                    break;
                }
            }
            // Work takes a moment to notice.
            sleep(Duration::from_nanos(most(5))).await;
        }
    }
}

/// Acts, unless the last check says no. Nothing can come between the two: whoever is stopped there has begun to act.
fn take_effect(admission: &Admission, work: usize) -> bool {
    let is_cut = world::without_pause(|| admission.permit().is_cut());
    if !is_cut {
        with(|world| {
            let now = world.now;
            world.history.took_effect(work, now);
        });
    }
    !is_cut
}
