//! Timers as the code under simulation knows them; in tests without a world they are the usual ones.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::world::{self, Moment, nanos, with};

/// Returns after `duration`, by the clock of the machine that asks.
pub(crate) async fn sleep(duration: Duration) {
    if world::exists() {
        Sleep::new(duration).await;
    } else {
        tokio::time::sleep(duration).await;
    }
}

/// The result of `work`, unless it takes longer than `duration`.
pub(crate) async fn timeout<T>(duration: Duration, work: impl Future<Output = T>) -> Result<T, Late> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = sleep(duration) => Err(Late),
    }
}

/// It took too long.
#[derive(Debug)]
pub(crate) struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl std::error::Error for Late {}

/// A moment, to measure what passes since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Instant {
    Simulated(Moment),
    Real(std::time::Instant),
}

impl Instant {
    pub(crate) fn now() -> Self {
        if world::exists() {
            Self::Simulated(shown())
        } else {
            Self::Real(std::time::Instant::now())
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match self {
            Self::Simulated(began) => Duration::from_nanos(shown() - began),
            Self::Real(began) => began.elapsed(),
        }
    }
}

/// What timers go by where the present code runs.
fn shown() -> u64 {
    let here = world::here();
    with(|world| here.map_or(world.now, |machine| world.machines[machine].timer(world.now)))
}

struct Sleep {
    machine: Option<usize>,
    until: u64,
    key: Option<(Moment, u64)>,
}

impl Sleep {
    fn new(duration: Duration) -> Self {
        Self {
            machine: world::here(),
            until: shown() + nanos(duration),
            key: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let left = self.until.saturating_sub(shown());
        if left == 0 {
            return Poll::Ready(());
        }
        let (machine, former) = (self.machine, self.key.take());
        let key = with(|world| {
            if let Some(former) = former {
                world.forget(former);
            }
            let truth = machine.map_or(left, |machine| world.machines[machine].in_truth(left));
            world.wake_at(world.now + truth, context.waker().clone())
        });
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            world::if_any(|world| world.forget(key));
        }
    }
}
