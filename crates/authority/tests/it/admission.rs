//! Who is admitted, and what the others are told.

use std::time::Duration;

use rescind_authority::Refusal;
use rescind_domain::{Action, SecretError, SecretKind};
use rescind_testkit::FrozenClock;

use crate::house::House;

#[tokio::test]
async fn a_token_opens_what_it_names_and_nothing_else() {
    let house = House::new().await;
    let token = house.token(&[("read", "a"), ("write", "*")]).await;
    let admitted = house.admit(&token.secret, Action::Read, "a").expect("admitted");
    assert_eq!(admitted.permit().token(), token.item.id);
    assert_eq!(admitted.permit().cluster(), house.place.cluster);
    house
        .admit(&token.secret, Action::Write, "b")
        .expect("every database, made or not");
    let refusal = house
        .admit(&token.secret, Action::Read, "b")
        .expect_err("refused");
    assert_eq!(
        refusal.to_string(),
        "the token has no permission to read database \"b\""
    );
}

#[tokio::test]
async fn every_bad_token_is_told_what_it_is() {
    let house = House::new().await;
    let token = house.token(&[("read", "a")]).await;
    let good = token.secret.expose();
    let ask = rescind_domain::Ask {
        action: Action::Read,
        database: &"a".parse().expect("a name"),
    };
    let refusal = |secret: &str| {
        house
            .authority
            .admit(secret.as_bytes(), ask)
            .expect_err("refused")
    };
    assert_eq!(refusal(""), Refusal::Malformed(SecretError::Form));
    assert_eq!(refusal("garbage"), Refusal::Malformed(SecretError::Form));
    let broken = format!("{}A", &good[..good.len() - 1]);
    assert_eq!(refusal(&broken), Refusal::Malformed(SecretError::Checksum));
    let stranger = rescind_domain::Secret::mint(SecretKind::Database, &rescind_testkit::SeededRng::new(9));
    assert_eq!(refusal(stranger.expose()), Refusal::Unknown);
    assert_eq!(
        refusal(house.management_secret.expose()),
        Refusal::WrongKind {
            presented: SecretKind::Management,
            wanted: SecretKind::Database
        }
    );
    assert_eq!(
        house
            .authority
            .authenticate(good.as_bytes())
            .expect_err("refused"),
        Refusal::WrongKind {
            presented: SecretKind::Database,
            wanted: SecretKind::Management
        }
    );
}

#[tokio::test]
async fn a_token_works_until_the_moment_it_expires() {
    let house = House::new().await;
    let end = FrozenClock::START.plus_micros(10_000_000);
    let token = house.token_until(&[("read", "a")], Some(end)).await;
    house.clock.advance(Duration::from_micros(9_999_999));
    house
        .admit(&token.secret, Action::Read, "a")
        .expect("still admitted");
    house.clock.advance(Duration::from_micros(1));
    assert_eq!(
        house
            .admit(&token.secret, Action::Read, "a")
            .expect_err("refused"),
        Refusal::Expired
    );
}

#[tokio::test]
async fn last_use_reaches_the_catalog() {
    let house = House::new().await;
    let token = house.token(&[("read", "a")]).await;
    house.admit(&token.secret, Action::Read, "a").expect("admitted");
    house.authority.record_uses().await.expect("recorded");
    let read = house
        .authority
        .database_token(&house.caller, house.place, token.item.id)
        .await
        .expect("read");
    assert_eq!(read.last_used_at, Some(FrozenClock::START));
}
