//! Query parameters: known, given once, of the right type; or none at all.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rescind_wire::{FieldError, MAX_LIMIT};
use serde::de::value::{MapDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};

use super::callers::Party;
use crate::api::errors::Problem;
use crate::api::router::Api;

/// Who asks, with the query parameters of this form. Whoever is extracted without it accepts no query parameters: those
/// that have no meaning are refused, not ignored.
pub(crate) struct With<P, T>(pub(crate) P, pub(crate) T);

impl<P: Party, T: DeserializeOwned> FromRequestParts<Api> for With<P, T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let party = P::admit(parts, api).await?;
        Ok(Self(party, read(parts.uri.query().unwrap_or_default())?))
    }
}

/// The request has no query parameters.
pub(crate) struct NoQuery;

impl FromRequestParts<Api> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        match pairs(parts.uri.query().unwrap_or_default()).next() {
            None => Ok(Self),
            Some((name, _)) => {
                let problem = format!("unknown query parameter `{}`, expected none", decode_name(name)?);
                Err(FieldError::new("", problem).into())
            }
        }
    }
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decode_name(name: &str) -> Result<String, FieldError> {
    decode(name).ok_or_else(|| FieldError::new("", "a query parameter's name is not UTF-8"))
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, FieldError> {
    let mut seen = BTreeSet::new();
    let mut fields = Vec::new();
    for (name, value) in pairs(query) {
        let name = decode_name(name)?;
        let value =
            decode(value).ok_or_else(|| FieldError::new(&name, "is not UTF-8 after percent-decoding"))?;
        if !seen.insert(name.clone()) {
            return Err(FieldError::new(name, "is given more than once"));
        }
        fields.push((name, Value(value)));
    }
    serde_path_to_error::deserialize(MapDeserializer::new(fields.into_iter())).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner().to_string();
        match problem.strip_prefix("unknown field ") {
            Some(which) => FieldError::new("", format!("unknown query parameter {which}")),
            None => FieldError::new(path, problem),
        }
    })
}

/// As forms encode them: `+` is a space.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

type Problems = serde::de::value::Error;

/// A parameter's text, read as whatever the field is.
struct Value(String);

impl<'de> IntoDeserializer<'de, Problems> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Problems;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problems> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problems> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problems> {
        match self.0.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(Problems::custom(format!("must be true or false, not {other:?}"))),
        }
    }

    /// Every number among the parameters is a limit.
    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problems> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u32(number),
            Err(_) => Err(Problems::custom(format!(
                "must be a whole number from 1 to {MAX_LIMIT}, not {:?}",
                self.0
            ))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problems> {
        if !variants.contains(&self.0.as_str()) {
            return Err(Problems::custom(format!(
                "must be {}, not {:?}",
                variants.join(" or "),
                self.0
            )));
        }
        let text: StringDeserializer<Problems> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use rescind_wire::{AuditEventQuery, DatabaseListQuery, DatabaseTokenListQuery, SortOrder, StatusFilter};

    #[test]
    fn parameters_are_read_by_name() {
        let read: DatabaseTokenListQuery =
            super::read("limit=7&search=a+b%2B%C3%A4&&order=desc&status=").expect("valid");
        assert_eq!(read.limit, Some(7));
        assert_eq!(read.search.as_deref(), Some("a b+ä"));
        assert_eq!(read.order, Some(SortOrder::Desc));
        assert_eq!(read.status.as_deref(), Some(""));
        let read: DatabaseListQuery = super::read("details=true&status=all").expect("valid");
        assert_eq!((read.details, read.status), (Some(true), Some(StatusFilter::All)));
    }

    #[test]
    fn a_refusal_names_the_parameter() {
        let refused = |query| {
            super::read::<AuditEventQuery>(query)
                .expect_err("invalid")
                .to_string()
        };
        assert_eq!(
            refused("limit=-1"),
            "limit: must be a whole number from 1 to 1000, not \"-1\""
        );
        assert_eq!(refused("order=up"), "order: must be asc or desc, not \"up\"");
        assert_eq!(refused("act=a&act=a"), "act: is given more than once");
        assert_eq!(refused("act=%ff"), "act: is not UTF-8 after percent-decoding");
        assert_eq!(
            refused("page=1"),
            "unknown query parameter `page`, expected one of `act`, `subject`, `order`, `limit`, `cursor`"
        );
    }
}
