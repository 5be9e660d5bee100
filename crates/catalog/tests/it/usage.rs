//! What tokens are used for, when and by whom.

use rescind_catalog::{Error, Use};
use rescind_domain::{
    Act, Action, Client, DatabaseTokenId, Hour, ManagementTokenId, Revision, Timestamp, Usage,
};

use crate::stage::{NOW, Stage, client};

fn used<Id>(id: Id, at: Timestamp) -> Use<Id> {
    Use { id, at, client: None }
}

pub(crate) async fn last_use_never_moves_backwards(stage: Stage) -> Result<(), Error> {
    let (token, secret) = stage.token("t", &[]);
    let (management, management_secret) = stage.management_token("m");
    let mut act = stage.begin().await;
    act.insert_database_token(&token, &secret).await.expect("token");
    act.insert_management_token(&management, &management_secret)
        .await
        .expect("token");
    stage.commit(act, Act::DatabaseTokenCreate, token.id, None).await;
    let verdict = stage.catalog.verify_audit().await.expect("verifies");

    // More than one batch, of ids that are not known, around the known one.
    let unknown = (0..600).map(|_| DatabaseTokenId::mint(&stage.rng));
    let ids: Vec<_> = unknown.chain([token.id]).collect();
    let unknown = used(ManagementTokenId::mint(&stage.rng), NOW);
    let record = async |offset| {
        let at = NOW.plus_micros(offset);
        let uses: Vec<_> = ids.iter().map(|id| used(*id, at)).collect();
        let management = [unknown.clone(), used(management.id, at)];
        stage
            .catalog
            .record_last_used(&uses, &management, &[])
            .await
            .expect("records");
        let grants = stage.grants().await;
        assert_eq!(grants.len(), 2);
        grants
            .iter()
            .map(|grant| grant.last_used_at.expect("used").micros() - NOW.micros())
            .collect::<Vec<_>>()
    };
    assert_eq!(record(5).await, [5, 5]);
    assert_eq!(record(3).await, [5, 5]);
    assert_eq!(record(6).await, [6, 6]);
    let found = stage
        .catalog
        .database_token(stage.cluster, token.id)
        .await
        .expect("reads");
    assert_eq!(found.expect("there").last_used_at, Some(NOW.plus_micros(6)));
    assert_eq!(
        stage.catalog.revision().await.expect("reads"),
        Revision::new(0),
        "no act"
    );
    assert_eq!(
        stage.catalog.verify_audit().await.expect("verifies"),
        verdict,
        "no act"
    );
    Ok(())
}

pub(crate) async fn the_last_client_comes_with_the_last_use(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (token, secret) = stage.token("t", &[]);
    stage.create_token(&token, &secret).await;
    let (management, secret) = stage.management_token("m");
    let mut act = stage.begin().await;
    act.insert_management_token(&management, &secret).await?;
    stage
        .commit(act, Act::ManagementTokenCreate, management.id, None)
        .await;
    assert_eq!(catalog.last_client(token.id).await?, None);

    let telegraf = client("192.0.2.7", "Telegraf/1.30");
    let curl = client("2001:db8::1", "");
    let record = async |offset, who: Option<&Client>| {
        let used_by = |at| (at, who.cloned());
        let (at, client) = used_by(NOW.plus_micros(offset));
        let database = Use {
            id: token.id,
            at,
            client: client.clone(),
        };
        let management = Use {
            id: management.id,
            at,
            client,
        };
        catalog.record_last_used(&[database], &[management], &[]).await
    };
    let last = async || -> Result<_, Error> {
        let last = catalog.last_client(token.id).await?;
        assert_eq!(catalog.management_token_last_client(management.id).await?, last);
        Ok(last.map(|last| (last.at.micros() - NOW.micros(), last.client)))
    };
    record(1, None).await?;
    assert_eq!(last().await?, None, "used, but nobody knows by whom");
    record(5, Some(&telegraf)).await?;
    record(3, Some(&curl)).await?;
    assert_eq!(
        last().await?,
        Some((5, telegraf.clone())),
        "an earlier use came later"
    );
    record(7, None).await?;
    assert_eq!(last().await?, Some((7, telegraf)));
    record(9, Some(&curl)).await?;
    assert_eq!(last().await?, Some((9, curl)));
    assert_eq!(
        catalog.last_client(DatabaseTokenId::mint(&stage.rng)).await?,
        None
    );
    Ok(())
}

