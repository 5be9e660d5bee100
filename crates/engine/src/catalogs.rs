//! What names a query may use: the tables of its one database, in catalog `public`, schema `iox`. Nothing else
//! exists for it: no other database, no file, no way to register anything.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result};
use parking_lot::Mutex;
use rescind_domain::DatabaseView;

use crate::scans::TableScan;
use crate::schema::TableSchema;
use crate::tables::{Snapshot, Tables};

/// The one catalog (contract, core-wire section 0).
pub(crate) const CATALOG: &str = "public";
/// The one schema besides `information_schema`.
pub(crate) const SCHEMA: &str = "iox";

/// One database as one query sees it. It keeps what the query reads, so that no file goes away under it.
#[derive(Debug)]
pub(crate) struct DatabaseTables {
    view: Arc<DatabaseView>,
    tables: Arc<Tables>,
    /// Points before it have expired.
    horizon: Option<i64>,
    /// Each table as it was when the query first named it.
    scans: Mutex<HashMap<String, Arc<TableScan>>>,
}

impl DatabaseTables {
    pub(crate) fn new(view: Arc<DatabaseView>, tables: Arc<Tables>, now: i64) -> Self {
        Self {
            horizon: view.limits.retention.horizon(now),
            view,
            tables,
            scans: Mutex::default(),
        }
    }

    fn scan(&self, name: &str) -> Result<Option<Arc<TableScan>>> {
        let Some(view) = self.view.tables.get(name) else {
            return Ok(None);
        };
        let mut scans = self.scans.lock();
        if let Some(scan) = scans.get(name) {
            return Ok(Some(Arc::clone(scan)));
        }
        let snapshot = match self.tables.get(view.id) {
            Some(table) => table
                .snapshot()
                .map_err(|error| DataFusionError::External(error.into()))?,
            None => Snapshot {
                schema: Arc::new(TableSchema::empty()),
                files: Vec::new(),
                chunks: Vec::new(),
            },
        };
        let scan = Arc::new(TableScan {
            table: view.id,
            snapshot,
            horizon: self.horizon,
        });
        scans.insert(name.to_owned(), Arc::clone(&scan));
        Ok(Some(scan))
    }
}

#[async_trait]
impl SchemaProvider for DatabaseTables {
    /// Each table once: names that it had before a rename still reach it, but are not listed.
    fn table_names(&self) -> Vec<String> {
        let current = self.view.tables.iter().filter(|(_, table)| table.is_current_name);
        current.map(|(name, _)| name.as_str().to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.scan(name)?.map(|scan| scan as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.view.tables.contains_key(name)
    }
}

/// The list of catalogs, and the catalog in it.
#[derive(Debug)]
pub(crate) struct OneCatalog(pub(crate) Arc<DatabaseTables>);

impl CatalogProviderList for OneCatalog {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn CatalogProvider>)
    }
}

impl CatalogProvider for OneCatalog {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == SCHEMA).then(|| Arc::clone(&self.0) as Arc<dyn SchemaProvider>)
    }
}
