//! Answers and endings that nothing in the run explains.

use super::{Broken, Violation};
use crate::histories::{History, Outcome, Reply};

/// Nodes that died by themselves, logs that tell what they must not, and statuses that should not be.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let deaths = history.deaths.iter();
    let mut violations: Vec<_> = deaths
        .map(|death| Violation::of_node(Broken::Unexplained, death.clone()))
        .collect();
    violations.extend(check_founding(history));
    let tales = history.tales.iter();
    violations.extend(tales.map(|tale| Violation::of_node(Broken::Told, tale.clone())));
    for used in &history.uses {
        if let Reply::Odd(status) = used.reply {
            let why = format!("nothing explains {status}");
            violations.push(Violation::of_use(Broken::Unexplained, used, &why));
        }
    }
    for act in &history.acts {
        // 404 is judged with losses, 401 and 403 with the token that asked.
        if let Outcome::Rejected(status) = act.outcome
            && !matches!(status, 401 | 403 | 404)
        {
            let why = format!("nothing explains {status}");
            violations.push(Violation::of_act(Broken::Unexplained, act, &why));
        }
    }
    violations
}

/// However many nodes began at once, one of them made the one account that there is.
fn check_founding(history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    let unexplained = |what| Violation::of_node(Broken::Unexplained, what);
    if history.founders.len() != 1 {
        let what = format!("nodes {:?} made the installation, and not one", history.founders);
        violations.push(unexplained(what));
    }
    for sighting in &history.sightings {
        if !sighting.accounts.iter().eq([&history.account]) {
            let (node, seen) = (sighting.node, &sighting.accounts);
            let what = format!(
                "node {node} shows the accounts {seen:?}, and not only {}",
                history.account
            );
            violations.push(unexplained(what));
        }
    }
    violations
}
