//! A catalog that is restored from a back-up under nodes that run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_authority::{Authority, Caller, Error, Location, NodeSettings, Refusal};
use rescind_domain::{Action, Ask, Secret};
use rescind_testkit::{FrozenClock, Postgres};
use tokio_util::sync::CancellationToken;

use crate::sharing;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

const BACK_UP: &str = "CREATE SCHEMA backup;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('CREATE TABLE backup.%I AS TABLE public.%I', name, name);
        END LOOP;
    END $$";

const RESTORE: &str = "BEGIN; SET LOCAL session_replication_role = replica;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'backup' LOOP
            EXECUTE format('DELETE FROM public.%I', name);
            EXECUTE format('INSERT INTO public.%I SELECT * FROM backup.%I', name, name);
        END LOOP;
    END $$;
    COMMIT";

fn refusal(authority: &Authority, secret: &Secret) -> Option<Refusal> {
    let database = "home".parse().expect("a name");
    let ask = Ask {
        action: Action::Read,
        database: &database,
    };
    authority.admit(secret.expose().as_bytes(), ask).err()
}

/// By its revision it cannot be told: that is beyond what the node saw, and the changes that it lacks are below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_tells_its_catalog_from_one_that_went_back_and_on() {
    let server = Postgres::start().expect("a PostgreSQL server");
    let location = Location::Postgres(server.url());
    let clock = Arc::new(FrozenClock::default());
    let open = async |number| sharing::open(&location, &clock, number, NodeSettings::alone("")).await;
    let first = open(1).await;
    let (place, _) = sharing::found(&first).await;
    let caller = Caller::operator(place.account);
    let create = async |authority: &Arc<Authority>| {
        authority
            .create_database_token(&caller, place, sharing::reader())
            .await
    };
    let token = create(&first).await.expect("made");
    server.ask(BACK_UP).expect("backed up");
    for _ in 0..3 {
        create(&first).await.expect("made");
    }
    // As if it were cut off from now on: nothing keeps its lease. Another one acts, and hears no more than that.
    let node = open(2).await;
    assert_eq!(refusal(&node, &token.secret), None);
    let acting = open(3).await;
    server.ask(RESTORE).expect("restored");

    let after = open(4).await;
    let run = |authority: &Arc<Authority>| tokio::spawn(Arc::clone(authority).run(CancellationToken::new()));
    run(&after);
    let revoked = after.revoke_database_token(&caller, place, token.item.id);
    revoked.await.expect("revoked");
    for _ in 0..4 {
        create(&after).await.expect("made");
    }
    assert!(after.revision() > node.revision());

    run(&node);
    let began = Instant::now();
    loop {
        match refusal(&node, &token.secret) {
            Some(Refusal::Closed) => break,
            Some(Refusal::Unavailable) => assert!(began.elapsed() < PATIENCE, "it never finds out"),
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let revision = || server.ask("SELECT revision FROM ledger").expect("there");
    let before = revision();
    let acted = create(&acting).await;
    assert!(matches!(acted, Err(Error::Unavailable(_))));
    assert_eq!(revision(), before, "nothing is done on what it does not know");
    assert_eq!(refusal(&acting, &token.secret), Some(Refusal::Closed));
    create(&after).await.expect("made");
}
