//! What came of a run, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::checker::{Violation, is_undisturbed};
use crate::histories::{Act, Change, Finish, History, Outcome, Reply, Treatment};
use crate::logbooks::Tally;
use crate::setups::Setup;

/// The figures of a run, and what was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was run.
    pub title: String,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// How often PostgreSQL said that its disk was full.
    pub starved: usize,
    /// Requests that presented a token, by what came of them.
    pub uses: BTreeMap<&'static str, usize>,
    /// Those of them that were slow uploads.
    pub uploads: BTreeMap<&'static str, usize>,
    /// Acts by what they were and what came of them.
    pub acts: BTreeMap<(&'static str, &'static str), usize>,
    /// Acts on people by what they were and what came of them.
    pub treatments: BTreeMap<(&'static str, &'static str), usize>,
    /// Requests that revoked many tokens at once, by what came of them, and the most that one revoked.
    pub bulks: (BTreeMap<&'static str, usize>, usize),
    /// Answers without end, by how they ended.
    pub streams: BTreeMap<&'static str, usize>,
    /// Complete receipts by which not every node held a lease.
    pub lapses: usize,
    /// How often a node loaded everything anew.
    pub reloads: usize,
    /// Why acts are uncertain: what clients were told, or how the connection ended.
    pub uncertain: BTreeMap<String, usize>,
    /// The longest that a revocation took, until its complete receipt: of all, and of those that nothing disturbed.
    pub slowest: (Duration, Duration),
    /// How many revocations nothing disturbed.
    pub undisturbed: usize,
    /// The longest that a node took to admit again.
    pub recovery: Duration,
    /// Why the disk could not be filled, if it could not.
    pub unfillable: Option<String>,
    /// What should not have been.
    pub violations: Vec<Violation>,
    story: String,
}

/// How many violations are told.
const SHOWN: usize = 20;
/// Tokens that are revoked by one request are many from here on.
const MANY: usize = 20;

impl Report {
    /// The report of this history.
    pub(crate) fn of(
        setup: &Setup,
        history: &History,
        violations: Vec<Violation>,
        unfillable: Option<String>,
    ) -> Self {
        let limits = &setup.limits();
        let mut report = Self {
            title: setup.to_string(),
            unfillable,
            violations,
            starved: history.starved,
            reloads: history.reloads,
            lapses: history.lapses.len(),
            ..Self::default()
        };
        for kind in &history.kinds {
            *report.faults.entry(kind).or_default() += 1;
        }
        for used in &history.uses {
            *report.uses.entry(used.reply.word()).or_default() += 1;
        }
        let slow = history.uses.iter().filter(|used| used.sent > used.began);
        for used in slow {
            *report.uploads.entry(used.reply.word()).or_default() += 1;
        }
        for act in &history.acts {
            if let Outcome::Uncertain(why) = &act.outcome {
                *report.uncertain.entry(why.clone()).or_default() += 1;
            }
            *report
                .acts
                .entry((act.change.word(), act.outcome.word()))
                .or_default() += 1;
        }
        report.count_more(history);
        let is_revoked = |act: &&Act| act.change == Change::Revoke && act.is_complete();
        for act in history.acts.iter().filter(is_revoked) {
            let took = act.ended.since(act.began);
            report.slowest.0 = report.slowest.0.max(took);
            if is_undisturbed(history, limits, act) {
                report.undisturbed += 1;
                report.slowest.1 = report.slowest.1.max(took);
            }
        }
        let recovered = history.recovered.iter().flatten();
        report.recovery = recovered
            .map(|moment| moment.since(history.calm))
            .max()
            .unwrap_or_default();
        report.story = tell(history, &report);
        report
    }

    fn count_more(&mut self, history: &History) {
        for act in &history.treatments {
            let key = (act.treatment.word(), act.outcome.word());
            *self.treatments.entry(key).or_default() += 1;
        }
        for stream in &history.streams {
            *self.streams.entry(stream.finish.word()).or_default() += 1;
        }
        // What is asked for by one request begins at one moment.
        let together = |one: &Act, other: &Act| one.began == other.began && one.node == other.node;
        for acts in history.acts.chunk_by(together).filter(|acts| acts.len() >= MANY) {
            *self.bulks.0.entry(acts[0].outcome.word()).or_default() += 1;
            self.bulks.1 = self.bulks.1.max(acts.len());
        }
    }

    /// Adds the figures of another run.
    pub fn add(&mut self, other: Self) {
        add_all(&mut self.faults, other.faults);
        add_all(&mut self.uses, other.uses);
        add_all(&mut self.uploads, other.uploads);
        add_all(&mut self.acts, other.acts);
        add_all(&mut self.uncertain, other.uncertain);
        add_all(&mut self.treatments, other.treatments);
        add_all(&mut self.streams, other.streams);
        add_all(&mut self.bulks.0, other.bulks.0);
        self.bulks.1 = self.bulks.1.max(other.bulks.1);
        self.lapses += other.lapses;
        self.reloads += other.reloads;
        self.slowest.0 = self.slowest.0.max(other.slowest.0);
        self.slowest.1 = self.slowest.1.max(other.slowest.1);
        self.undisturbed += other.undisturbed;
        self.starved += other.starved;
        self.recovery = self.recovery.max(other.recovery);
        self.unfillable = other.unfillable.or(self.unfillable.take());
        self.violations.extend(other.violations);
    }

