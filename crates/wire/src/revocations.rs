//! Revoking many tokens at once: an extension.

use serde::{Deserialize, Serialize};

use crate::{FieldError, Moment};

/// The most tokens that one request revokes.
const MOST: usize = 1_000;

/// Revokes tokens by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokeTokens {
    /// Which; one that is given twice counts once.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1000))]
    pub ids: Vec<String>,
}

impl RevokeTokens {
    /// Reads every id.
    ///
    /// # Errors
    /// No id, more than 1,000, or the first that is none.
    pub fn parse<Id: std::str::FromStr<Err: ToString>>(self) -> Result<Vec<Id>, FieldError> {
        if !(1..=MOST).contains(&self.ids.len()) {
            let message = format!("must hold 1 to {MOST} ids, not {}", self.ids.len());
            return Err(FieldError::new("ids", message));
        }
        let numbered = self.ids.iter().enumerate();
        numbered
            .map(|(number, id)| {
                id.parse()
                    .map_err(|error: Id::Err| FieldError::new(format!("ids[{number}]"), error))
            })
            .collect()
    }
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedToken {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// `revoked`: now; `already_revoked`; `not_found`; `forbidden`: not the caller's own, it goes on.
    pub outcome: String,
    /// When it was revoked, if it was already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub revoked_at: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rescind_domain::DatabaseTokenId;

    #[test]
    fn ids_are_some_and_not_too_many_and_the_wrong_one_is_named() {
        let id = "11111111-1111-4111-8111-111111111111".to_owned();
        let parse = |ids: Vec<String>| RevokeTokens { ids }.parse::<DatabaseTokenId>();
        assert_eq!(parse(vec![id.clone()]).map(|ids| ids.len()), Ok(1));
        for wrong in [vec![], vec![id.clone(); 1_001], vec![id, "x".to_owned()]] {
            let error = parse(wrong).expect_err("refused").to_string();
            assert!(error.starts_with("ids"), "{error}");
        }
    }
}
