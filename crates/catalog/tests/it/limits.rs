//! What the limits of signing in are counted by.

use rescind_catalog::{Entry, Error};
use rescind_domain::{Act, Actor, DeviceState, SessionId, SessionKind, Timestamp, UserId};
use rescind_testkit::FrozenClock;

use crate::devices::request;
use crate::stage::{NOW, Stage};

pub(crate) async fn the_sessions_longest_unused_end_first(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    let ada = stage.create_user("ada@example.com").await;
    let bob = stage.create_user("bob@example.com").await;
    let (bobs, _) = stage.create_session(bob.id, SessionKind::Browser).await;
    let mut adas = Vec::new();
    let mut act = stage.begin().await;
    for age in 0..6 {
        let (mut session, secret) = stage.session(ada.id, SessionKind::Browser);
        session.created_at = NOW.plus_micros(-10 * age);
        act.insert_session(&session, &secret).await?;
        adas.push(session);
    }
    // The oldest was used since, the youngest has ended.
    act.end_session(adas[0].id, NOW).await?;
    stage.commit(act, Act::SessionCreate, ada.id, None).await;
    let used = [(adas[5].id, NOW.plus_micros(1))];
    catalog.record_last_used(&[], &[], &used).await?;

    let mut act = stage.begin().await;
    assert_eq!(act.end_sessions_beyond(ada.id, NOW, 5).await?, [], "five live");
    let mut expected = [adas[3].id, adas[4].id];
    expected.sort_unstable();
    assert_eq!(act.end_sessions_beyond(ada.id, NOW, 3).await?, expected);
    assert_eq!(
        act.end_sessions_beyond(ada.id, NOW, 3).await?,
        [],
        "they have ended"
    );
    stage.commit(act, Act::SessionEnd, ada.id, None).await;
    let mut left: Vec<SessionId> = catalog
        .sessions(ada.id, NOW)
        .await?
        .iter()
        .map(|left| left.id)
        .collect();
    left.sort_unstable();
    let mut expected = [adas[1].id, adas[2].id, adas[5].id];
    expected.sort_unstable();
    assert_eq!(left, expected);

    let mut act = stage.begin().await;
    let late = adas[1].expires_at;
    assert_eq!(
        act.end_sessions_beyond(ada.id, late, 0).await?,
        [],
        "all have expired"
    );
    act.rollback().await?;
    assert!(catalog.session_grant(bobs.id).await?.is_some(), "another user's");
    Ok(())
}

pub(crate) async fn waiting_devices_say_where_they_are(stage: Stage) -> Result<(), Error> {
    let catalog = &stage.catalog;
    assert!(catalog.pending_device_addresses(NOW).await?.is_empty());
    let mut requests = Vec::new();
    for address in ["192.0.2.7", "2001:db8::7", "192.0.2.7"] {
        let (mut request, secret) = request(&stage);
        request.client.address = address.parse().expect("an address");
        assert!(catalog.insert_device_request(&request, &secret, 9).await?);
        requests.push(request);
    }
    let mut found: Vec<String> = catalog
        .pending_device_addresses(NOW)
        .await?
        .iter()
        .map(ToString::to_string)
        .collect();
    found.sort_unstable();
    assert_eq!(found, ["192.0.2.7", "192.0.2.7", "2001:db8::7"]);
    requests[0].state = DeviceState::Denied;
    let mut act = stage.begin().await;
    act.update_device_request(&requests[0]).await?;
    stage.commit(act, Act::DeviceDeny, requests[0].id, None).await;
    assert_eq!(catalog.pending_device_addresses(NOW).await?.len(), 2);
    let late = requests[1].expires_at;
    assert!(catalog.pending_device_addresses(late).await?.is_empty());
    Ok(())
}

pub(crate) async fn failures_count_from_the_last_session_in_a_browser(stage: Stage) -> Result<(), Error> {
    let ada = stage.create_user("ada@example.com").await.id;
    let bob = stage.create_user("bob@example.com").await.id;
    let failures = async |user: UserId| -> Result<Vec<Timestamp>, Error> {
        let found = stage.catalog.sign_in_failures(stage.account, user).await?;
        Ok(found.iter().map(|event| event.at).collect())
    };
    assert_eq!(failures(ada).await?, []);
    for n in 1..=3 {
        fail(&stage, ada, n).await?;
    }
    fail(&stage, bob, 4).await?;
    let at = |n| NOW.plus_micros(n);
    assert_eq!(failures(ada).await?, [at(3), at(2), at(1)]);
    let misleading = [("kind", "device"), ("agent", r#"[["kind","browser"]"#)];
    began(&stage, ada, &misleading).await?;
    assert_eq!(failures(ada).await?.len(), 3, "programs do not count");
    began(&stage, ada, &[("kind", "browser"), ("address", "192.0.2.1")]).await?;
    assert_eq!(failures(ada).await?, []);
    assert_eq!(failures(bob).await?, [at(4)]);
    fail(&stage, ada, 5).await?;
    assert_eq!(failures(ada).await?, [at(5)]);
    Ok(())
}

async fn fail(stage: &Stage, user: UserId, micros: i64) -> Result<(), Error> {
    let act = stage
        .catalog
        .begin(&FrozenClock::at(NOW.plus_micros(micros)))
        .await?;
    let entry = stage.entry(Act::SignInFailure, user, Vec::new());
    act.commit(entry).await.map(drop)
}

async fn began(stage: &Stage, user: UserId, details: &[(&str, &str)]) -> Result<(), Error> {
    let details = details
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let entry = Entry {
        actor: Actor::User(user),
        details: details.collect(),
        ..stage.entry(Act::SessionCreate, SessionId::mint(&stage.rng), Vec::new())
    };
    stage.begin().await.commit(entry).await.map(drop)
}
