//! Statements: how they reach the database, or do not, and how their answers come back.

use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use rescind_catalog::Error;

use super::world::{World, with};

/// Whether a statement waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Reads,
    CommitsAtOnce,
    CommitsDurably,
}

/// Where the answer to a statement will be.
struct Slot<T>(Mutex<(Option<Answer<T>>, Option<Waker>)>);

type Answer<T> = Result<T, Error>;

impl<T> Slot<T> {
    fn put(&self, answer: Result<T, Error>) {
        let mut slot = self.0.lock();
        slot.0 = Some(answer);
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }

    async fn take(&self) -> Result<T, Error> {
        std::future::poll_fn(|context| {
            let mut slot = self.0.lock();
            match slot.0.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    slot.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Sends a statement from `machine`. It goes its way whether or not anybody still waits for the answer.
pub(super) async fn statement<T: Send + 'static>(
    machine: usize,
    manner: Manner,
    run: impl FnOnce(&mut World) -> T + Send + 'static,
) -> Result<T, Error> {
    let slot = Arc::new(Slot(Mutex::new((None, None))));
    let answer = Arc::clone(&slot);
    with(|world| {
        let fate = world.fate(machine);
        let start = world.postgres.starts;
        let fails = fate.fails;
        let Some(arrives) = fate.arrives else {
            return fail(world, slot, fails);
        };
        let commit = move |world: &mut World| {
            if !world.postgres.is_up || world.postgres.starts != start {
                world.disturb(machine);
                let fails = world.failure();
                return fail(world, slot, fails);
            }
            world.follow_on_standby();
            let result = run(world);
            world.postgres.keep(manner);
            if manner == Manner::CommitsAtOnce {
                let delay = world.flush();
                world.after(delay, move || with(|world| world.postgres.flush(start)));
            }
            match fate.answered {
                Some(delay) => world.after(delay, move || {
                    with(|world| arrive(world, machine, start, slot, result))
                }),
                None => fail(world, slot, fails),
            }
        };
        world.after(arrives, move || {
            with(|world| match manner {
                Manner::CommitsDurably => {
                    let sync = world.sync();
                    world.after(sync, move || with(commit));
                }
                Manner::Reads | Manner::CommitsAtOnce => commit(world),
            });
        });
    });
    answer.take().await
}

/// Delivers an answer, if the connection is still there.
fn arrive<T: 'static>(world: &mut World, machine: usize, start: u32, slot: Arc<Slot<T>>, result: T) {
    if world.machines[machine].is_cut_off || world.postgres.starts != start {
        world.disturb(machine);
        let fails = world.failure();
        return fail(world, slot, fails);
    }
    slot.put(Ok(result));
}

fn fail<T: 'static>(world: &mut World, slot: Arc<Slot<T>>, after: Option<u64>) {
    if let Some(after) = after {
        world.after(after, move || {
            slot.put(Err(Error::Unavailable("the connection broke".into())))
        });
    }
}
