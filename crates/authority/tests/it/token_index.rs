//! The token index through the authority: whoever looks after an act returned sees it.

use std::sync::Arc;

use rescind_authority::{
    CreateDatabaseToken, CreateManagementToken, Error, Found, TokenColumn, TokenSearch, UpdateDatabaseToken,
};
use rescind_domain::{Action, Actor, DatabaseToken, Role, TokenStatus};
use rescind_testkit::{FrozenClock, SeededRng};

use crate::house::{House, client, set};

async fn search(house: &House, search: TokenSearch) -> Found<DatabaseToken> {
    let found = house
        .authority
        .search_database_tokens(&house.caller, house.place, &search)
        .await;
    found.expect("found")
}

async fn create(house: &House, description: &str, permissions: &[(&str, &str)]) -> DatabaseToken {
    let request = CreateDatabaseToken {
        description: description.parse().expect("a text"),
        permissions: set(permissions),
        expires_at: None,
    };
    let created = house
        .authority
        .create_database_token(&house.caller, house.place, request)
        .await;
    created.expect("made").item
}

fn text(text: &str) -> TokenSearch {
    TokenSearch {
        text: text.to_owned(),
        ..TokenSearch::default()
    }
}

#[tokio::test]
async fn whoever_looks_after_an_act_returned_sees_it() {
    let house = House::new().await;
    create(&house, "before the first look", &[]).await;
    assert_eq!(search(&house, text("")).await.total, 1);
    let token = create(&house, "Fleet A", &[("read", "a")]).await;
    let found = search(&house, text("fLEET")).await;
    assert_eq!((found.total, found.items[0].id), (1, token.id));
    assert_eq!(found.items[0].description.as_str(), "Fleet A");

    let update = UpdateDatabaseToken {
        description: Some("Truck".parse().expect("a text")),
        permissions: Some(set(&[("write", "b")])),
        ..Default::default()
    };
    house
        .authority
        .update_database_token(&house.caller, house.place, token.id, update)
        .await
        .expect("updated");
    assert_eq!(search(&house, text("fleet")).await.total, 0);
    assert_eq!(
        search(&house, text("truck")).await.items[0].permissions,
        set(&[("write", "b")])
    );
    let of_database = |name: &str| TokenSearch {
        database: Some(name.parse().expect("a name")),
        ..TokenSearch::default()
    };
    assert_eq!(search(&house, of_database("a")).await.total, 0);
    assert_eq!(search(&house, of_database("b")).await.total, 1);

    house
        .authority
        .revoke_database_token(&house.caller, house.place, token.id)
        .await
        .expect("revoked");
    let revoked = TokenSearch {
        statuses: vec![TokenStatus::Revoked],
        ..TokenSearch::default()
    };
    assert_eq!(search(&house, revoked).await.items[0].id, token.id);

    for words in [
        &token.id.to_string()[4..20],
        &token.prefix.as_str().to_uppercase(),
    ] {
        assert!(
            search(&house, text(words))
                .await
                .items
                .iter()
                .any(|found| found.id == token.id),
            "{words}"
        );
    }
    let nobody = TokenSearch {
        creator: Some(Actor::Operator),
        ..TokenSearch::default()
    };
    assert_eq!(search(&house, nobody).await.total, 0);
    let own = TokenSearch {
        creator: Some(house.caller.actor()),
        ..TokenSearch::default()
    };
    assert_eq!(search(&house, own).await.total, 2);
}

