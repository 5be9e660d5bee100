//! Faults while they happen.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use crate::clusters::Cluster;
use crate::faults::{Fault, Planned};
use crate::histories::{Disturbance, Moment, Timeline};
use crate::proxies::Way;

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Storm {
    /// The faults, with their true times.
    pub(crate) disturbances: Vec<Disturbance>,
    /// The kinds of the faults, in the same order.
    pub(crate) kinds: Vec<&'static str>,
    /// What ended though nobody asked it to.
    pub(crate) deaths: Vec<String>,
}

struct Active {
    planned: Planned,
    began: Moment,
    since: Instant,
}

/// Forgets the changes that every node with a lease acts by, as nodes do by themselves after ten minutes and as many
/// thousand revisions.
const FORGET: &str = "
    SET lock_timeout = '1s';
    UPDATE ledger SET changes_floor = GREATEST(changes_floor,
        COALESCE((SELECT MIN(applied) FROM nodes WHERE is_lapsed = 0), 0));
    DELETE FROM changes WHERE revision <= (SELECT changes_floor FROM ledger)";
/// How often faults are looked after.
const TICK: Duration = Duration::from_millis(25);
/// How long PostgreSQL and the nodes have to come back when the storm is over.
const PATIENCE: Duration = Duration::from_secs(120);

impl Storm {
    /// Lets everything happen that is planned, until all of it is over and everything that should run does, and at least
    /// for so long.
    ///
    /// # Errors
    /// Something does not come back, or cannot be started.
    pub(crate) fn ride(
        cluster: &mut Cluster,
        plan: &[Planned],
        lasts: Duration,
        timeline: Timeline,
    ) -> Result<Self, String> {
        let mut storm = Self::default();
        let mut plan: VecDeque<_> = plan.iter().copied().collect();
        let mut active: Vec<Active> = Vec::new();
        let begun = Instant::now();
        let mut last_end = begun;
        while begun.elapsed() < lasts || !plan.is_empty() || !active.is_empty() {
            // A fault may last longer than planned, and what it disturbs is to be disturbed by one at a time.
            let is_free = |planned: &Planned| {
                let target = planned.fault.disturbed();
                active.iter().all(|one| one.planned.fault.disturbed() != target)
            };
            let is_due = |planned: &mut Planned| planned.at <= begun.elapsed() && is_free(planned);
            if let Some(planned) = plan.pop_front_if(is_due) {
                let active_now = Active {
                    planned,
                    began: timeline.now(),
                    since: Instant::now(),
                };
                cluster.inflict(planned.fault)?;
                active.push(active_now);
                last_end = Instant::now() + planned.lasts;
            }
            let mut index = 0;
            while let Some(one) = active.get(index) {
                let before = timeline.now();
                if one.since.elapsed() >= one.planned.lasts && cluster.heal(one.planned.fault)? {
                    storm.note(active.swap_remove(index), before, timeline.now());
                } else {
                    index += 1;
                }
            }
            storm.tend(cluster)?;
            if plan.is_empty() && begun.elapsed() > lasts && last_end.elapsed() > PATIENCE {
                let left: Vec<_> = active.iter().map(|one| one.planned.fault.to_string()).collect();
                return Err(format!("not over {PATIENCE:?} after its end: {left:?}"));
            }
            thread::sleep(TICK);
        }
        Ok(storm)
    }

    /// Looks after the nodes.
    ///
    /// # Errors
    /// One cannot be started at all.
    pub(crate) fn tend(&mut self, cluster: &mut Cluster) -> Result<(), String> {
        for node in &mut cluster.nodes {
            self.deaths
                .extend(node.tend().map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn note(&mut self, active: Active, healed: Moment, ended: Moment) {
        let fault = active.planned.fault;
        self.kinds.push(fault.kind());
        self.disturbances.push(Disturbance {
            what: fault.to_string(),
            disturbed: fault.disturbed(),
            cut_off_until: fault.cuts_off().then_some(healed),
            began: active.began,
            ended,
        });
    }
}

impl Cluster {
    fn inflict(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::Pause(node) => self.nodes[node].pause(),
            Fault::Kill(node) => self.nodes[node].kill(),
            Fault::Leave(node) => self.nodes[node].leave(),
            Fault::Cut { node, way, .. } => self.proxies[node].set(way),
            Fault::Outrun(node) => self.proxies[node].set(Way::Hole),
            Fault::Trap(node, trap) => self.proxies[node].trap(Some(trap)),
            Fault::Restart(ending) => self.postgres.end(ending),
            Fault::Crash(which) => {
                self.postgres.kill_one(which);
            }
            Fault::Fill => self.disk.fill().map_err(|error| error.to_string())?,
        }
        Ok(())
    }

    /// Ends a fault; whether everything is as before.
    fn heal(&mut self, fault: Fault) -> Result<bool, String> {
        match fault {
            Fault::Pause(node) => self.nodes[node].resume(),
            Fault::Kill(node) | Fault::Leave(node) => {
                let node = &mut self.nodes[node];
                if node.is_leaving() {
                    return Ok(false);
                }
                node.start().map_err(|error| error.to_string())?;
                return Ok(node.is_ready());
            }
            Fault::Cut { node, severed, .. } => {
                if severed {
                    self.proxies[node].sever();
                }
                self.proxies[node].set(Way::Open);
            }
            Fault::Outrun(node) => {
                // Where PostgreSQL is away, or its disk is full, what was missed is forgotten a little later.
                if self.postgres.ask(FORGET).is_err() {
                    return Ok(false);
                }
                self.proxies[node].sever();
                self.proxies[node].set(Way::Open);
            }
            Fault::Trap(node, _) => self.proxies[node].trap(None),
            Fault::Restart(_) | Fault::Crash(_) | Fault::Fill => {
                self.disk.free();
                self.postgres.launch()?;
                return Ok(self.postgres.is_ready());
            }
        }
        Ok(true)
    }

    /// Ends all nodes in good order, and says which did not.
    pub(crate) fn end(&mut self) -> Vec<String> {
        let mut deaths = Vec::new();
        for node in &mut self.nodes {
            node.leave();
        }
        let is_leaving = |cluster: &Self| cluster.nodes.iter().any(|node| node.is_leaving());
        while is_leaving(self) {
            for node in &mut self.nodes {
                match node.tend() {
                    Ok(death) => deaths.extend(death),
                    Err(error) => deaths.push(error.to_string()),
                }
            }
            thread::sleep(TICK);
        }
        deaths
    }
}
