//! The protocol holds in every scope, and each mutant of it is found.

use std::io::Write;

use rescind_model::{Grain, Mutant, SHORT, Scope, check, find, find_in};

/// Past the harness, which keeps what passing tests print: the counts are part of the proof.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("a terminal or a file");
}

#[test]
fn the_protocol_holds_in_every_scope() {
    let mut failed = Vec::new();
    let mut counts = Vec::new();
    for scope in SHORT {
        let verdict = check(*scope, 2);
        say(&verdict.to_string());
        counts.push(format!("{:>9} {}", verdict.states, scope.name));
        if !verdict.holds() {
            failed.push(verdict.to_string());
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    insta::assert_snapshot!("states", counts.join("\n"));
}

#[test]
fn every_mutant_is_found() {
    let finds: Vec<String> = Mutant::ALL
        .into_iter()
        .map(|mutant| {
            let find = find(mutant).unwrap_or_else(|| panic!("not found: {mutant}"));
            say(&find.to_string());
            format!("{find}\n{}", find.trace())
        })
        .collect();
    insta::assert_snapshot!("mutants", finds.join("\n"));
}

/// What justifies the coarser scopes: what a finer grain finds, a coarser one finds too, and so does a waiter that sees
/// everything at once. Only mutants that do the steps of a renewal in another order need these steps apart.
#[test]
fn coarser_scopes_hide_nothing() {
    let apart = [
        Mutant::ReadWithRenewal,
        Mutant::ReadBeforeRenewal,
        Mutant::AcknowledgedBeforeApplied,
        Mutant::TermFromAnswer,
    ];
    // What the waiter saw long ago is what they are about.
    let memory = [Mutant::RenewalNotDurable, Mutant::NumbersUsedAgain];
    for mutant in Mutant::ALL {
        for grain in [Grain::Fine, Grain::Middle, Grain::Coarse] {
            for is_watchful in [false, true] {
                let is_blind = apart.contains(&mutant) && grain != Grain::Fine
                    || memory.contains(&mutant) && is_watchful;
                let scope = Scope {
                    grain,
                    is_watchful,
                    ..mutant.scope()
                };
                let is_found = find_in(scope, mutant).is_some();
                assert!(is_found || is_blind, "{mutant} in {scope:?}");
            }
        }
    }
}
