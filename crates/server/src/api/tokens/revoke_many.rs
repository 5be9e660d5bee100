//! `POST …/tokens/revoke`

use axum::Json;
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use rescind_authority::TokenSearch;
use rescind_domain::{DatabaseTokenId, Extent, Subject, TokenStatus, Verb};
use rescind_wire::{RESCIND_TOTAL_COUNT, RevokeDatabaseTokens, RevokedTokens, TokensToRevoke};

use crate::api::errors::Problem;
use crate::api::extract::{At, Body, MANY_IDS};
use crate::api::receipts::Changed;
use crate::api::revocations::{found, shown};

/// Revoke several database tokens
///
/// By their ids, by the secret of one that leaked, or by what they have in common, first as a dry run. Each has its own
/// outcome. When the answer arrives, every node refuses those that are revoked, and what they had running has been cut.
/// Very many are revoked piece by piece: an error may come when part is done, and says so. Repeating it is no error, does
/// the rest, and waits for all of it.
#[utoipa::path(
    post,
    path = "/accounts/{accountId}/clusters/{clusterId}/tokens/revoke",
    operation_id = "RevokeDatabaseTokens",
    tag = "Database tokens",
    params(At),
    request_body = RevokeDatabaseTokens,
    responses((
            status = 200,
            description = "What became of each; without a receipt in a dry run.",
            body = RevokedTokens,
            headers(
                ("Rescind-Revision" = i64, description = "The last of its revisions, by which every node now acts."),
                ("Rescind-Total-Count" = i64, description = "With `filter`: how many it finds, this answer's included.")
            )
        ))
)]
pub(crate) async fn revoke_many(
    at: At,
    Body(body): Body<RevokeDatabaseTokens, MANY_IDS>,
) -> Result<Response, Problem> {
    let At { asker, place, .. } = &at;
    match body.parse()? {
        TokensToRevoke::Ids(ids) => revoke(&at, ids).await,
        TokensToRevoke::Secret(secret) => {
            let secret = secret.expose().trim().as_bytes();
            let id = asker
                .authority
                .database_token_of_secret(&asker.caller, *place, secret)
                .await?;
            revoke(&at, vec![id]).await
        }
        TokensToRevoke::Filter {
            search,
            database,
            creator,
            unused_since,
            dry_run,
        } => {
            // Of whoever may revoke only its own, those of others do not take up the room of a request.
            let caller = &asker.caller;
            let extent = caller.extent(Verb::Delete, Subject::DatabaseToken);
            let own = (extent == Extent::Own).then(|| caller.actor());
            let search = TokenSearch {
                text: search,
                statuses: vec![TokenStatus::Active, TokenStatus::Expired],
                database,
                creator: creator.or(own),
                unused_since,
                ..TokenSearch::default()
            };
            revoke_found(&at, &search, dry_run).await
        }
    }
}

async fn revoke(At { asker, place, .. }: &At, ids: Vec<DatabaseTokenId>) -> Result<Response, Problem> {
    let (outcomes, receipt) = asker
        .authority
        .revoke_database_tokens(&asker.caller, *place, ids)
        .await?;
    let shown = shown(&outcomes, &receipt);
    Ok(Changed(receipt, shown).into_response())
}

async fn revoke_found(at: &At, search: &TokenSearch, dry_run: bool) -> Result<Response, Problem> {
    let At { asker, place, .. } = at;
    let matches = asker
        .authority
        .find_database_tokens(&asker.caller, *place, search)
        .await?;
    let ids = matches.items;
    let mut response = if dry_run {
        // A read, whatever its method: see `ask_again`.
        asker.check()?;
        Json(found(&ids)).into_response()
    } else if ids.is_empty() {
        // They may have been revoked a moment ago by a call that nobody waited for.
        let receipt = asker.authority.wait_for_nodes(&asker.caller).await?;
        let shown = shown::<DatabaseTokenId>(&[], &receipt);
        Changed(receipt, shown).into_response()
    } else {
        revoke(at, ids).await?
    };
    response
        .headers_mut()
        .insert(RESCIND_TOTAL_COUNT, HeaderValue::from(matches.total));
    Ok(response)
}
