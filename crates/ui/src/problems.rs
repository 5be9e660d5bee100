//! What is wrong with a form, field by field.

use http::StatusCode;
use rescind_authority::Error;

/// Problems by field. A form without any is good.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(Vec<(&'static str, String)>);

impl Problems {
    /// Notes what is wrong with a field.
    pub(crate) fn add(&mut self, field: &'static str, message: impl ToString) {
        self.0.push((field, message.to_string()));
    }

    /// Takes the value, or notes why there is none.
    pub(crate) fn take<T, E: ToString>(&mut self, field: &'static str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// The one problem that the authority names, where it is about a field of this form.
    pub(crate) fn of(error: &Error, names: &[(&str, &'static str)]) -> Option<Self> {
        let Error::Invalid { field, message } = error else {
            return None;
        };
        let (_, own) = names.iter().find(|(theirs, _)| theirs == field)?;
        Some(Self(vec![(own, message.clone())]))
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the form is answered with when it is shown: 422 while something is wrong with it (RFC 9110 section 15.5.21).
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }

    /// What is wrong with this field; empty if nothing is.
    pub(crate) fn of_field(&self, field: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| *name == field);
        found.map_or("", |(_, message)| message)
    }
}
