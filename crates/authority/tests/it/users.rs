//! Users: passwords and their end.

use rescind_authority::{AddUser, Error};
use rescind_domain::{Email, Role};

use crate::house::House;

fn address(text: &str) -> Email {
    text.parse().expect("an address")
}

#[tokio::test]
async fn a_user_signs_in_with_the_password_that_was_set_until_disabled() {
    let house = House::new().await;
    let (authority, caller) = (&house.authority, &house.caller);
    let request = AddUser {
        email: address("Grace@example.com"),
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        role: Role::Member,
    };
    authority
        .add_user(caller, house.place.account, request.clone())
        .await
        .expect("added");
    let twice = authority.add_user(caller, house.place.account, request).await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
    let verify = |password: &str| {
        let (authority, password) = (authority.clone(), password.to_owned());
        async move {
            authority
                .verify_password(&address("grace@EXAMPLE.com"), password)
                .await
                .expect("checked")
        }
    };
    assert!(!verify("correct horse battery").await, "no password yet");
    let short = authority
        .set_password(caller, address("grace@example.com"), "short".to_owned())
        .await;
    assert!(matches!(
        short,
        Err(Error::Invalid {
            field: "password",
            ..
        })
    ));
    authority
        .set_password(
            caller,
            address("grace@example.com"),
            "correct horse battery".to_owned(),
        )
        .await
        .expect("set");
    assert!(verify("correct horse battery").await);
    assert!(!verify("correct horse batterz").await);
    authority
        .disable_user(caller, address("grace@example.com"))
        .await
        .expect("disabled");
    assert!(!verify("correct horse battery").await);
}
