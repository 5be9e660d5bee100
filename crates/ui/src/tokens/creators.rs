//! The filter by who made a token: the visitor, or one of those who made some.

use rescind_authority::Creators;
use rescind_domain::{Actor, UserId};

use super::line;
use crate::people::{by_id, full_name};
use crate::words::excerpt;

/// What stands for the visitor: a link to one's own tokens works for whoever opens it.
const ME: &str = "me";
/// The groups of choices.
const USERS: &str = "Users";
const MANAGEMENT_TOKENS: &str = "Management tokens";
const OTHERS: &str = "Others";
/// The longest choice, in characters.
const LONGEST: usize = 60;

/// Who may be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CreatorChoices {
    /// Whether the visitor is chosen.
    pub(crate) is_me: bool,
    /// Others, in groups that are not empty.
    pub(crate) groups: Vec<CreatorGroup>,
}

/// Choices of one kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CreatorGroup {
    /// Its words.
    pub(crate) label: &'static str,
    /// In the order of their words.
    pub(crate) choices: Vec<CreatorChoice>,
}

/// One who made tokens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CreatorChoice {
    /// What the address calls it.
    pub(crate) value: String,
    /// What people call it.
    pub(crate) words: String,
    /// Whether it is chosen.
    pub(crate) is_chosen: bool,
}

/// Whose tokens `chosen` asks for. What names nobody is no filter.
pub(super) fn wanted(chosen: &str, me: UserId) -> Option<Actor> {
    match chosen {
        ME => Some(Actor::User(me)),
        named => named.parse().ok(),
    }
}

impl CreatorChoices {
    /// The choices of `me`, of whom `chosen` is chosen.
    pub(super) fn of(me: UserId, creators: &Creators, chosen: &str) -> Self {
        let chosen = wanted(chosen, me);
        let mut others = creators.actors.clone();
        // A link may name somebody who made no token here.
        others.extend(chosen.filter(|actor| !creators.actors.contains(actor)));
        others.retain(|actor| *actor != Actor::User(me));
        let group = |label| {
            let own = others.iter().filter(|actor| label_of(**actor) == label);
            let named = own.map(|actor| (*actor, name(*actor, creators)));
            let choices = told_apart(named.collect(), chosen);
            CreatorGroup { label, choices }
        };
        let groups = [USERS, MANAGEMENT_TOKENS, OTHERS].map(group);
        Self {
            is_me: chosen == Some(Actor::User(me)),
            groups: groups
                .into_iter()
                .filter(|group| !group.choices.is_empty())
                .collect(),
        }
    }
}

fn label_of(actor: Actor) -> &'static str {
    match actor {
        Actor::User(_) => USERS,
        Actor::ManagementToken(_) => MANAGEMENT_TOKENS,
        Actor::System | Actor::Operator | Actor::DatabaseToken(_) => OTHERS,
    }
}

/// What an actor is called, as far as the visitor may know. Who is gone has left an id.
fn name(actor: Actor, creators: &Creators) -> String {
    let known = match actor {
        Actor::User(id) => creators.users.iter().find(|user| user.id == id).map(full_name),
        Actor::ManagementToken(id) => creators
            .management_tokens
            .iter()
            .find(|token| token.id == id)
            .map(|token| line(token.description.as_str())),
        _ => None,
    };
    known.map_or_else(|| by_id(actor), |name| excerpt(&name, LONGEST))
}

/// In order, and with ids where two have one name.
fn told_apart(mut named: Vec<(Actor, String)>, chosen: Option<Actor>) -> Vec<CreatorChoice> {
    named.sort_by_cached_key(|(actor, words)| (words.to_lowercase(), *actor));
    let is_shared = |at: usize| {
        let mut others = named.iter().enumerate();
        others.any(|(other, (_, words))| other != at && *words == named[at].1)
    };
    let choice = |(at, (actor, words)): (usize, &(Actor, String))| CreatorChoice {
        value: actor.to_string(),
        words: match is_shared(at) {
            true => format!("{words} ({})", by_id(*actor)),
            false => words.clone(),
        },
        is_chosen: chosen == Some(*actor),
    };
    named.iter().enumerate().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_domain::{AccountId, Email, ManagementTokenId, Role, Timestamp, User, UserState};

    fn user(number: u8, first_name: &str) -> User {
        User {
            id: UserId::from_bytes([number; 16]),
            account: AccountId::from_bytes([0; 16]),
            email: format!("{number}@example.com")
                .parse::<Email>()
                .expect("an address"),
            first_name: first_name.to_owned(),
            last_name: "Hopper".to_owned(),
            role: Role::Admin,
            state: UserState::Enabled,
            created_at: Timestamp::from_micros(0),
        }
    }

    fn told(creators: &Creators, chosen: &str) -> String {
        let choices = CreatorChoices::of(UserId::from_bytes([1; 16]), creators, chosen);
        let mut told = format!("me: {}\n", choices.is_me);
        for CreatorGroup { label, choices } in &choices.groups {
            for choice in choices {
                let mark = if choice.is_chosen { ", chosen" } else { "" };
                told.push_str(&format!("{label}: {}, {}{mark}\n", choice.words, choice.value));
            }
        }
        told
    }

    #[test]
    fn creators_are_grouped_named_and_told_apart() {
        let users = [
            user(1, "Me"),
            user(2, "Grace"),
            user(3, "Grace"),
            user(4, "Anita"),
        ];
        let gone = Actor::User(UserId::from_bytes([5; 16]));
        let token = Actor::ManagementToken(ManagementTokenId::from_bytes([6; 16]));
        let mut actors: Vec<_> = users.iter().map(|user| Actor::User(user.id)).collect();
        actors.extend([gone, token, Actor::System]);
        let creators = Creators {
            actors,
            users: users.to_vec(),
            management_tokens: Vec::new(),
        };
        insta::assert_snapshot!(told(&creators, &gone.to_string()));
        assert!(told(&creators, "me").starts_with("me: true\n"));
        let own = Actor::User(UserId::from_bytes([1; 16]));
        assert_eq!(told(&creators, &own.to_string()), told(&creators, "me"));
    }

    #[test]
    fn whoever_a_link_names_is_among_the_choices() {
        let nobody = Creators::default();
        assert_eq!(told(&nobody, ""), "me: false\n");
        assert_eq!(told(&nobody, "<script>"), "me: false\n");
        assert_eq!(
            told(&nobody, "operator"),
            "me: false\nOthers: Operator, operator, chosen\n"
        );
    }
}
