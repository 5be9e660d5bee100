//! The short form: three nodes, a real PostgreSQL, some seconds of faults. And that the checker would have noticed.

#![expect(clippy::print_stdout, reason = "what a run did is told with the test")]

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rescind_chaos::{Broken, Fault, Planned, Report, Setup, Way, run};

/// One run at a time: the machine is small.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn out() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/chaos"))
}

fn setup(seed: u64) -> Setup {
    println!("seed {seed}: RESCIND_TEST_SEED={seed} repeats the faults");
    Setup::new(seed, Duration::from_secs(16), out())
}

fn run_and_print(setup: &Setup) -> Report {
    let _turn = turn();
    let report = run(setup).unwrap_or_else(|problem| panic!("seed {}: {problem}", setup.seed));
    println!("{report}");
    report
}

fn assert_sound(report: &Report) {
    assert!(
        report.violations.is_empty(),
        "{report}\ntheir histories and logs are in target/chaos, by seed"
    );
    // A run in which nothing happened would prove nothing.
    let count = |what: &str| report.uses.get(what).copied().unwrap_or(0);
    let complete = |what| report.acts.get(&(what, "complete")).copied().unwrap_or(0);
    assert!(!report.faults.is_empty(), "{report}");
    assert!(count("admitted") > 1_000 && count("refused") > 100, "{report}");
    assert!(complete("created") > 1_000, "{report}");
    assert!(complete("revoked") > 20 && complete("updated") > 20, "{report}");
    let on_people: usize = report.treatments.values().sum();
    let streams: usize = report.streams.values().sum();
    assert!(on_people > 0 && streams > 0, "{report}");
    assert!(report.bulks.0.contains_key("complete"), "{report}");
}

#[test]
fn faults_of_a_known_seed_break_no_promise() {
    assert_sound(&run_and_print(&setup(4)));
}

#[test]
fn faults_of_a_new_seed_break_no_promise() {
    let given = std::env::var("RESCIND_TEST_SEED").ok();
    let given = given.map(|text| text.parse().expect("RESCIND_TEST_SEED is a number"));
    let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish() % 1_000_000);
    assert_sound(&run_and_print(&setup(seed)));
}

/// A run of sound nodes but for the last, with few tokens and these faults.
fn run_with_a_bad_node(arguments: &[&str], plan: Vec<Planned>) -> Report {
    let mut setup = setup(0);
    setup.storm = Duration::from_secs(6);
    setup.ttl = Duration::from_secs(2);
    setup.tokens = 60;
    setup.crowds = vec![40];
    (setup.at_once, setup.wrong_time, setup.lingering) = (false, None, None);
    setup.plan = Some(plan);
    // One that is cut off in the middle of an act would hold up all others.
    setup.asked = Setup::NODES - 1;
    let bad = setup.nodes.last_mut().expect("there are nodes");
    *bad = arguments.iter().map(|word| (*word).to_owned()).collect();
    let place = tempfile::tempdir().expect("a directory");
    setup.out = place.path().to_owned();
    run_and_print(&setup)
}

fn count(report: &Report, broken: Broken) -> usize {
    let found = report
        .violations
        .iter()
        .filter(|violation| violation.broken == broken);
    found.count()
}

#[test]
fn a_node_that_ignores_revocations_is_caught() {
    let report = run_with_a_bad_node(&["--sabotage", "ignore-revocations"], Vec::new());
    assert!(count(&report, Broken::Refused) > 0, "{report}");
    assert!(count(&report, Broken::Cut) > 0, "{report}");
    let sessions = report
        .violations
        .iter()
        .filter(|violation| violation.what.contains("Visit"));
    assert!(sessions.count() > 0, "people who were shut out: {report}");
    let elsewhere = |text: &str| text.contains("node 0") || text.contains("node 1");
    let wrong: Vec<_> = report
        .violations
        .iter()
        .filter(|violation| elsewhere(&violation.what) && !violation.what.contains("node 2"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the drift bound is for: a node that takes its term for twice as long admits what was revoked while it was cut off.
#[test]
fn a_clock_at_half_the_rate_is_caught() {
    let cut = |at| Planned {
        at: Duration::from_millis(at),
        lasts: Duration::from_millis(5_000),
        fault: Fault::Cut {
            node: 2,
            way: Way::Hole,
            severed: true,
        },
    };
    let report = run_with_a_bad_node(&["--clock-rate", "0.5"], vec![cut(500)]);
    assert!(count(&report, Broken::Refused) > 0, "{report}");
    assert!(
        count(&report, Broken::Closed) > 0,
        "receipts called it lapsed: {report}"
    );
}
