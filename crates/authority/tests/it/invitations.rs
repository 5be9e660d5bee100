//! Invitations: links that work once, for whom they were made.

use std::sync::Arc;
use std::time::Duration;

use rescind_authority::{Acceptance, Error, Page, Refusal, UpdateUser};
use rescind_catalog::Entry;
use rescind_domain::{
    Account, AccountId, Act, Actor, InvitationStatus, Role, SecretKind, User, UserId, UserState,
};
use rescind_testkit::SeededRng;

use crate::house::{House, PASSWORD, address, client, invite};

fn is_not_found<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

#[tokio::test]
async fn whoever_accepts_becomes_the_user_it_was_invited_as() {
    let house = House::new().await;
    let invited = house.invite("Grace@example.com", Role::Member).await;
    assert_eq!(invited.secret.kind(), SecretKind::Invitation);
    let opened = house
        .authority
        .open_invitation(invited.secret.expose().as_bytes())
        .await
        .expect("opened");
    assert_eq!(opened.id, invited.item.id);
    let accepted = house.accept(&invited.secret, PASSWORD).await.expect("accepted");
    assert_eq!(accepted.user.email.as_str(), "Grace@example.com");
    assert_eq!(
        (accepted.user.role, accepted.user.first_name.as_str()),
        (Role::Member, "Grace")
    );
    assert_eq!(
        house.recognise(&accepted.secret).expect("signed in").role(),
        Role::Member
    );
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .expect("the password is set");
    assert!(is_not_found(
        house
            .authority
            .open_invitation(invited.secret.expose().as_bytes())
            .await
    ));
    assert!(
        is_not_found(house.accept(&invited.secret, PASSWORD).await),
        "used up"
    );
    let shown = house
        .authority
        .invitation(&house.caller, house.place.account, invited.item.id)
        .await;
    let shown = shown.expect("shown");
    assert_eq!(
        shown.state.status(shown.expires_at, house.clock_now()),
        InvitationStatus::Accepted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_use_a_link_at_once_one_succeeds() {
    let house = Arc::new(House::new().await);
    let invited = house.invite("grace@example.com", Role::Member).await;
    let attempts: Vec<_> = (0..6)
        .map(|_| {
            let (house, secret) = (Arc::clone(&house), invited.secret.clone());
            tokio::spawn(async move { house.accept(&secret, PASSWORD).await })
        })
        .collect();
    let mut succeeded = 0;
    for attempt in attempts {
        match attempt.await.expect("ran") {
            Ok(signed_in) => {
                succeeded += 1;
                house.recognise(&signed_in.secret).expect("signed in");
            }
            Err(error) => assert!(matches!(error, Error::NotFound { .. }), "{error}"),
        }
    }
    assert_eq!(succeeded, 1);
    let created = house
        .events()
        .await
        .iter()
        .filter(|event| event.act == Act::SessionCreate)
        .count();
    assert_eq!(created, 1);
}

#[tokio::test]
async fn a_withdrawn_link_and_an_expired_one_work_no_more() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    let withdrawn = house.invite("grace@example.com", Role::Member).await;
    for _ in 0..2 {
        authority
            .revoke_invitation(&house.caller, account, withdrawn.item.id)
            .await
            .expect("withdrawn");
    }
    assert!(is_not_found(house.accept(&withdrawn.secret, PASSWORD).await));
    let revoked = house
        .events()
        .await
        .iter()
        .filter(|event| event.act == Act::InvitationRevoke)
        .count();
    assert_eq!(revoked, 1, "withdrawing again is no act");

    let late = house.invite("grace@example.com", Role::Member).await;
    let lifetime = late.item.expires_at.micros() - late.item.created_at.micros();
    house.clock.advance(Duration::from_micros(lifetime as u64 - 1));
    authority
        .open_invitation(late.secret.expose().as_bytes())
        .await
        .expect("to the last moment");
    house.clock.advance(Duration::from_micros(1));
    assert!(is_not_found(
        authority.open_invitation(late.secret.expose().as_bytes()).await
    ));
    assert!(is_not_found(house.accept(&late.secret, PASSWORD).await));
    assert!(is_not_found(
        authority
            .user_by_email(&house.caller, &address("grace@example.com"))
            .await
    ));

    let accepted = house.invite("grace@example.com", Role::Member).await;
    house.accept(&accepted.secret, PASSWORD).await.expect("accepted");
    let too_late = authority
        .revoke_invitation(&house.caller, account, accepted.item.id)
        .await;
    assert!(matches!(too_late, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_weak_password_or_a_bad_name_does_not_use_the_link_up() {
    let house = House::new().await;
    let invited = house.invite("grace@example.com", Role::Member).await;
    let weak = house.accept(&invited.secret, "password1234").await;
    assert!(matches!(
        weak,
        Err(Error::Invalid {
            field: "password",
            ..
        })
    ));
    let nameless = Acceptance {
        first_name: " ".to_owned(),
        last_name: "Hopper".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let secret = invited.secret.expose().as_bytes();
    let nameless = house
        .authority
        .accept_invitation(secret, nameless, client(1))
        .await;
    assert!(matches!(
        nameless,
        Err(Error::Invalid {
            field: "firstName",
            ..
        })
    ));
    house.accept(&invited.secret, PASSWORD).await.expect("still good");
}

#[tokio::test]
async fn the_link_of_an_existing_user_sets_its_password_and_leaves_its_role() {
    let house = House::new().await;
    house.ada().await;
    let grace = house.person("grace@example.com", Role::Member).await;
    let link = house.invite("GRACE@example.com", Role::Admin).await;
    let other = "another lamp ferry onion";
    let accepted = house.accept(&link.secret, other).await.expect("accepted");
    assert_eq!(
        (accepted.user.id, accepted.user.role),
        (grace.user.id, Role::Member)
    );
    house
        .sign_in("grace@example.com", other)
        .await
        .expect("the new one");
    house
        .sign_in("grace@example.com", PASSWORD)
        .await
        .err()
        .expect("not the old one");
    assert_eq!(
        house.recognise(&grace.secret).expect_err("ended"),
        Refusal::Revoked
    );
}

/// Nobody who was shut out comes back by a link that was made before.
#[tokio::test]
async fn no_older_link_brings_back_who_was_deleted_disabled_or_given_a_new_password() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    house.ada().await;
    let spare = house.invite("grace@example.com", Role::Admin).await;
    let grace = house.person("grace@example.com", Role::Admin).await;
    assert!(
        is_not_found(house.accept(&spare.secret, PASSWORD).await),
        "another link was used"
    );

    let spare = house.invite("grace@example.com", Role::Admin).await;
    authority
        .disable_user(&house.caller, account, grace.user.id)
        .await
        .expect("disabled");
    assert!(is_not_found(house.accept(&spare.secret, PASSWORD).await));
    let refused = authority
        .invite(&house.caller, account, invite("grace@example.com", Role::Admin))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(why)) if why.contains("enable the user first")));
    authority
        .enable_user(&house.caller, account, grace.user.id)
        .await
        .expect("enabled");
    assert!(is_not_found(house.accept(&spare.secret, PASSWORD).await));

    let spare = house.invite("grace@example.com", Role::Admin).await;
    let password = "another lamp ferry onion".to_owned();
    authority
        .set_password(&house.caller, grace.user.id, password)
        .await
        .expect("set");
    assert!(is_not_found(house.accept(&spare.secret, PASSWORD).await));

    let spare = house.invite("grace@example.com", Role::Admin).await;
    authority
        .delete_user(&house.caller, account, grace.user.id)
        .await
        .expect("deleted");
    assert!(is_not_found(house.accept(&spare.secret, PASSWORD).await));
    assert!(is_not_found(
        authority
            .user_by_email(&house.caller, &address("grace@example.com"))
            .await
    ));
}

#[tokio::test]
async fn the_address_of_another_accounts_user_cannot_be_invited_or_taken_over() {
    let house = House::new().await;
    let early = house.invite("eve@example.com", Role::Admin).await;
    let stranger = stranger(&house, "Eve@example.com").await;
    let late = house
        .authority
        .invite(
            &house.caller,
            house.place.account,
            invite("eve@example.com", Role::Admin),
        )
        .await;
    assert!(matches!(late, Err(Error::Conflict(_))));
    assert!(is_not_found(house.accept(&early.secret, PASSWORD).await));
    assert!(is_not_found(
        house
            .authority
            .user(&house.caller, house.place.account, stranger.id)
            .await
    ));
    let rename = UpdateUser {
        first_name: Some("Mine".to_owned()),
        ..Default::default()
    };
    let taken = house
        .authority
        .update_user(&house.caller, house.place.account, stranger.id, rename)
        .await;
    assert!(is_not_found(taken));
    let foreign = house
        .authority
        .users(&house.caller, stranger.account, &Page::first(10))
        .await;
    assert!(matches!(foreign, Err(Error::Forbidden(_))));
}

/// A user of a second account, made beside the authority: it cannot make accounts yet.
async fn stranger(house: &House, email: &str) -> User {
    let rng = SeededRng::new(77);
    let now = house.clock_now();
    let account = Account {
        id: AccountId::mint(&rng),
        name: "Another".to_owned(),
        created_at: now,
    };
    let user = User {
        id: UserId::mint(&rng),
        account: account.id,
        email: address(email),
        first_name: "Eve".to_owned(),
        last_name: "Stranger".to_owned(),
        role: Role::Admin,
        state: UserState::Enabled,
        created_at: now,
    };
    let catalog = house.catalog().await;
    let mut tx = catalog.begin(&*house.clock).await.expect("begun");
    tx.insert_account(&account).await.expect("kept");
    tx.insert_user(&user).await.expect("kept");
    let entry = Entry {
        actor: Actor::System,
        account: account.id,
        act: Act::AccountCreate,
        subject: account.id.to_string(),
        details: Vec::new(),
        changes: Vec::new(),
    };
    tx.commit(entry).await.expect("committed");
    user
}
