//! Every token, as an index in memory is built from them.

use rescind_catalog::Error;
use rescind_domain::{Act, Actor, ClusterId, DatabaseTokenId, ManagementTokenId, TokenState, UserId};

use crate::stage::{NOW, Stage};

pub(crate) async fn every_token_is_loaded(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let (first, secret) = stage.token("Küche", &[("read", "home"), ("write", "*")]);
    stage.create_token(&first, &secret).await;
    let (mut second, secret) = stage.token("Bad", &[("read", "home"), ("write", "*")]);
    second.created_by = Actor::User(UserId::mint(&stage.rng));
    second.state = TokenState::Revoked { at: NOW };
    second.expires_at = Some(NOW.plus_micros(3));
    second.last_used_at = Some(NOW);
    let created = stage.create_token(&second, &secret).await;
    let (mut management, secret) = stage.management_token("m");
    management.state = TokenState::Revoked { at: NOW };
    let mut act = stage.begin().await;
    act.insert_management_token(&management, &secret).await?;
    stage
        .commit(act, Act::ManagementTokenCreate, management.id, None)
        .await;

    let mut loaded = Vec::new();
    let revision = catalog
        .load_database_tokens(stage.cluster, &mut |token| loaded.push(token))
        .await?;
    assert_eq!(Some(revision), created.revision);
    loaded.sort_by_key(|token| token.id != first.id);
    // A token has no equality, but its rendering has every field of it.
    let texts = |tokens: &[rescind_domain::DatabaseToken]| format!("{tokens:#?}");
    let all = [first.clone(), second.clone()];
    assert_eq!(texts(&loaded), texts(&all));

    let elsewhere = ClusterId::mint(&stage.rng);
    let none = &mut |_| panic!("none is there");
    assert_eq!(catalog.load_database_tokens(elsewhere, none).await?, revision);

    // More than one batch, of ids that are not known, around the known ones.
    let unknown = (0..1_100).map(|_| DatabaseTokenId::mint(&stage.rng));
    let ids: Vec<_> = [first.id].into_iter().chain(unknown).chain([second.id]).collect();
    let found = catalog.database_tokens_by_ids(&ids).await?;
    assert_eq!(texts(&found), texts(&all));
    assert!(catalog.database_tokens_by_ids(&[]).await?.is_empty());

    let mut loaded = Vec::new();
    catalog
        .load_management_tokens(stage.account, &mut |token| loaded.push(token))
        .await?;
    assert_eq!(format!("{loaded:?}"), format!("{:?}", [&management]));
    let ids = [ManagementTokenId::mint(&stage.rng), management.id];
    let found = catalog.management_tokens_by_ids(&ids).await?;
    assert_eq!(format!("{found:?}"), format!("{loaded:?}"));
    Ok(())
}
