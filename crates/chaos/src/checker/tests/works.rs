//! Answers under way, lapsed nodes, many tokens at once and first starts, in histories made by hand.

use super::*;
use crate::histories::{Finish, Lapse, Stream};

/// A token that is revoked from 30 to 40, and an answer of which so much had come at these moments.
fn streamed(outcome: Outcome, marks: &[(u64, u64)], finish: Finish) -> Vec<Broken> {
    let mut history = history(&[(Change::Revoke, 30, 40, outcome)], &[]);
    history.streams = vec![Stream {
        token: TOKEN,
        node: 1,
        began: Moment(25),
        marks: marks
            .iter()
            .map(|(moment, bytes)| (Moment(*moment), *bytes))
            .collect(),
        finish,
    }];
    broken(&history)
}

#[test]
fn an_answer_goes_on_after_the_revocation() {
    let far = 40 + IN_FLIGHT;
    for (last, expected) in [(far, vec![]), (far + 1, vec![Broken::Cut])] {
        let marks = [(26, 10), (40, 40), (41, 41), (90, last)];
        assert_eq!(streamed(DONE, &marks, Finish::BrokenOff), expected, "{last}");
        // Who is not certain is not believed.
        for outcome in [INCOMPLETE, uncertain()] {
            assert_eq!(streamed(outcome, &marks, Finish::Left), []);
        }
    }
    // However much came before.
    assert_eq!(streamed(DONE, &[(26, 10), (39, far + 1)], Finish::BrokenOff), []);
    // All of it came afterwards.
    assert_eq!(
        streamed(DONE, &[(41, IN_FLIGHT + 1)], Finish::BrokenOff),
        [Broken::Cut]
    );
}

#[test]
fn the_part_looks_like_the_whole() {
    assert_eq!(streamed(DONE, &[(26, 10)], Finish::Whole), [Broken::Cut]);
}

#[test]
fn many_tokens_are_revoked_by_a_repetition_that_finds_nothing_left_to_do() {
    let evicted = |outcome: Outcome| {
        let mut history = history(&[], &[]);
        history.tokens = vec![history.tokens[0].clone(); 3];
        history.acts.clear();
        for token in 0..3 {
            let of = |change, began, ended, outcome| Act {
                token,
                ..act(change, began, ended, outcome)
            };
            history.acts.push(of(Change::Create(BOTH), 10, 20, DONE));
            history.acts.push(of(Change::Revoke, 30, 31, Outcome::Abandoned));
            history.acts.push(of(Change::Revoke, 32, 50, outcome.clone()));
            history.uses.push(Use {
                token,
                node: 1,
                right: Right::Write,
                began: Moment(60),
                sent: Moment(60),
                ended: Moment(70),
                reply: Reply::Admitted,
                point: None,
            });
        }
        broken(&history)
    };
    assert_eq!(evicted(DONE), [Broken::Refused; 3]);
    assert_eq!(evicted(uncertain()), []);
}

/// Node 1 is cut off from a second until ten seconds after the beginning; a receipt calls it lapsed; it admits.
fn lapsed(receipt: (u64, u64), used: (u64, u64), reply: Reply) -> Vec<Broken> {
    let second = |seconds: u64| Moment(seconds * 1_000_000);
    let mut history = history(&[], &[(Right::Write, 0, 0, reply)]);
    (history.uses[0].began, history.uses[0].sent) = (second(used.0), second(used.0));
    history.uses[0].ended = second(used.1);
    history.disturbances = vec![Disturbance {
        cut_off_until: Some(second(10)),
        ..fault(Disturbed::Node(1), 1_000_000, 11_000_000)
    }];
    history.lapses = vec![Lapse {
        began: second(receipt.0),
        ended: second(receipt.1),
        nodes: vec![1],
    }];
    broken(&history)
}

#[test]
fn a_lapsed_node_admits_while_it_cannot_have_joined() {
    assert_eq!(lapsed((3, 5), (6, 7), Reply::Admitted), [Broken::Closed]);
    assert_eq!(lapsed((3, 5), (6, 7), Reply::Unavailable), []);
    // Before the receipt came; when it may have joined again; and before it was certainly cut off.
    assert_eq!(lapsed((3, 5), (5, 7), Reply::Admitted), []);
    assert_eq!(lapsed((3, 5), (6, 10), Reply::Admitted), []);
    assert_eq!(lapsed((2, 5), (6, 7), Reply::Admitted), []);
}

#[test]
fn two_nodes_make_the_installation_or_one_shows_another_account() {
    let mut history = history(&[], &[]);
    for founders in [vec![], vec![0, 2]] {
        history.founders = founders;
        assert_eq!(broken(&history), [Broken::Unexplained]);
    }
    history.founders = vec![2];
    history.account = "one".to_owned();
    let shown = |accounts: &[&str]| Sighting {
        accounts: accounts.iter().map(|id| (*id).to_owned()).collect(),
        ..Sighting::default()
    };
    history.acts.clear();
    for (accounts, expected) in [
        (&["one"][..], vec![]),
        (&["one", "other"], vec![Broken::Unexplained]),
        (&["other"], vec![Broken::Unexplained]),
    ] {
        history.sightings = vec![shown(accounts)];
        assert_eq!(broken(&history), expected, "{accounts:?}");
    }
}
