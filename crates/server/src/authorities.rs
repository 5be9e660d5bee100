//! Opens the authority on a catalog, the same way for every command.

use std::sync::Arc;

use rescind_authority::{Authority, Catalog, Location, Settings};

use crate::ambient::{SystemClock, SystemRng};
use crate::failure::Failure;

/// Opens the catalog at `location`.
pub(crate) async fn open_catalog(location: &Location) -> Result<Catalog, Failure> {
    Catalog::open(location)
        .await
        .map_err(|e| Failure::because(format!("{location} cannot be opened"), e))
}

/// The authority, and its catalog, which whoever opened it closes at the end.
pub(crate) struct Opened {
    /// Every use case.
    pub(crate) authority: Arc<Authority>,
    /// What it remembers.
    pub(crate) catalog: Catalog,
}

/// Opens the authority on the catalog at `location`.
pub(crate) async fn open(location: &Location, node_name: String) -> Result<Opened, Failure> {
    let catalog = open_catalog(location).await?;
    let settings = Settings {
        node_name,
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
    };
    let authority = Authority::open(catalog.clone(), settings).await?;
    Ok(Opened { authority, catalog })
}
