//! The text files of the workspace that people write.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// One file's text.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is, relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

const EXTENSIONS: [&str; 15] = [
    "rs", "toml", "md", "sql", "proto", "js", "css", "html", "svg", "yml", "yaml", "json", "snap", "sh",
    "txt",
];
/// Not written by people, or not part of the repository.
const SKIPPED: [&str; 3] = ["target", "node_modules", "rescind-data"];
/// Directories that begin with a dot are skipped but for these.
const DOTTED: [&str; 2] = [".ci", ".cargo"];

impl Source {
    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is only built for tests: a `tests` directory or a `tests.rs`.
    pub(crate) fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs")
    }

    /// The directory of the crate it belongs to, such as `domain` or `xtask`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match (parts.next()?, parts.next()?) {
            ("crates", name) => Some(name),
            ("xtask", _) => Some("xtask"),
            _ => None,
        }
    }

    /// The lines, numbered from 1, without those of `#[cfg(test)]` modules.
    pub(crate) fn lines_outside_tests(&self) -> Vec<(usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut kept = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            let opens_module = lines
                .get(at + 1)
                .is_some_and(|next| next.trim_start().starts_with("mod ") && next.ends_with('{'));
            if lines[at].trim() == "#[cfg(test)]" && opens_module {
                let indent = lines[at].len() - lines[at].trim_start().len();
                let closing = format!("{}}}", " ".repeat(indent));
                let end = lines[at..].iter().position(|line| *line == closing);
                at = end.map_or(lines.len(), |length| at + length + 1);
            } else {
                kept.push((at + 1, lines[at]));
                at += 1;
            }
        }
        kept
    }
}

/// Reads every text file below `root`, in the order of paths.
pub(crate) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    walk(root, "", &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn walk(directory: &Path, prefix: &str, sources: &mut Vec<Source>) -> Result {
    let unreadable =
        |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", directory.display()));
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let is_directory = entry.file_type().map_err(unreadable)?.is_dir();
        let hidden = name.starts_with('.') && !DOTTED.contains(&name.as_str());
        if is_directory && !hidden && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), sources)?;
        } else if !is_directory && is_text(&path) {
            // Files come and go while others work; one that is no UTF-8 is not text.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                sources.push(Source { path, text });
            }
        }
    }
    Ok(())
}

fn is_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    // Leftovers of a snapshot review, hidden or not, are read so that the bans can name them.
    let leftover = name.ends_with(".pending-snap") || name.ends_with(".snap.new");
    let known = name
        .rsplit_once('.')
        .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension));
    known || leftover || path.starts_with(".ci/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_test_modules_do_not_count() {
        let text = "a\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests {\n    fn x() {\n    }\n}\nc\n";
        let source = Source {
            path: "crates/domain/src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        let kept: Vec<usize> = source
            .lines_outside_tests()
            .iter()
            .map(|(line, _)| *line)
            .collect();
        assert_eq!(kept, [1, 2, 3, 9]);
    }

    #[test]
    fn reads_text_and_skips_what_is_built() {
        let root = tempfile::tempdir().expect("a directory");
        for path in ["a.rs", "target/b.rs", ".git/c.rs", ".ci/run", "d.png", "e/f.md"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "x").expect("written");
        }
        let sources = read(root.path()).expect("read");
        let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        assert_eq!(paths, [".ci/run", "a.rs", "e/f.md"]);
    }
}
