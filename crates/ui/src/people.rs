//! Who did something, as pages call them.

use rescind_domain::{Actor, Subject, User, UserId, Verb};

use crate::app::App;
use crate::visitors::Visitor;
use crate::words::short_id;

/// Who acted: a name, and where there is more about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// What the page calls it.
    pub(crate) name: String,
    /// Its page; empty when there is none for this visitor.
    pub(crate) href: String,
}

/// Who `actor` is, as far as the visitor may know.
pub(crate) async fn who(app: &App, visitor: &Visitor, actor: Actor) -> Person {
    let plain = |name: String| Person {
        name,
        href: String::new(),
    };
    match actor {
        Actor::ManagementToken(id) => {
            let may = visitor.may(Verb::Read, Subject::ManagementToken);
            let href = format!("/accounts/{}/management-tokens/{id}", visitor.account.id);
            Person {
                name: by_id(actor),
                href: if may { href } else { String::new() },
            }
        }
        Actor::User(id) if id == visitor.user.id => plain("You".to_owned()),
        Actor::User(id) => plain(user_name(app, visitor, id).await),
        Actor::System | Actor::Operator | Actor::DatabaseToken(_) => plain(by_id(actor)),
    }
}

async fn user_name(app: &App, visitor: &Visitor, id: UserId) -> String {
    let unnamed = || by_id(Actor::User(id));
    if !visitor.may(Verb::Read, Subject::User) {
        return unnamed();
    }
    let found = app.authority.user(&visitor.caller, visitor.account.id, id).await;
    found.map_or_else(
        // A deleted user has left its id only.
        |_| unnamed(),
        |user| full_name(&user),
    )
}

/// What an actor is called where no more is known of it, or may be known.
pub(crate) fn by_id(actor: Actor) -> String {
    match actor {
        Actor::System => "Rescind".to_owned(),
        Actor::Operator => "Operator".to_owned(),
        Actor::ManagementToken(id) => format!("Management token {}", short_id(id)),
        Actor::DatabaseToken(id) => format!("Database token {}", short_id(id)),
        Actor::User(id) => format!("User {}", short_id(id)),
    }
}

/// What a user is called: by name, or by address while there is none.
pub(crate) fn full_name(user: &User) -> String {
    match format!("{} {}", user.first_name, user.last_name).trim() {
        "" => user.email.to_string(),
        name => name.to_owned(),
    }
}
