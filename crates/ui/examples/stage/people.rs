//! Who else is on the stage: users of every role and state, invitations, management tokens, a device that waits.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rescind_authority::{
    Acceptance, AskDevice, Authority, Caller, CreateDatabase, CreateManagementToken, CreateTable, Invite,
    Place,
};
use rescind_domain::{Agent, Client, Clock as _, DatabaseLimits, Role, Secret};
use rescind_testkit::FrozenClock;

use crate::{Outcome, PASSWORD};

/// Email, names, role. All who stay have the password of the stage.
const USERS: [(&str, &str, &str, Role); 5] = [
    ("grace@example.com", "Grace", "Hopper", Role::Member),
    ("kurt@example.com", "Kurt", "Gödel", Role::Auditor),
    ("left@example.com", "Edsger", "Dijkstra", Role::Admin),
    ("paused@example.com", "Tony", "Hoare", Role::Member),
    (
        "a.very.long.address.of.a.person.who.works.in.a.large.company@engineering.department.example.com",
        "Wolfeschlegelsteinhausenbergerdorff",
        "<b>Friederich & Söhne</b> von und zu Rothenburg ob der Tauber",
        Role::Member,
    ),
];

fn client() -> Client {
    Client {
        address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 4)),
        agent: Agent::new("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    }
}

/// Before the week begins: those who came, those who left, and what has expired since.
pub(crate) async fn arrive(
    authority: &Arc<Authority>,
    clock: &FrozenClock,
    caller: &Caller,
    place: Place,
) -> Outcome<()> {
    for (email, first_name, last_name, role) in USERS {
        clock.advance(Duration::from_secs(61));
        let link = invite(authority, caller, place, email, role).await?;
        let acceptance = Acceptance {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let signed_in = authority
            .accept_invitation(link.expose().as_bytes(), acceptance, client())
            .await?;
        match first_name {
            "Edsger" => {
                authority
                    .delete_user(caller, place.account, signed_in.user.id)
                    .await?
            }
            "Tony" => {
                authority
                    .disable_user(caller, place.account, signed_in.user.id)
                    .await?
            }
            _ => continue,
        };
    }
    invite(authority, caller, place, "too.late@example.com", Role::Member).await?;
    let purposes = [
        ("Terraform", None),
        ("Nightly backup of the catalog", Some(90)),
        ("Migration from the old cluster", Some(2)),
        ("CI of the console, replaced", None),
    ];
    for (description, days) in purposes {
        clock.advance(Duration::from_secs(3_600));
        let request = CreateManagementToken {
            description: Some(description.parse()?),
            expires_at: days.map(|days: i64| clock.now().plus_micros(days * 86_400_000_000)),
        };
        let created = authority
            .create_management_token(caller, place.account, request)
            .await?;
        if days == Some(90) {
            databases(authority, &created.secret, place).await?;
        }
        if description.ends_with("replaced") {
            authority
                .revoke_management_token(caller, place.account, created.item.id)
                .await?;
        }
    }
    Ok(())
}

/// What a management token made: the audit log tells who acted.
async fn databases(authority: &Arc<Authority>, secret: &Secret, place: Place) -> Outcome<()> {
    let caller = authority.authenticate(secret.expose().as_bytes())?;
    let known = client();
    authority.note_caller(&caller, known.address, &known.agent.to_string());
    for name in ["scratch", "archive"] {
        let request = CreateDatabase {
            name: name.parse()?,
            limits: DatabaseLimits::default(),
            partition_template: None,
        };
        authority.create_database(&caller, place, request).await?;
    }
    let tables = [
        "home",
        "sensors",
        "cpu",
        "a_table_with_a_name_as_long_as_names_of_tables_may_be_and_then_some",
    ];
    for name in tables {
        let request = CreateTable {
            name: name.parse()?,
            partition_template: None,
        };
        authority
            .create_table(&caller, place, "archive".parse()?, request)
            .await?;
    }
    authority
        .delete_database(&caller, place, "scratch".parse()?)
        .await?;
    Ok(())
}

/// Now: invitations that wait or were withdrawn, a failed login, and a device. Returns the words to find them by.
pub(crate) async fn wait(authority: &Arc<Authority>, caller: &Caller, place: Place) -> Outcome<String> {
    let link = invite(authority, caller, place, "new@example.com", Role::Member).await?;
    invite(
        authority,
        caller,
        place,
        "auditor.of.the.year@example.com",
        Role::Auditor,
    )
    .await?;
    invite(authority, caller, place, "wrong.person@example.com", Role::Admin).await?;
    let invitations = authority
        .invitations(caller, place.account, &rescind_authority::Page::first(50))
        .await?;
    let wrong = invitations
        .items
        .iter()
        .find(|invitation| invitation.email.as_str().starts_with("wrong"));
    if let Some(wrong) = wrong {
        authority
            .revoke_invitation(caller, place.account, wrong.id)
            .await?;
    }
    let refused = authority
        .sign_in("grace@example.com", "a guess".to_owned(), client())
        .await;
    if refused.is_ok() {
        return Err("a guess signed in".into());
    }
    let ask = AskDevice {
        client_id: "influxctl".to_owned(),
        host: "build-host-7.rotterdam.example.com".to_owned(),
        client: Client {
            agent: Agent::new("influxctl/0.1.0"),
            ..client()
        },
    };
    let device = authority.ask_device(ask).await?;
    Ok(format!(
        "/invitations/{} /device?user_code={}",
        link.expose(),
        device.request.user_code
    ))
}

async fn invite(
    authority: &Arc<Authority>,
    caller: &Caller,
    place: Place,
    email: &str,
    role: Role,
) -> Outcome<Secret> {
    let request = Invite {
        email: email.parse()?,
        first_name: String::new(),
        last_name: String::new(),
        role,
    };
    let created = authority.invite(caller, place.account, request).await?;
    Ok(created.secret)
}
