//! Device requests.

use rescind_catalog::Error;
use rescind_domain::{
    Act, DeviceRequest, DeviceRequestId, DeviceState, Secret, SecretHash, SecretKind, SessionKind, UserCode,
};

use crate::stage::{NOW, Stage, client};

/// A request of ten minutes that is not kept yet.
pub(crate) fn request(stage: &Stage) -> (DeviceRequest, SecretHash) {
    let request = DeviceRequest {
        id: DeviceRequestId::mint(&stage.rng),
        user_code: UserCode::mint(&stage.rng),
        client_id: "influxctl".to_owned(),
        host: "küche".to_owned(),
        client: client("192.0.2.7", "influxctl/2.10"),
        created_at: NOW,
        expires_at: NOW.plus_micros(600_000_000),
        state: DeviceState::Pending,
    };
    (request, Secret::mint(SecretKind::Device, &stage.rng).hash())
}

/// What a device does that asks for its session: whether it got one.
async fn redeem(stage: &Stage, secret: &SecretHash) -> Result<bool, Error> {
    let mut act = stage.begin().await;
    let mut request = act.device_request_by_secret(secret).await?.expect("known");
    let DeviceState::Approved { user } = request.state else {
        act.rollback().await?;
        return Ok(false);
    };
    request.state = DeviceState::Redeemed;
    act.update_device_request(&request).await?;
    let (session, hash) = stage.session(user, SessionKind::Device);
    act.insert_session(&session, &hash).await?;
    stage.commit(act, Act::UserUpdate, user, None).await;
    Ok(true)
}

pub(crate) async fn a_device_is_redeemed_once(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let ada = stage.create_user("ada@example.com").await;
    let (request, secret) = request(&stage);
    assert!(catalog.insert_device_request(&request, &secret, 9).await?);
    assert!(!redeem(&stage, &secret).await?, "nobody has approved it");

    let mut act = stage.begin().await;
    let mut found = act
        .device_request_by_code(&request.user_code)
        .await?
        .expect("known");
    assert_eq!(found.id, request.id);
    assert_eq!(
        (found.client_id.as_str(), found.host.as_str()),
        ("influxctl", "küche")
    );
    assert_eq!(
        (&found.client, found.state),
        (&request.client, DeviceState::Pending)
    );
    found.state = DeviceState::Approved { user: ada.id };
    act.update_device_request(&found).await?;
    stage.commit(act, Act::UserUpdate, ada.id, None).await;
    let found = catalog
        .device_request_by_code(&request.user_code)
        .await?
        .expect("known");
    assert_eq!(found.state, DeviceState::Approved { user: ada.id });

    let tries = (0..6).map(|_| redeem(&stage, &secret));
    let redeemed = futures::future::try_join_all(tries).await?;
    assert_eq!(
        redeemed.into_iter().filter(|won| *won).count(),
        1,
        "one of all who try gets the session"
    );
    assert_eq!(catalog.sessions(ada.id, NOW).await?.len(), 1);
    let found = catalog.device_request_by_secret(&secret).await?.expect("known");
    assert_eq!(found.state, DeviceState::Redeemed);
    Ok(())
}

pub(crate) async fn only_so_many_devices_wait(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let (request, secret) = request(&stage);
        assert!(catalog.insert_device_request(&request, &secret, 2).await?);
        kept.push(request);
    }
    let (late, secret) = request(&stage);
    assert!(!catalog.insert_device_request(&late, &secret, 2).await?);
    assert!(catalog.device_request_by_secret(&secret).await?.is_none());

    kept[0].state = DeviceState::Denied;
    let mut act = stage.begin().await;
    act.update_device_request(&kept[0]).await?;
    stage.commit(act, Act::UserUpdate, "a device", None).await;
    assert!(catalog.insert_device_request(&late, &secret, 2).await?);

    let (mut later, secret) = request(&stage);
    later.created_at = late.expires_at;
    later.expires_at = late.expires_at.plus_micros(1);
    assert!(
        catalog.insert_device_request(&later, &secret, 2).await?,
        "the others have expired"
    );
    let (mut twin, other) = request(&stage);
    twin.user_code = later.user_code.clone();
    let refused = catalog.insert_device_request(&twin, &other, 99).await;
    assert!(
        matches!(
            refused,
            Err(Error::Conflict {
                what: "device request"
            })
        ),
        "{refused:?}"
    );

    assert_eq!(catalog.purge_device_requests(late.expires_at).await?, 0);
    assert_eq!(catalog.purge_device_requests(later.expires_at).await?, 3);
    assert!(catalog.device_request_by_secret(&secret).await?.is_some());
    Ok(())
}
