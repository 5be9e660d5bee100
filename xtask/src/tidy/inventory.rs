//! `docs/INVENTORY.md` and `docs/SECURITY.md`: every feature and every requirement once, with its state, and every test
//! that they name exists.

use std::collections::BTreeMap;

use super::Finding;
use super::sources::Source;

/// A document whose table claims something line by line, with a state and the tests that show it.
struct Ledger {
    path: &'static str,
    /// What is numbered, and how many of it there are, from 1.
    groups: &'static [(&'static str, usize)],
    /// A line's id, which stands in its first cell.
    id: fn(&str, usize) -> String,
    /// Whether a first cell is such an id, or of another table.
    is_id: fn(&str) -> bool,
    /// Which cell holds the state.
    state: usize,
    /// Which cell names the tests.
    tests: usize,
    /// The states, and whether a test must show it.
    states: &'static [(&'static str, bool)],
}

/// `| CLI-001 | words | works | crate::tests::name |`.
const INVENTORY: Ledger = Ledger {
    path: "docs/INVENTORY.md",
    groups: &[("CLI", 99), ("API", 35), ("UI", 56), ("DP", 37), ("GRPC", 11)],
    id: |surface, number| format!("{surface}-{number:03}"),
    is_id: |cell| cell.contains('-') && cell.starts_with(|c: char| c.is_ascii_uppercase()),
    state: 2,
    tests: 3,
    states: &[("works", true), ("partly", true), ("not yet", false)],
};

/// `| 6.1.1 | level | words | holds | words | crate::tests::name |`: chapters 6 and 7 of OWASP ASVS 5.0.
const SECURITY: Ledger = Ledger {
    path: "docs/SECURITY.md",
    groups: &[
        ("6.1", 3),
        ("6.2", 12),
        ("6.3", 8),
        ("6.4", 6),
        ("6.5", 8),
        ("6.6", 4),
        ("6.7", 2),
        ("6.8", 4),
        ("7.1", 3),
        ("7.2", 4),
        ("7.3", 2),
        ("7.4", 5),
        ("7.5", 3),
        ("7.6", 2),
    ],
    id: |section, number| format!("{section}.{number}"),
    is_id: |cell| cell.split('.').count() == 3 && cell.starts_with(|c: char| c.is_ascii_digit()),
    state: 3,
    tests: 5,
    states: &[
        ("holds", true),
        ("partly", true),
        ("does not hold", false),
        ("does not apply", false),
    ],
};

/// One line of the table.
struct Row<'a> {
    line: usize,
    id: &'a str,
    state: &'a str,
    tests: Vec<&'a str>,
}

/// What the two documents get wrong.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let ledgers = [INVENTORY, SECURITY];
    ledgers.iter().flat_map(|ledger| ledger.check(sources)).collect()
}

impl Ledger {
    fn check(&self, sources: &[Source]) -> Vec<Finding> {
        let Some(source) = sources.iter().find(|source| source.path == self.path) else {
            return vec![Finding::new(self.path, 1, "it is missing")];
        };
        let rows = self.rows(&source.text);
        let mut findings = self.check_ids(&rows);
        for row in &rows {
            let messages = self.check_row(row, sources);
            findings.extend(messages.map(|message| Finding::new(self.path, row.line, message)));
        }
        findings
    }

    fn rows<'a>(&self, text: &'a str) -> Vec<Row<'a>> {
        let numbered = text.lines().enumerate();
        numbered
            .filter_map(|(index, line)| {
                let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
                let id = cells.first().filter(|id| (self.is_id)(id))?;
                let tests = cells.get(self.tests).copied().unwrap_or_default();
                let tests = tests.split([' ', ',', '`']).filter(|name| !name.is_empty());
                Some(Row {
                    line: index + 1,
                    id,
                    state: cells.get(self.state)?,
                    tests: tests.collect(),
                })
            })
            .collect()
    }

    fn check_ids(&self, rows: &[Row<'_>]) -> Vec<Finding> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (group, count) in self.groups {
            seen.extend((1..=*count).map(|number| ((self.id)(group, number), 0)));
        }
        let mut findings = Vec::new();
        for row in rows {
            let message = match seen.get_mut(row.id) {
                Some(first) if *first == 0 => {
                    *first = row.line;
                    continue;
                }
                Some(first) => format!("{} stands in line {first} already", row.id),
                None => format!("there is no {}", row.id),
            };
            findings.push(Finding::new(self.path, row.line, message));
        }
        let missing = seen.iter().filter(|(_, line)| **line == 0);
        findings.extend(missing.map(|(id, _)| Finding::new(self.path, 1, format!("{id} is missing"))));
        findings
    }

    fn check_row(&self, row: &Row<'_>, sources: &[Source]) -> impl Iterator<Item = String> + use<> {
        let mut messages = Vec::new();
        match self.states.iter().find(|(state, _)| *state == row.state) {
            None => {
                let states: Vec<&str> = self.states.iter().map(|(state, _)| *state).collect();
                messages.push(format!(
                    "{}: the state is one of {}, not {:?}",
                    row.id,
                    states.join(", "),
                    row.state
                ));
            }
            Some((_, true)) if row.tests.is_empty() => {
                messages.push(format!("{}: {} needs the name of a test", row.id, row.state));
            }
            Some(_) => {}
        }
        let unknown = row.tests.iter().filter(|test| !exists(test, sources));
        messages.extend(unknown.map(|test| format!("{}: there is no test {test}", row.id)));
        messages.into_iter()
    }
}

