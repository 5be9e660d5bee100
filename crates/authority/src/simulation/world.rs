//! The world: true time, the tasks of every process, and the machines that they run on.
//!
//! One thread runs everything, and the seed decides what comes next: which of the tasks that are ready, how long a message
//! takes, what breaks. So the same seed gives the same history.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rescind_testkit::SeededRng;

use super::history::History;
use super::machines::Machine;
use super::postgres::Postgres;
use super::weather::Weather;

/// Nanoseconds of true time since the world began.
pub(super) type Moment = u64;

/// Everything there is.
pub(super) struct World {
    pub(super) now: Moment,
    pub(super) rng: SeededRng,
    pub(super) weather: Weather,
    pub(super) machines: Vec<Machine>,
    pub(super) postgres: Postgres,
    pub(super) history: History,
    agenda: BTreeMap<(Moment, u64), Due>,
    tasks: Vec<Task>,
    entries: u64,
    /// How many polls there were at this very moment: a task that never waits would stop the world.
    spins: u32,
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// What happens at some moment.
enum Due {
    Wake(Waker),
    Do(Box<dyn FnOnce()>),
}

struct Task {
    /// Where it runs, if not outside of everything that can fail.
    machine: Option<usize>,
    state: State,
}

enum State {
    Waiting(Work),
    /// It is being polled: it may be so for a while, if its thread is held up.
    Running,
    Over,
}

/// Makes a task ready.
pub(super) struct Bell {
    task: usize,
    is_rung: AtomicBool,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    /// Apart from the world: bells are rung while it is being looked at.
    static READY: RefCell<Vec<Arc<Bell>>> = const { RefCell::new(Vec::new()) };
    /// On which machine the code that runs at present runs.
    static HERE: Cell<Option<usize>> = const { Cell::new(None) };
    /// How many tasks are being polled, one within the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Whether what runs cannot be told from what it leads to: nothing holds it up in between.
    static AT_ONCE: Cell<bool> = const { Cell::new(false) };
}

const MOST_SPINS: u32 = 100_000;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.is_rung.swap(true, Ordering::Relaxed) {
            // After a failed test the thread may be past its end.
            let _ = READY.try_with(|ready| ready.borrow_mut().push(self));
        }
    }
}

/// Begins a world of its own on this thread. The former one ends.
pub(super) fn begin(seed: u64, weather: Weather, machines: Vec<Machine>) {
    end();
    let world = World {
        now: 0,
        rng: SeededRng::new(seed),
        weather,
        machines,
        postgres: Postgres::default(),
        history: History::default(),
        agenda: BTreeMap::new(),
        tasks: Vec::new(),
        entries: 0,
        spins: 0,
    };
    WORLD.set(Some(world));
}

/// Ends the world; what was left of its tasks goes first.
pub(super) fn end() -> Option<World> {
    let tasks = WORLD.with_borrow_mut(|world| world.as_mut().map(|world| std::mem::take(&mut world.tasks)));
    drop(tasks);
    READY.take();
    WORLD.take()
}

/// Whether there is a world on this thread.
pub(super) fn exists() -> bool {
    WORLD.with_borrow(Option::is_some)
}

/// Looks at the world, or changes it. Nothing that runs code of nodes may do so within.
pub(super) fn with<T>(look: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| {
        look(
            world
                .as_mut()
                .expect("code of the simulation runs within a world"),
        )
    })
}

/// As [`with`], for what may outlive the world.
pub(super) fn if_any(look: impl FnOnce(&mut World)) {
    // After a failed test the thread may be past its end.
    let _ = WORLD.try_with(|world| world.borrow_mut().as_mut().map(look));
}

/// The machine whose code runs.
pub(super) fn here() -> Option<usize> {
    HERE.get()
}

/// How many tasks are being polled, one within the other.
pub(super) fn depth() -> u32 {
    DEPTH.get()
}

/// Runs code that nothing holds up once it has looked at the clock.
pub(super) fn without_pause<T>(run: impl FnOnce() -> T) -> T {
    AT_ONCE.set(true);
    let result = run();
    AT_ONCE.set(false);
    result
}

/// Whether the present code is not to be held up after it has looked at the clock.
pub(super) fn is_at_once() -> bool {
    AT_ONCE.get()
}

/// Begins a task on a machine, or outside of all.
pub(super) fn spawn(machine: Option<usize>, work: impl Future<Output = ()> + 'static) {
    let work = Box::pin(work);
    let task = with(|world| {
        world.tasks.push(Task {
            machine,
            state: State::Waiting(work),
        });
        if let Some(machine) = machine {
            let task = world.tasks.len() - 1;
            world.machines[machine].tasks.push(task);
        }
        world.tasks.len() - 1
    });
    let bell = Bell {
        task,
        is_rung: AtomicBool::new(false),
    };
    Arc::new(bell).wake();
}

