//! Devices: asked, answered, redeemed once (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use rescind_authority::{AskDevice, DeviceStarted, Error, RedeemError, Refusal, SignedIn};
use rescind_domain::{Act, Role, SecretKind, UserCode};

use crate::house::{House, client};

async fn redeem(house: &House, started: &DeviceStarted) -> Result<SignedIn, RedeemError> {
    house
        .authority
        .redeem_device(started.secret.expose().as_bytes(), "influxctl", client(2))
        .await
}

/// What the program is told, without the session.
async fn told(house: &House, started: &DeviceStarted) -> RedeemError {
    redeem(house, started).await.err().expect("no session")
}

#[tokio::test]
async fn a_program_gets_its_session_once_its_user_approved() {
    let house = House::new().await;
    let grace = house.person("grace@example.com", Role::Member).await;
    let caller = house.recognise(&grace.secret).expect("grace");
    let started = house.ask_device().await;
    assert_eq!(started.secret.kind(), SecretKind::Device);
    assert!(matches!(told(&house, &started).await, RedeemError::Pending));
    let code: UserCode = started
        .request
        .user_code
        .to_string()
        .to_lowercase()
        .parse()
        .expect("a code");
    let seen = house
        .authority
        .device_request(&caller, &code)
        .await
        .expect("shown");
    assert_eq!(
        (seen.client_id.as_str(), seen.host.as_str()),
        ("influxctl", "laptop")
    );
    house
        .authority
        .answer_device(&caller, &code, true)
        .await
        .expect("approved");
    assert!(matches!(
        house.authority.device_request(&caller, &code).await,
        Err(Error::NotFound { .. })
    ));
    let again = house.authority.answer_device(&caller, &code, false).await;
    assert!(matches!(again, Err(Error::NotFound { .. })), "answered");
    let session = redeem(&house, &started).await.expect("redeemed");
    assert_eq!(session.secret.kind(), SecretKind::Access);
    assert_eq!(session.user.id, grace.user.id);
    let program = house.bearer(&session.secret).expect("recognised");
    assert_eq!(
        (program.user(), program.role()),
        (Some(grace.user.id), Role::Member)
    );
    assert!(
        matches!(told(&house, &started).await, RedeemError::Unknown),
        "used up"
    );
    house.bearer(&session.secret).expect("asking again ends nothing");
}

#[tokio::test]
async fn a_program_that_does_not_wait_is_slowed_down_more_and_more() {
    let house = House::new().await;
    let started = house.ask_device().await;
    assert_eq!(started.interval, 5);
    assert!(matches!(told(&house, &started).await, RedeemError::Pending));
    for expected in [10, 15, 20] {
        house.clock.advance(Duration::from_secs(1));
        match told(&house, &started).await {
            RedeemError::SlowDown { interval } => assert_eq!(interval, expected),
            other => panic!("{other}"),
        }
    }
    house.clock.advance(Duration::from_secs(20));
    assert!(
        matches!(told(&house, &started).await, RedeemError::Pending),
        "it waited"
    );
    house.clock.advance(Duration::from_secs(19));
    assert!(matches!(
        told(&house, &started).await,
        RedeemError::SlowDown { interval: 25 }
    ));
}

#[tokio::test]
async fn a_refused_request_and_an_expired_one_give_nothing() {
    let house = House::new().await;
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    let refused = house.ask_device().await;
    house
        .authority
        .answer_device(&caller, &refused.request.user_code, false)
        .await
        .expect("refused");
    assert!(matches!(told(&house, &refused).await, RedeemError::Denied));
    let (late, approved) = (house.ask_device().await, house.ask_device().await);
    house
        .authority
        .answer_device(&caller, &approved.request.user_code, true)
        .await
        .expect("approved");
    house.clock.advance(Duration::from_secs(600));
    assert!(matches!(told(&house, &late).await, RedeemError::Expired));
    assert!(
        matches!(told(&house, &approved).await, RedeemError::Expired),
        "approved, but not fetched in time"
    );
    let answered = house
        .authority
        .answer_device(&caller, &late.request.user_code, true)
        .await;
    assert!(matches!(answered, Err(Error::NotFound { .. })));
    let none = house
        .authority
        .redeem_device(b"garbage", "influxctl", client(2))
        .await;
    assert!(matches!(none.err(), Some(RedeemError::Unknown)));
}

