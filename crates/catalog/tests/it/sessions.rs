//! Sessions, and what ends them.

use rescind_catalog::{ChangeKind, Error, Grant};
use rescind_domain::{Act, Role, SessionGrant, SessionId, SessionKind, UserState};

use crate::stage::{NOW, Stage};

async fn grants(stage: &Stage) -> Vec<SessionGrant> {
    let loaded = stage.grants().await.into_iter();
    let mut grants: Vec<_> = loaded
        .filter_map(|loaded| match loaded.grant {
            Grant::Session(grant) => Some(grant),
            Grant::Database(_) | Grant::Management(_) => None,
        })
        .collect();
    grants.sort_by_key(|grant| grant.session);
    grants
}

async fn granted(stage: &Stage) -> Vec<SessionId> {
    grants(stage).await.iter().map(|grant| grant.session).collect()
}

pub(crate) async fn a_session_lives_and_ends(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let ada = stage.create_user("ada@example.com").await;
    let (session, secret) = stage.create_session(ada.id, SessionKind::Browser).await;

    let [grant] = grants(&stage).await[..] else {
        panic!("one grant")
    };
    assert_eq!((grant.session, grant.kind), (session.id, SessionKind::Browser));
    assert_eq!(
        (grant.user, grant.account, grant.role),
        (ada.id, stage.account, Role::Admin)
    );
    assert_eq!(grant.expires_at, session.expires_at);
    let loaded = catalog.session_grant(session.id).await?.expect("there");
    assert_eq!(loaded.secret, secret);
    assert_eq!(loaded.last_used_at, Some(NOW), "it counts as used when it began");

    let used = NOW.plus_micros(9);
    catalog.record_last_used(&[], &[], &[(session.id, used)]).await?;
    let loaded = catalog.session_grant(session.id).await?.expect("there");
    assert_eq!(loaded.last_used_at, Some(used));
    let mut act = stage.begin().await;
    let found = act.session(session.id).await?.expect("there");
    act.rollback().await?;
    assert_eq!((found.user, found.client), (ada.id, session.client.clone()));
    assert_eq!((found.last_used_at, found.ended_at), (Some(used), None));

    let listed = catalog.sessions(ada.id, NOW).await?;
    assert_eq!(listed.len(), 1);
    assert!(
        catalog.sessions(ada.id, session.expires_at).await?.is_empty(),
        "it has expired"
    );

    let mut act = stage.begin().await;
    assert!(act.end_session(session.id, NOW).await?);
    assert!(!act.end_session(session.id, used).await?, "it had ended");
    assert!(act.session_grant(session.id).await?.is_none());
    let change = Some(ChangeKind::Session(session.id));
    stage.commit(act, Act::UserUpdate, ada.id, change).await;
    assert!(catalog.session_grant(session.id).await?.is_none());
    assert!(granted(&stage).await.is_empty());
    assert!(catalog.sessions(ada.id, NOW).await?.is_empty());
    let ended = catalog.session(session.id).await?.expect("kept");
    assert_eq!(ended.ended_at, Some(NOW));
    Ok(())
}

