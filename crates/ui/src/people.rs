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
        Actor::System => plain("Rescind".to_owned()),
        Actor::Operator => plain("Operator".to_owned()),
        Actor::ManagementToken(id) => {
            let may = visitor.may(Verb::Read, Subject::ManagementToken);
            let href = format!("/accounts/{}/management-tokens/{id}", visitor.account.id);
            Person {
                name: format!("Management token {}", short_id(id)),
                href: if may { href } else { String::new() },
            }
        }
        Actor::DatabaseToken(id) => plain(format!("Database token {}", short_id(id))),
        Actor::User(id) if id == visitor.user.id => plain("You".to_owned()),
        Actor::User(id) => plain(user_name(app, visitor, id).await),
    }
}

async fn user_name(app: &App, visitor: &Visitor, id: UserId) -> String {
    let unnamed = || format!("User {}", short_id(id));
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

/// What a user is called: by name, or by address while there is none.
pub(crate) fn full_name(user: &User) -> String {
    match format!("{} {}", user.first_name, user.last_name).trim() {
        "" => user.email.to_string(),
        name => name.to_owned(),
    }
}
