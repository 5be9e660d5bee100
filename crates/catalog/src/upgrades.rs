//! Who is in the way of an upgrade of the schema.

use std::time::Duration;

use rescind_domain::NodeId;

use crate::Error;
use crate::rows::Fields;
use crate::seam::{Backend, Connection};

/// A lease that has not lapsed, by what every schema with leases has of it.
pub(crate) struct Held {
    id: NodeId,
    name: String,
    address: String,
    version: String,
    lease: i64,
    ttl: Duration,
}

/// As much of a lease is added to the wait for its end: the clocks of two machines may differ by half of it.
const DRIFT: u32 = 50;

/// The leases that are kept up. Those that are as they were when they were `seen` are over and noted as such, once there
/// are no others. Nobody joins before the transaction ends.
pub(crate) async fn held(
    connection: &mut Connection,
    backend: Backend,
    seen: &[Held],
) -> Result<Vec<Held>, Error> {
    if let Some(lock) = backend.lock_nodes() {
        sqlx::raw_sql(lock).execute(&mut *connection).await?;
    }
    let rows = sqlx::query(
        "SELECT id, name, address, version, lease, ttl FROM nodes WHERE is_lapsed = 0 ORDER BY name, id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut held = Vec::new();
    for row in &rows {
        let fields = Fields::new(row, "nodes", "id");
        let lease = Held {
            id: fields.parse("id")?,
            name: fields.text("name")?.to_owned(),
            address: fields.text("address")?.to_owned(),
            version: fields.text("version")?.to_owned(),
            lease: fields.int("lease")?,
            ttl: Duration::from_micros(fields.number("ttl", |ttl| ttl.try_into().ok())?),
        };
        let is_as_it_was = |former: &Held| (former.id, former.lease) == (lease.id, lease.lease);
        if !seen.iter().any(is_as_it_was) {
            held.push(lease);
        }
    }
    if held.is_empty() {
        sqlx::query("UPDATE nodes SET is_lapsed = 1 WHERE is_lapsed = 0")
            .execute(connection)
            .await?;
    }
    Ok(held)
}

/// How long to wait until each of these is over, or was renewed.
pub(crate) fn outlasting(held: &[Held]) -> Duration {
    let longest = held.iter().map(|lease| lease.ttl).max().unwrap_or_default();
    longest + longest / DRIFT
}

/// For people.
pub(crate) fn names(held: &[Held]) -> String {
    let name = |lease: &Held| format!("{} (release {} at {})", lease.name, lease.version, lease.address);
    held.iter().map(name).collect::<Vec<_>>().join(", ")
}