pub(crate) async fn a_users_sessions_end_with_its_rights(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let mut ada = stage.create_user("ada@example.com").await;
    let bob = stage.create_user("bob@example.com").await;
    let mut adas = Vec::new();
    for kind in [SessionKind::Browser, SessionKind::Device, SessionKind::Device] {
        adas.push(stage.create_session(ada.id, kind).await.0.id);
    }
    adas.sort();
    let (bobs, _) = stage.create_session(bob.id, SessionKind::Browser).await;
    assert_eq!(catalog.sessions_of(ada.id).await?, adas);

    ada.role = Role::Auditor;
    let mut act = stage.begin().await;
    act.update_user(&ada).await?;
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    let grant = catalog.session_grant(adas[0]).await?.expect("there").grant;
    assert!(matches!(grant, Grant::Session(grant) if grant.role == Role::Auditor));

    let mut act = stage.begin().await;
    assert_eq!(
        act.end_sessions_of(ada.id, NOW, Some(adas[1])).await?,
        [adas[0], adas[2]]
    );
    assert_eq!(
        act.end_sessions_of(ada.id, NOW, Some(adas[1])).await?,
        [],
        "they had ended"
    );
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    assert_eq!(catalog.sessions_of(ada.id).await?, [adas[1]]);

    ada.state = UserState::Disabled { at: NOW };
    let mut act = stage.begin().await;
    act.update_user(&ada).await?;
    stage.commit(act, Act::UserDisable, ada.id, None).await;
    assert!(catalog.session_grant(adas[1]).await?.is_none());
    assert_eq!(granted(&stage).await, [bobs.id]);

    let mut act = stage.begin().await;
    assert_eq!(act.end_sessions_of(ada.id, NOW, None).await?, [adas[1]]);
    act.delete_user(stage.account, ada.id).await?;
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    assert!(catalog.user(stage.account, ada.id).await?.is_none());
    assert!(catalog.session(adas[1]).await?.is_none());
    assert_eq!(
        granted(&stage).await,
        [bobs.id],
        "another user's session lives on"
    );
    Ok(())
}

pub(crate) async fn spent_sessions_are_forgotten(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let ada = stage.create_user("ada@example.com").await;
    let (expiring, _) = stage.create_session(ada.id, SessionKind::Device).await;
    // More than one batch.
    let mut act = stage.begin().await;
    for _ in 0..1_200 {
        let (ended, secret) = stage.session(ada.id, SessionKind::Device);
        act.insert_session(&ended, &secret).await?;
    }
    act.end_sessions_of(ada.id, NOW, Some(expiring.id)).await?;
    stage.commit(act, Act::UserUpdate, ada.id, None).await;

    assert_eq!(catalog.purge_sessions(expiring.expires_at).await?, 0);
    assert!(catalog.session(expiring.id).await?.is_some());
    let expired = expiring.expires_at.plus_micros(1);
    assert_eq!(catalog.purge_sessions(expired).await?, 1_200);
    assert!(catalog.session(expiring.id).await?.is_some(), "it has not ended");

    let mut act = stage.begin().await;
    assert!(
        act.end_expired_sessions(NOW, expiring.expires_at)
            .await?
            .is_empty()
    );
    assert_eq!(
        act.end_expired_sessions(NOW, expired).await?,
        [(ada.id, expiring.id)]
    );
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    assert_eq!(catalog.purge_sessions(expired).await?, 1);
    assert!(catalog.session(expiring.id).await?.is_none());
    Ok(())
}

pub(crate) async fn administrators_who_can_sign_in_are_counted(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let mut ada = stage.create_user("ada@example.com").await;
    assert_eq!(
        catalog.enabled_admins(stage.account).await?,
        0,
        "without a password"
    );
    assert!(!catalog.has_password(ada.id).await?);
    let mut act = stage.begin().await;
    act.set_password(ada.id, "$argon2id$hash").await?;
    assert!(act.has_password(ada.id).await?);
    assert_eq!(act.enabled_admins(stage.account).await?, 1);
    stage.commit(act, Act::UserUpdate, ada.id, None).await;

    for (role, state, count) in [
        (Role::Member, UserState::Enabled, 0),
        (Role::Admin, UserState::Disabled { at: NOW }, 0),
        (Role::Admin, UserState::Enabled, 1),
    ] {
        (ada.role, ada.state) = (role, state);
        let mut act = stage.begin().await;
        act.update_user(&ada).await?;
        assert_eq!(act.enabled_admins(stage.account).await?, count);
        stage.commit(act, Act::UserUpdate, ada.id, None).await;
    }
    let elsewhere = rescind_domain::AccountId::mint(&stage.rng);
    assert_eq!(catalog.enabled_admins(elsewhere).await?, 0);
    Ok(())
}
