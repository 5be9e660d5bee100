//! What the Admin UI shows of this process: sizes from the embedded database, counts from the tally, and what the
//! process itself uses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rescind_authority::Authority;
use rescind_domain::{Clock, DatabaseId, DatabaseView, TableId};
use rescind_engine::{ColumnKind, Engine};
use rescind_ui::{Column, Counters, Distribution, Figures, NodeInfo, Process, Sample};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::tally::Tally;

/// Between two samples.
const DISTANCE: Duration = Duration::from_secs(15);
/// Samples that are kept: those of the last hour.
const KEPT: usize = 240;

/// Reads figures where they arise.
pub(crate) struct ProcessFigures {
    /// Knows which tables there are.
    pub(crate) authority: Arc<Authority>,
    /// Knows how large they are.
    pub(crate) engine: Engine,
    /// Knows what was counted.
    pub(crate) tally: Arc<Tally>,
    /// Tells when a sample was taken.
    pub(crate) clock: Arc<dyn Clock>,
    /// What does not change.
    pub(crate) node: NodeInfo,
    /// The oldest first.
    pub(crate) samples: Mutex<VecDeque<Sample>>,
}

impl ProcessFigures {
    /// Takes samples until `shutdown`.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut ticks = interval(DISTANCE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => self.sample(),
            }
        }
    }

    fn sample(&self) {
        let sample = Sample {
            at: self.clock.now(),
            counters: self.counters(),
            process: self.process(),
        };
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    fn bytes_of(&self, view: &DatabaseView) -> BTreeMap<TableId, u64> {
        // A renamed table has several names.
        let tables: BTreeSet<TableId> = view.tables.values().map(|table| table.id).collect();
        let sizes = tables
            .into_iter()
            .map(|table| (table, self.engine.table_bytes(table)));
        sizes.filter(|(_, bytes)| *bytes > 0).collect()
    }
}

#[async_trait]
impl Figures for ProcessFigures {
    async fn columns(&self, _: DatabaseId, table: TableId) -> Vec<Column> {
        let mut columns = self.engine.table_columns(table);
        columns.sort_by(|a, b| {
            (a.kind != ColumnKind::Time, &a.name).cmp(&(b.kind != ColumnKind::Time, &b.name))
        });
        let shown = |column: rescind_engine::Column| Column {
            name: column.name.to_string(),
            kind: word(column.kind).to_owned(),
        };
        columns.into_iter().map(shown).collect()
    }

    async fn table_bytes(&self, database: DatabaseId) -> BTreeMap<TableId, u64> {
        let views = self.authority.database_views();
        let view = views.iter().find(|view| view.id == database);
        view.map_or_else(BTreeMap::new, |view| self.bytes_of(view))
    }

    async fn database_bytes(&self) -> BTreeMap<DatabaseId, u64> {
        let views = self.authority.database_views();
        let sizes = views
            .iter()
            .map(|view| (view.id, self.bytes_of(view).values().sum()));
        sizes.filter(|(_, bytes)| *bytes > 0).collect()
    }

    fn counters(&self) -> Counters {
        self.tally.counters()
    }

    fn history(&self) -> Vec<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().cloned().collect()
    }

    fn revocations(&self) -> Distribution {
        self.tally.revocations()
    }

    fn process(&self) -> Process {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Process {
            cpu_seconds: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            resident_bytes: resident_bytes().unwrap_or_default(),
        }
    }

    fn node(&self) -> NodeInfo {
        self.node.clone()
    }
}

/// What the kernel says of this process; nothing where there is no `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

const fn word(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Tag => "tag",
        ColumnKind::Time => "time",
        ColumnKind::Float => "f64",
        ColumnKind::Integer => "i64",
        ColumnKind::UInteger => "u64",
        ColumnKind::String => "string",
        ColumnKind::Boolean => "boolean",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_occupies_memory() {
        let resident = resident_bytes().expect("the kernel tells");
        assert!((1 << 20..1 << 40).contains(&resident), "{resident}");
    }
}
