//! Each kind of violation in a history made by hand, and beside it the history that only looks like one.

mod people;
mod works;

use super::*;
use crate::histories::{
    Act, Change, Found, Kind, Moment, Outcome, Reply, Right, Rights, Sighting, Token, TokenNumber,
};

const DONE: Outcome = Outcome::Done { complete: true };
const INCOMPLETE: Outcome = Outcome::Done { complete: false };
const BOTH: Rights = Rights::of(true, true);
const READ: Rights = Rights::of(true, false);
const TOKEN: TokenNumber = 0;

fn uncertain() -> Outcome {
    Outcome::Uncertain("connection closed".to_owned())
}

fn limits() -> Limits {
    Limits {
        ttl: Duration::from_micros(100),
        slack: Duration::from_micros(100),
        hold: Duration::from_micros(50),
    }
}

/// One token, made between 10 and 20 with both rights, and what happens to it.
fn history(acts: &[(Change, u64, u64, Outcome)], uses: &[(Right, u64, u64, Reply)]) -> History {
    let mut history = History {
        nodes: 2,
        tokens: vec![Token {
            kind: Kind::Database,
            id: Some("t".to_owned()),
            owner: None,
        }],
        founders: vec![0],
        ..History::default()
    };
    // Faults all the while, so that an answer may be missing.
    history.disturbances = vec![fault(Disturbed::Catalog, 0, 100)];
    history.acts.push(act(Change::Create(BOTH), 10, 20, DONE));
    let more = acts
        .iter()
        .map(|(change, began, ended, outcome)| act(*change, *began, *ended, outcome.clone()));
    history.acts.extend(more);
    for (right, began, ended, reply) in uses {
        history.uses.push(Use {
            token: TOKEN,
            node: 1,
            right: *right,
            began: Moment(*began),
            sent: Moment(*began),
            ended: Moment(*ended),
            reply: *reply,
            point: None,
        });
    }
    history
}

fn fault(disturbed: Disturbed, began: u64, ended: u64) -> Disturbance {
    Disturbance {
        what: "a fault".to_owned(),
        disturbed,
        cut_off_until: None,
        began: Moment(began),
        ended: Moment(ended),
    }
}

fn act(change: Change, began: u64, ended: u64, outcome: Outcome) -> Act {
    Act {
        token: TOKEN,
        node: 0,
        change,
        began: Moment(began),
        ended: Moment(ended),
        outcome,
    }
}

fn broken(history: &History) -> Vec<Broken> {
    check(history, &limits())
        .into_iter()
        .map(|violation| violation.broken)
        .collect()
}

/// What is broken when a token with this fate is used to write from 60 to 70, with this answer.
fn when_written(acts: &[(Change, u64, u64, Outcome)], reply: Reply) -> Vec<Broken> {
    broken(&history(acts, &[(Right::Write, 60, 70, reply)]))
}

#[test]
fn admitted_after_a_revocation_returned() {
    let revoked = |began, ended, outcome| [(Change::Revoke, began, ended, outcome)];
    let admitted = |acts: &[_]| when_written(acts, Reply::Admitted);
    assert_eq!(admitted(&revoked(30, 59, DONE)), [Broken::Refused]);
    // Sent before it returned, or it never returned, or it said itself that somebody is awaited.
    assert_eq!(admitted(&revoked(30, 60, DONE)), []);
    assert_eq!(admitted(&revoked(30, 59, uncertain())), []);
    assert_eq!(admitted(&revoked(30, 59, INCOMPLETE)), []);
    assert_eq!(admitted(&revoked(30, 59, Outcome::Rejected(403))), []);
    // Repeated until it is complete, it counts.
    let twice = [
        (Change::Revoke, 30, 40, INCOMPLETE),
        (Change::Revoke, 41, 59, DONE),
    ];
    assert_eq!(admitted(&twice), [Broken::Refused]);
}

