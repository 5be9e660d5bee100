//! The real code of nodes, leases and fences in a world that a seed makes up: machines that stop, clocks that run wrong,
//! messages that are lost or late, a database that forgets; and a look at what clients saw of it.
//!
//! `SIMULATION_SEEDS=100000 cargo test -p rescind-authority simulation` runs more of them, `SIMULATION_SEED=7` one.

mod actors;
mod history;
mod machines;
mod postgres;
mod processes;
mod statements;
pub(crate) mod timers;
mod weather;
mod world;

use std::time::{Duration, Instant};

use rescind_testkit::SeededRng;

use self::actors::{FAULTS, SHORT_CRASH, act_on_tokens, break_things, use_tokens};
use self::history::{Answer, History};
use self::machines::{Machine, Process};
use self::processes::{Kind, Request, admit, start};
use self::weather::{Lie, Weather};
use self::world::{nanos, run_until, spawn, with};

/// The machine that acts and takes no lease.
const GUEST: usize = 0;

/// What a seed decides for the whole of its world.
#[derive(Debug, Clone, Copy)]
struct Setting {
    ttl: Duration,
    /// How long nothing breaks, at most.
    calm: Duration,
    /// How long things break.
    storm: u64,
    /// What breaks more often than the rest.
    fashion: u64,
}

/// What remains of a world.
struct Past {
    history: History,
    /// True time that passed.
    lasted: Duration,
}

fn run(seed: u64, lie: Option<Lie>) -> Past {
    let rng = SeededRng::new(seed);
    let setting = Setting {
        ttl: Duration::from_millis([1_000, 2_000, 5_000][rng.below(3) as usize]),
        calm: Duration::from_millis([100, 400, 2_000][rng.below(3) as usize]),
        storm: nanos(Duration::from_secs(4 + rng.below(12))),
        fashion: match lie {
            // What is forgotten shows when it is forgotten.
            Some(Lie::ForgetfulRenewal | Lie::ForgetfulJoining) => SHORT_CRASH,
            _ => rng.below(FAULTS),
        },
    };
    let weather = Weather::draw(&rng, lie);
    let machines = (0..3 + rng.below(3))
        .map(|_| Machine::new(rate(&rng, lie), rng.below(nanos(Duration::from_secs(100)))));
    world::begin(rng.next_u64(), weather, machines.collect());
    let machines = with(|world| {
        world.postgres.is_up = true;
        world.machines.len()
    });
    for machine in 0..machines {
        start(machine, setting.ttl, machine != GUEST);
    }
    for _ in 0..2 {
        spawn(None, use_tokens(setting.storm));
    }
    for _ in 0..4 {
        spawn(None, act_on_tokens(setting, setting.storm));
    }
    spawn(None, break_things(setting, setting.storm));
    run_until(setting.storm);
    calm_down(setting);
    let world = world::end().expect("begun above");
    Past {
        history: world.history,
        lasted: Duration::from_nanos(world.now),
    }
}

/// By how many millionths a machine's clocks are wrong: one in a hundred is allowed for.
fn rate(rng: &SeededRng, lie: Option<Lie>) -> i64 {
    let most = if lie == Some(Lie::Drift) { 100_000 } else { 9_990 };
    match rng.below(4) {
        0 => -most,
        1 => most,
        _ => i64::try_from(rng.below(most as u64 * 2)).expect("small") - most,
    }
}

/// Nothing breaks any more: after a while everything works on every node, and every act has returned.
fn calm_down(setting: Setting) {
    with(|world| world.weather.is_stormy = false);
    // What was broken for some time mends within three terms; then whoever hangs has its time to notice.
    let latest = with(|world| world.now) + nanos(setting.ttl * 9 + Duration::from_secs(72));
    while with(|world| world.now < latest) && !is_well() {
        run_until(with(|world| world.now) + nanos(setting.ttl));
    }
    let until = with(|world| world.now);
    let (tokens, machines) = with(|world| (world.history.tokens.len(), world.machines.len()));
    for token in 0..tokens {
        let rights = with(|world| world.history.tokens[token].settled());
        let Some(rights) = rights else {
            with(|world| {
                world
                    .history
                    .violation(token, until, "an act has not returned long after all was well")
            });
            continue;
        };
        for machine in (0..machines).filter(|machine| *machine != GUEST) {
            let process = with(|world| world.machines[machine].process.clone());
            for right in [1, 2] {
                let request = Request {
                    token,
                    right,
                    kind: Kind::Short,
                    sent: until,
                };
                let answer = process.as_ref().map(|process| admit(&process.node, request).0);
                let is_right = match rights {
                    0 => matches!(answer, Some(Answer::Revoked | Answer::Unknown)),
                    _ if rights & right != 0 => answer == Some(Answer::Admitted),
                    _ => answer == Some(Answer::Forbidden),
                };
                if !is_right {
                    let what =
                        format!("machine {machine} says {answer:?} for {right} long after all was well");
                    with(|world| world.history.violation(token, until, &what));
                }
            }
        }
    }
}

