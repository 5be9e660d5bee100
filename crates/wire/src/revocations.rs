//! Revoking many tokens at once: an extension.

use rescind_domain::{Actor, DatabaseName, DatabaseTokenId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fields::given;
use crate::{FieldError, Moment, Receipt, SecretText};

/// The most tokens that one request revokes.
const MOST: usize = 100_000;

/// Revokes tokens by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokeTokens {
    /// Which; one that is given twice counts once.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100000))]
    pub ids: Vec<String>,
}

impl RevokeTokens {
    /// Reads every id.
    ///
    /// # Errors
    /// No id, more than 100,000, or the first that is none.
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

/// Revokes database tokens: by their ids, by the secret of one, or by what they have in common. One of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokeDatabaseTokens {
    /// Which; one that is given twice counts once.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, min_items = 1, max_items = 100000)
    )]
    pub ids: Option<Vec<String>>,
    /// The secret of one, as it was found where it should not be.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub secret: Option<SecretText>,
    /// What they have in common; the first 100,000 of them.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub filter: Option<TokenFilter>,
    /// Only says which tokens `filter` finds, and revokes none. False, when absent.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub dry_run: Option<bool>,
}

/// Tokens that are not revoked and have all of this in common; at least one of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenFilter {
    /// Text within the description or the id, in either case.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, min_length = 1))]
    pub search: Option<String>,
    /// A database that they may read or write, by its name or by `*`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub database: Option<String>,
    /// Who made them: `user:ID` or `management_token:ID`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub created_by: Option<String>,
    /// Not used since this moment, or never.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub unused_since: Option<Moment>,
}

/// A [`RevokeDatabaseTokens`] whose fields hold what they must.
#[derive(Debug, Clone)]
pub enum TokensToRevoke {
    /// These.
    Ids(Vec<DatabaseTokenId>),
    /// The one of this secret.
    Secret(SecretText),
    /// Those with this in common.
    Filter {
        /// Text within the description or the id; empty for any.
        search: String,
        /// What they open.
        database: Option<DatabaseName>,
        /// Who made them.
        creator: Option<Actor>,
        /// Not used since then.
        unused_since: Option<Timestamp>,
        /// Whether to revoke none.
        dry_run: bool,
    },
}

impl RevokeDatabaseTokens {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must, or says that not exactly one way was chosen.
    pub fn parse(self) -> Result<TokensToRevoke, FieldError> {
        let is_dry = self.dry_run.is_some();
        match (self.ids, self.secret, self.filter) {
            (Some(ids), None, None) if !is_dry => RevokeTokens { ids }.parse().map(TokensToRevoke::Ids),
            (None, Some(secret), None) if !is_dry => Ok(TokensToRevoke::Secret(secret)),
            (None, None, Some(filter)) => filter.parse(self.dry_run.unwrap_or_default()),
            (None, None, None) => Err(FieldError::new("", "give ids, secret or filter")),
            (_, _, None) if is_dry => Err(FieldError::new("dryRun", "goes with filter only")),
            _ => Err(FieldError::new("", "give only one of ids, secret and filter")),
        }
    }
}

impl TokenFilter {
    fn parse(self, dry_run: bool) -> Result<TokensToRevoke, FieldError> {
        let search = self.search.unwrap_or_default().trim().to_owned();
        let is_empty = search.is_empty()
            && self.database.is_none()
            && self.created_by.is_none()
            && self.unused_since.is_none();
        if is_empty {
            // A filter that was forgotten must not revoke everything.
            let message = "must have one of search, database, createdBy and unusedSince";
            return Err(FieldError::new("filter", message));
        }
        let database = self.database.map(|name| name.parse());
        let creator = self.created_by.map(|actor| actor.parse());
        Ok(TokensToRevoke::Filter {
            search,
            database: database.transpose().map_err(FieldError::of("filter.database"))?,
            creator: creator.transpose().map_err(FieldError::of("filter.createdBy"))?,
            unused_since: self.unused_since.map(|moment| moment.0),
            dry_run,
        })
    }
}

/// What became of tokens that were to be revoked together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedTokens {
    /// What became of each.
    pub tokens: Vec<RevokedToken>,
    /// What each node made of it. Absent in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub receipt: Option<Receipt>,
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedToken {
    /// Which.
    #[cfg_attr(feature = "openapi", schema(format = Uuid))]
    pub id: String,
    /// `revoked`: now; `already_revoked`; `not_found`; `forbidden`: not the caller's own, it goes on; `found`, in a dry
    /// run.
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
        for wrong in [vec![], vec![id.clone(); 100_001], vec![id, "x".to_owned()]] {
            let error = parse(wrong).expect_err("refused").to_string();
            assert!(error.starts_with("ids"), "{error}");
        }
    }

    #[test]
    fn exactly_one_way_is_chosen_and_no_filter_is_empty() {
        let parse = |body: &str| {
            crate::decode::<RevokeDatabaseTokens>(body.as_bytes())
                .and_then(RevokeDatabaseTokens::parse)
                .map_err(|error| error.to_string())
        };
        assert!(matches!(
            parse(r#"{"filter":{"search":" Old "},"dryRun":true}"#),
            Ok(TokensToRevoke::Filter { search, dry_run: true, .. }) if search == "Old"
        ));
        assert!(matches!(
            parse(r#"{"secret":"x"}"#),
            Ok(TokensToRevoke::Secret(_))
        ));
        for (body, field) in [
            ("{}", "give ids"),
            (r#"{"ids":[],"secret":"x"}"#, "give only one"),
            (r#"{"secret":"x","dryRun":false}"#, "dryRun"),
            (r#"{"dryRun":true}"#, "give ids"),
            (r#"{"filter":{}}"#, "filter"),
            (r#"{"filter":{"search":"  "}}"#, "filter"),
            (r#"{"filter":{"createdBy":"me"}}"#, "filter.createdBy"),
            (r#"{"filter":{"database":""}}"#, "filter.database"),
        ] {
            let error = parse(body).expect_err("refused");
            assert!(error.contains(field), "{body}: {error}");
        }
    }
}
