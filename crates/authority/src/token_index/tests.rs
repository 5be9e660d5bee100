//! The index beside what it stands for: look at every token, keep those that fit, sort them.

use std::cmp::Ordering;

use proptest::prelude::*;
use rescind_domain::{
    AccountId, Actor, ClusterId, DatabaseToken, DatabaseTokenId, Permission, Permissions, Resource,
    SecretPrefix, Timestamp, TokenState, TokenStatus, UserId,
};

use super::rows::{Row, Rows};
use super::{TokenColumn, TokenSearch};

/// Something that happens to the tokens.
#[derive(Debug, Clone)]
enum Event {
    Create {
        id: [u8; 16],
        description: String,
        databases: Vec<&'static str>,
        creator: u8,
        created_at: i64,
        expires_at: Option<i64>,
    },
    Describe(prop::sample::Index, String),
    Permit(prop::sample::Index, Vec<&'static str>),
    Revoke(prop::sample::Index),
    Use(prop::sample::Index, i64),
    /// Somebody looks: what comes next is put into orders that exist already.
    Look,
}

fn description() -> impl Strategy<Value = String> {
    let long = prop_oneof![Just("ä".repeat(70)), Just("long ".repeat(300)), "x{60,70}[a-c]"];
    prop_oneof![4 => "[a-cA-C ]{0,3}", 2 => "(Fleet|fleet) [0-9]{1,2}", 1 => "[ÄäİſK]{1,3}", 1 => long]
}

fn databases() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        prop::sample::select(vec!["*", "a", "A", "ab", "b", "a/b", "a-b"]),
        0..3,
    )
}

/// Ids whose starts are alike, so that ties are decided late.
fn id() -> impl Strategy<Value = [u8; 16]> {
    any::<[u8; 16]>().prop_map(|mut id| {
        let first = id[0] % 2;
        id[..4].copy_from_slice(&[first, 0, 0, 0]);
        id[4] %= 3;
        id
    })
}

fn event() -> impl Strategy<Value = Event> {
    let index = any::<prop::sample::Index>;
    let create = (
        id(),
        description(),
        databases(),
        0..3u8,
        0..5i64,
        prop::option::of(0..9i64),
    )
        .prop_map(
            |(id, description, databases, creator, created_at, expires_at)| Event::Create {
                id,
                description,
                databases,
                creator,
                created_at,
                expires_at,
            },
        );
    prop_oneof![
        6 => create,
        1 => (index(), description()).prop_map(|(token, text)| Event::Describe(token, text)),
        1 => (index(), databases()).prop_map(|(token, names)| Event::Permit(token, names)),
        1 => index().prop_map(Event::Revoke),
        2 => (index(), 0..9i64).prop_map(|(token, at)| Event::Use(token, at)),
        1 => Just(Event::Look),
    ]
}

fn search() -> impl Strategy<Value = TokenSearch> {
    use TokenColumn::{CreatedAt, Databases, Description, ExpiresAt, Id, LastUsedAt, Status};
    let statuses = vec![TokenStatus::Active, TokenStatus::Expired, TokenStatus::Revoked];
    let columns = vec![
        Status,
        Description,
        Id,
        Databases,
        CreatedAt,
        ExpiresAt,
        LastUsedAt,
    ];
    let filters = (
        prop_oneof![2 => Just(String::new()), 3 => "[a-c ]", 2 => "[aA]piv1_[a-b]", 2 => "[0-9a-f-]{1,3}", 1 => "[ÄäİK]"],
        prop::sample::subsequence(statuses, 0..3),
        prop::option::weighted(0.3, prop::sample::select(vec!["a", "A", "b", "zz"])),
        prop::option::weighted(0.2, 0..4u8),
        prop::option::weighted(0.2, 0..9i64),
        prop::option::weighted(0.2, 0..9i64),
    );
    let order = (
        prop::sample::select(columns),
        any::<bool>(),
        0..30usize,
        0..12usize,
    );
    (filters, order).prop_map(
        |((text, statuses, database, creator, since, before), (sort, descending, offset, rows))| {
            TokenSearch {
                text,
                statuses,
                database: database.map(|name| name.parse().expect("a name")),
                creator: creator.map(user),
                unused_since: since.map(Timestamp::from_micros),
                created_before: before.map(Timestamp::from_micros),
                sort,
                descending,
                offset,
                rows,
            }
        },
    )
}

