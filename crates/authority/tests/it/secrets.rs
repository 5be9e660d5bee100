//! Secrets: each kind opens what it was made for and nothing else.

use std::fmt::Write as _;

use rescind_authority::{Acceptance, RedeemError};
use rescind_domain::{Action, Role, Secret};

use crate::house::{House, PASSWORD, client};

/// What a secret is good for, place by place.
async fn tried(house: &House, secret: &Secret) -> Vec<(&'static str, String)> {
    let bytes = secret.expose().as_bytes();
    let acceptance = Acceptance {
        first_name: "Alan".to_owned(),
        last_name: "Turing".to_owned(),
        password: PASSWORD.to_owned(),
    };
    fn word<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
        result.map_or_else(|error| error.to_string(), |_| "opens".to_owned())
    }
    let redeemed = house.authority.redeem_device(bytes, "influxctl", client(2)).await;
    let redeemed = match redeemed {
        // A request that nobody answered yet was found.
        Err(RedeemError::Pending | RedeemError::SlowDown { .. }) => "opens".to_owned(),
        other => word(other),
    };
    let mut tried = vec![
        ("data plane", word(house.admit(secret, Action::Read, "a"))),
        ("bearer of the management API", word(house.bearer(secret))),
        ("cookie", word(house.recognise(secret))),
        (
            "link of an invitation",
            word(house.authority.open_invitation(bytes).await),
        ),
        ("device code", redeemed),
    ];
    if !tried
        .iter()
        .any(|(place, result)| *place == "link of an invitation" && result == "opens")
    {
        let accepted = house
            .authority
            .accept_invitation(bytes, acceptance, client(1))
            .await;
        tried.push(("accepted invitation", word(accepted)));
    }
    house
        .authority
        .end_by_secret(bytes)
        .await
        .expect("never an error");
    let is_over = house.bearer(secret).is_err() && house.recognise(secret).is_err();
    let was_known = tried.iter().any(|(place, result)| {
        matches!(*place, "bearer of the management API" | "cookie") && result == "opens"
    });
    let ended = if was_known && is_over {
        "ends it"
    } else {
        "ends nothing"
    };
    tried.push(("signing out", ended.to_owned()));
    tried
}

#[tokio::test]
async fn every_kind_of_secret_opens_its_own_place_only() {
    let house = House::new().await;
    let ada = house.ada().await;
    let device = house.device(&house.recognise(&ada.secret).expect("ada")).await;
    let started = house.ask_device().await;
    let invited = house.invite("alan@example.com", Role::Member).await;
    let token = house.token(&[("read", "*")]).await;
    let mut text = String::new();
    for secret in [
        &token.secret,
        &house.management_secret,
        &device.secret,
        &ada.secret,
        &invited.secret,
        &started.secret,
    ] {
        writeln!(text, "{}", secret.kind()).expect("written");
        for (place, result) in tried(&house, secret).await {
            writeln!(text, "  as {place}: {result}").expect("written");
        }
    }
    insta::assert_snapshot!(text);
    // The management token went on, and the token.
    house.bearer(&house.management_secret).expect("goes on");
    house.admit(&token.secret, Action::Read, "a").expect("goes on");
}
