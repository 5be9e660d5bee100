//! Usage: what tokens are used for and by whom.

use std::time::Duration;

use rescind_authority::Error;
use rescind_domain::{Action, DatabaseTokenId, Hour, Secret, Usage};
use rescind_testkit::FrozenClock;

use crate::house::{House, client};

fn use_it(house: &House, secret: &Secret, action: Action, database: &str, from: u8) {
    let admitted = house.admit(secret, action, database).expect("admitted");
    let client = client(from);
    house
        .authority
        .note_use(admitted.permit(), client.address, client.agent.as_str());
}

async fn usage(house: &House, token: DatabaseTokenId) -> Vec<Usage> {
    let since = Hour::of(FrozenClock::START).before(24);
    let usage = house
        .authority
        .token_usage(&house.caller, house.place, token, since)
        .await;
    usage.expect("read")
}

fn requests(database: &str, action: Action, requests: u64) -> Usage {
    Usage {
        hour: Hour::of(FrozenClock::START),
        database: database.parse().expect("a name"),
        action,
        requests,
    }
}

#[tokio::test]
async fn requests_are_counted_by_database_and_action_and_kept_when_flushed() {
    let house = House::new().await;
    let (token, unused) = (
        house.token(&[("read", "*"), ("write", "*")]).await,
        house.token(&[]).await,
    );
    for database in ["a", "b", "a"] {
        use_it(&house, &token.secret, Action::Read, database, 1);
    }
    use_it(&house, &token.secret, Action::Write, "a", 2);
    house.authority.record_uses().await.expect("flushed");
    use_it(&house, &token.secret, Action::Write, "a", 3);
    house.authority.record_uses().await.expect("flushed again");
    house.authority.record_uses().await.expect("nothing new");
    let expected = [
        requests("a", Action::Read, 2),
        requests("a", Action::Write, 2),
        requests("b", Action::Read, 1),
    ];
    assert_eq!(usage(&house, token.item.id).await, expected);
    assert_eq!(usage(&house, unused.item.id).await, []);
    let read = house
        .authority
        .database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("read");
    assert_eq!(read.last_used_at, Some(FrozenClock::START));
    let house = house.reopened().await;
    assert_eq!(usage(&house, token.item.id).await, expected);
}

/// The hour is the one in which the request was admitted.
#[tokio::test]
async fn requests_are_counted_by_the_hour() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    use_it(&house, &token.secret, Action::Read, "a", 1);
    house.authority.record_uses().await.expect("flushed");
    house.clock.advance(Duration::from_secs(60 * 60));
    // The clock that counts is looked at when a node starts and then every 200 ms.
    let house = house.reopened().await;
    use_it(&house, &token.secret, Action::Read, "a", 1);
    house.authority.record_uses().await.expect("flushed");
    let first = requests("a", Action::Read, 1);
    let second = Usage {
        hour: Hour::new(first.hour.number() + 1),
        ..first.clone()
    };
    assert_eq!(usage(&house, token.item.id).await, [first, second.clone()]);
    let since = house
        .authority
        .token_usage(&house.caller, house.place, token.item.id, second.hour)
        .await;
    assert_eq!(since.expect("read"), [second]);
}

#[tokio::test]
async fn who_used_a_token_last_is_known_after_a_restart() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    let last = |house: &House| {
        let (authority, caller, place) = (house.authority.clone(), house.caller, house.place);
        async move {
            authority
                .last_client(&caller, place, token.item.id)
                .await
                .expect("read")
        }
    };
    assert_eq!(last(&house).await, None);
    use_it(&house, &token.secret, Action::Read, "a", 1);
    use_it(&house, &token.secret, Action::Read, "a", 2);
    let caller = house.bearer(&house.management_secret).expect("recognised");
    let admin = client(3);
    house
        .authority
        .note_caller(&caller, admin.address, "influxctl/1.0");
    house.authority.record_uses().await.expect("flushed");
    let house = house.reopened().await;
    let seen = last(&house).await.expect("somebody");
    assert_eq!((seen.at, seen.client), (FrozenClock::START, client(2)));
    let own = match house.caller.actor() {
        rescind_domain::Actor::ManagementToken(id) => id,
        other => panic!("{other}"),
    };
    let account = house.place.account;
    let seen = house
        .authority
        .management_token_last_client(&house.caller, account, own)
        .await
        .expect("read");
    assert_eq!(seen.expect("somebody").client.agent.as_str(), "influxctl/1.0");
}

/// When a token was last used is noted once a second; who used it is not left out for that.
#[tokio::test]
async fn who_used_a_token_within_the_same_second_is_known_too() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    use_it(&house, &token.secret, Action::Read, "a", 1);
    house.authority.record_uses().await.expect("flushed");
    house.clock.advance(Duration::from_millis(400));
    let house = house.reopened().await;
    use_it(&house, &token.secret, Action::Read, "a", 2);
    house.authority.record_uses().await.expect("flushed");
    let last = house
        .authority
        .last_client(&house.caller, house.place, token.item.id)
        .await
        .expect("read")
        .expect("somebody");
    assert_eq!(
        (last.at, last.client),
        (FrozenClock::START.plus_micros(400_000), client(2))
    );
}

#[tokio::test]
async fn old_usage_is_forgotten_after_a_week_and_unknown_tokens_have_none() {
    let house = House::new().await;
    let token = house.token(&[("read", "*")]).await;
    use_it(&house, &token.secret, Action::Read, "a", 1);
    house.authority.record_uses().await.expect("flushed");
    house.clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    house.authority.forget_the_past().await.expect("forgotten");
    assert_eq!(usage(&house, token.item.id).await.len(), 1, "a week");
    house.clock.advance(Duration::from_secs(60 * 60));
    house.authority.forget_the_past().await.expect("forgotten");
    assert_eq!(usage(&house, token.item.id).await, []);
    let unknown = DatabaseTokenId::from_bytes([9; 16]);
    let since = Hour::of(FrozenClock::START);
    let none = house
        .authority
        .token_usage(&house.caller, house.place, unknown, since)
        .await;
    assert!(matches!(none, Err(Error::NotFound { .. })));
}