pub(crate) async fn requests_add_up(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let token = DatabaseTokenId::mint(&stage.rng);
    let other = DatabaseTokenId::mint(&stage.rng);
    let usage = |hour, database: &str, action, requests| Usage {
        hour: Hour::new(hour),
        database: database.parse().expect("a name"),
        action,
        requests,
    };
    // More than one batch, and the same row twice in one flush.
    let mut flush: Vec<_> = (0..600)
        .map(|hour| (other, usage(hour, "home", Action::Read, 1)))
        .collect();
    flush.extend([
        (token, usage(7, "home", Action::Write, 2)),
        (token, usage(8, "away", Action::Read, 1)),
        (token, usage(7, "home", Action::Write, 3)),
        (token, usage(7, "home", Action::Read, 4)),
        (token, usage(9, "home", Action::Read, 0)),
    ]);
    let nodes = futures::join!(catalog.record_usage(&flush), catalog.record_usage(&flush));
    nodes.0?;
    nodes.1?;
    let of_seven = [
        usage(7, "home", Action::Read, 8),
        usage(7, "home", Action::Write, 10),
    ];
    let of_eight = [usage(8, "away", Action::Read, 2)];
    assert_eq!(
        catalog.token_usage(token, Hour::new(7)).await?,
        [&of_seven[..], &of_eight].concat()
    );
    assert_eq!(catalog.token_usage(token, Hour::new(8)).await?, of_eight);
    let others = catalog.token_usage(other, Hour::new(0)).await?;
    assert_eq!(others.iter().map(|usage| usage.requests).sum::<u64>(), 1_200);

    assert_eq!(catalog.purge_usage(Hour::new(8)).await?, 8 + 2);
    assert_eq!(catalog.token_usage(token, Hour::new(0)).await?, of_eight);
    assert_eq!(catalog.revision().await?, Revision::new(0), "no act");
    Ok(())
}

/// Uses are no promise. What they cost would be in the way of what is.
pub(crate) async fn uses_do_not_wait_for_the_disk_as_acts_do(stage: Stage) -> Result<(), Error> {
    let witness = "
        CREATE TABLE witness (what TEXT, how TEXT);
        CREATE FUNCTION bear_witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO witness VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'));
            RETURN NULL;
        END $$;
        CREATE TRIGGER witness AFTER INSERT ON audit_events EXECUTE FUNCTION bear_witness();
        CREATE TRIGGER witness AFTER UPDATE ON database_tokens EXECUTE FUNCTION bear_witness();
        CREATE TRIGGER witness AFTER INSERT ON token_usage EXECUTE FUNCTION bear_witness()";
    stage.tamper(witness).await.expect("a witness");
    let (token, secret) = stage.token("t", &[]);
    stage.create_token(&token, &secret).await;
    let used = [used(token.id, NOW)];
    let usage = Usage {
        hour: Hour::new(7),
        database: "home".parse().expect("a name"),
        action: Action::Read,
        requests: 1,
    };
    stage.catalog.record_last_used(&used, &[], &[]).await?;
    stage.catalog.record_usage(&[(token.id, usage)]).await?;
    // On the same connections.
    let (token, secret) = stage.token("other", &[]);
    stage.create_token(&token, &secret).await;
    for (what, how, count) in [
        ("audit_events", "on", 2),
        ("database_tokens", "off", 1),
        ("token_usage", "off", 1),
    ] {
        let seen = format!("DELETE FROM witness WHERE what = '{what}' AND how = '{how}'");
        assert_eq!(stage.tamper(&seen).await.expect("asked"), count, "{what}");
    }
    let others = stage.tamper("DELETE FROM witness").await;
    assert_eq!(others.expect("asked"), 0);
    Ok(())
}
