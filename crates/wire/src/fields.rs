//! Reading a body so that a refusal names the field.

use std::fmt;

use rescind_domain::Timestamp;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Visitor};

/// What is wrong with which field. `Display` is fit for clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", render(.field, .message))]
pub struct FieldError {
    /// The field as the client spelled it, such as `permissions[3].resource`; empty for the body as a whole.
    pub field: String,
    /// What it must be.
    pub message: String,
}

fn render(field: &str, message: &str) -> String {
    if field.is_empty() {
        message.to_owned()
    } else {
        format!("{field}: {message}")
    }
}

impl FieldError {
    /// A refusal of this field.
    pub fn new(field: impl Into<String>, message: impl ToString) -> Self {
        Self {
            field: field.into(),
            message: message.to_string(),
        }
    }

    /// For `map_err`: any error becomes a refusal of this field.
    pub(crate) fn of<E: ToString>(field: &str) -> impl Fn(E) -> Self + '_ {
        move |error| Self::new(field, error)
    }
}

/// Which of the two documented forms of a path a request used: answers repeat the account and the cluster in the first
/// only (contract, management-api section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathForm {
    /// `/accounts/{accountId}/clusters/{clusterId}/…`
    Prefixed,
    /// Without it.
    Bare,
}

impl PathForm {
    /// `value` where answers repeat it.
    pub(crate) fn with(self, value: impl ToString) -> Option<String> {
        match self {
            Self::Prefixed => Some(value.to_string()),
            Self::Bare => None,
        }
    }
}

/// Reads a request body.
///
/// # Errors
/// Not a JSON object, an unknown, repeated or missing field, a value of the wrong type, or anything after the object.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FieldError> {
    // serde would take an array of a struct's values for the struct.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(FieldError::new(
            "",
            "the body must be a JSON object, not an array",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        match error.into_inner() {
            inner if inner.is_data() => FieldError::new(field, without_place(&inner.to_string())),
            inner => FieldError::new("", format!("the body is not JSON: {inner}")),
        }
    })?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(FieldError::new("", format!("the body is not JSON: {error}"))),
    }
}

/// The field says where; line and column would say it again.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(what, _)| what)
}

/// An optional field that, when it is there, must have a value: `null` is refused, as the documented schemas do.
pub(crate) fn given<'de, D, T>(reader: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(reader).map(Some)
}

/// As [`given`], for a whole number: a fraction is refused in words that need no knowledge of Rust.
pub(crate) fn whole<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<i64>, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number of at most 64 bits")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
    }
    reader.deserialize_i64(Whole).map(Some)
}

/// An optional moment of a request.
pub(crate) fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, FieldError> {
    text.map(|text| text.parse().map_err(FieldError::of(field)))
        .transpose()
}