#[test]
fn work_that_was_begun_before_is_not_cut() {
    let uploaded = |sent, reply| {
        let revoked = [(Change::Revoke, 30, 40, DONE)];
        let mut history = history(&revoked, &[(Right::Write, 25, 90, reply)]);
        history.uses[0].sent = Moment(sent);
        broken(&history)
    };
    assert_eq!(uploaded(41, Reply::Admitted), [Broken::Refused]);
    assert_eq!(uploaded(40, Reply::Admitted), []);
    for reply in [Reply::Refused(401), Reply::Broken] {
        assert_eq!(uploaded(41, reply), []);
    }
}

#[test]
fn admitted_after_a_right_was_taken_away() {
    let admitted = |acts: &[_]| when_written(acts, Reply::Admitted);
    let taken = (Change::Update(READ), 30, 40, DONE);
    assert_eq!(admitted(std::slice::from_ref(&taken)), [Broken::Refused]);
    // What it may still do it may do.
    let read = [(Right::Read, 60, 70, Reply::Admitted)];
    assert_eq!(broken(&history(std::slice::from_ref(&taken), &read)), []);
    // Given back, perhaps given back, about to be given back.
    for (began, ended, outcome) in [(45, 50, DONE), (45, 50, uncertain()), (65, 90, DONE)] {
        assert_eq!(
            admitted(&[taken.clone(), (Change::Update(BOTH), began, ended, outcome)]),
            []
        );
    }
    // An earlier act whose answer never came may have been done after it was taken.
    assert_eq!(
        admitted(&[(Change::Update(BOTH), 25, 29, uncertain()), taken.clone()]),
        []
    );
    assert_eq!(
        admitted(&[(Change::Update(BOTH), 25, 29, DONE), taken.clone()]),
        [Broken::Refused]
    );
    assert_eq!(
        admitted(&[taken, (Change::Update(BOTH), 71, 80, DONE)]),
        [Broken::Refused]
    );
}

#[test]
fn refused_though_it_holds() {
    for status in [401, 403] {
        assert_eq!(when_written(&[], Reply::Refused(status)), [Broken::Active]);
        for (began, ended, outcome) in [(30, 40, DONE), (30, 40, uncertain()), (65, 90, DONE)] {
            assert_eq!(
                when_written(&[(Change::Revoke, began, ended, outcome)], Reply::Refused(status)),
                []
            );
        }
        let later = [(Change::Revoke, 71, 90, DONE)];
        assert_eq!(when_written(&later, Reply::Refused(status)), [Broken::Active]);
    }
    // G3: not knowing is no mistake.
    for reply in [Reply::Unavailable, Reply::Broken] {
        assert_eq!(when_written(&[], reply), []);
    }
}

#[test]
fn refused_though_it_may_do_that() {
    let refused = |acts: &[_]| when_written(acts, Reply::Refused(403));
    let taken = (Change::Update(READ), 30, 40, DONE);
    assert_eq!(refused(std::slice::from_ref(&taken)), []);
    let given_back = (Change::Update(BOTH), 41, 50, DONE);
    assert_eq!(refused(&[taken.clone(), given_back.clone()]), [Broken::Active]);
    assert_eq!(
        refused(&[(Change::Update(READ), 30, 40, uncertain()), given_back]),
        []
    );
    assert_eq!(
        refused(&[taken.clone(), (Change::Update(BOTH), 41, 50, INCOMPLETE)]),
        []
    );
    // Without the right it is still a token: "unknown" is wrong.
    assert_eq!(when_written(&[taken], Reply::Refused(401)), [Broken::Active]);
}

#[test]
fn refused_before_its_creation_returned_everywhere() {
    let mut history = history(&[], &[(Right::Write, 60, 70, Reply::Refused(401))]);
    for outcome in [INCOMPLETE, uncertain()] {
        history.acts[0].outcome = outcome;
        assert_eq!(broken(&history), []);
    }
}

