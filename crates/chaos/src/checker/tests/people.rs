//! What happens to people, in histories made by hand.

use super::*;
use crate::histories::{FoundUser, Person, PersonAct, Treatment};

const SESSION: TokenNumber = 0;
const LATER: TokenNumber = 1;

/// One person with a session that began between 10 and 20, and another that began between 50 and 55; what happens to the
/// person, and how the sessions are used from 60 to 70.
fn history(treatments: &[(Treatment, u64, u64, Outcome)], uses: &[(TokenNumber, Right, Reply)]) -> History {
    let session = || Token {
        kind: Kind::Session,
        id: None,
        owner: Some(0),
    };
    let mut history = History {
        nodes: 2,
        founders: vec![0],
        tokens: vec![session(), session()],
        people: vec![Person { id: "p".to_owned() }],
        disturbances: vec![fault(Disturbed::Catalog, 0, 100)],
        acts: vec![
            act(Change::Create(Rights::ADMIN), 10, 20, DONE),
            Act {
                token: LATER,
                ..act(Change::Create(Rights::ADMIN), 50, 55, DONE)
            },
        ],
        ..History::default()
    };
    for (treatment, began, ended, outcome) in treatments {
        history.treatments.push(PersonAct {
            person: 0,
            node: 0,
            treatment: *treatment,
            began: Moment(*began),
            ended: Moment(*ended),
            outcome: outcome.clone(),
        });
    }
    for (token, right, reply) in uses {
        history.uses.push(Use {
            token: *token,
            node: 1,
            right: *right,
            began: Moment(60),
            sent: Moment(60),
            ended: Moment(70),
            reply: *reply,
            point: None,
        });
    }
    history
}

/// What is broken when this happens to the person and both sessions are used to administer.
fn when_used(
    treatments: &[(Treatment, u64, u64, Outcome)],
    first: Reply,
    later: Reply,
) -> (Vec<Broken>, Vec<Broken>) {
    let of = |token, reply| broken(&history(treatments, &[(token, Right::Manage, reply)]));
    (of(SESSION, first), of(LATER, later))
}

#[test]
fn sessions_of_whoever_was_shut_out_are_admitted() {
    let (admitted, refused) = (Reply::Admitted, Reply::Refused(401));
    for treatment in [Treatment::Disable, Treatment::Delete, Treatment::Password] {
        let shut_out = |outcome| [(treatment, 30, 40, outcome)];
        // A session that began afterwards is another matter.
        let (first, later) = when_used(&shut_out(DONE), admitted, admitted);
        assert_eq!((first, later), (vec![Broken::Refused], vec![]), "{treatment:?}");
        let (first, later) = when_used(&shut_out(DONE), refused, refused);
        assert_eq!((first, later), (vec![], vec![Broken::Active]), "{treatment:?}");
        for outcome in [INCOMPLETE, uncertain()] {
            let (first, _) = when_used(&shut_out(outcome.clone()), admitted, admitted);
            assert_eq!(first, []);
            let (first, _) = when_used(&shut_out(outcome), refused, admitted);
            assert_eq!(first, []);
        }
        // What nobody knows of may have come about later, and ended what began meanwhile.
        assert_eq!(when_used(&shut_out(uncertain()), refused, refused).1, []);
    }
    assert_eq!(when_used(&[], refused, refused).0, [Broken::Active]);
}

#[test]
fn whoever_began_a_session_meanwhile_may_have_it_or_not() {
    for reply in [Reply::Admitted, Reply::Refused(401)] {
        let meanwhile = [(Treatment::Disable, 52, 58, DONE)];
        let (first, later) = when_used(&meanwhile, Reply::Refused(401), reply);
        assert_eq!((first, later), (vec![], vec![]));
    }
}

#[test]
fn a_role_that_was_taken_away_is_acted_by() {
    let demoted = [(Treatment::Become(Rights::AUDITOR), 30, 40, DONE)];
    assert_eq!(
        when_used(&demoted, Reply::Admitted, Reply::Admitted),
        (vec![Broken::Refused], vec![])
    );
    assert_eq!(
        when_used(&demoted, Reply::Refused(403), Reply::Refused(403)),
        (vec![], vec![Broken::Active])
    );
    // What an auditor may do as well goes on.
    let visit = |reply| broken(&history(&demoted, &[(SESSION, Right::Visit, reply)]));
    assert_eq!(visit(Reply::Admitted), []);
    assert_eq!(visit(Reply::Refused(401)), [Broken::Active]);
}

