//! How long the files are: median, 95th percentile and cap (DESIGN: files that one can read in one sitting).

use std::fmt;

use super::Finding;
use super::sources::Source;

const MEDIAN: usize = 150;
const PERCENTILE_95: usize = 450;
const CAP: usize = 600;

/// The lengths of all Rust files outside tests, shortest first.
#[derive(Debug)]
pub(crate) struct Distribution(Vec<(usize, String)>);

impl Distribution {
    /// Measures the files; tests do not count.
    pub(crate) fn of(sources: &[Source]) -> Self {
        let measured = sources
            .iter()
            .filter(|source| source.is_rust() && !source.is_test())
            .map(|source| (source.lines_outside_tests().len(), source.path.clone()));
        let mut lengths: Vec<(usize, String)> = measured.collect();
        lengths.sort();
        Self(lengths)
    }

    /// What is too long.
    pub(crate) fn check(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .0
            .iter()
            .filter(|(lines, _)| *lines > CAP)
            .map(|(lines, path)| {
                Finding::new(
                    path,
                    *lines,
                    format!("{lines} lines outside tests; the cap is {CAP}"),
                )
            })
            .collect();
        for (share, limit) in [(50, MEDIAN), (95, PERCENTILE_95)] {
            if let Some((lines, path)) = self.percentile(share).filter(|(lines, _)| *lines > limit) {
                let message = format!(
                    "{share} % of the files may have {limit} lines outside tests; this one has {lines}"
                );
                findings.push(Finding::new(path, *lines, message));
            }
        }
        findings
    }

    /// The smallest file that is at least as long as `share` percent of all.
    fn percentile(&self, share: usize) -> Option<&(usize, String)> {
        let rank = (self.0.len() * share).div_ceil(100);
        self.0.get(rank.saturating_sub(1))
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = |share| self.percentile(share).map_or(0, |(lines, _)| *lines);
        let total: usize = self.0.iter().map(|(lines, _)| lines).sum();
        write!(f, "{} files, {total} lines outside tests", self.0.len())?;
        write!(f, " (median {} of {MEDIAN},", lines(50))?;
        write!(f, " 95th percentile {} of {PERCENTILE_95},", lines(95))?;
        write!(f, " longest {} of {CAP})", lines(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(lengths: &[usize]) -> Distribution {
        let sources: Vec<Source> = lengths
            .iter()
            .enumerate()
            .map(|(index, lines)| Source {
                path: format!("crates/domain/src/{index:02}.rs"),
                text: "x\n".repeat(*lines),
            })
            .collect();
        Distribution::of(&sources)
    }

    #[test]
    fn files_within_the_limits_are_fine() {
        let distribution = files(&[10, 150, 600]);
        // With three files the longest is the 95th percentile as well.
        assert_eq!(distribution.check().len(), 1);
        let lengths: Vec<usize> = (0..40).map(|index| if index < 39 { 150 } else { 600 }).collect();
        assert_eq!(files(&lengths).check(), []);
    }

    #[test]
    fn each_limit_is_measured() {
        let messages = |lengths: &[usize]| {
            files(lengths)
                .check()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            messages(&[151, 151, 151]),
            [
                "crates/domain/src/01.rs:151: 50 % of the files may have 150 lines outside tests; this one has 151"
            ]
        );
        let mut long = vec![100; 39];
        long.push(601);
        assert_eq!(
            messages(&long),
            ["crates/domain/src/39.rs:601: 601 lines outside tests; the cap is 600"]
        );
        let mut many = vec![100; 30];
        many.extend([451; 4]);
        assert_eq!(messages(&many).len(), 1);
    }

    #[test]
    fn tests_do_not_count() {
        let sources = [Source {
            path: "crates/domain/tests/it/main.rs".to_owned(),
            text: "x\n".repeat(1_000),
        }];
        assert_eq!(Distribution::of(&sources).check(), []);
    }
}
