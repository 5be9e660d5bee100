//! What happens to a person happens to its sessions (G1, G4), is kept (G5) and told (G6).

use super::{Broken, Violation};
use crate::histories::{
    Act, Change, FoundUser, History, Outcome, PersonAct, PersonNumber, Rights, Sighting, Treatment,
};

/// What happened to people, as acts on each of their sessions.
pub(super) fn upon_sessions(history: &History) -> Vec<Act> {
    let mut acts = Vec::new();
    for (number, token) in history.tokens.iter().enumerate() {
        let made = history
            .acts
            .iter()
            .find(|act| act.token == number && matches!(act.change, Change::Create(_)));
        if let (Some(person), Some(made)) = (token.owner, made) {
            let treatments = history.treatments.iter().filter(|act| act.person == person);
            acts.extend(treatments.filter_map(|treatment| upon(treatment, made)));
        }
    }
    acts
}

/// What a treatment is to the session that `made` began.
fn upon(treatment: &PersonAct, made: &Act) -> Option<Act> {
    let change = treatment.treatment.upon_sessions()?;
    let is_certain = treatment.outcome.is_done();
    if is_certain && treatment.ended < made.began {
        return None;
    }
    let outcome = match is_certain && made.ended >= treatment.began {
        true => Outcome::Uncertain("the session began meanwhile".to_owned()),
        false => treatment.outcome.clone(),
    };
    Some(Act {
        token: made.token,
        node: treatment.node,
        change,
        began: treatment.began,
        ended: treatment.ended,
        outcome,
    })
}

/// What nodes say of people at the end that cannot be, and events that are missing or invented.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, person) in history.people.iter().enumerate() {
        let acts = acts_on(history, number);
        violations.extend(acts.iter().filter_map(|act| check_outcome(act, &acts)));
        for sighting in &history.sightings {
            let found = sighting.users.get(&person.id);
            violations.extend(check_presence(&person.id, &acts, found, sighting));
            if let Some(found) = found {
                violations.extend(check_state(&acts, found, sighting));
                violations.extend(check_role(&acts, found, sighting));
            }
            violations.extend(check_events(&person.id, &acts, sighting));
        }
    }
    violations
}

/// Nobody is refused what an administrator, or whoever knows the password, may do; unless the person is gone.
fn check_outcome(act: &PersonAct, acts: &[&PersonAct]) -> Option<Violation> {
    let Outcome::Rejected(status) = act.outcome else {
        return None;
    };
    let is_deletion = |other: &&PersonAct| {
        other.treatment == Treatment::Delete && other.outcome.may_be_done() && other.began < act.ended
    };
    let is_explained = status == 404 && acts.iter().any(is_deletion);
    let why = format!("nothing explains {status}");
    (!is_explained).then(|| Violation::of_treatment(Broken::Unexplained, act, &why))
}

fn acts_on(history: &History, person: PersonNumber) -> Vec<&PersonAct> {
    let mut acts: Vec<_> = history.treatments.iter().collect();
    acts.retain(|act| act.person == person);
    acts.sort_by_key(|act| act.ended);
    acts
}

fn check_presence(
    id: &str,
    acts: &[&PersonAct],
    found: Option<&FoundUser>,
    sighting: &Sighting,
) -> Option<Violation> {
    let mut deletions = acts.iter().filter(|act| act.treatment == Treatment::Delete);
    let node = sighting.node;
    match found {
        Some(_) => deletions.find(|act| act.outcome.is_done()).map(|done| {
            let why = format!("at the end node {node} shows user {id}");
            Violation::of_treatment(Broken::Kept, done, &why)
        }),
        None if deletions.any(|act| act.outcome.may_be_done()) => None,
        None => {
            let what = format!("at the end node {node} does not show user {id}, whom nobody deleted");
            Some(Violation::of_node(Broken::Kept, what))
        }
    }
}

fn check_state(acts: &[&PersonAct], found: &FoundUser, sighting: &Sighting) -> Option<Violation> {
    let state = |act: &PersonAct| match act.treatment {
        Treatment::Disable => Some(false),
        Treatment::Enable => Some(true),
        Treatment::Become(_) | Treatment::Delete | Treatment::Password => None,
    };
    let (last, expected) = last(acts, state)?;
    let what = || {
        format!(
            "at the end node {} says enabled: {}",
            sighting.node, found.enabled
        )
    };
    (found.enabled != expected).then(|| Violation::of_treatment(Broken::Kept, last, &what()))
}

fn check_role(acts: &[&PersonAct], found: &FoundUser, sighting: &Sighting) -> Option<Violation> {
    let role = |act: &PersonAct| match act.treatment {
        Treatment::Become(rights) => Some(rights),
        _ => None,
    };
    let (last, expected): (_, Rights) = last(acts, role)?;
    let what = || {
        format!(
            "at the end node {} shows a role of {}",
            sighting.node, found.rights
        )
    };
    (found.rights != expected).then(|| Violation::of_treatment(Broken::Kept, last, &what()))
}

/// What the last of these acts set, where it is known which that was.
fn last<'a, T>(acts: &[&'a PersonAct], sets: impl Fn(&PersonAct) -> Option<T>) -> Option<(&'a PersonAct, T)> {
    let last = acts
        .iter()
        .rfind(|act| act.outcome.is_done() && sets(act).is_some())?;
    let is_open = |act: &&PersonAct| {
        sets(act).is_some()
            && act.outcome.may_be_done()
            && !(act.outcome.is_done() && act.ended <= last.ended)
    };
    let value = sets(last)?;
    (!acts.iter().any(is_open)).then_some((*last, value))
}

/// At least one event for each act that was acknowledged and changed something, and none that nobody asked for.
fn check_events(id: &str, acts: &[&PersonAct], sighting: &Sighting) -> Vec<Violation> {
    let mut violations = Vec::new();
    for event in [
        "user.disable",
        "user.enable",
        "user.update",
        "user.delete",
        "user.password",
    ] {
        let of = acts.iter().filter(|act| act.treatment.event() == event);
        let possible = of.clone().filter(|act| act.outcome.may_be_done()).count();
        let done = changes(acts, event);
        let key = (id.to_owned(), event.to_owned());
        let found = sighting.events.get(&key).copied().unwrap_or(0);
        if found < done || found > possible {
            let what = format!(
                "at the end node {} tells of {found} times {event} of user {id}; {done} were acknowledged, {possible} begun",
                sighting.node
            );
            violations.push(Violation::of_node(Broken::Told, what));
        }
    }
    violations
}

/// How many acknowledged acts of this name cannot have found what they wanted: whoever is disabled is not disabled again.
fn changes(acts: &[&PersonAct], event: &str) -> usize {
    let mut enabled = true;
    let mut count = 0;
    for act in acts.iter().filter(|act| act.outcome.is_done()) {
        let changes = match act.treatment {
            Treatment::Disable => std::mem::replace(&mut enabled, false),
            Treatment::Enable => !std::mem::replace(&mut enabled, true),
            Treatment::Become(_) | Treatment::Delete | Treatment::Password => true,
        };
        count += usize::from(changes && act.treatment.event() == event);
    }
    count
}
