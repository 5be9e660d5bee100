//! G1 and G4: who was admitted, and who was refused.

use super::{Acts, Broken, Violation};
use crate::histories::{Act, Change, History, Moment, Reply, Use};

/// Every use that was admitted or refused against what must hold.
pub(super) fn check(history: &History, acts: &Acts<'_>) -> Vec<Violation> {
    let judge = |used: &Use| {
        // By which clock a session expires is decided where it is used, and whoever finds it expired ends it for all.
        let may_expire = history.is_time_wrong && history.tokens[used.token].kind.expires();
        let is_excused = may_expire && used.reply == Reply::Refused(401);
        (!is_excused).then(|| judge(used, &acts[used.token]))?
    };
    history.uses.iter().filter_map(judge).collect()
}

fn judge(used: &Use, acts: &[&Act]) -> Option<Violation> {
    match used.reply {
        Reply::Admitted => {
            let reason = must_refuse(used, acts)?;
            Some(Violation::of_use(
                Broken::Refused,
                used,
                &format!("before it was sent: {reason}"),
            ))
        }
        Reply::Refused(401) => {
            let creation = is_alive(used, acts)?;
            let why = format!("the token was created and never revoked: {creation}");
            Some(Violation::of_use(Broken::Active, used, &why))
        }
        Reply::Refused(_) => {
            let grant = must_admit(used, acts)?;
            let why = format!("the token may do that: {grant}");
            Some(Violation::of_use(Broken::Active, used, &why))
        }
        Reply::Unavailable | Reply::Broken | Reply::Odd(_) => None,
    }
}

/// The act because of which the use must not have been admitted.
fn must_refuse<'a>(used: &Use, acts: &[&'a Act]) -> Option<&'a Act> {
    let is_deprived_by = |deprived: &Act| {
        let mut grants = acts.iter().filter(|act| act.change.grants(used.right));
        grants.all(|grant| never_after(grant, deprived, used.ended))
    };
    let is_final = |act: &Act| act.change == Change::Revoke;
    // Work that was begun before is cut (promise G2): what counts is when it was last fed.
    let is_over = |act: &Act| act.is_complete() && act.ended < used.sent;
    let mut over = acts.iter().copied().filter(|act| is_over(act));
    over.find(|act| is_final(act) || (!act.change.grants(used.right) && is_deprived_by(act)))
}

/// Whether `act` had no effect later than `settled` by the moment `end`: for certain.
fn never_after(act: &Act, settled: &Act, end: Moment) -> bool {
    !act.may_be_done() || act.began > end || (act.is_done() && act.ended < settled.began)
}

/// The creation of a token that held while it was used, whatever it was allowed to do.
fn is_alive<'a>(used: &Use, acts: &[&'a Act]) -> Option<&'a Act> {
    let is_revoked = |act: &Act| act.change == Change::Revoke && act.may_be_done() && act.began <= used.ended;
    if acts.iter().any(|act| is_revoked(act)) {
        return None;
    }
    let is_over = |act: &Act| act.is_complete() && act.ended < used.began;
    let mut over = acts.iter().copied().filter(|act| is_over(act));
    over.find(|act| matches!(act.change, Change::Create(_)))
}

/// The act because of which the use must not have been refused.
fn must_admit<'a>(used: &Use, acts: &[&'a Act]) -> Option<&'a Act> {
    is_alive(used, acts)?;
    let is_granted_by = |grant: &Act| {
        let mut deprivations = acts.iter().filter(|act| !act.change.grants(used.right));
        deprivations.all(|deprived| never_after(deprived, grant, used.ended))
    };
    let is_over = |act: &Act| act.is_complete() && act.ended < used.began;
    let mut over = acts.iter().copied().filter(|act| is_over(act));
    over.find(|act| act.change.grants(used.right) && is_granted_by(act))
}
