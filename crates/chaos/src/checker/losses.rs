//! G5 and G6: what was acknowledged is there at the end, through every node, and the audit log tells of it.

use std::collections::BTreeMap;

use super::{Acts, Broken, Violation};
use crate::histories::{Act, Change, Found, History, Reply, Sighting, Token};

/// Everything that one node does not show, or shows though it cannot be.
pub(super) fn check(history: &History, acts: &Acts<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for sighting in &history.sightings {
        for (token, acts) in history.tokens.iter().zip(acts) {
            violations.extend(check_token(token, acts, sighting));
            violations.extend(check_events(token, acts, sighting));
        }
        violations.extend(check_points(history, sighting));
    }
    violations.extend(vanished(history, acts));
    violations
}

fn check_token(token: &Token, acts: &[&Act], sighting: &Sighting) -> Option<Violation> {
    // A session is no token of any list: that it is refused, or admitted, is seen when it is used.
    let id = token.id.as_ref().filter(|_| !token.kind.expires())?;
    let creation = acts
        .iter()
        .find(|act| matches!(act.change, Change::Create(_)) && act.is_done())?;
    let Some(found) = sighting.tokens.get(id) else {
        let why = format!("at the end node {} does not show {id}", sighting.node);
        return Some(Violation::of_act(Broken::Kept, creation, &why));
    };
    let mut revocations = acts.iter().filter(|act| act.change == Change::Revoke);
    if let Some(done) = revocations.clone().find(|act| act.is_done())
        && !found.revoked
    {
        let why = format!("at the end node {} shows {id} as active", sighting.node);
        return Some(Violation::of_act(Broken::Kept, done, &why));
    }
    if found.revoked && !revocations.any(|act| act.may_be_done()) {
        let why = format!(
            "at the end node {} shows {id} as revoked, which nobody asked for",
            sighting.node
        );
        return Some(Violation::of_act(Broken::Kept, creation, &why));
    }
    check_rights(id, acts, found, sighting)
}

/// The rights must be those of the last act, where it is known which that was.
fn check_rights(id: &str, acts: &[&Act], found: &Found, sighting: &Sighting) -> Option<Violation> {
    let last = acts
        .iter()
        .filter(|act| act.is_done())
        .rfind(|act| rights(act).is_some())?;
    let is_open = |act: &&&Act| {
        rights(act).is_some() && act.may_be_done() && !(act.is_done() && act.ended <= last.ended)
    };
    let expected = rights(last)?;
    if found.rights == expected || acts.iter().any(|act| is_open(&act)) {
        return None;
    }
    let why = format!(
        "at the end node {} shows {id} with {}",
        sighting.node, found.rights
    );
    Some(Violation::of_act(Broken::Kept, last, &why))
}

const fn rights(act: &Act) -> Option<crate::histories::Rights> {
    match act.change {
        Change::Create(rights) | Change::Update(rights) => Some(rights),
        Change::Revoke => None,
    }
}

/// At least one event for each act that was acknowledged, and none without an act that may have been done.
fn check_events(token: &Token, acts: &[&Act], sighting: &Sighting) -> Vec<Violation> {
    let Some(id) = &token.id else {
        return Vec::new();
    };
    let mut counts: BTreeMap<&str, (usize, usize, &Act)> = BTreeMap::new();
    for act in acts {
        let Some(event) = token.kind.event(act.change) else {
            continue;
        };
        let (done, possible, _) = counts.entry(event).or_insert((0, 0, act));
        match act.change {
            // Revoking what is revoked is no act: it changes nothing.
            Change::Revoke => *done |= usize::from(act.is_done()),
            _ => *done += usize::from(act.is_done()),
        }
        *possible += usize::from(act.may_be_done());
    }
    let mut violations = Vec::new();
    for (event, (done, possible, act)) in counts {
        let key = (id.clone(), event.to_owned());
        let found = sighting.events.get(&key).copied().unwrap_or(0);
        if found < done || found > possible {
            let why = format!(
                "at the end node {} tells of {found} times {event} of {id}; {done} were acknowledged, {possible} begun",
                sighting.node
            );
            violations.push(Violation::of_act(Broken::Told, act, &why));
        }
    }
    violations
}

/// Points are the node's own: what it acknowledged it must be able to read, and what it refused it must not have.
fn check_points(history: &History, sighting: &Sighting) -> Vec<Violation> {
    let writes = history.uses.iter().filter(|used| used.node == sighting.node);
    let mut violations = Vec::new();
    for used in writes {
        let Some(point) = used.point else { continue };
        let is_there = sighting.points.contains(&point);
        match used.reply {
            Reply::Admitted if !is_there => {
                violations.push(Violation::of_use(Broken::Kept, used, "the point is not there"));
            }
            Reply::Refused(_) if is_there => {
                violations.push(Violation::of_use(Broken::Refused, used, "the point is there"));
            }
            _ => {}
        }
    }
    violations
}

/// Acts that found nothing to act on, though the token had been made.
fn vanished(history: &History, acts: &Acts<'_>) -> Vec<Violation> {
    let is_vanished = |act: &&Act| {
        let is_made = |made: &&Act| {
            matches!(made.change, Change::Create(_)) && made.is_done() && made.ended < act.began
        };
        act.outcome == crate::histories::Outcome::Rejected(404) && acts[act.token].iter().any(is_made)
    };
    let vanished = history.acts.iter().filter(is_vanished);
    vanished
        .map(|act| Violation::of_act(Broken::Kept, act, "the token had been made"))
        .collect()
}
