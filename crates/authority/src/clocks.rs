//! Clocks: any machine's may be wrong, and what is destroyed is destroyed on all nodes. What goes for good therefore goes by
//! two clocks that agree, this machine's and that of the server that keeps the catalog, if it has one of its own.

use rescind_domain::Timestamp;

use crate::{Authority, Error};

impl Authority {
    /// What time it is at least: what is over by now is over by both clocks.
    ///
    /// # Errors
    /// The catalog is away.
    pub(crate) async fn earliest_now(&self) -> Result<Timestamp, Error> {
        let own = self.clock().now();
        let server = self.catalog.server_time().await?;
        Ok(server.map_or(own, |server| server.min(own)))
    }

    /// What time it is at most: what begins now is over no sooner than it should be, by either clock.
    ///
    /// # Errors
    /// The catalog is away.
    pub(crate) async fn latest_now(&self) -> Result<Timestamp, Error> {
        let own = self.clock().now();
        let server = self.catalog.server_time().await?;
        Ok(server.map_or(own, |server| server.max(own)))
    }
}
