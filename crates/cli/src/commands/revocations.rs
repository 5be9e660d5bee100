//! Revoking tokens, of either kind: asked about once, told one by one.

use std::fmt::Display;

use rescind_domain::SecretKind;
use serde::Deserialize;

use crate::commands::{MAX_DESCRIBED, Session};
use crate::exit::Failure;
use crate::prompt::{Question, confirm};

/// What both kinds of token have in common, as far as the question needs it.
#[derive(Deserialize)]
struct Described {
    description: String,
}

/// Revokes the tokens of these ids, which stand below `path`; asks first unless `force`.
pub(crate) fn revoke<I: Display>(
    session: &Session,
    kind: SecretKind,
    path: &str,
    ids: &[I],
    force: bool,
) -> Result<(), Failure> {
    if !force {
        let describe = |id: &I| -> Result<Option<String>, Failure> {
            if ids.len() > MAX_DESCRIBED {
                return Ok(None);
            }
            match session.api.get::<Described>(&format!("{path}/{id}")) {
                Ok(token) => Ok(Some(token.description)),
                Err(error) if error.is_not_found() => Ok(Some("(no such token)".to_owned())),
                Err(error) => Err(error.into()),
            }
        };
        let subjects = ids.iter().map(|id| Ok((id.to_string(), describe(id)?)));
        confirm(&Question {
            what: &format!("Revoke these {kind}s?"),
            subjects: subjects.collect::<Result<_, Failure>>()?,
            consequence: "This cannot be undone.",
        })?;
    }
    session.for_each(ids, |id| {
        session.end(&format!("{path}/{id}"), format!("Revoked {kind} {id}"))
    })
}
