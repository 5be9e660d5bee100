//! `GET /accounts/{accountId}/audit-events`

use axum::extract::OriginalUri;
use axum::response::Response;
use rescind_authority::{AuditQuery, Page, Paged};
use rescind_domain::Act;
use rescind_wire::{AuditEvent, AuditEventQuery, FieldError, SortOrder};

use crate::api::errors::Problem;
use crate::api::extract::{With, Within};
use crate::api::pages;

/// List what was done
///
/// The newest first. Without `limit` the list is complete.
#[utoipa::path(
    get,
    path = "/accounts/{accountId}/audit-events",
    operation_id = "GetAuditEvents",
    tag = "Audit log",
    params(Within, AuditEventQuery),
    responses((
            status = 200,
            description = "The events.",
            body = [AuditEvent],
            headers(
                ("Link" = String, description = "With `limit`, while there is more: `<…>; rel=\"next\"` (RFC 8288)."),
                ("Rescind-Total-Count" = i64, description = "With `limit`: elements over all pages.")
            )
        ))
)]
pub(crate) async fn list(
    With(within, query): With<Within, AuditEventQuery>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let act = query.act.as_deref().map(parse_act).transpose()?;
    let newest_first = query.order != Some(SortOrder::Asc);
    let asked = rescind_wire::Page::parse(query.limit, query.cursor)?;
    let asker = within.asker.clone();
    let fetch = move |page: Page| {
        let Within { asker, account } = within.clone();
        let subject = query.subject.clone();
        let query = AuditQuery {
            account,
            actor: None,
            act,
            act_prefix: None,
            subject,
            from: None,
            to: None,
            newest_first,
            page,
        };
        async move {
            let found = asker.authority.audit_events(&asker.caller, &query).await?;
            let items = found.items.iter().map(AuditEvent::from).collect();
            Ok(Paged {
                items,
                next: found.next,
                total: found.total,
            })
        }
    };
    pages::answer(asker, &uri, asked, fetch).await
}

fn parse_act(text: &str) -> Result<Act, FieldError> {
    text.parse()
        .map_err(|_| FieldError::new("act", format!("must be one of {}", known_acts())))
}

/// `account.create, database.create|update`: shorter than the errors that clients get may be.
fn known_acts() -> String {
    let mut known = String::new();
    let mut before = "";
    for act in Act::ALL {
        let (thing, verb) = act.as_str().split_once('.').unwrap_or((act.as_str(), ""));
        let separator = match (known.is_empty(), thing == before) {
            (true, _) => "",
            (false, true) => "|",
            (false, false) => ", ",
        };
        known.push_str(separator);
        known.push_str(if thing == before { verb } else { act.as_str() });
        before = thing;
    }
    known
}
