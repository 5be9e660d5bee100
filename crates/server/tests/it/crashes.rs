//! `kill -9` at random moments, while tokens are made and revoked and points written: nothing acknowledged is missing
//! afterwards, nothing revoked works, and the audit chain holds (promises G1, G4, G5).

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rescind_testkit::{SeededRng, Signal, TestServer};

use crate::house::{Token, make_database, make_token, read_token, rescind, seed, try_make_token};

const CYCLES: u64 = 25;
const WRITERS: u64 = 2;

/// What the server acknowledged, in all its lives.
#[derive(Default)]
struct Acknowledged {
    /// Made, and never asked to be revoked.
    active: Mutex<Vec<Token>>,
    /// Revoked, and told so.
    revoked: Mutex<Vec<Token>>,
    /// The numbers of the points that were written.
    points: Mutex<BTreeSet<u64>>,
    next_point: AtomicU64,
}

#[test]
fn nothing_acknowledged_is_missing_after_a_crash() {
    let seed = seed();
    println!("seed {seed}: RESCIND_TEST_SEED={seed} repeats the delays");
    let rng = SeededRng::new(seed);
    let mut server = TestServer::start();
    make_database(&server);
    let writer = make_token(&server, "Writer");
    let known = Acknowledged::default();
    for cycle in 0..CYCLES {
        let delay = Duration::from_millis(20 + rng.below(280));
        live_and_die(&mut server, &writer, &known, delay);
        server.restart();
        println!(
            "cycle {cycle}: killed after {delay:?}; so far {} active tokens, {} revoked, {} points",
            count(&known.active),
            count(&known.revoked),
            known.points.lock().expect("no panic").len(),
        );
        assert_all_is_there(&server, &writer, &known);
    }
    let (active, revoked) = (count(&known.active), count(&known.revoked));
    let points = known.points.lock().expect("no panic").len();
    // A test in which nothing happened would prove nothing.
    assert!(
        active > 0 && revoked > 0 && points > 0,
        "{active} tokens, {revoked} revoked, {points} points"
    );
    let secrets: Vec<String> = [&known.active, &known.revoked]
        .iter()
        .flat_map(|tokens| {
            tokens
                .lock()
                .expect("no panic")
                .iter()
                .map(|token| token.secret.clone())
                .collect::<Vec<_>>()
        })
        .collect();
    let leaks = server.leaks(&secrets);
    assert!(leaks.is_empty(), "{leaks:#?}");
    server.stop();
}

fn count(tokens: &Mutex<Vec<Token>>) -> usize {
    tokens.lock().expect("no panic").len()
}

/// Works on all fronts until the server dies in the middle of it.
fn live_and_die(server: &mut TestServer, writer: &Token, known: &Acknowledged, delay: Duration) {
    let is_dead = AtomicBool::new(false);
    let until_it_dies = |work: &dyn Fn() -> Option<()>| {
        while !is_dead.load(Ordering::SeqCst) {
            if work().is_none() {
                break;
            }
        }
    };
    let living: &TestServer = server;
    thread::scope(|scope| {
        scope.spawn(|| until_it_dies(&|| make(living, known)));
        scope.spawn(|| until_it_dies(&|| revoke(living, known)));
        for _ in 0..WRITERS {
            scope.spawn(|| until_it_dies(&|| write(living, writer, known)));
        }
        thread::sleep(delay);
        living.signal(Signal::KILL);
        is_dead.store(true, Ordering::SeqCst);
    });
    server.kill();
}

fn make(server: &TestServer, known: &Acknowledged) -> Option<()> {
    let reply = try_make_token(server, "Made before a crash")?;
    assert_eq!(reply.status, 200, "{reply}");
    known.active.lock().expect("no panic").push(read_token(&reply));
    Some(())
}

/// Takes the oldest token that works. Unless an answer comes, nobody knows whether it still does: it is forgotten.
fn revoke(server: &TestServer, known: &Acknowledged) -> Option<()> {
    let token = {
        let mut active = known.active.lock().expect("no panic");
        // Some stay, to be found working later.
        match active.len() {
            0..5 => None,
            length => Some(active.swap_remove(length / 2)),
        }
    };
    let Some(token) = token else {
        thread::yield_now();
        return Some(());
    };
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    let reply = server.management().try_send("DELETE", &path, &[], "").ok()?;
    assert_eq!(reply.status, 204, "{reply}");
    known.revoked.lock().expect("no panic").push(token);
    Some(())
}

fn write(server: &TestServer, writer: &Token, known: &Acknowledged) -> Option<()> {
    let number = known.next_point.fetch_add(1, Ordering::SeqCst);
    let line = format!("points n={number}i {}", number + 1);
    let client = writer.client(server);
    let reply = client
        .try_send(
            "POST",
            "/api/v3/write_lp?db=weather&precision=nanosecond",
            &[],
            line,
        )
        .ok()?;
    assert_eq!(reply.status, 204, "{reply}");
    known.points.lock().expect("no panic").insert(number);
    Some(())
}

fn assert_all_is_there(server: &TestServer, writer: &Token, known: &Acknowledged) {
    for token in known.active.lock().expect("no panic").iter() {
        let reply = token
            .client(server)
            .get("/api/v3/query_sql?db=weather&q=SELECT%201");
        assert_eq!(reply.status, 200, "an acknowledged token does not work: {reply}");
    }
    for token in known.revoked.lock().expect("no panic").iter() {
        let reply = token
            .client(server)
            .get("/api/v3/query_sql?db=weather&q=SELECT%201");
        assert_eq!(reply.status, 401, "a revoked token works: {reply}");
    }
    let points = known.points.lock().expect("no panic");
    if !points.is_empty() {
        let reply = writer
            .client(server)
            .get("/api/v3/query_sql?db=weather&format=csv&q=SELECT%20n%20FROM%20points");
        assert_eq!(reply.status, 200, "{reply}");
        let answer = reply.text();
        let found: BTreeSet<u64> = answer
            .lines()
            .skip(1)
            .map(|line| line.trim().parse().expect("a number"))
            .collect();
        let missing: Vec<_> = points.difference(&found).collect();
        assert!(missing.is_empty(), "acknowledged points are missing: {missing:?}");
    }
    let directory = server.data_dir().to_str().expect("UTF-8");
    let verified = rescind(&["audit", "verify", "--data-dir", directory]);
    assert_eq!(verified.code, 0, "{verified}");
    assert!(verified.stdout.starts_with("audit log intact: "), "{verified}");
}
