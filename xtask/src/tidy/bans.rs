//! Texts that have no place in the repository, or not in that place.

use super::Finding;
use super::sources::Source;

/// A text that is banned, where, and why. The words are glued together so that this file does not break its own rules.
struct Ban {
    text: &'static str,
    reason: &'static str,
    applies: fn(&Source) -> bool,
}

const BANS: [Ban; 12] = [
    everywhere(concat!("TO", "DO"), "finish it or write an issue"),
    everywhere(concat!("FIX", "ME"), "fix it or write an issue"),
    in_rust(concat!("to", "do!"), "finish it"),
    in_rust(concat!("db", "g!"), "remove it"),
    in_rust(concat!("#[ig", "nore"), "a test that does not run proves nothing"),
    in_rust(concat!("#[al", "low("), "use #[expect(lint, reason = \"…\")]"),
    in_rust(concat!("#![al", "low("), "use #![expect(lint, reason = \"…\")]"),
    below_a_face(concat!("Status", "Code"), "below a face no HTTP status is known"),
    below_a_face(concat!("http", "::"), "below a face no HTTP is known"),
    everywhere(concat!("/wo", "rk/"), "a path of one machine"),
    everywhere(concat!("/ro", "ot/"), "a path of one machine"),
    everywhere(concat!("/ho", "me/"), "a path of one machine"),
];

const fn everywhere(text: &'static str, reason: &'static str) -> Ban {
    Ban {
        text,
        reason,
        applies: |_| true,
    }
}

const fn in_rust(text: &'static str, reason: &'static str) -> Ban {
    Ban {
        text,
        reason,
        applies: Source::is_rust,
    }
}

const fn below_a_face(text: &'static str, reason: &'static str) -> Ban {
    Ban {
        text,
        reason,
        applies: |source| {
            let below = ["domain", "catalog", "authority", "engine"];
            source.is_rust() && source.crate_name().is_some_and(|name| below.contains(&name))
        },
    }
}

/// Every banned text, with its place.
pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        if source.path.ends_with(".pending-snap") || source.path.ends_with(".snap.new") {
            findings.push(Finding::new(&source.path, 1, "a snapshot that nobody accepted"));
            continue;
        }
        let bans: Vec<&Ban> = BANS.iter().filter(|ban| (ban.applies)(source)).collect();
        for (index, line) in source.text.lines().enumerate() {
            let broken = bans.iter().filter(|ban| contains_word(line, ban.text));
            findings.extend(broken.map(|ban| {
                let message = format!("{} is banned: {}", ban.text, ban.reason);
                Finding::new(&source.path, index + 1, message)
            }));
        }
    }
    findings
}

/// Whether `line` contains `text` as a word of its own: not in the middle of a longer name.
fn contains_word(line: &str, text: &str) -> bool {
    let is_letter =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    line.match_indices(text).any(|(at, _)| {
        let bytes = line.as_bytes();
        let (first, last) = (text.as_bytes().first(), text.as_bytes().last());
        let before = is_letter(first) && at > 0 && is_letter(bytes.get(at - 1));
        let after = is_letter(last) && is_letter(bytes.get(at + text.len()));
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn each_ban_finds_its_text_and_its_line() {
        for ban in BANS {
            let text = format!("fine\n  {} \n", ban.text);
            let findings = check(&[source("crates/domain/src/a.rs", &text)]);
            assert!(
                findings
                    .iter()
                    .any(|found| found.line == 2 && found.message.contains(ban.reason)),
                "{}",
                ban.text
            );
        }
    }

    #[test]
    fn faces_may_know_http_and_documents_may_quote_rust() {
        let http = concat!("use http", "::Status", "Code;");
        for path in ["crates/server/src/a.rs", "crates/gateway/src/a.rs", "docs/a.md"] {
            assert_eq!(check(&[source(path, http)]), [], "{path}");
        }
        assert_eq!(check(&[source("crates/engine/src/a.rs", http)]).len(), 2);
    }

    #[test]
    fn longer_words_and_addresses_are_no_hits() {
        let harmless = "let method_http = MASTODON; // see https://example.org/framework/x";
        assert_eq!(check(&[source("crates/domain/src/a.rs", harmless)]), []);
    }

    #[test]
    fn leftovers_of_a_review_are_named() {
        let findings = check(&[source("crates/domain/src/.a.rs.pending-snap", "")]);
        assert_eq!(findings.len(), 1);
    }
}
