//! Rights: what each role may do, asked of the use cases themselves.

use std::fmt::Write as _;

use rescind_authority::{
    AddUser, AuditQuery, Caller, CreateDatabase, CreateDatabaseToken, CreateManagementToken, CreateTable,
    DatabaseQuery, Error, Page, TableQuery, TokenQuery, TokenSearch, UpdateDatabase, UpdateDatabaseToken,
    UpdateUser,
};
use rescind_domain::{
    DatabaseLimits, DatabaseToken, DatabaseTokenId, Hour, InvitationId, ManagementTokenId, Role, UserId,
};

use crate::house::{House, address, invite, set};

/// What a use case says to a caller, about things that do not exist: the policy comes first.
async fn answers(house: &House, caller: &Caller) -> Vec<(&'static str, bool)> {
    let mut answers = Vec::new();
    let (authority, place, account) = (&house.authority, house.place, house.place.account);
    let (token, secret_token) = (
        DatabaseTokenId::from_bytes([7; 16]),
        ManagementTokenId::from_bytes([7; 16]),
    );
    let (user, invitation) = (UserId::from_bytes([7; 16]), InvitationId::from_bytes([7; 16]));
    let name = || "nowhere".parse::<rescind_domain::DatabaseName>().expect("a name");
    let table = || "nothing".parse::<rescind_domain::TableName>().expect("a name");
    let now = house.clock_now();
    macro_rules! ask {
        ($($name:ident($($argument:expr),*);)*) => {
            $({
                let result = authority.$name(caller, $($argument),*).await;
                answers.push((stringify!($name), !matches!(result.err(), Some(Error::Forbidden(_)))));
            })*
        };
    }
    ask! {
        account(account);
        clusters(account);
        databases(place, &DatabaseQuery::default());
        update_database(place, name(), UpdateDatabase::default());
        rename_database(place, name(), name());
        delete_database(place, name());
        undelete_database(place, rescind_domain::DatabaseId::new(77).expect("an id"));
        tables(place, &name(), &TableQuery::default());
        create_table(place, name(), CreateTable { name: table(), partition_template: None });
        rename_table(place, name(), table(), table());
        delete_table(place, name(), table());
        undelete_table(place, name(), rescind_domain::TableId::new(77).expect("an id"));
        database_tokens(place, None, &TokenQuery::all(now));
        search_database_tokens(place, &TokenSearch::default());
        database_token(place, token);
        token_usage(place, token, Hour::of(now));
        last_client(place, token);
        update_database_token(place, token, UpdateDatabaseToken { permissions: Some(set(&[])), ..Default::default() });
        revoke_database_token(place, token);
        revoke_database_tokens(place, vec![token]);
        management_tokens(account, &TokenQuery::all(now));
        search_management_tokens(account, &TokenSearch::default());
        management_token(account, secret_token);
        management_token_last_client(account, secret_token);
        revoke_management_token(account, secret_token);
        revoke_management_tokens(account, vec![secret_token]);
        users(account, &Page::first(1));
        user(account, user);
        user_by_email(&address("nobody@example.com"));
        update_user(account, user, UpdateUser { role: Some(Role::Admin), ..Default::default() });
        set_password(user, "another lamp ferry onion".to_owned());
        disable_user(account, user);
        enable_user(account, user);
        delete_user(account, user);
        invitations(account, &Page::first(1));
        invitation(account, invitation);
        revoke_invitation(account, invitation);
        audit_events(&AuditQuery::all(account));
        wait_again(house.authority.revision());
        // What makes something, last.
        create_database(place, CreateDatabase { name: "made".parse().expect("a name"), limits: DatabaseLimits::default(), partition_template: None });
        create_database_token(place, CreateDatabaseToken { description: "made".parse().expect("a text"), permissions: set(&[]), expires_at: None });
        create_management_token(account, CreateManagementToken { description: None, expires_at: None });
        add_user(account, AddUser { email: address("made@example.com"), first_name: "M".to_owned(), last_name: "M".to_owned(), role: Role::Auditor });
        invite(account, invite("made@example.com", Role::Auditor));
    }
    answers
}