/// Names are for those only who may read them; that somebody made tokens is told to whoever sees the tokens.
#[tokio::test]
async fn creators_are_named_to_those_who_may_know() {
    let house = House::new().await;
    let (authority, place) = (&house.authority, house.place);
    let grace = house.person("grace@example.com", Role::Member).await;
    let caller = house.recognise(&grace.secret).expect("recognised");
    create(&house, "made by a token", &[]).await;
    let request = CreateDatabaseToken {
        description: "made by a person".parse().expect("a text"),
        permissions: set(&[]),
        expires_at: None,
    };
    let made = authority.create_database_token(&caller, place, request).await;
    let made = made.expect("made").item;
    let actors = [Actor::User(grace.user.id), house.caller.actor()];

    let told = authority.database_token_creators(&house.caller, place).await;
    let told = told.expect("told");
    assert_eq!(told.actors, actors);
    assert_eq!(told.users[0].id, grace.user.id);
    assert_eq!(told.management_tokens[0].description.as_str(), "First start");

    let told = authority.database_token_creators(&caller, place).await;
    let told = told.expect("told");
    assert_eq!(told.actors, actors);
    assert_eq!((told.users.len(), told.management_tokens.len()), (0, 0));
    let refused = authority.management_token_creators(&caller, place.account).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let told = authority
        .management_token_creators(&house.caller, place.account)
        .await;
    assert_eq!(told.expect("told").actors, [Actor::System]);

    // Whoever is gone has made them all the same.
    let gone = authority
        .delete_user(&house.caller, place.account, grace.user.id)
        .await;
    gone.expect("deleted");
    let told = authority.database_token_creators(&house.caller, place).await;
    let told = told.expect("told");
    assert_eq!((told.actors.as_slice(), told.users.len()), (actors.as_slice(), 0));
    let by_user = TokenSearch {
        creator: Some(actors[0]),
        ..TokenSearch::default()
    };
    assert_eq!(search(&house, by_user).await.items[0].id, made.id);
}

#[tokio::test]
async fn uses_are_seen_when_they_are_flushed() {
    let house = House::new().await;
    let (used, unused) = (
        house.token(&[("read", "*")]).await,
        house.token(&[("read", "*")]).await,
    );
    let by_use = || TokenSearch {
        sort: TokenColumn::LastUsedAt,
        descending: true,
        ..TokenSearch::default()
    };
    search(&house, by_use()).await;
    let admitted = house.admit(&used.secret, Action::Read, "a").expect("admitted");
    house
        .authority
        .note_use(admitted.permit(), client(1).address, "a test");
    house.authority.record_uses().await.expect("flushed");
    let found = search(&house, by_use()).await;
    assert_eq!(
        found.items.iter().map(|t| t.id).collect::<Vec<_>>(),
        [used.item.id, unused.item.id]
    );
    assert_eq!(found.items[0].last_used_at, Some(FrozenClock::START));
    let since = TokenSearch {
        unused_since: Some(FrozenClock::START),
        ..TokenSearch::default()
    };
    let found = search(&house, since).await;
    assert_eq!((found.total, found.items[0].id), (1, unused.item.id));
    // A revocation reads the token anew; the use stays.
    house
        .authority
        .revoke_database_token(&house.caller, house.place, used.item.id)
        .await
        .expect("revoked");
    assert_eq!(search(&house, by_use()).await.items[0].id, used.item.id);
}

/// What nobody looks at takes no memory for long; the next to look finds everything all the same.
#[tokio::test]
async fn an_index_that_was_let_go_is_built_again() {
    let house = House::new().await;
    create(&house, "one", &[]).await;
    assert_eq!(search(&house, text("")).await.total, 1);
    for _ in 0..3 {
        house.clock.advance(std::time::Duration::from_secs(59 * 60));
        house.authority.forget_the_past().await.expect("forgotten");
        create(&house, "another", &[]).await;
    }
    assert_eq!(search(&house, text("")).await.total, 4);
}