fn user(number: u8) -> Actor {
    Actor::User(UserId::from_bytes([number; 16]))
}

fn permissions(databases: &[&str]) -> Permissions {
    let of_name = |(place, name): (usize, &&str)| Permission {
        action: if place % 2 == 0 { "read" } else { "write" }
            .parse()
            .expect("an action"),
        resource: name.parse().expect("a resource"),
    };
    Permissions::new(databases.iter().enumerate().map(of_name)).expect("few")
}

fn happen(tokens: &mut Vec<DatabaseToken>, event: &Event) -> Option<DatabaseToken> {
    if let Event::Create {
        id,
        description,
        databases,
        creator,
        created_at,
        expires_at,
    } = event
    {
        let id = DatabaseTokenId::from_bytes(*id);
        if tokens.iter().any(|token| token.id == id) {
            return None;
        }
        tokens.push(DatabaseToken {
            id,
            account: AccountId::from_bytes([1; 16]),
            cluster: ClusterId::from_bytes([2; 16]),
            description: description.parse().expect("a description"),
            permissions: permissions(databases),
            prefix: SecretPrefix::stored(format!("apiv1_{}xY", char::from(b'A' + creator))),
            created_at: Timestamp::from_micros(*created_at),
            created_by: user(*creator),
            expires_at: expires_at.map(Timestamp::from_micros),
            state: TokenState::Active,
            last_used_at: None,
        });
        return tokens.last().cloned();
    }
    let (Event::Describe(at, _) | Event::Permit(at, _) | Event::Revoke(at) | Event::Use(at, _)) = event
    else {
        return None;
    };
    if tokens.is_empty() {
        return None;
    }
    let at = at.index(tokens.len());
    let token = &mut tokens[at];
    match event {
        Event::Describe(_, text) => token.description = text.parse().expect("a description"),
        Event::Permit(_, databases) => token.permissions = permissions(databases),
        Event::Revoke(_) => {
            token.state = TokenState::Revoked {
                at: Timestamp::from_micros(3),
            };
        }
        Event::Use(_, at) => token.last_used_at = token.last_used_at.max(Some(Timestamp::from_micros(*at))),
        Event::Create { .. } | Event::Look => {}
    }
    Some(token.clone())
}

