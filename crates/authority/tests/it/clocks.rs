//! Wall clocks that are wrong.

use std::sync::Arc;

use rescind_authority::{
    Acceptance, Authority, Caller, CreateDatabase, CreateTable, Location, NodeSettings, Place,
};
use rescind_domain::{DatabaseLimits, DatabaseName, Timestamp};
use rescind_testkit::{FrozenClock, Postgres};

use crate::house::{PASSWORD, client};
use crate::sharing;

const DAYS_8: i64 = 8 * 86_400 * 1_000_000;

/// A node on a catalog whose server has the right time.
struct Ground {
    authority: Arc<Authority>,
    caller: Caller,
    place: Place,
}

impl Ground {
    async fn database(&self, name: &str) -> DatabaseName {
        let name: DatabaseName = name.parse().expect("a name");
        let request = CreateDatabase {
            name: name.clone(),
            limits: DatabaseLimits::default(),
            partition_template: None,
        };
        let made = self.authority.create_database(&self.caller, self.place, request);
        made.await.expect("a database");
        name
    }

    /// Deletes a database, and a table of another.
    async fn delete(&self, gone: DatabaseName, kept: DatabaseName) {
        let request = CreateTable {
            name: "t".parse().expect("a name"),
            partition_template: None,
        };
        let name = request.name.clone();
        let (authority, caller) = (&self.authority, &self.caller);
        let made = authority.create_table(caller, self.place, kept.clone(), request);
        made.await.expect("a table");
        let deleted = authority.delete_table(caller, self.place, kept, name);
        deleted.await.expect("deleted");
        let deleted = authority.delete_database(caller, self.place, gone);
        deleted.await.expect("deleted");
    }

    /// How many databases and tables may be purged.
    async fn due(&self) -> (usize, usize) {
        let databases = self.authority.databases_to_purge().await.expect("listed");
        let tables = self.authority.tables_to_purge().await.expect("listed");
        (databases.len(), tables.len())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_clock_destroys_anything_alone() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let now = server.ask("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)");
    let now: i64 = now.expect("told").parse().expect("microseconds");
    let clock = Arc::new(FrozenClock::at(Timestamp::from_micros(now)));
    let off_by = |micros: i64| clock.set(Timestamp::from_micros(now + micros));
    let authority = sharing::open(&location, &clock, 1, NodeSettings::alone("")).await;
    let (place, invitation) = sharing::found(&authority).await;
    let ground = Ground {
        caller: Caller::operator(place.account),
        authority,
        place,
    };
    let acceptance = Acceptance {
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let secret = invitation.expose().as_bytes();
    let signed_in = ground.authority.accept_invitation(secret, acceptance, client(1));
    signed_in.await.expect("signed in");
    let (gone, kept) = (ground.database("gone").await, ground.database("kept").await);
    ground.delete(gone, kept.clone()).await;

    // A node that is ahead takes nothing away, not even a session.
    off_by(DAYS_8);
    assert_eq!(ground.due().await, (0, 0));
    ground.authority.forget_the_past().await.expect("done");
    let sessions = server.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL");
    assert_eq!(sessions.as_deref(), Ok("1"));
    // When both agree, it goes; and a node that is behind takes nothing either.
    let age = format!(
        "UPDATE databases SET deleted_at = deleted_at - {DAYS_8}; UPDATE tables SET deleted_at = deleted_at - {DAYS_8}"
    );
    server.ask(&age).expect("aged");
    assert_eq!(ground.due().await, (1, 1));
    off_by(0);
    assert_eq!(ground.due().await, (1, 1));
    off_by(-DAYS_8);
    assert_eq!(ground.due().await, (0, 0));
    off_by(0);
    for database in ground.authority.databases_to_purge().await.expect("listed") {
        let noted = ground.authority.note_database_purged(database).await;
        noted.expect("noted");
    }
    for table in ground.authority.tables_to_purge().await.expect("listed") {
        ground.authority.note_table_purged(table).await.expect("noted");
    }

    // What is deleted by a node that is behind is not long gone.
    off_by(-DAYS_8);
    let gone = ground.database("gone").await;
    ground.delete(gone, kept).await;
    off_by(0);
    assert_eq!(ground.due().await, (0, 0));
}