#[test]
fn a_wrong_clock_lets_sessions_expire_but_revives_none() {
    let mut history = history(
        &[(Treatment::Disable, 30, 40, DONE)],
        &[
            (SESSION, Right::Manage, Reply::Admitted),
            (LATER, Right::Manage, Reply::Refused(401)),
        ],
    );
    assert_eq!(broken(&history), [Broken::Refused, Broken::Active]);
    history.is_time_wrong = true;
    assert_eq!(broken(&history), [Broken::Refused]);
}

/// What is broken when this happens to the person, and node 1 says this in the end.
fn seen(
    treatments: &[(Treatment, u64, u64, Outcome)],
    found: Option<FoundUser>,
    events: &[(&str, usize)],
) -> Vec<Broken> {
    let mut history = history(treatments, &[]);
    history.sightings = vec![Sighting {
        node: 1,
        users: found.map(|found| ("p".to_owned(), found)).into_iter().collect(),
        accounts: [String::new()].into(),
        events: events
            .iter()
            .map(|(event, count)| (("p".to_owned(), (*event).to_owned()), *count))
            .collect(),
        ..Sighting::default()
    }];
    broken(&history)
}

const fn found(enabled: bool, rights: Rights) -> Option<FoundUser> {
    Some(FoundUser { enabled, rights })
}

const ENABLED: Option<FoundUser> = found(true, Rights::ADMIN);
const DISABLED: (&str, usize) = ("user.disable", 1);

#[test]
fn what_was_done_to_a_person_is_lost() {
    let disabled = [(Treatment::Disable, 30, 40, DONE)];
    assert_eq!(seen(&disabled, found(false, Rights::ADMIN), &[DISABLED]), []);
    assert_eq!(seen(&disabled, ENABLED, &[DISABLED]), [Broken::Kept]);
    let maybe = [(Treatment::Disable, 30, 40, uncertain())];
    assert_eq!(seen(&maybe, ENABLED, &[]), []);
    let demoted = [(Treatment::Become(Rights::AUDITOR), 30, 40, DONE)];
    let event = ("user.update", 1);
    assert_eq!(seen(&demoted, found(true, Rights::AUDITOR), &[event]), []);
    assert_eq!(seen(&demoted, ENABLED, &[event]), [Broken::Kept]);
    let deleted = [(Treatment::Delete, 30, 40, DONE)];
    let event = ("user.delete", 1);
    assert_eq!(seen(&deleted, None, &[event]), []);
    assert_eq!(seen(&deleted, ENABLED, &[event]), [Broken::Kept]);
    assert_eq!(seen(&[], None, &[]), [Broken::Kept]);
}

#[test]
fn what_was_done_to_a_person_is_not_told() {
    let twice = [
        (Treatment::Disable, 30, 40, uncertain()),
        (Treatment::Disable, 41, 50, DONE),
    ];
    let disabled = found(false, Rights::ADMIN);
    for (told, expected) in [
        (0, vec![Broken::Told]),
        (1, vec![]),
        (2, vec![]),
        (3, vec![Broken::Told]),
    ] {
        assert_eq!(
            seen(&twice, disabled, &[("user.disable", told)]),
            expected,
            "{told}"
        );
    }
    // Whoever is enabled in between can be disabled again.
    let again = [
        (Treatment::Disable, 30, 32, DONE),
        (Treatment::Enable, 33, 34, DONE),
        (Treatment::Enable, 35, 36, DONE),
        (Treatment::Disable, 37, 38, DONE),
    ];
    let events = |disabled| [("user.disable", disabled), ("user.enable", 1)];
    assert_eq!(seen(&again, disabled, &events(2)), []);
    assert_eq!(seen(&again, disabled, &events(1)), [Broken::Told]);
}

#[test]
fn nobody_is_refused_what_an_administrator_may_do() {
    let refused = |status| (Treatment::Disable, 41, 50, Outcome::Rejected(status));
    assert_eq!(broken(&history(&[refused(409)], &[])), [Broken::Unexplained]);
    assert_eq!(broken(&history(&[refused(404)], &[])), [Broken::Unexplained]);
    let deleted = (Treatment::Delete, 30, 40, uncertain());
    assert_eq!(broken(&history(&[deleted, refused(404)], &[])), []);
}
