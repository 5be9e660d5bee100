//! Lists: orders, pages, filters.

use rescind_catalog::{
    Cursor, DatabaseFilter, DatabaseQuery, DatabaseSort, Error, Page, TokenQuery, TokenSort,
};
use rescind_domain::{
    Act, DatabaseName, DatabaseState, DatabaseToken, DatabaseTokenId, Timestamp, TokenState, TokenStatus,
};

use crate::stage::{NOW, Stage};

const SORTS: [TokenSort; 4] = [
    TokenSort::CreatedAt,
    TokenSort::Description,
    TokenSort::ExpiresAt,
    TokenSort::LastUsedAt,
];

fn place(token: &DatabaseToken, sort: TokenSort) -> (i64, String) {
    let never = |moment: Option<Timestamp>, value| moment.map_or(value, Timestamp::micros);
    match sort {
        TokenSort::CreatedAt => (token.created_at.micros(), String::new()),
        TokenSort::Description => (0, token.description.as_str().to_lowercase()),
        TokenSort::ExpiresAt => (never(token.expires_at, i64::MAX), String::new()),
        TokenSort::LastUsedAt => (never(token.last_used_at, i64::MIN), String::new()),
    }
}

pub(crate) async fn tokens_come_exactly_once_in_every_order(stage: Stage) -> Result<(), Error> {
    // Few distinct values, so that most rows are equal to others in every order.
    let mut act = stage.begin().await;
    for n in 0..53i64 {
        let description = ["Zebra", "äpfel", "apple", "ÄPFEL", ""][n as usize % 5];
        let (mut token, secret) = stage.token(description, &[]);
        token.created_at = NOW.plus_micros(n % 3);
        token.expires_at = (n % 2 == 0).then(|| NOW.plus_micros(n % 4));
        token.last_used_at = (n % 3 == 0).then(|| NOW.plus_micros(n % 6));
        act.insert_database_token(&token, &secret).await.expect("token");
    }
    stage.commit(act, Act::DatabaseTokenCreate, "many", None).await;

    for (sort, descending, limit) in SORTS.iter().flat_map(|sort| {
        [
            (*sort, false, 7),
            (*sort, true, 1),
            (*sort, true, 53),
            (*sort, false, 60),
        ]
    }) {
        let mut query = TokenQuery::all(NOW);
        (query.sort, query.descending, query.page.limit) = (sort, descending, limit);
        query.page.count = true;
        let mut walked = Vec::new();
        loop {
            let page = stage
                .catalog
                .database_tokens(stage.cluster, None, &query)
                .await
                .expect("reads");
            assert_eq!(page.total, Some(53));
            assert!(page.items.len() <= limit as usize);
            walked.extend(page.items);
            // As a link carries it.
            match page.next {
                Some(next) => query.page.after = Some(next.to_string().parse().expect("a cursor")),
                None => break,
            }
        }
        let keys: Vec<_> = walked
            .iter()
            .map(|token| (place(token, sort), token.id))
            .collect();
        let mut expected = keys.clone();
        expected.sort();
        expected.dedup();
        if descending {
            expected.reverse();
        }
        assert_eq!(keys, expected, "{sort:?} {descending} {limit}");
        assert_eq!(keys.len(), 53);
    }
    Ok(())
}

/// Four tokens that differ in every respect; their ids.
async fn some_tokens(stage: &Stage) -> Vec<DatabaseTokenId> {
    let mut act = stage.begin().await;
    let mut ids = Vec::new();
    for (description, permissions, expires, revoked) in [
        ("Grünes Haus 50%", [("read", "home_1")], None, false),
        ("GRÜN", [("write", "home-1")], Some(-1), false),
        ("rot_1", [("read", "*")], Some(1), false),
        ("rotX1", [("write", "Home_1")], Some(-1), true),
    ] {
        let (mut token, secret) = stage.token(description, &permissions);
        token.expires_at = expires.map(|offset| NOW.plus_micros(offset));
        if revoked {
            token.state = TokenState::Revoked { at: NOW };
        }
        act.insert_database_token(&token, &secret).await.expect("token");
        ids.push(token.id);
    }
    stage.commit(act, Act::DatabaseTokenCreate, "several", None).await;
    ids
}

/// Asks for tokens with one of these.
fn statuses(statuses: &[TokenStatus]) -> impl Fn(&mut TokenQuery) {
    move |query| query.statuses = statuses.to_vec()
}

/// Which of `some_tokens` are found.
async fn find(
    stage: &Stage,
    ids: &[DatabaseTokenId],
    database: Option<&str>,
    change: impl Fn(&mut TokenQuery),
) -> Result<Vec<usize>, Error> {
    let database: Option<DatabaseName> = database.map(|name| name.parse().expect("a name"));
    let mut query = TokenQuery::all(NOW);
    change(&mut query);
    let page = stage
        .catalog
        .database_tokens(stage.cluster, database.as_ref(), &query)
        .await?;
    let position = |token: &DatabaseToken| ids.iter().position(|id| *id == token.id);
    let mut found: Vec<usize> = page.items.iter().filter_map(position).collect();
    found.sort_unstable();
    assert_eq!(found.len(), page.items.len());
    Ok(found)
}

