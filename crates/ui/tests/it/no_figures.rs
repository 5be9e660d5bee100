//! Figures for pages that show none, as tests and benchmarks of the pages alone have them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rescind_domain::{DatabaseId, TableId, Timestamp};
use rescind_ui::{Column, Counters, Distribution, Figures, NodeInfo, Process, Sample};

/// None.
pub(crate) struct NoFigures {
    pub(crate) started_at: Timestamp,
}

#[async_trait]
impl Figures for NoFigures {
    async fn columns(&self, _: DatabaseId, _: TableId) -> Vec<Column> {
        Vec::new()
    }

    async fn table_bytes(&self, _: DatabaseId) -> BTreeMap<TableId, u64> {
        BTreeMap::new()
    }

    async fn database_bytes(&self) -> BTreeMap<DatabaseId, u64> {
        BTreeMap::new()
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn history(&self) -> Vec<Sample> {
        Vec::new()
    }

    fn revocations(&self) -> Distribution {
        Distribution::default()
    }

    fn process(&self) -> Process {
        Process::default()
    }

    fn node(&self) -> NodeInfo {
        NodeInfo {
            version: String::new(),
            started_at: self.started_at,
            listens_on: String::new(),
            cpus: 1,
        }
    }
}