/// What node 1 says of the token in the end.
fn seen(history: &mut History, found: Option<Found>, events: &[(&str, usize)]) -> Vec<Broken> {
    let id = "t".to_owned();
    history.sightings = vec![Sighting {
        node: 1,
        tokens: found.map(|found| (id.clone(), found)).into_iter().collect(),
        events: events
            .iter()
            .map(|(event, count)| ((id.clone(), (*event).to_owned()), *count))
            .collect(),
        accounts: [String::new()].into(),
        ..Sighting::default()
    }];
    broken(history)
}

const fn found(revoked: bool, rights: Rights) -> Option<Found> {
    Some(Found { revoked, rights })
}

const CREATED: (&str, usize) = ("database_token.create", 1);
const UPDATED: (&str, usize) = ("database_token.update", 1);
const REVOKED: (&str, usize) = ("database_token.revoke", 1);

#[test]
fn an_acknowledged_creation_is_lost() {
    let mut history = history(&[], &[]);
    assert_eq!(seen(&mut history, found(false, BOTH), &[CREATED]), []);
    assert_eq!(seen(&mut history, None, &[CREATED]), [Broken::Kept]);
    assert_eq!(seen(&mut history, found(true, BOTH), &[CREATED]), [Broken::Kept]);
    assert_eq!(seen(&mut history, found(false, READ), &[CREATED]), [Broken::Kept]);
    history.acts[0].outcome = uncertain();
    assert_eq!(seen(&mut history, None, &[]), []);
}

#[test]
fn an_acknowledged_revocation_is_lost() {
    for outcome in [DONE, INCOMPLETE] {
        let mut history = history(&[(Change::Revoke, 30, 40, outcome)], &[]);
        let events = [CREATED, REVOKED];
        assert_eq!(seen(&mut history, found(true, BOTH), &events), []);
        assert_eq!(seen(&mut history, found(false, BOTH), &events), [Broken::Kept]);
    }
    let mut history = history(&[(Change::Revoke, 30, 40, uncertain())], &[]);
    assert_eq!(seen(&mut history, found(false, BOTH), &[CREATED]), []);
}

#[test]
fn an_acknowledged_update_is_lost() {
    let mut history = history(&[(Change::Update(READ), 30, 40, DONE)], &[]);
    let events = [CREATED, UPDATED];
    assert_eq!(seen(&mut history, found(false, READ), &events), []);
    assert_eq!(seen(&mut history, found(false, BOTH), &events), [Broken::Kept]);
    history.acts.push(act(Change::Update(BOTH), 25, 29, uncertain()));
    for rights in [READ, BOTH] {
        assert_eq!(seen(&mut history, found(false, rights), &events), []);
    }
}

#[test]
fn the_audit_log_lacks_an_act_or_invents_one() {
    let mut history = history(&[(Change::Revoke, 30, 40, DONE)], &[]);
    let found = found(true, BOTH);
    assert_eq!(seen(&mut history, found, &[CREATED, REVOKED]), []);
    assert_eq!(seen(&mut history, found, &[REVOKED]), [Broken::Told]);
    assert_eq!(seen(&mut history, found, &[CREATED]), [Broken::Told]);
    let twice = ("database_token.revoke", 2);
    assert_eq!(seen(&mut history, found, &[CREATED, twice]), [Broken::Told]);
    // Repeating a revocation may find nothing left to do.
    history.acts.push(act(Change::Revoke, 41, 50, DONE));
    assert_eq!(seen(&mut history, found, &[CREATED, REVOKED]), []);
}