/// Whether a test of this name is written: `crate::module::name` in that crate, a bare `name` anywhere.
fn exists(test: &str, sources: &[Source]) -> bool {
    let name = test.rsplit("::").next().unwrap_or(test);
    let in_crate = test.split("::").next().filter(|first| *first != name);
    let signature = format!("fn {name}(");
    sources
        .iter()
        .filter(|source| {
            source.is_rust() && in_crate.is_none_or(|wanted| source.crate_name() == Some(wanted))
        })
        .any(|source| has_test(&source.text, &signature))
}

/// A function is a test when an attribute right above it says so.
fn has_test(text: &str, signature: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains(signature));
    found.any(|(index, _)| {
        let above = lines[..index].iter().rev().map(|line| line.trim());
        above
            .take_while(|line| line.starts_with('#') || line.starts_with("//"))
            .any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> String {
        let mut text = String::from("| ID | feature | state | tests |\n|---|---|---|---|\n");
        for (surface, count) in INVENTORY.groups {
            for number in 1..=*count {
                text.push_str(&format!("| {surface}-{number:03} | words | not yet | |\n"));
            }
        }
        text
    }

    fn answered() -> String {
        let mut text = String::from("| 5 | waits |\n|---|---|\n");
        for (section, count) in SECURITY.groups {
            for number in 1..=*count {
                text.push_str(&format!(
                    "| {section}.{number} | 1 | words | does not apply | | |\n"
                ));
            }
        }
        text
    }

    fn messages(ledger: &Ledger, text: &str) -> Vec<String> {
        let source = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let tests = "#[test]\nfn revokes_two() {\n}\n\nfn no_test() {\n}\n";
        let sources = [
            source(ledger.path, text),
            source("crates/cli/tests/it/tokens.rs", tests),
        ];
        let findings = ledger.check(&sources).into_iter();
        findings.map(|finding| finding.message).collect()
    }

    #[test]
    fn a_complete_inventory_is_fine() {
        assert_eq!(messages(&INVENTORY, &complete()), Vec::<String>::new());
        for test in ["cli::tokens::revokes_two", "`revokes_two`"] {
            let works = complete().replace(
                "| CLI-001 | words | not yet | |",
                &format!("| CLI-001 | words | works | {test} |"),
            );
            assert_eq!(messages(&INVENTORY, &works), Vec::<String>::new(), "{test}");
        }
    }

    #[test]
    fn missing_doubled_and_invented_ids_are_named() {
        let broken = complete()
            .replace("| UI-056 |", "| UI-055 |")
            .replace("| GRPC-011 |", "| GRPC-012 |");
        let mut found = messages(&INVENTORY, &broken);
        found.sort();
        assert_eq!(
            found,
            [
                "GRPC-011 is missing",
                "UI-055 stands in line 191 already",
                "UI-056 is missing",
                "there is no GRPC-012"
            ]
        );
        let missing: Vec<String> = check(&[]).into_iter().map(|finding| finding.file).collect();
        assert_eq!(missing, ["docs/INVENTORY.md", "docs/SECURITY.md"]);
    }

    #[test]
    fn a_claim_needs_a_test_that_exists() {
        for (cells, expected) in [
            ("works | |", "CLI-001: works needs the name of a test"),
            (
                "works | cli::tokens::revokes_three |",
                "CLI-001: there is no test cli::tokens::revokes_three",
            ),
            (
                "works | server::tokens::revokes_two |",
                "CLI-001: there is no test server::tokens::revokes_two",
            ),
            ("works | no_test |", "CLI-001: there is no test no_test"),
            (
                "maybe | |",
                "CLI-001: the state is one of works, partly, not yet, not \"maybe\"",
            ),
        ] {
            let claim = complete().replace(
                "| CLI-001 | words | not yet | |",
                &format!("| CLI-001 | words | {cells}"),
            );
            assert_eq!(messages(&INVENTORY, &claim), [expected], "{cells}");
        }
    }

    #[test]
    fn every_requirement_is_answered_and_what_holds_is_shown() {
        assert_eq!(messages(&SECURITY, &answered()), Vec::<String>::new());
        let line = "| 7.4.1 | 1 | words | does not apply | | |";
        for (instead, expected) in [
            ("", "7.4.1 is missing"),
            (
                "| 7.4.1 | 1 | words | holds | the code | |",
                "7.4.1: holds needs the name of a test",
            ),
            (
                "| 7.4.1 | 1 | words | holds | the code | cli::tokens::revokes_three |",
                "7.4.1: there is no test cli::tokens::revokes_three",
            ),
        ] {
            let text = answered().replace(line, instead);
            assert_eq!(messages(&SECURITY, &text), [expected], "{instead}");
        }
    }
}
