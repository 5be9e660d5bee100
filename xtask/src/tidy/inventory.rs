//! `docs/INVENTORY.md`: every feature once, with its state, and every test that it names exists.

use std::collections::BTreeMap;

use super::Finding;
use super::sources::Source;

const PATH: &str = "docs/INVENTORY.md";
/// Each surface and how many features it has, numbered from 1.
const SURFACES: [(&str, usize); 5] = [("CLI", 99), ("API", 35), ("UI", 56), ("DP", 37), ("GRPC", 11)];
/// The states, and whether a test must show it.
const STATES: [(&str, bool); 3] = [("works", true), ("partly", true), ("not yet", false)];

/// One line of the table: `| CLI-001 | words | works | crate::tests::name |`.
struct Row<'a> {
    line: usize,
    id: &'a str,
    state: &'a str,
    tests: Vec<&'a str>,
}

/// What the inventory gets wrong.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(inventory) = sources.iter().find(|source| source.path == PATH) else {
        return vec![Finding::new(PATH, 1, "the inventory is missing")];
    };
    let rows = rows(&inventory.text);
    let mut findings = check_ids(&rows);
    for row in &rows {
        findings.extend(check_row(row, sources).map(|message| Finding::new(PATH, row.line, message)));
    }
    findings
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let numbered = text.lines().enumerate();
    numbered
        .filter_map(|(index, line)| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let id = cells
                .next()
                .filter(|id| id.contains('-') && id.starts_with(|c: char| c.is_ascii_uppercase()))?;
            let (_words, state) = (cells.next()?, cells.next()?);
            let tests = cells.next().unwrap_or_default();
            let tests = tests.split([' ', ',', '`']).filter(|name| !name.is_empty());
            Some(Row {
                line: index + 1,
                id,
                state,
                tests: tests.collect(),
            })
        })
        .collect()
}

fn check_ids(rows: &[Row<'_>]) -> Vec<Finding> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (surface, count) in SURFACES {
        seen.extend((1..=count).map(|number| (format!("{surface}-{number:03}"), 0)));
    }
    let mut findings = Vec::new();
    for row in rows {
        match seen.get_mut(row.id) {
            Some(0) => {
                seen.insert(row.id.to_owned(), row.line);
            }
            Some(first) => {
                findings.push(Finding::new(
                    PATH,
                    row.line,
                    format!("{} stands in line {first} already", row.id),
                ));
            }
            None => findings.push(Finding::new(
                PATH,
                row.line,
                format!("there is no feature {}", row.id),
            )),
        }
    }
    let missing = seen.iter().filter(|(_, line)| **line == 0);
    findings.extend(missing.map(|(id, _)| Finding::new(PATH, 1, format!("{id} is missing"))));
    findings
}

fn check_row(row: &Row<'_>, sources: &[Source]) -> impl Iterator<Item = String> {
    let mut messages = Vec::new();
    match STATES.iter().find(|(state, _)| *state == row.state) {
        None => messages.push(format!(
            "{}: the state is works, partly or not yet, not {:?}",
            row.id, row.state
        )),
        Some((_, true)) if row.tests.is_empty() => {
            messages.push(format!("{}: {} needs the name of a test", row.id, row.state));
        }
        Some(_) => {}
    }
    let unknown = row.tests.iter().filter(|test| !exists(test, sources));
    messages.extend(unknown.map(|test| format!("{}: there is no test {test}", row.id)));
    messages.into_iter()
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
        for (surface, count) in SURFACES {
            for number in 1..=count {
                text.push_str(&format!("| {surface}-{number:03} | words | not yet | |\n"));
            }
        }
        text
    }

    fn messages(inventory: &str) -> Vec<String> {
        let sources = [
            Source {
                path: PATH.to_owned(),
                text: inventory.to_owned(),
            },
            Source {
                path: "crates/cli/tests/it/tokens.rs".to_owned(),
                text: "#[test]\nfn revokes_two() {\n}\n\nfn no_test() {\n}\n".to_owned(),
            },
        ];
        check(&sources)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_complete_inventory_is_fine() {
        assert_eq!(messages(&complete()), Vec::<String>::new());
        for test in ["cli::tokens::revokes_two", "`revokes_two`"] {
            let works = complete().replace(
                "| CLI-001 | words | not yet | |",
                &format!("| CLI-001 | words | works | {test} |"),
            );
            assert_eq!(messages(&works), Vec::<String>::new(), "{test}");
        }
    }

    #[test]
    fn missing_doubled_and_invented_ids_are_named() {
        let broken = complete()
            .replace("| UI-056 |", "| UI-055 |")
            .replace("| GRPC-011 |", "| GRPC-012 |");
        let mut found = messages(&broken);
        found.sort();
        assert_eq!(
            found,
            [
                "GRPC-011 is missing",
                "UI-055 stands in line 191 already",
                "UI-056 is missing",
                "there is no feature GRPC-012"
            ]
        );
        assert_eq!(check(&[])[0].message, "the inventory is missing");
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
                "CLI-001: the state is works, partly or not yet, not \"maybe\"",
            ),
        ] {
            let claim = complete().replace(
                "| CLI-001 | words | not yet | |",
                &format!("| CLI-001 | words | {cells}"),
            );
            assert_eq!(messages(&claim), [expected], "{cells}");
        }
    }
}
