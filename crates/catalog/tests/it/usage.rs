//! Last-used times.

use rescind_catalog::{Error, Use};
use rescind_domain::{Act, DatabaseTokenId, ManagementTokenId, Revision, Timestamp};

use crate::stage::{NOW, Stage};

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