/// Ends every task of a machine, as `kill -9` does. None of them may be running.
pub(super) fn kill(machine: usize) {
    let killed: Vec<State> = with(|world| {
        let tasks = std::mem::take(&mut world.machines[machine].tasks);
        world.machines[machine].parked.clear();
        let end = |task: &usize| std::mem::replace(&mut world.tasks[*task].state, State::Over);
        tasks.iter().map(end).collect()
    });
    assert!(!killed.iter().any(|state| matches!(state, State::Running)));
}

/// Lets the world go on until `deadline`.
pub(super) fn run_until(deadline: Moment) {
    loop {
        while let Some(bell) = next_ready() {
            poll(&bell);
        }
        let due = with(|world| {
            let next = world.agenda.first_entry().filter(|next| next.key().0 <= deadline);
            let Some(next) = next else {
                world.now = world.now.max(deadline);
                return None;
            };
            let ((moment, _), due) = next.remove_entry();
            if moment > world.now {
                (world.now, world.spins) = (moment, 0);
            }
            Some(due)
        });
        match due {
            None => return,
            Some(Due::Wake(waker)) => waker.wake(),
            Some(Due::Do(act)) => act(),
        }
    }
}

fn next_ready() -> Option<Arc<Bell>> {
    READY.with_borrow_mut(|ready| {
        let most = ready.len() as u64;
        (most > 0).then(|| ready.swap_remove(with(|world| world.below(most)) as usize))
    })
}

fn poll(bell: &Arc<Bell>) {
    let work = with(|world| {
        world.spins += 1;
        assert!(world.spins < MOST_SPINS, "a task spins");
        let task = &mut world.tasks[bell.task];
        if let Some(machine) = task.machine
            && world.machines[machine].is_paused()
        {
            world.machines[machine].parked.push(Arc::clone(bell));
            return None;
        }
        match std::mem::replace(&mut task.state, State::Running) {
            State::Waiting(work) => Some((work, task.machine)),
            // Its bell stays rung, and is looked at when it waits again.
            State::Running => None,
            State::Over => {
                task.state = State::Over;
                None
            }
        }
    });
    let Some((mut work, machine)) = work else { return };
    bell.is_rung.store(false, Ordering::Relaxed);
    let (former, was_at_once) = (HERE.replace(machine), AT_ONCE.replace(false));
    DEPTH.set(DEPTH.get() + 1);
    let waker = Waker::from(Arc::clone(bell));
    let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
    DEPTH.set(DEPTH.get() - 1);
    HERE.set(former);
    AT_ONCE.set(was_at_once);
    let state = match polled {
        Poll::Ready(()) => State::Over,
        Poll::Pending => State::Waiting(work),
    };
    with(|world| {
        world.tasks[bell.task].state = state;
        if let (Poll::Ready(()), Some(machine)) = (polled, machine) {
            world.machines[machine].tasks.retain(|task| *task != bell.task);
        }
    });
    // Rung while it was running by who looked at it in vain: nobody holds the bell any more.
    if polled.is_pending() && bell.is_rung.swap(false, Ordering::Relaxed) {
        READY.with_borrow_mut(|ready| ready.retain(|ready| !Arc::ptr_eq(ready, bell)));
        Arc::clone(bell).wake();
    }
}

impl World {
    /// A number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    /// Whether something happens that does so once in `times`; never for 0.
    pub(super) fn once_in(&self, times: u64) -> bool {
        times > 0 && self.below(times) == 0
    }

    /// A duration between two, in nanoseconds.
    pub(super) fn between(&self, least: Duration, most: Duration) -> u64 {
        let (least, most) = (nanos(least), nanos(most));
        least + self.below((most - least).max(1))
    }

    /// Does `act` after `delay` nanoseconds.
    pub(super) fn after(&mut self, delay: u64, act: impl FnOnce() + 'static) {
        let key = self.key(self.now + delay);
        self.agenda.insert(key, Due::Do(Box::new(act)));
    }

    /// Wakes at `moment`; the key forgets it.
    pub(super) fn wake_at(&mut self, moment: Moment, waker: Waker) -> (Moment, u64) {
        let key = self.key(moment);
        self.agenda.insert(key, Due::Wake(waker));
        key
    }

    pub(super) fn forget(&mut self, key: (Moment, u64)) {
        self.agenda.remove(&key);
    }

    pub(super) fn resume(&mut self, machine: usize) {
        self.machines[machine].pauses -= 1;
        if !self.machines[machine].is_paused() {
            let parked = std::mem::take(&mut self.machines[machine].parked);
            READY.with_borrow_mut(|ready| ready.extend(parked));
        }
    }

    fn key(&mut self, moment: Moment) -> (Moment, u64) {
        self.entries += 1;
        (moment, self.entries)
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("short")
}
