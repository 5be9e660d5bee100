//! What a PostgreSQL server must be and a user must have, and what is said when it is not so.

use rescind_catalog::{Catalog, Error, Location, ServerFault};
use rescind_testkit::Postgres;

use crate::stage::Stage;

/// Opens what cannot be opened; the fault and the whole text, which shows no password.
async fn refused(url: &str) -> (ServerFault, String) {
    let location = Location::Postgres(url.to_owned());
    match Catalog::open(&location).await {
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("hush"), "{text}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
            match error {
                Error::Server(fault) => (fault, text),
                other => panic!("{other:?}"),
            }
        }
        Ok(_) => panic!("opened"),
    }
}

fn ask(server: &Postgres, sql: &str) {
    server.ask(sql).expect(sql);
}

/// `url` with another user, password and database.
fn with(server: &Postgres, user: &str, database: &str) -> String {
    let url = server.url();
    let (_, host) = url.split_once('@').expect("a user");
    let (host, _) = host.split_once('/').expect("a database");
    format!("postgres://{user}@{host}/{database}")
}

pub(crate) async fn what_keeps_a_catalog_from_being_opened_is_said(server: &Postgres) {
    let (fault, text) = refused("postgres://ada:hush@127.0.0.1:1/rescind").await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault:?}");
    assert_eq!(
        text,
        "the server cannot be reached: Connection refused (os error 111). Is it running, are host and \
         port right, does a firewall let this node in?"
    );
    let (fault, _) = refused("postgres://ada:hush@nowhere.invalid/rescind").await;
    assert!(matches!(fault, ServerFault::Unreachable(_)), "{fault:?}");
    let (fault, _) = refused("postgres://ada:hush@127.0.0.1:notaport/rescind").await;
    assert!(matches!(fault, ServerFault::Address(_)), "{fault:?}");

    ask(server, "CREATE ROLE locked LOGIN PASSWORD 'open sesame'");
    ask(
        server,
        "DO $$ BEGIN EXECUTE format(
             'COPY (SELECT unnest(ARRAY[''host all locked all scram-sha-256'', ''host all all all trust''])) TO %L',
             current_setting('hba_file')); END $$",
    );
    ask(server, "SELECT pg_reload_conf()");
    let (fault, text) = refused(&with(server, "locked:hush", "rescind")).await;
    assert!(matches!(fault, ServerFault::SignIn(_)), "{fault:?}");
    assert!(
        text.contains("password authentication failed for user \"locked\""),
        "{text}"
    );
    let (fault, _) = refused(&with(server, "stranger:hush", "rescind")).await;
    assert!(matches!(fault, ServerFault::SignIn(_)), "{fault:?}");
    let (fault, text) = refused(&with(server, "postgres:hush", "nothing")).await;
    assert!(matches!(fault, ServerFault::NoDatabase(_)), "{fault:?}");
    assert!(
        text.contains("database \"nothing\" does not exist. Create it"),
        "{text}"
    );

    ask(
        server,
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    let (fault, _) = refused(&with(server, "postgres:hush", "latin")).await;
    assert_eq!(fault, ServerFault::Encoding("LATIN1".to_owned()));
    ask(server, "CREATE DATABASE frozen");
    ask(
        server,
        "ALTER DATABASE frozen SET default_transaction_read_only = on",
    );
    let (fault, _) = refused(&with(server, "postgres:hush", "frozen")).await;
    assert_eq!(fault, ServerFault::ReadOnly);
}

pub(crate) async fn what_a_user_lacks_is_said(server: &Postgres) {
    ask(server, "CREATE DATABASE guarded");
    ask(server, "CREATE ROLE guest LOGIN");
    let guest = with(server, "guest:hush", "guarded");
    let (fault, text) = refused(&guest).await;
    let ServerFault::Rights(_) = fault else {
        panic!("{fault:?}")
    };
    assert!(
        text.contains("permission denied for schema public. It must own the database, or be granted"),
        "{text}"
    );
    // Whoever may not create tables may use them, if somebody else made them.
    let owner = Location::Postgres(with(server, "postgres:hush", "guarded"));
    Catalog::open(&owner).await.expect("opens").close().await;
    let (fault, _) = refused(&guest).await;
    assert!(matches!(fault, ServerFault::Rights(_)), "{fault:?}");
    for (right, suffices) in [
        ("USAGE ON SCHEMA public", false),
        ("SELECT, UPDATE ON ALL TABLES IN SCHEMA public", false),
        ("INSERT, DELETE ON ALL TABLES IN SCHEMA public", true),
    ] {
        let granted = Stage::tamper_at(&owner, &format!("GRANT {right} TO guest")).await;
        granted.expect("granted");
        if suffices {
            let opened = Catalog::open(&Location::Postgres(guest.clone())).await;
            opened.expect("opens").close().await;
        } else {
            let (fault, _) = refused(&guest).await;
            assert!(matches!(fault, ServerFault::Rights(_)), "{right}: {fault:?}");
        }
    }
}