pub(crate) async fn tokens_are_found_by_what_they_are(stage: Stage) -> Result<(), Error> {
    let ids = some_tokens(&stage).await;
    let search = |text: &str| {
        let text = text.to_owned();
        move |query: &mut TokenQuery| query.search = Some(text.clone())
    };
    assert_eq!(find(&stage, &ids, None, search("grün")).await?, [0, 1]);
    assert_eq!(find(&stage, &ids, None, search("50%")).await?, [0]);
    assert_eq!(
        find(&stage, &ids, None, search("t_1")).await?,
        [2],
        "no character is a wildcard"
    );
    assert_eq!(
        find(&stage, &ids, None, search("' OR 1=1 --")).await?,
        [0usize; 0]
    );
    assert_eq!(find(&stage, &ids, None, search("")).await?, [0, 1, 2, 3]);
    let part_of_id = ids[3].to_string()[9..23].to_uppercase();
    assert_eq!(find(&stage, &ids, None, search(&part_of_id)).await?, [3]);

    assert_eq!(
        find(&stage, &ids, None, statuses(&[TokenStatus::Active])).await?,
        [0, 2]
    );
    assert_eq!(
        find(&stage, &ids, None, statuses(&[TokenStatus::Expired])).await?,
        [1]
    );
    assert_eq!(
        find(&stage, &ids, None, statuses(&[TokenStatus::Revoked])).await?,
        [3]
    );
    assert_eq!(
        find(
            &stage,
            &ids,
            None,
            statuses(&[TokenStatus::Revoked, TokenStatus::Active])
        )
        .await?,
        [0, 2, 3]
    );
    Ok(())
}

pub(crate) async fn tokens_are_found_by_what_they_open(stage: Stage) -> Result<(), Error> {
    let ids = some_tokens(&stage).await;
    let any = |_: &mut TokenQuery| {};
    assert_eq!(find(&stage, &ids, Some("home_1"), any).await?, [0, 2]);
    assert_eq!(find(&stage, &ids, Some("Home_1"), any).await?, [2, 3]);
    assert_eq!(find(&stage, &ids, Some("1"), any).await?, [2]);
    assert_eq!(
        find(&stage, &ids, Some("home_1"), statuses(&[TokenStatus::Expired])).await?,
        [0usize; 0]
    );
    let elsewhere = rescind_domain::ClusterId::mint(&stage.rng);
    let none = stage
        .catalog
        .database_tokens(elsewhere, None, &TokenQuery::all(NOW))
        .await;
    assert!(none.expect("reads").items.is_empty());
    Ok(())
}

/// Eleven active ones and a deleted one.
async fn some_databases(stage: &Stage) {
    for n in 0..11 {
        stage
            .create_database(&format!("{}{n}", ["Db", "_d", "d-"][n % 3]))
            .await;
    }
    let mut gone = stage.create_database("gone").await;
    gone.state = DatabaseState::Deleted { at: NOW };
    let mut act = stage.begin().await;
    act.update_database(&gone).await.expect("deletes");
    stage.commit(act, Act::DatabaseDelete, gone.id, None).await;
}

pub(crate) async fn databases_come_exactly_once_in_every_order(stage: Stage) -> Result<(), Error> {
    some_databases(&stage).await;
    for (sort, descending) in [
        (DatabaseSort::Name, false),
        (DatabaseSort::Name, true),
        (DatabaseSort::CreatedAt, true),
        (DatabaseSort::Retention, false),
    ] {
        let mut query = DatabaseQuery {
            sort,
            descending,
            page: Page::first(4),
            ..DatabaseQuery::default()
        };
        let mut walked = Vec::new();
        loop {
            let page = stage
                .catalog
                .databases(stage.cluster, &query)
                .await
                .expect("reads");
            walked.extend(page.items);
            match page.next {
                Some(next) => query.page.after = Some(next),
                None => break,
            }
        }
        let key = |database: &rescind_domain::Database| match sort {
            DatabaseSort::Name => (database.name.to_string(), database.id),
            // All equal: the id decides.
            DatabaseSort::CreatedAt | DatabaseSort::Retention => (String::new(), database.id),
        };
        let keys: Vec<_> = walked.iter().map(key).collect();
        let mut expected = keys.clone();
        expected.sort();
        expected.dedup();
        if descending {
            expected.reverse();
        }
        assert_eq!((keys.len(), keys), (11, expected), "{sort:?}");
    }
    Ok(())
}

pub(crate) async fn databases_are_found_by_what_they_are(stage: Stage) -> Result<(), Error> {
    some_databases(&stage).await;
    let names = async |filter, search: Option<&str>| {
        let query = DatabaseQuery {
            filter,
            search: search.map(str::to_owned),
            ..DatabaseQuery::default()
        };
        let page = stage
            .catalog
            .databases(stage.cluster, &query)
            .await
            .expect("reads");
        page.items
            .into_iter()
            .map(|database| database.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(DatabaseFilter::Deleted, None).await, ["gone"]);
    assert_eq!(names(DatabaseFilter::All, None).await.len(), 12);
    assert_eq!(
        names(DatabaseFilter::Active, Some("DB")).await,
        ["Db0", "Db3", "Db6", "Db9"]
    );
    Ok(())
}

pub(crate) async fn a_foreign_cursor_is_refused(stage: Stage) -> Result<(), Error> {
    for text in ["t1.t", "i1.i1"] {
        let cursor: Cursor = text.parse().expect("a cursor");
        let mut query = TokenQuery::all(NOW);
        query.page = Page::after(10, cursor);
        let refused = stage.catalog.database_tokens(stage.cluster, None, &query).await;
        assert!(matches!(refused, Err(Error::Cursor)), "{text}: {refused:?}");
    }
    Ok(())
}