#[tokio::test]
async fn management_tokens_are_found_as_well() {
    let house = House::new().await;
    let account = house.place.account;
    let find = |search: TokenSearch| {
        let (authority, caller) = (house.authority.clone(), house.caller);
        async move {
            authority
                .search_management_tokens(&caller, account, &search)
                .await
                .expect("found")
        }
    };
    assert_eq!(find(text("")).await.total, 1);
    let request = CreateManagementToken {
        description: Some("Backup".parse().expect("a text")),
        expires_at: None,
    };
    let made = house
        .authority
        .create_management_token(&house.caller, account, request)
        .await
        .expect("made");
    let by_text = TokenSearch {
        sort: TokenColumn::Description,
        ..TokenSearch::default()
    };
    let found = find(by_text).await;
    let words: Vec<_> = found
        .items
        .iter()
        .map(|token| token.description.as_str())
        .collect();
    assert_eq!(words, ["Backup", "First start"]);
    house
        .authority
        .revoke_management_token(&house.caller, account, made.item.id)
        .await
        .expect("revoked");
    let active = TokenSearch {
        statuses: vec![TokenStatus::Active],
        ..TokenSearch::default()
    };
    assert_eq!(find(active).await.total, 1);
}

/// The first who look share one building, and what is done beside it is not lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_happens_while_the_index_is_built_is_lost() {
    let house = Arc::new(House::new().await);
    let mut made = Vec::new();
    for number in 0..200 {
        made.push(create(&house, &format!("old {number}"), &[]).await);
    }
    for (round, doomed) in made.iter().take(10).map(|token| token.id).enumerate() {
        let (looking, acting) = (Arc::clone(&house), Arc::clone(&house));
        let look = tokio::spawn(async move {
            let (one, other) = (search(&looking, text("")), search(&looking, text("")));
            tokio::join!(one, other)
        });
        let act = tokio::spawn(async move {
            create(&acting, &format!("new {round}"), &[]).await;
            acting
                .authority
                .revoke_database_token(&acting.caller, acting.place, doomed)
                .await
                .expect("revoked");
        });
        act.await.expect("acted");
        let new = search(&house, text("new ")).await;
        assert_eq!(new.total, round + 1);
        let revoked = TokenSearch {
            statuses: vec![TokenStatus::Revoked],
            ..TokenSearch::default()
        };
        assert_eq!(search(&house, revoked).await.total, round + 1);
        look.await.expect("looked");
    }
    let house = Arc::into_inner(house).expect("nobody else").reopened().await;
    assert_eq!(search(&house, text("")).await.total, 210);
}

/// Every page, in every order, is what the catalog's own list says.
#[tokio::test]
async fn pages_follow_each_other_as_the_catalog_lists_them() {
    use rescind_authority::{Page, TokenQuery, TokenSort};
    let house = House::new().await;
    let rng = SeededRng::new(5);
    search(&house, text("")).await;
    for _ in 0..60 {
        let words = ["fleet", "Fleet", "ÄPFEL", "äpfel", "z", ""];
        let description = format!("{} {}", words[rng.below(6) as usize], rng.below(4));
        create(
            &house,
            &description,
            &[("read", ["a", "b", "*"][rng.below(3) as usize])],
        )
        .await;
    }
    for (column, sort) in [
        (TokenColumn::Description, TokenSort::Description),
        (TokenColumn::CreatedAt, TokenSort::CreatedAt),
        (TokenColumn::ExpiresAt, TokenSort::ExpiresAt),
        (TokenColumn::LastUsedAt, TokenSort::LastUsedAt),
    ] {
        for descending in [false, true] {
            let mut query = TokenQuery::all(house.clock_now());
            (query.sort, query.descending, query.page) = (sort, descending, Page::first(100));
            let listed = house
                .authority
                .database_tokens(&house.caller, house.place, None, &query)
                .await;
            let listed: Vec<_> = listed
                .expect("listed")
                .items
                .iter()
                .map(|token| token.id)
                .collect();
            let mut found = Vec::new();
            for offset in (0..70).step_by(7) {
                let page = TokenSearch {
                    sort: column,
                    descending,
                    offset,
                    rows: 7,
                    ..TokenSearch::default()
                };
                let page = search(&house, page).await;
                assert_eq!(page.total, 60);
                found.extend(page.items.iter().map(|token| token.id));
            }
            assert_eq!(found, listed, "{column:?}, descending: {descending}");
        }
    }
}
