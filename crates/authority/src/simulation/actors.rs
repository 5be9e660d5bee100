//! Clients, who use tokens all the time; actors, who make, change and revoke them; and what breaks meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rescind_domain::{NodeState, Secret, SecretKind};
use tokio::sync::oneshot;

use super::history::{State, Token};
use super::machines::Process;
use super::postgres::{Act, Deed, Rights, commit, token_ref};
use super::processes::{Kind, Request, crash, handle, start};
use super::timers::sleep;
use super::world::{World, nanos, spawn, with};
use super::{GUEST, Setting};
use crate::Error;
use crate::endings::Endings;
use crate::node::Node;
use crate::terms::outlasting;
use crate::waits::Wait;

/// Sends requests to any node, for any token, until `until`.
pub(super) async fn use_tokens(until: u64) {
    while with(|world| world.now < until) {
        let pause = with(|world| world.between(Duration::from_millis(1), Duration::from_millis(40)));
        sleep(Duration::from_nanos(pause)).await;
        with(|world| {
            if !world.history.tokens.is_empty() {
                // Mostly those that something has just become of.
                let known = world.history.tokens.len() as u64;
                let recent = if world.once_in(3) { known } else { known.min(4) };
                let token = (known - 1 - world.below(recent)) as usize;
                let kind = match world.below(8) {
                    0 => Kind::Upload,
                    1 => Kind::Stream,
                    _ => Kind::Short,
                };
                let request = Request {
                    token,
                    right: 1 + world.below(2) as Rights,
                    kind,
                    sent: world.now,
                };
                let machine = world.below(world.machines.len() as u64) as usize;
                let slow = if world.once_in(30) { 1_500 } else { 2 };
                let delay = world.between(Duration::from_micros(20), Duration::from_millis(slow));
                world.after(delay, move || arrive(machine, request));
            }
        });
    }
}

fn arrive(machine: usize, request: Request) {
    let process = with(|world| world.machines[machine].process.clone());
    if let Some(process) = process.filter(|_| machine != GUEST) {
        spawn(Some(machine), handle(process, machine, request));
    }
}

/// Acts on one token after the other until `until`; an act that has begun is repeated until it returns.
pub(super) async fn act_on_tokens(setting: Setting, until: u64) {
    while with(|world| world.now < until) {
        let pause = with(|world| world.between(Duration::from_millis(1), Duration::from_millis(150)));
        sleep(Duration::from_nanos(pause)).await;
        let act = with(World::next_act);
        loop {
            let machine = with(|world| world.below(world.machines.len() as u64)) as usize;
            let outcome = attempt_on(setting, machine, act.clone()).await;
            if outcome == Some(true) {
                break;
            }
            let pause = with(|world| world.between(Duration::from_millis(1), Duration::from_millis(300)));
            sleep(Duration::from_nanos(pause)).await;
        }
        with(|world| {
            for deed in act {
                world.history.tokens[deed.token].is_busy = false;
            }
        });
    }
}

impl World {
    /// What to do next: make a token, or change or revoke some that nobody else acts on.
    fn next_act(&mut self) -> Act {
        let known = self.history.tokens.len() as u64;
        let most = if self.once_in(4) { 6 } else { 1 };
        let chosen: BTreeSet<usize> = (0..most.min(known)).map(|_| self.below(known) as usize).collect();
        let free = chosen.into_iter().filter(|token| {
            let token = &self.history.tokens[*token];
            !token.is_busy && token.settled() != Some(0)
        });
        let mut tokens: Vec<usize> = free.collect();
        let is_new = tokens.is_empty() || self.once_in(4);
        if is_new {
            tokens = vec![self.history.tokens.len()];
            self.history.tokens.push(Token {
                secret: Secret::mint(SecretKind::Database, &self.rng),
                states: Vec::new(),
                is_busy: false,
            });
        }
        let rights = match self.below(5) {
            0 | 1 if !is_new => 0,
            _ => 1 + self.below(3) as Rights,
        };
        let begun = self.now;
        let deed = |token: usize| {
            let known = &mut self.history.tokens[token];
            known.is_busy = true;
            known.states.push(State {
                rights,
                begun,
                returned: None,
            });
            Deed {
                token,
                secret: known.secret.hash(),
                rights,
                turn: known.states.len(),
            }
        };
        tokens.into_iter().map(deed).collect()
    }
}

/// One attempt through the node on `machine`; whether the act returned, if the process lived to say so.
async fn attempt_on(setting: Setting, machine: usize, act: Act) -> Option<bool> {
    let process = with(|world| world.machines[machine].process.clone())?;
    let (tell, told) = oneshot::channel();
    spawn(Some(machine), async move {
        let begun = with(|world| world.now);
        let outcome = attempt(&process, machine, act).await;
        with(|world| judge(world, setting, machine, begun, outcome.is_ok()));
        // Whoever asked may be gone.
        let _ = tell.send(outcome.unwrap_or(false));
    });
    told.await.ok()
}

/// Promise: whoever is not disturbed waits for a term and the drift at most, by any clock, and a little.
fn judge(world: &mut World, setting: Setting, machine: usize, begun: u64, is_known: bool) {
    const ALLOWANCE: Duration = Duration::from_millis(700);
    let known = &world.machines[machine];
    if known.disturbed >= begun || known.stalled > 0 || known.is_cut_off || !world.postgres.is_up {
        return;
    }
    let took = Duration::from_nanos(world.now - begun);
    // A statement that hung before may have held a lock for half a term.
    let mut most = outlasting(outlasting(setting.ttl)) + setting.ttl / 2 + ALLOWANCE;
    // Whoever lives and does not acknowledge winds up what it cut, and is waited for longer.
    let works = &world.history.works;
    if works.iter().any(|work| work.hangs) || world.machines.iter().any(|other| other.disturbed >= begun) {
        most += Endings::PATIENCE + setting.ttl;
    }
    world.history.undisturbed += 1;
    if took > most || !is_known {
        let now = world.now;
        let what = format!("an act on machine {machine} took {took:?} of {most:?}, known: {is_known}");
        world.history.violation(0, now, &what);
    }
}