#[tokio::test]
async fn each_role_may_do_what_the_golden_file_says() {
    let house = House::new().await;
    house.ada().await;
    let mut columns = Vec::new();
    for role in [Role::Admin, Role::Member, Role::Auditor] {
        let person = house.person(&format!("{role}@example.com"), role).await;
        let caller = house.recognise(&person.secret).expect("recognised");
        columns.push(answers(&house, &caller).await);
    }
    let mut text = format!(
        "{:<30} {:<6} {:<7} {}\n",
        "use case", "admin", "member", "auditor"
    );
    for (row, (name, _)) in columns[0].iter().enumerate() {
        let [admin, member, auditor] = [0, 1, 2].map(|role| if columns[role][row].1 { "yes" } else { "-" });
        writeln!(text, "{name:<30} {admin:<6} {member:<7} {auditor}").expect("written");
    }
    insta::assert_snapshot!(text);
}

async fn token_of(house: &House, caller: &Caller) -> DatabaseToken {
    let request = CreateDatabaseToken {
        description: "a member's".parse().expect("a text"),
        permissions: set(&[("read", "a")]),
        expires_at: None,
    };
    let created = house
        .authority
        .create_database_token(caller, house.place, request)
        .await;
    created.expect("made").item
}

#[tokio::test]
async fn a_member_changes_and_revokes_the_tokens_it_made_and_no_others() {
    let house = House::new().await;
    let (authority, place) = (&house.authority, house.place);
    let grace = house.person("grace@example.com", Role::Member).await;
    let alan = house.person("alan@example.com", Role::Member).await;
    let (grace, alan) = (
        house.recognise(&grace.secret).expect("grace"),
        house.recognise(&alan.secret).expect("alan"),
    );
    let (own, others) = (token_of(&house, &grace).await, token_of(&house, &alan).await);
    let admins = house.token(&[("read", "a")]).await.item;
    let change = || UpdateDatabaseToken {
        permissions: Some(set(&[("read", "*")])),
        ..Default::default()
    };
    for foreign in [others.id, admins.id] {
        let changed = authority
            .update_database_token(&grace, place, foreign, change())
            .await;
        assert!(matches!(changed, Err(Error::Forbidden(_))));
        let revoked = authority.revoke_database_token(&grace, place, foreign).await;
        assert!(matches!(revoked, Err(Error::Forbidden(_))));
        let kept = authority
            .database_token(&grace, place, foreign)
            .await
            .expect("members see all");
        assert_eq!(
            (kept.permissions, kept.state.revoked_at()),
            (set(&[("read", "a")]), None)
        );
    }
    authority
        .update_database_token(&grace, place, own.id, change())
        .await
        .expect("its own");
    authority
        .revoke_database_token(&grace, place, own.id)
        .await
        .expect("its own");
    authority
        .revoke_database_token(&house.caller, place, others.id)
        .await
        .expect("administrators revoke all");
}

/// G1 and G4: when a role was changed, every session of that user acts by the new one at once.
#[tokio::test]
async fn a_new_role_holds_at_once_for_sessions_that_run() {
    let house = House::new().await;
    let (authority, account) = (&house.authority, house.place.account);
    house.ada().await;
    let grace = house.person("grace@example.com", Role::Member).await;
    let device = house
        .device(&house.recognise(&grace.secret).expect("grace"))
        .await;
    let become_ = |role| UpdateUser {
        role: Some(role),
        ..Default::default()
    };
    for role in [Role::Admin, Role::Auditor, Role::Member] {
        let updated = authority
            .update_user(&house.caller, account, grace.user.id, become_(role))
            .await;
        assert_eq!(updated.expect("updated").0.role, role);
        let callers = [
            house.recognise(&grace.secret).expect("the browser goes on"),
            house.bearer(&device.secret).expect("the program goes on"),
        ];
        for caller in callers {
            assert_eq!(caller.role(), role);
            let users = authority.users(&caller, account, &Page::first(1)).await;
            assert_eq!(users.is_ok(), role != Role::Member);
            let id = DatabaseTokenId::from_bytes([7; 16]);
            let revoked = authority.revoke_database_token(&caller, house.place, id).await;
            assert_eq!(matches!(revoked, Err(Error::Forbidden(_))), role == Role::Auditor);
        }
    }
}
