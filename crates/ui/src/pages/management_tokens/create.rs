//! `/accounts/{account}/management-tokens/new`: a form over the list, then the secret, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rescind_authority::{CreateManagementToken, Created};
use rescind_domain::{AccountId, Description, ManagementToken, Subject, Verb};

use super::{common, list, list_path, token_path};
use crate::answers::page_with;
use crate::app::App;
use crate::dialogs::Sheet;
use crate::errors::{Fault, sentence};
use crate::fields::Fields;
use crate::forms::Submission;
use crate::frame::Section;
use crate::problems::Problems;
use crate::tokens::Snippet;
use crate::tokens::created::{HandedOver, handed_over};
use crate::tokens::expiry::Expiry;
use crate::visitors::Visitor;

#[derive(Template)]
#[template(path = "management_tokens/create.html")]
struct Dialog {
    sheet: Sheet,
    description: String,
    expiry: Expiry,
    problems: Problems,
}

/// What was typed.
struct Typed {
    description: String,
    expiry: Expiry,
}

/// `GET …/new`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    visitor.must(Verb::Create, Subject::ManagementToken)?;
    let typed = Typed {
        description: String::new(),
        expiry: Expiry::blank(visitor.now),
    };
    let below = visitor.browser.query.clone();
    dialog(&app, &visitor, typed, &below, Problems::default()).await
}

/// `POST …/new`.
pub(crate) async fn submit(State(app): State<Arc<App>>, mut form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    visitor.must(Verb::Create, Subject::ManagementToken)?;
    let account = visitor.account_of()?;
    let typed = Typed {
        description: form.fields.text("description").to_owned(),
        expiry: Expiry::read(&form.fields, visitor.now),
    };
    let below = Fields::parse(form.fields.raw("back").as_bytes());
    let mut problems = Problems::default();
    let description = match typed.description.as_str() {
        "" => None,
        text => {
            let parsed: Result<Description, _> = text.parse();
            problems.take(
                "description",
                parsed.map_err(|error| sentence(&error.to_string())),
            )
        }
    };
    let expires_at = typed.expiry.moment(visitor.now, &mut problems);
    if !problems.is_empty() {
        return dialog(&app, &visitor, typed, &below, problems).await;
    }
    let request = CreateManagementToken {
        description,
        expires_at,
    };
    match app
        .authority
        .create_management_token(&visitor.caller, account, request)
        .await
    {
        Ok(created) => {
            let words = "The token was made; its secret was shown then and cannot be shown again.";
            form.remember(&token_path(account, created.item.id), words);
            hand_over(&app, &visitor, account, &created, &below)
        }
        Err(error) => match Problems::of(&error, &[("expiresAt", "expiration_date")]) {
            Some(problems) => dialog(&app, &visitor, typed, &below, problems).await,
            None => Err(error.into()),
        },
    }
}

fn hand_over(
    app: &App,
    visitor: &Visitor,
    account: AccountId,
    created: &Created<ManagementToken>,
    below: &Fields,
) -> Result<Response, Fault> {
    let list = list_path(account);
    let frame = visitor
        .frame(app, Section::ManagementTokens, "Token created")
        .under("Management Tokens", &list);
    let secret = created.secret.expose();
    let made = HandedOver {
        token: common(&created.item),
        proof: &created.receipt,
        permissions: Vec::new(),
        snippets: snippets(app, visitor, account, secret),
        file: format!("INFLUXCTL_MGMT_TOKEN={secret}\n"),
        list: below.after(&list),
        secret: &created.secret,
    };
    handed_over(frame, made)
}

/// Ready-made pieces for the clients that administer.
fn snippets(app: &App, visitor: &Visitor, account: AccountId, secret: &str) -> Vec<Snippet> {
    let url = &app.public_url;
    let (host, port) = crate::tokens::host_and_port(url);
    let cluster = visitor
        .clusters
        .first()
        .map_or_else(String::new, |cluster| cluster.id.to_string());
    let tls = crate::tokens::tls_of_profile(url);
    vec![
        Snippet {
            name: "influxctl profile",
            text: format!(
                "[[profile]]\nname = \"default\"\nproduct = \"dedicated\"\nhost = \"{host}\"\nport = \"{port}\"\n\
                 account_id = \"{account}\"\ncluster_id = \"{cluster}\"\nmgmt_token = \"{secret}\"{tls}"
            ),
        },
        Snippet {
            name: "curl",
            text: format!(
                "curl \"{url}/api/v0/accounts/{account}/clusters/{cluster}/tokens\" \\\n  \
                 --header \"Authorization: Bearer {secret}\""
            ),
        },
    ]
}

async fn dialog(
    app: &Arc<App>,
    visitor: &Visitor,
    typed: Typed,
    below: &Fields,
    problems: Problems,
) -> Result<Response, Fault> {
    let state = list::state(visitor, below)?;
    let cancel = state.href();
    let mut page = list::build(app, visitor, state).await?;
    let status = problems.status();
    let action = format!("{}/new", list_path(visitor.account_of()?));
    let dialog = Dialog {
        sheet: Sheet::new(&page.frame, "Create Management Token", action, cancel),
        description: typed.description,
        expiry: typed.expiry,
        problems,
    };
    page.frame.open(&dialog)?;
    page_with(status, &page)
}