    /// Every violation with the whole history of its token, and all faults.
    pub fn story(&self) -> &str {
        &self.story
    }
}

fn add_all<K: Ord>(sum: &mut BTreeMap<K, usize>, counts: BTreeMap<K, usize>) {
    for (key, count) in counts {
        *sum.entry(key).or_default() += count;
    }
}

/// The histories of the tokens that violations are about.
fn tell(history: &History, report: &Report) -> String {
    let mut story = report.to_string();
    let tokens: BTreeSet<_> = report
        .violations
        .iter()
        .filter_map(|violation| violation.token)
        .take(SHOWN)
        .collect();
    let mut lines: Vec<_> = history
        .disturbances
        .iter()
        .map(|fault| (fault.began, fault.to_string()))
        .collect();
    lines.extend(history.treatments.iter().map(|act| (act.began, act.to_string())));
    for token in tokens {
        let streams = history.streams.iter().filter(|stream| stream.token == token);
        lines.extend(streams.map(|stream| (stream.began, stream.to_string())));
        let acts = history.acts.iter().filter(|act| act.token == token);
        lines.extend(acts.map(|act| (act.began, act.to_string())));
        // The first management token is used with every act.
        let uses = history.uses.iter().filter(|used| used.token == token);
        lines.extend(uses.take(10_000).map(|used| (used.began, used.to_string())));
    }
    lines.sort();
    for (_, line) in lines {
        // Writing to a text cannot fail.
        let _ = writeln!(story, "{line}");
    }
    story
}

impl Reply {
    const fn word(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused(_) => "refused",
            Self::Unavailable => "unavailable",
            Self::Broken => "unanswered",
            Self::Odd(_) => "odd",
        }
    }
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::Create(_) => "created",
            Self::Update(_) => "updated",
            Self::Revoke => "revoked",
        }
    }
}

impl Treatment {
    const fn word(self) -> &'static str {
        match self {
            Self::Disable => "disabled",
            Self::Enable => "enabled",
            Self::Become(_) => "other role",
            Self::Delete => "deleted",
            Self::Password => "new password",
        }
    }
}

impl Finish {
    const fn word(self) -> &'static str {
        match self {
            Self::BrokenOff => "broken off",
            Self::Whole => "whole",
            Self::Left => "left by the client",
        }
    }
}

impl Outcome {
    const fn word(&self) -> &'static str {
        match self {
            Self::Done { complete: true } => "complete",
            Self::Done { complete: false } => "incomplete",
            Self::Rejected(_) => "rejected",
            Self::Uncertain(_) => "uncertain",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: usize = self.faults.values().sum();
        let uses: usize = self.uses.values().sum();
        writeln!(f, "{}", self.title)?;
        writeln!(f, "  faults      {faults}: {}", list(&self.faults))?;
        if let Some(reason) = &self.unfillable {
            writeln!(
                f,
                "              no full disk, because none could be mounted: {reason}"
            )?;
        }
        if self.starved > 0 {
            writeln!(
                f,
                "              PostgreSQL said {} times that its disk was full",
                self.starved
            )?;
        }
        if self.reloads > 0 {
            writeln!(
                f,
                "              nodes loaded everything anew {} times",
                self.reloads
            )?;
        }
        writeln!(f, "  requests    {uses}: {}", list(&self.uses))?;
        writeln!(f, "  of these, slow uploads: {}", list(&self.uploads))?;
        writeln!(f, "  answers without end: {}", list(&self.streams))?;
        for what in ["created", "updated", "revoked"] {
            writeln!(f, "  {what:<11} {}", list(&only(&self.acts, what)))?;
        }
        let (bulks, most) = &self.bulks;
        writeln!(
            f,
            "  requests that revoke many, up to {most} tokens: {}",
            list(bulks)
        )?;
        for what in ["disabled", "enabled", "other role", "new password", "deleted"] {
            writeln!(f, "  {what:<12} {}", list(&only(&self.treatments, what)))?;
        }
        writeln!(f, "  receipts by which a node holds no lease {}", self.lapses)?;
        for (why, count) in &self.uncertain {
            writeln!(f, "  uncertain   {count}: {why}")?;
        }
        let (all, undisturbed) = self.slowest;
        writeln!(
            f,
            "  slowest revocation {} ms; of the {} that nothing disturbed {} ms; recovery {} ms",
            all.as_millis(),
            self.undisturbed,
            undisturbed.as_millis(),
            self.recovery.as_millis()
        )?;
        writeln!(f, "  violations  {}", self.violations.len())?;
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "{violation}")?;
        }
        Ok(())
    }
}

fn list(counts: &BTreeMap<&str, usize>) -> String {
    let parts: Vec<_> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

/// What came of one thing.
fn only<'a>(counts: &BTreeMap<(&'a str, &'a str), usize>, what: &str) -> BTreeMap<&'a str, usize> {
    let of = counts.iter().filter(|((word, _), _)| *word == what);
    of.map(|((_, outcome), count)| (*outcome, *count)).collect()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (&self.admitted, "admitted"),
            (&self.refused, "refused"),
            (&self.unavailable, "unavailable"),
            (&self.broken, "unanswered"),
            (&self.done, "acts done"),
            (&self.uncertain, "acts uncertain"),
        ];
        let parts = counts.map(|(count, word)| format!("{} {word}", count.load(Ordering::Relaxed)));
        f.write_str(&parts.join(", "))
    }
}
