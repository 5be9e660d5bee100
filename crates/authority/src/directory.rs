//! The directory: clusters, and active databases by name, complete and in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;
use rescind_domain::{AccountId, ClusterId, DatabaseId, DatabaseName, DatabaseView};

/// What exists, as requests find it.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    databases: RwLock<Databases>,
    clusters: RwLock<BTreeMap<AccountId, Vec<ClusterId>>>,
}

#[derive(Debug, Default)]
struct Databases {
    by_name: HashMap<(ClusterId, DatabaseName), Arc<DatabaseView>>,
    /// Where the current view of a database stands, so that a rename removes the old name.
    names: HashMap<DatabaseId, (ClusterId, DatabaseName)>,
}

impl Directory {
    pub(crate) fn database(&self, cluster: ClusterId, name: &DatabaseName) -> Option<Arc<DatabaseView>> {
        self.databases
            .read()
            .by_name
            .get(&(cluster, name.clone()))
            .cloned()
    }

    /// The cluster of an active database.
    pub(crate) fn cluster_of(&self, id: DatabaseId) -> Option<ClusterId> {
        self.databases.read().names.get(&id).map(|(cluster, _)| *cluster)
    }

    pub(crate) fn all_databases(&self) -> Vec<Arc<DatabaseView>> {
        self.databases.read().by_name.values().cloned().collect()
    }

    /// Puts a database's newest view in place, or takes the database out when it is not active any more.
    pub(crate) fn put(&self, id: DatabaseId, current: Option<(ClusterId, DatabaseView)>) {
        let mut databases = self.databases.write();
        if let Some(place) = databases.names.remove(&id) {
            // A database of that name may have come since: only this one's view leaves.
            if databases.by_name.get(&place).is_some_and(|view| view.id == id) {
                databases.by_name.remove(&place);
            }
        }
        if let Some((cluster, view)) = current {
            let place = (cluster, view.name.clone());
            databases.names.insert(id, place.clone());
            databases.by_name.insert(place, Arc::new(view));
        }
    }

    /// Puts these databases in the place of all that are known.
    pub(crate) fn replace(&self, views: impl Iterator<Item = (ClusterId, DatabaseView)>) {
        let mut databases = Databases::default();
        for (cluster, view) in views {
            let place = (cluster, view.name.clone());
            databases.names.insert(view.id, place.clone());
            databases.by_name.insert(place, Arc::new(view));
        }
        *self.databases.write() = databases;
    }

    pub(crate) fn clusters_of(&self, account: AccountId) -> Vec<ClusterId> {
        self.clusters.read().get(&account).cloned().unwrap_or_default()
    }

    pub(crate) fn put_cluster(&self, account: AccountId, cluster: ClusterId) {
        let mut clusters = self.clusters.write();
        let of_account = clusters.entry(account).or_default();
        if !of_account.contains(&cluster) {
            of_account.push(cluster);
        }
    }
}