#[test]
fn a_point_is_lost_or_was_written_by_a_refused_request() {
    let at_the_end = |reply, points: &[u64]| {
        let mut history = history(
            &[(Change::Revoke, 30, 90, DONE)],
            &[(Right::Write, 60, 70, reply)],
        );
        history.uses[0].point = Some(7);
        history.sightings = vec![Sighting {
            node: 1,
            tokens: [(
                "t".to_owned(),
                Found {
                    revoked: true,
                    rights: BOTH,
                },
            )]
            .into(),
            events: [CREATED, REVOKED]
                .map(|(event, count)| (("t".to_owned(), event.to_owned()), count))
                .into(),
            points: points.iter().copied().collect(),
            accounts: [String::new()].into(),
            ..Sighting::default()
        }];
        broken(&history)
    };
    assert_eq!(at_the_end(Reply::Admitted, &[7]), []);
    assert_eq!(at_the_end(Reply::Admitted, &[8]), [Broken::Kept]);
    assert_eq!(at_the_end(Reply::Refused(401), &[8]), []);
    assert_eq!(at_the_end(Reply::Refused(401), &[7]), [Broken::Refused]);
    assert_eq!(at_the_end(Reply::Broken, &[7]), []);
}

#[test]
fn a_token_vanished_under_an_act() {
    let gone = Outcome::Rejected(404);
    let history = history(&[(Change::Update(READ), 30, 40, gone)], &[]);
    assert_eq!(broken(&history), [Broken::Kept]);
}

#[test]
fn an_act_takes_too_long_though_nothing_disturbs_it() {
    let after = |ended, outcome| {
        let mut history = history(&[(Change::Revoke, 1_000, ended, outcome)], &[]);
        history.disturbances.clear();
        let mut found = vec![broken(&history)];
        for (node, began, over) in [(1, 900, 1_100), (0, 1_100, 1_150), (0, 850, 900), (0, 700, 750)] {
            history.disturbances = vec![fault(Disturbed::Node(node), began, over)];
            found.push(broken(&history));
        }
        found
    };
    let (late, none) = (vec![Broken::Live], vec![]);
    // A fault elsewhere may hold it up for a while; one here excuses it; one that is long over does not.
    for (ended, elsewhere) in [(1_202, &none), (1_251, &none), (1_252, &late)] {
        let found = after(ended, DONE);
        assert_eq!(
            found,
            [
                late.clone(),
                elsewhere.clone(),
                none.clone(),
                none.clone(),
                late.clone()
            ],
            "{ended}"
        );
    }
    assert_eq!(after(1_201, DONE), vec![none.clone(); 5]);
    assert_eq!(after(1_100, uncertain())[0], late);
    // Who did not wait cannot complain.
    assert_eq!(after(1_100, Outcome::Abandoned)[0], none);
}

#[test]
fn a_node_or_its_answers_do_not_come_back() {
    let mut history = history(&[], &[(Right::Read, 60, 70, Reply::Unavailable)]);
    history.recovered = vec![Some(Moment(50)), Some(Moment(55))];
    history.settled = Some(Moment(60));
    assert_eq!(broken(&history), []);
    history.settled = Some(Moment(55));
    assert_eq!(broken(&history), [Broken::Live]);
    // A moment later it answered; or only long after.
    for (ended, expected) in [(200, vec![]), (400, vec![Broken::Live])] {
        let mut later = history.uses[0];
        (later.ended, later.reply) = (Moment(ended), Reply::Admitted);
        history.uses.truncate(1);
        history.uses.push(later);
        assert_eq!(broken(&history), expected);
    }
    history.settled = None;
    history.recovered[1] = None;
    assert_eq!(broken(&history), [Broken::Live]);
}

#[test]
fn answers_and_deaths_that_nothing_explains() {
    assert_eq!(when_written(&[], Reply::Odd(500)), [Broken::Unexplained]);
    let failed = (Change::Update(READ), 30, 40, Outcome::Rejected(409));
    assert_eq!(broken(&history(&[failed], &[])), [Broken::Unexplained]);
    let mut history = history(&[], &[]);
    history.deaths = vec!["node 1 ended by itself".to_owned()];
    assert_eq!(broken(&history), [Broken::Unexplained]);
    history.deaths.clear();
    history.tales = vec!["node-1.log holds a secret".to_owned()];
    assert_eq!(broken(&history), [Broken::Told]);
}