/// What [`TokenSearch`] promises, in the plainest way.
fn naive(tokens: &[DatabaseToken], search: &TokenSearch, now: Timestamp) -> (Vec<[u8; 16]>, usize) {
    let text = search.text.trim().to_lowercase();
    let fits = |token: &&DatabaseToken| {
        let description = token.description.as_str().to_lowercase();
        let searched = &description[..description.floor_char_boundary(1_024)];
        let status = token.state.status(token.expires_at, now);
        let opens = |name: &rescind_domain::DatabaseName| {
            token
                .permissions
                .iter()
                .any(|permission| match &permission.resource {
                    Resource::AllDatabases => true,
                    Resource::Database(own) => own == name,
                })
        };
        (searched.contains(&text)
            || token.id.to_string().contains(&text)
            || token.prefix.as_str().to_lowercase().contains(&text))
            && (search.statuses.is_empty() || search.statuses.contains(&status))
            && search.database.as_ref().is_none_or(opens)
            && search.creator.is_none_or(|creator| token.created_by == creator)
            && search
                .unused_since
                .is_none_or(|since| token.last_used_at.is_none_or(|at| at < since))
            && search
                .created_before
                .is_none_or(|before| token.created_at < before)
    };
    let names = |token: &DatabaseToken| {
        let names = token
            .permissions
            .iter()
            .map(|permission| permission.resource.as_str().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>()
    };
    let ordered = |token: &DatabaseToken| {
        let folded = token.description.as_str().to_lowercase();
        folded.chars().take(64).collect::<String>()
    };
    let by_column = |a: &DatabaseToken, b: &DatabaseToken| match search.sort {
        TokenColumn::Status => {
            let status = |token: &DatabaseToken| token.state.status(token.expires_at, now);
            status(a).cmp(&status(b))
        }
        TokenColumn::Description => ordered(a).cmp(&ordered(b)),
        TokenColumn::Id => Ordering::Equal,
        TokenColumn::Databases => names(a).cmp(&names(b)),
        TokenColumn::CreatedAt => a.created_at.cmp(&b.created_at),
        TokenColumn::ExpiresAt => {
            let end = |token: &DatabaseToken| (token.expires_at.is_none(), token.expires_at);
            end(a).cmp(&end(b))
        }
        TokenColumn::LastUsedAt => a.last_used_at.cmp(&b.last_used_at),
    };
    let mut found: Vec<_> = tokens.iter().filter(fits).collect();
    found.sort_by(|a, b| by_column(a, b).then(a.id.to_string().cmp(&b.id.to_string())));
    if search.descending {
        found.reverse();
    }
    let total = found.len();
    let page = found.iter().skip(search.offset).take(search.rows.max(1));
    (page.map(|token| token.id.to_bytes()).collect(), total)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_search_finds_what_looking_at_every_token_finds(
        events in prop::collection::vec(event(), 0..60),
        searches in prop::collection::vec(search(), 1..20),
    ) {
        let (mut tokens, mut rows) = (Vec::new(), Rows::default());
        for event in &events {
            let happened = happen(&mut tokens, event);
            match (event, happened) {
                (Event::Look, _) => rows.settle(),
                (Event::Use(_, at), Some(token)) => rows.note_use(token.id.to_bytes(), Timestamp::from_micros(*at)),
                (_, Some(token)) => rows.put(&Row::from(&token)),
                (_, None) => {}
            }
        }
        rows.settle();
        prop_assert_eq!(rows.len(), tokens.len());
        let now = Timestamp::from_micros(4);
        for search in &searches {
            prop_assert_eq!(rows.search(search, now), naive(&tokens, search, now), "{:?}", search);
        }
        let mut creators: Vec<_> = tokens.iter().map(|token| token.created_by).collect();
        creators.sort_unstable_by(|a, b| b.cmp(a));
        creators.dedup();
        prop_assert_eq!(rows.creators(2), &creators[..creators.len().min(2)]);
    }
}

/// More than are thinned out at a time, and pages from both ends and the middle.
#[test]
fn every_page_of_many_tokens_is_the_one_that_sorting_gives() {
    let rng = rescind_testkit::SeededRng::new(7);
    let mut tokens = Vec::new();
    for number in 0..15_000u32 {
        let mut id = [0; 16];
        rescind_domain::Rng::fill(&rng, &mut id);
        let event = Event::Create {
            id,
            description: format!("Fleet {}", rng.below(5_000)),
            databases: vec![["*", "a", "b"][rng.below(3) as usize]],
            creator: 0,
            created_at: i64::from(number / 7),
            expires_at: (number % 3 == 0).then(|| rng.below(1_000) as i64),
        };
        happen(&mut tokens, &event);
    }
    let mut rows = Rows::default();
    tokens.iter().for_each(|token| rows.put(&Row::from(token)));
    rows.settle();
    let now = Timestamp::from_micros(500);
    for sort in [
        TokenColumn::Status,
        TokenColumn::Description,
        TokenColumn::CreatedAt,
        TokenColumn::ExpiresAt,
    ] {
        for (offset, descending) in [0, 60, 4_000, 7_500, 9_000, 14_990, 15_000]
            .into_iter()
            .zip([true, false].into_iter().cycle())
        {
            let search = TokenSearch {
                sort,
                descending,
                offset,
                rows: 50,
                ..TokenSearch::default()
            };
            assert_eq!(
                rows.search(&search, now),
                naive(&tokens, &search, now),
                "{search:?}"
            );
        }
    }
}
