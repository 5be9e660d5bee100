//! The protocol holds in every scope, and each mutant of it is found.

use std::io::Write;

use rescind_model::{Mutant, SHORT, check, find};

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