#[tokio::test]
async fn another_program_learns_nothing_of_a_request_and_uses_nothing_up() {
    let house = House::new().await;
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    let started = house.ask_device().await;
    let other = async || {
        let secret = started.secret.expose().as_bytes();
        let told = house.authority.redeem_device(secret, "telegraf", client(2)).await;
        assert!(matches!(told.err(), Some(RedeemError::Unknown)));
    };
    other().await;
    house
        .authority
        .answer_device(&caller, &started.request.user_code, true)
        .await
        .expect("approved");
    other().await;
    redeem(&house, &started).await.expect("the program that asked");
    other().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_redeem_at_once_one_gets_the_session() {
    let house = Arc::new(House::new().await);
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    for _ in 0..5 {
        let started = Arc::new(house.ask_device().await);
        house
            .authority
            .answer_device(&caller, &started.request.user_code, true)
            .await
            .expect("approved");
        let attempts: Vec<_> = (0..6)
            .map(|_| {
                let (house, started) = (Arc::clone(&house), Arc::clone(&started));
                tokio::spawn(async move { redeem(&house, &started).await })
            })
            .collect();
        let mut succeeded = 0;
        for attempt in attempts {
            match attempt.await.expect("ran") {
                Ok(_) => succeeded += 1,
                Err(error) => assert!(matches!(error, RedeemError::Unknown), "{error}"),
            }
        }
        assert_eq!(succeeded, 1);
    }
}

/// An approval is worth as much as its user at the moment the program comes for its session.
#[tokio::test]
async fn an_approval_ends_with_its_user_and_with_all_of_its_sessions() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    house.ada().await;
    for end in [
        "disable",
        "disable and enable",
        "delete",
        "end sessions",
        "set password",
    ] {
        let email = format!("{}@example.com", end.replace(' ', "-"));
        let person = house.person(&email, Role::Member).await;
        let caller = house.recognise(&person.secret).expect("recognised");
        let started = house.ask_device().await;
        authority
            .answer_device(&caller, &started.request.user_code, true)
            .await
            .expect("approved");
        match end {
            "end sessions" => drop(authority.end_sessions(&caller, true).await.expect("ended")),
            "delete" => drop(
                authority
                    .delete_user(&house.caller, account, person.user.id)
                    .await
                    .expect("done"),
            ),
            "set password" => {
                let password = "another lamp ferry onion".to_owned();
                authority
                    .set_password(&house.caller, person.user.id, password)
                    .await
                    .expect("set");
            }
            _ => drop(
                authority
                    .disable_user(&house.caller, account, person.user.id)
                    .await
                    .expect("done"),
            ),
        }
        if end == "disable and enable" {
            authority
                .enable_user(&house.caller, account, person.user.id)
                .await
                .expect("enabled");
        }
        let told = told(&house, &started).await;
        assert!(
            matches!(told, RedeemError::Denied | RedeemError::Unknown),
            "{end}: {told}"
        );
    }
}

/// The program acts by the role that its user has now.
#[tokio::test]
async fn only_a_user_answers_and_every_answer_is_told() {
    let house = House::new().await;
    let started = house.ask_device().await;
    let code = &started.request.user_code;
    let by_token = house.authority.answer_device(&house.caller, code, true).await;
    assert!(
        matches!(by_token, Err(Error::Forbidden(_))),
        "a management token is nobody"
    );
    assert!(matches!(
        house.authority.device_request(&house.caller, code).await,
        Err(Error::Forbidden(_))
    ));
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    house
        .authority
        .answer_device(&caller, code, true)
        .await
        .expect("approved");
    let refused = house.ask_device().await;
    house
        .authority
        .answer_device(&caller, &refused.request.user_code, false)
        .await
        .expect("refused");
    let acts: Vec<Act> = house
        .events()
        .await
        .iter()
        .map(|event| event.act)
        .take(2)
        .collect();
    assert_eq!(acts, [Act::DeviceDeny, Act::DeviceApprove]);
    // G1: refused, for what was still waiting for its turn.
    let waiting = house.ask_device().await;
    house
        .authority
        .end_session(&caller, ada.session.id)
        .await
        .expect("ended");
    let late = house
        .authority
        .answer_device(&caller, &waiting.request.user_code, true)
        .await;
    assert!(matches!(late, Err(Error::Refused(Refusal::Revoked))));
}

/// Anybody may ask, so that what waits is bounded; what was answered or has expired makes room.
#[tokio::test]
async fn a_thousand_requests_may_wait_and_no_more() {
    let house = House::new().await;
    let ask = |number: u32| {
        let mut client = client(0);
        client.address = std::net::IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 | number << 8));
        house.authority.ask_device(AskDevice {
            client_id: "influxctl".to_owned(),
            host: String::new(),
            client,
        })
    };
    let ada = house.ada().await;
    let caller = house.recognise(&ada.secret).expect("ada");
    let mut first = None;
    for number in 0..1_000 {
        first.get_or_insert(ask(number).await.expect("taken"));
    }
    assert!(matches!(ask(1_000).await.err(), Some(Error::Conflict(_))));
    let code = first.expect("asked").request.user_code;
    house
        .authority
        .answer_device(&caller, &code, false)
        .await
        .expect("refused");
    ask(1_001).await.expect("one has made room");
    assert!(matches!(ask(1_002).await.err(), Some(Error::Conflict(_))));
    house.clock.advance(Duration::from_secs(600));
    ask(1_003).await.expect("all have expired");
}

#[tokio::test]
async fn a_program_says_who_it_is_in_few_characters() {
    let house = House::new().await;
    let ask = |client_id: &str, host: &str| {
        house.authority.ask_device(AskDevice {
            client_id: client_id.to_owned(),
            host: host.to_owned(),
            client: client(2),
        })
    };
    for bad in [String::new(), "x".repeat(201)] {
        let refused = ask(&bad, "").await.err();
        assert!(matches!(
            refused,
            Some(Error::Invalid {
                field: "client_id",
                ..
            })
        ));
    }
    let started = ask("influxctl", &format!("lap\u{1b}[31mtop{}", "x".repeat(500)))
        .await
        .expect("taken");
    assert_eq!(started.request.host.chars().count(), 200);
    assert!(!started.request.host.contains('\u{1b}'));
}
