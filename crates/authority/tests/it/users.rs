//! Users: added, changed, and never the last administrator gone.

use rescind_authority::{AddUser, Error, Page, SignInError, UpdateUser};
use rescind_domain::{Act, Role, UserState};

use crate::house::{House, PASSWORD, address, client};

fn grace() -> AddUser {
    AddUser {
        email: address("Grace@example.com"),
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        role: Role::Member,
    }
}

#[tokio::test]
async fn a_user_signs_in_with_the_password_that_was_set_until_disabled() {
    let house = House::new().await;
    let (authority, caller, account) = (&house.authority, &house.caller, house.place.account);
    let user = authority.add_user(caller, account, grace()).await.expect("added");
    let twice = authority.add_user(caller, account, grace()).await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .err()
        .expect("no password yet");
    let short = authority.set_password(caller, user.id, "short".to_owned()).await;
    assert!(matches!(
        short,
        Err(Error::Invalid {
            field: "password",
            ..
        })
    ));
    authority
        .set_password(caller, user.id, PASSWORD.to_owned())
        .await
        .expect("set");
    house
        .sign_in("grace@EXAMPLE.com", PASSWORD)
        .await
        .expect("signed in");
    authority
        .disable_user(caller, account, user.id)
        .await
        .expect("disabled");
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .err()
        .expect("disabled");
}

#[tokio::test]
async fn what_a_user_is_already_it_is_not_made_again() {
    let house = House::new().await;
    let (authority, caller, account) = (&house.authority, &house.caller, house.place.account);
    let user = authority.add_user(caller, account, grace()).await.expect("added");
    let enable = || authority.enable_user(caller, account, user.id);
    let disable = || authority.disable_user(caller, account, user.id);
    let before = house.events().await.len();
    let first = enable().await.expect("it is enabled").revision;
    assert_eq!(enable().await.expect("it still is").revision, first);
    assert_eq!(house.events().await.len(), before);
    disable().await.expect("disabled");
    disable().await.expect("it is disabled");
    assert_eq!(house.events().await.len(), before + 1);
    enable().await.expect("enabled");
    assert_eq!(house.events().await.len(), before + 2);
}

#[tokio::test]
async fn what_is_changed_about_a_user_is_what_was_asked() {
    let house = House::new().await;
    let (authority, caller, account) = (&house.authority, &house.caller, house.place.account);
    let user = authority.add_user(caller, account, grace()).await.expect("added");
    let update = async |request| {
        let updated = authority.update_user(caller, account, user.id, request).await;
        updated.map(|(user, _)| user)
    };
    let renamed = update(UpdateUser {
        last_name: Some(" Murray ".to_owned()),
        ..Default::default()
    })
    .await;
    let renamed = renamed.expect("renamed");
    assert_eq!(
        (renamed.first_name.as_str(), renamed.last_name.as_str()),
        ("Grace", "Murray")
    );
    assert_eq!(renamed.role, Role::Member);
    let promoted = update(UpdateUser {
        role: Some(Role::Auditor),
        ..Default::default()
    })
    .await
    .expect("promoted");
    assert_eq!(
        (promoted.last_name.as_str(), promoted.role),
        ("Murray", Role::Auditor)
    );
    assert!(matches!(
        update(UpdateUser::default()).await,
        Err(Error::Invalid { field: "body", .. })
    ));
    for bad in ["", "a\nb", &"x".repeat(101)] {
        let refused = update(UpdateUser {
            first_name: Some(bad.to_owned()),
            ..Default::default()
        })
        .await;
        assert!(
            matches!(
                refused,
                Err(Error::Invalid {
                    field: "firstName",
                    ..
                })
            ),
            "{bad:?}"
        );
    }
    let page = authority
        .users(caller, account, &Page::first(10))
        .await
        .expect("listed");
    let addresses: Vec<_> = page.items.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(addresses, ["ada@example.com", "Grace@example.com"]);
}

