//! All processes of a run: nodes, each with its own way to one PostgreSQL.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::{Postgres, Profile};

use crate::disks::Disk;
use crate::histories::NodeNumber;
use crate::nodes::Node;
use crate::proxies::Proxy;

/// Everything that runs. Dropping it ends all of it, nodes first.
pub(crate) struct Cluster {
    /// The nodes.
    pub(crate) nodes: Vec<Node>,
    /// Each node's way to the catalog.
    pub(crate) proxies: Vec<Proxy>,
    /// The catalog.
    pub(crate) postgres: Postgres,
    /// The catalog's disk.
    pub(crate) disk: Disk,
    /// Why that cannot be filled.
    pub(crate) unfillable: Option<String>,
}

/// How long a first start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// A small PostgreSQL: it shares its disk and the machine.
const SETTINGS: [&str; 4] = [
    "shared_buffers=32MB",
    "min_wal_size=32MB",
    "max_wal_size=96MB",
    "log_min_messages=warning",
];

impl Cluster {
    /// Starts PostgreSQL and a node for each list of arguments, in this empty directory: one after the other, or all at once.
    ///
    /// # Errors
    /// What did not start, and what it logged.
    pub(crate) fn start(place: &Path, arguments: &[Vec<String>], at_once: bool) -> Result<Self, String> {
        let text = |error: std::io::Error| format!("{}: {error}", place.display());
        let catalog = place.join("catalog");
        let (disk, unfillable) = Disk::mount(&catalog).map_err(text)?;
        let postgres = Postgres::start_in(&catalog, &SETTINGS)?;
        let mut cluster = Self {
            nodes: Vec::new(),
            proxies: Vec::new(),
            postgres,
            disk,
            unfillable,
        };
        for (number, more) in arguments.iter().enumerate() {
            let proxy = Proxy::start(cluster.postgres.port()).map_err(text)?;
            let url = format!("postgres://postgres@127.0.0.1:{}/rescind", proxy.port());
            let mut all = vec!["--catalog".to_owned(), url];
            all.extend(more.iter().cloned());
            let mut node = Node::new(&format!("node-{number}"), place, all).map_err(text)?;
            node.start().map_err(text)?;
            if !at_once {
                await_ready(&mut node)?;
            }
            cluster.proxies.push(proxy);
            cluster.nodes.push(node);
        }
        cluster.nodes.iter_mut().try_for_each(await_ready)?;
        Ok(cluster)
    }

    /// Nodes that have the profile of a first start.
    pub(crate) fn founders(&self) -> Vec<NodeNumber> {
        let all = 0..self.nodes.len();
        all.filter(|node| self.profile_path(*node).exists()).collect()
    }

    /// The profile that this node's first start wrote.
    pub(crate) fn profile(&self, founder: NodeNumber) -> Profile {
        Profile::read(&self.profile_path(founder))
    }

    fn profile_path(&self, node: NodeNumber) -> PathBuf {
        self.nodes[node].data_dir().join("influxctl.toml")
    }

    /// Files that tell what happened: each node's log, and PostgreSQL's.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let nodes = self.nodes.iter().map(Node::log);
        nodes.chain([self.postgres.log()]).collect()
    }
}

fn await_ready(node: &mut Node) -> Result<(), String> {
    let begun = Instant::now();
    while !node.is_ready() {
        let problem = match node.ended() {
            Some(status) => format!("a node ended with {status} instead of serving"),
            None if begun.elapsed() > PATIENCE => format!("a node was not ready after {PATIENCE:?}"),
            None => {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
        };
        let log = std::fs::read_to_string(node.log()).unwrap_or_default();
        return Err(format!("{problem}; it logged:\n{log}"));
    }
    Ok(())
}