/// Whether every act has returned, and every node admits.
fn is_well() -> bool {
    let (is_settled, processes) = with(|world| {
        let mut tokens = world.history.tokens.iter();
        let processes = world.machines[GUEST + 1..].iter();
        let processes: Vec<_> = processes.map(|machine| machine.process.clone()).collect();
        (tokens.all(|token| token.settled().is_some()), processes)
    });
    let admits =
        |process: &Option<Process>| process.as_ref().is_some_and(|process| process.node.is_current());
    is_settled && processes.iter().all(admits)
}

/// The seeds to run: those that the environment names, or so many that a build takes some seconds for them.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text: String| text.parse::<u64>().expect("a number"))
    };
    match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(2_000),
    }
}

/// What many worlds came to.
#[derive(Default)]
struct Sum {
    history: History,
    lasted: Duration,
    failed: Vec<u64>,
}

impl Sum {
    /// Runs these seeds, one after the other.
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        let mut sum = Self::default();
        for seed in seeds {
            let naming = Naming(seed);
            let past = run(seed, None);
            std::mem::forget(naming);
            if let Some(first) = past.history.violations.first() {
                println!(
                    "seed {seed}: {} violations, the first {first}",
                    past.history.violations.len()
                );
                println!("  {}", reproduction(seed));
                sum.failed.push(seed);
            }
            sum.add(&past.history, past.lasted);
        }
        sum
    }

    fn add(&mut self, history: &History, lasted: Duration) {
        let sum = &mut self.history;
        self.lasted += lasted;
        sum.requests += history.requests;
        sum.admitted += history.admitted;
        sum.effects += history.effects;
        sum.acts += history.acts;
        sum.revocations += history.revocations;
        sum.undisturbed += history.undisturbed;
        sum.faults += history.faults;
    }
}

/// Names the seed whose world did not get to its end.
struct Naming(u64);

impl Drop for Naming {
    fn drop(&mut self) {
        println!(
            "seed {} did not get to its end\n  {}",
            self.0,
            reproduction(self.0)
        );
    }
}

fn reproduction(seed: u64) -> String {
    format!(
        "SIMULATION_SEED={seed} cargo test -p rescind-authority --lib simulation::promises -- --nocapture"
    )
}

#[test]
fn promises_hold_whatever_breaks() {
    let (began, seeds) = (Instant::now(), seeds());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let begin = |thread| {
            let seeds = seeds.clone().skip(thread).step_by(threads);
            scope.spawn(move || Sum::of(seeds))
        };
        let running: Vec<_> = (0..threads).map(begin).collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended
            .map(|sum| sum.expect("every world gets to its end"))
            .collect()
    });
    let mut total = Sum::default();
    for sum in &sums {
        total.add(&sum.history, sum.lasted);
        total.failed.extend(&sum.failed);
    }
    let Sum {
        history,
        lasted,
        failed,
    } = total;
    println!(
        "{} seeds, {} hours of their time in {:.1?}: {} requests, {} admitted, {} effects, {} attempts of acts, \
         {} revocations, {} acts undisturbed, {} faults, {} seeds with violations",
        seeds.end - seeds.start,
        lasted.as_secs() / 3_600,
        began.elapsed(),
        history.requests,
        history.admitted,
        history.effects,
        history.acts,
        history.revocations,
        history.undisturbed,
        history.faults,
        failed.len()
    );
    assert!(failed.is_empty(), "seeds {failed:?}");
}

/// A check that nothing can fail proves nothing.
#[test]
fn every_lie_is_noticed() {
    const MOST: u64 = 3_000;
    let mut believed = Vec::new();
    for lie in Lie::ALL {
        let noticed = (0..MOST)
            .find_map(|seed| Some((seed, run(seed, Some(lie)).history.violations.into_iter().next()?)));
        match noticed {
            Some((seed, violation)) => println!("{lie:?}: noticed by seed {seed}: {violation}"),
            None => believed.push(lie),
        }
    }
    assert!(believed.is_empty(), "{believed:?} went through {MOST} seeds");
}

#[test]
fn a_seed_has_one_history() {
    for seed in 0..10 {
        let [first, second] = [run(seed, None), run(seed, None)].map(|past| past.history);
        assert!(first.requests > 0);
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}