/// Whoever may remove the last administrator who can sign in would lock everybody out.
#[tokio::test]
async fn nobody_but_the_operator_removes_the_last_administrator() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    let ada = house.ada().await;
    // An administrator who has no password cannot help.
    let helpless = AddUser {
        role: Role::Admin,
        ..grace()
    };
    authority
        .add_user(&house.caller, account, helpless)
        .await
        .expect("added");
    let demotion = || UpdateUser {
        role: Some(Role::Member),
        ..Default::default()
    };
    for caller in [house.caller, house.recognise(&ada.secret).expect("ada")] {
        let demoted = authority
            .update_user(&caller, account, ada.user.id, demotion())
            .await;
        assert!(matches!(demoted, Err(Error::Conflict(_))));
        let disabled = authority.disable_user(&caller, account, ada.user.id).await;
        assert!(matches!(disabled, Err(Error::Conflict(_))));
        let deleted = authority.delete_user(&caller, account, ada.user.id).await;
        assert!(matches!(deleted, Err(Error::Conflict(_))));
    }
    let still = house.recognise(&ada.secret).expect("nothing was done");
    assert_eq!(still.role(), Role::Admin);
    let own = authority.own_user(&still).await.expect("there");
    assert_eq!((own.role, own.state), (Role::Admin, UserState::Enabled));

    house.person("alan@example.com", Role::Admin).await;
    authority
        .update_user(&still, account, ada.user.id, demotion())
        .await
        .expect("another is left");
    let operator = authority.operator().await.expect("the operator");
    let alan = authority
        .user_by_email(&operator, &address("alan@example.com"))
        .await
        .expect("alan");
    let by_token = authority.delete_user(&house.caller, account, alan.id).await;
    assert!(matches!(by_token, Err(Error::Conflict(_))), "the last again");
    authority
        .disable_user(&operator, account, alan.id)
        .await
        .expect("a leaked password must be stopped");
}

/// Before anybody has a password there is no last administrator to protect.
#[tokio::test]
async fn a_management_token_works_on_users_before_anybody_can_sign_in() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    let user = authority
        .add_user(&house.caller, account, grace())
        .await
        .expect("added");
    let rename = UpdateUser {
        first_name: Some("G.".to_owned()),
        ..Default::default()
    };
    authority
        .update_user(&house.caller, account, user.id, rename)
        .await
        .expect("renamed");
    authority
        .disable_user(&house.caller, account, user.id)
        .await
        .expect("disabled");
    authority
        .delete_user(&house.caller, account, user.id)
        .await
        .expect("deleted");
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_shuts_the_other_sessions_out() {
    let house = House::new().await;
    let ada = house.ada().await;
    let other = house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("signed in");
    let caller = house.recognise(&ada.secret).expect("ada");
    let device = house.device(&caller).await;
    let approved = house.ask_device().await;
    house
        .authority
        .answer_device(&caller, &approved.request.user_code, true)
        .await
        .expect("approved");
    let change = |current: &str, new: &str| {
        house
            .authority
            .change_password(&caller, current.to_owned(), new.to_owned(), client(1))
    };
    assert!(matches!(
        change("wrong", "another lamp ferry onion").await,
        Err(SignInError::Wrong)
    ));
    let weak = change(PASSWORD, "ada@example.com").await;
    assert!(matches!(
        weak,
        Err(SignInError::Failed(Error::Invalid {
            field: "password",
            ..
        }))
    ));
    house.recognise(&other.secret).expect("nothing was done");
    change(PASSWORD, "another lamp ferry onion")
        .await
        .expect("changed");
    for ended in [house.recognise(&other.secret), house.bearer(&device.secret)] {
        assert_eq!(ended.expect_err("ended"), rescind_authority::Refusal::Revoked);
    }
    let late = house
        .authority
        .redeem_device(approved.secret.expose().as_bytes(), "influxctl", client(2))
        .await;
    assert!(late.is_err(), "an approval is a session to be");
    house
        .sign_in("ada@example.com", PASSWORD)
        .await
        .err()
        .expect("the old one");
    house
        .sign_in("ada@example.com", "another lamp ferry onion")
        .await
        .expect("the new one");
    let told = house
        .events()
        .await
        .iter()
        .filter(|event| event.act == Act::UserPassword)
        .count();
    assert_eq!(told, 2, "by the link, and now");
    let token = house
        .authority
        .change_password(&house.caller, String::new(), String::new(), client(1))
        .await;
    assert!(
        matches!(token, Err(SignInError::Failed(Error::Forbidden(_)))),
        "a token has no password"
    );
}
