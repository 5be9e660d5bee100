//! Several nodes on one catalog, as tests open them: with a stopwatch that runs on, for their leases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_authority::{
    Authority, Catalog, CreateDatabaseToken, Location, NodeSettings, Place, SessionLimits, Settings,
};
use rescind_domain::{Secret, Stopwatch};
use rescind_testkit::{FrozenClock, SeededRng};

use crate::house::set;

struct Running(Instant);

impl Stopwatch for Running {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The `number`th node of a catalog.
pub(crate) async fn open(
    location: &Location,
    clock: &Arc<FrozenClock>,
    number: u64,
    node: NodeSettings,
) -> Arc<Authority> {
    let settings = Settings {
        node: NodeSettings {
            name: format!("node-{number}"),
            ..node
        },
        stopwatch: Arc::new(Running(Instant::now())),
        clock: Arc::clone(clock) as _,
        rng: Arc::new(SeededRng::new(number)),
        session_limits: SessionLimits::default(),
    };
    let catalog = Catalog::open(location).await.expect("a catalog");
    Authority::open(catalog, settings).await.expect("an authority")
}

/// A new installation: its cluster, and the secret that invites its administrator.
pub(crate) async fn found(authority: &Arc<Authority>) -> (Place, Secret) {
    let (place, _, invitation) = found_with_token(authority).await;
    (place, invitation)
}

/// The same, with the secret of its first management token before the other.
pub(crate) async fn found_with_token(authority: &Arc<Authority>) -> (Place, Secret, Secret) {
    let founding = authority
        .draw_up("ada@example.com".parse().expect("an address"))
        .expect("drawn up");
    let place = Place {
        account: founding.account.id,
        cluster: founding.cluster.id,
    };
    let (management, invitation) = (founding.secret.clone(), founding.invitation_secret.clone());
    authority.found(founding).await.expect("founded");
    (place, management, invitation)
}

/// A token that reads everything.
pub(crate) fn reader() -> CreateDatabaseToken {
    CreateDatabaseToken {
        description: "a test's".parse().expect("a text"),
        permissions: set(&[("read", "*")]),
        expires_at: None,
    }
}
