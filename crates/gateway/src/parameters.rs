//! The parameters of a URL, each at most once.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::endpoints::Endpoint;
use crate::failures::Failure;

/// The most parameters that an endpoint knows.
const MOST: usize = 6;

/// The known parameters of one request, decoded. Borrows from the URL wherever nothing was escaped.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    names: &'static [&'static str],
    values: [Option<Cow<'a, str>>; MOST],
}

impl<'a> Parameters<'a> {
    /// Reads the query string of a URL (`application/x-www-form-urlencoded`).
    ///
    /// Repeated known parameters are refused: two readers of one request could take different ones for the truth, and
    /// one of them decides about rights.
    pub(crate) fn parse(query: Option<&'a str>, endpoint: Endpoint) -> Result<Self, Failure> {
        let names = endpoint.parameters();
        let mut values = [const { None }; MOST];
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = unescape(name).ok_or_else(|| refuse_name(name))?;
            let Some(at) = names.iter().position(|known| *known == name) else {
                continue;
            };
            let value = unescape(value).ok_or_else(|| {
                Failure::Invalid(format!(
                    "{}: the value is not UTF-8 in percent-encoding",
                    names[at]
                ))
            })?;
            if values[at].replace(value).is_some() {
                return Err(Failure::Invalid(format!(
                    "duplicate field `{}`: give it once",
                    names[at]
                )));
            }
        }
        Ok(Self { names, values })
    }

    /// The value of a parameter that the endpoint knows, if the URL has it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.values[at].as_deref()
    }

    /// A switch; `default` when it is absent.
    pub(crate) fn switch(&self, name: &str, default: bool) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Failure::Invalid(format!("{name}: must be `true` or `false`"))),
        }
    }
}

fn refuse_name(name: &str) -> Failure {
    // Decoded as far as possible: a secret is recognised in no other form.
    let name = percent_decode_str(name).decode_utf8_lossy();
    let name: String = name.chars().take(32).collect();
    Failure::Invalid(format!(
        "the parameter name {name:?} is not UTF-8 in percent-encoding"
    ))
}

/// `None` for what is not percent-encoded UTF-8.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let is_escaped = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escaped) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn parse(query: &str) -> Result<Parameters<'_>, String> {
        Parameters::parse(Some(query), Endpoint::WriteV1).map_err(|failure| failure.to_string())
    }

    #[test]
    fn values_are_decoded_and_strangers_ignored() {
        let parameters = parse("db=a%2Fb&&x=%31&rp=a+b&x=2&precision&p=").expect("good");
        assert_eq!(parameters.get("db"), Some("a/b"));
        assert_eq!(parameters.get("rp"), Some("a b"));
        assert_eq!(parameters.get("precision"), Some(""));
        assert_eq!(parameters.get("p"), Some(""));
        assert_eq!((parameters.get("u"), parameters.get("x")), (None, None));
        assert_eq!(parse("d%62=x").expect("good").get("db"), Some("x"));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let queries = [
            "db=a&db=a",
            "db=a&d%62=b",
            "db=%ff",
            "rp=%",
            "rp=%4",
            "p=%zz",
            "%ff=1",
        ];
        let refusals: Vec<_> = queries
            .iter()
            .map(|query| parse(query).map(|_| ()).expect_err(query))
            .collect();
        insta::assert_snapshot!(refusals.join("\n"));
    }

    proptest! {
        #[test]
        fn what_a_client_escaped_is_read_back(text in "\\PC{0,40}") {
            let query = format!("db={}", utf8_percent_encode(&text, NON_ALPHANUMERIC));
            let parameters = parse(&query).expect("good");
            prop_assert_eq!(parameters.get("db"), Some(text.as_str()));
        }
    }
}