/// As the use cases do; whether every node acts by it now.
async fn attempt(process: &Process, machine: usize, act: Act) -> Result<bool, Error> {
    let node: &Arc<Node> = &process.node;
    let tokens: Vec<usize> = act.iter().map(|deed| deed.token).collect();
    let patience = with(|world| {
        world.history.acts += 1;
        world
            .once_in(6)
            .then(|| Duration::from_nanos(world.below(nanos(Duration::from_secs(2)))))
    });
    let wait = Wait::begin(patience);
    let revision = match commit(machine, node.info.id, act).await {
        Ok(revision) => revision,
        Err(error) => {
            node.doubt().await;
            return Err(error.into());
        }
    };
    let ended = async {
        for token in &tokens {
            node.grants.endings.wait(token_ref(*token)).await;
        }
    };
    let receipt = node.fence(ended, revision, wait).await?;
    if receipt.is_complete() {
        let applied = receipt.nodes.iter();
        let applied = applied.filter(|node| matches!(node.state, NodeState::Applied { .. }));
        let applied: Vec<String> = applied.map(|node| node.node.clone()).collect();
        with(|world| {
            let now = world.now;
            world.pass_over_stopped();
            for token in &tokens {
                world.history.returned(*token, &applied, now);
            }
        });
    } else if patience.is_none() {
        return Err(Error::Conflict("nobody limited the wait".to_owned()));
    }
    Ok(receipt.is_complete())
}

/// Breaks one thing after the other until `until`, and mends each after a while.
pub(super) async fn break_things(setting: Setting, until: u64) {
    let (least, most) = (Duration::from_millis(30), setting.calm);
    while with(|world| world.now < until) {
        let pause = with(|world| world.between(least, most));
        sleep(Duration::from_nanos(pause)).await;
        with(|world| world.break_one(setting));
    }
}

/// How many kinds of faults there are.
pub(super) const FAULTS: u64 = 11;
/// That of a database which is there again soon.
pub(super) const SHORT_CRASH: u64 = 9;

impl World {
    /// Work on a machine that stood still for longer than anybody waits for it is not waited for.
    fn pass_over_stopped(&mut self) {
        for work in &mut self.history.works {
            let machine = &self.machines[work.machine];
            let held_up = if machine.stalled > 0 {
                self.now - machine.stalled_since
            } else {
                0
            };
            let stood = held_up.max(machine.stood_still - work.stood_still);
            work.hangs |= work.is_running && Duration::from_nanos(stood) > Endings::PATIENCE;
        }
    }

    fn break_one(&mut self, setting: Setting) {
        let machine = self.below(self.machines.len() as u64) as usize;
        let long = if self.once_in(3) {
            setting.ttl * 3
        } else {
            setting.ttl / 4
        };
        let lasts = self.between(Duration::from_millis(1), long);
        self.disturb(machine);
        let fault = if self.once_in(2) {
            setting.fashion
        } else {
            self.below(FAULTS)
        };
        match fault {
            0 | 1 => self.stop(machine, lasts, false),
            2 => self.stop(machine, lasts, true),
            3 | 4 => self.cut_off(machine, lasts),
            5 => {
                let admits = machine != GUEST;
                self.after(0, move || {
                    if crash(machine) {
                        with(|world| world.after(lasts, move || start(machine, setting.ttl, admits)));
                    }
                });
            }
            6 => {
                let process = self.machines[machine].process.clone();
                self.after(0, move || {
                    if let Some(process) = process {
                        process.shutdown.cancel();
                    }
                });
            }
            7 => {
                self.prune();
                self.postgres.forget_nodes();
            }
            8 | SHORT_CRASH if self.postgres.is_up => {
                self.crash_postgres();
                let lasts = if fault == 8 { lasts } else { lasts / 50 };
                self.after(lasts, || with(World::start_postgres));
            }
            _ => {
                let jump = self.below(7_200_000_000);
                self.machines[machine].wall += i64::try_from(jump).expect("two hours") - 3_600_000_000;
            }
        }
    }

    /// SIGSTOP, or the machine is suspended: then its timers stand still as well.
    fn stop(&mut self, machine: usize, lasts: u64, is_suspended: bool) {
        if is_suspended && std::mem::replace(&mut self.machines[machine].is_suspended, true) {
            return;
        }
        self.machines[machine].pauses += 1;
        self.machines[machine].stood_still += lasts;
        let began = self.now;
        self.after(lasts, move || {
            with(|world| {
                world.disturb(machine);
                let stopped = &mut world.machines[machine];
                if is_suspended {
                    stopped.is_suspended = false;
                    stopped.slept += stopped.stopwatch(world.now) - stopped.stopwatch(began);
                }
                world.resume(machine);
            });
        });
    }

    fn cut_off(&mut self, machine: usize, lasts: u64) {
        if std::mem::replace(&mut self.machines[machine].is_cut_off, true) {
            return;
        }
        self.after(lasts, move || {
            with(|world| {
                world.disturb(machine);
                world.machines[machine].is_cut_off = false;
            });
        });
    }
}
