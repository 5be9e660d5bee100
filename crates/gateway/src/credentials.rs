//! Where a request carries its token (contract, data-plane section 2).

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

/// A token as a request presents it, not yet known to be one. `Debug` shows nothing of it.
pub(crate) enum Credential<'a> {
    Plain(&'a [u8]),
    /// Taken out of `Basic`; wiped after use.
    Decoded(Zeroizing<Vec<u8>>),
}

impl Credential<'_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// Why a request carries no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoCredential {
    #[error("no token was given: send `Authorization: Bearer TOKEN`")]
    Missing,
    #[error(
        "the Authorization header is malformed: send `Bearer TOKEN`, `Token TOKEN` or `Basic` with the token as password"
    )]
    Malformed,
}

/// Finds the token: in the header, and where that yields none in `parameter`, which is `None` on endpoints that take
/// no token from the URL.
pub(crate) fn find<'a>(
    headers: &'a HeaderMap,
    parameter: Option<&'a str>,
) -> Result<Credential<'a>, NoCredential> {
    let refusal = match of_header(headers) {
        Ok(credential) => return Ok(credential),
        Err(refusal) => refusal,
    };
    match parameter {
        None | Some("") => Err(refusal),
        Some(token) => Ok(Credential::Plain(token.as_bytes())),
    }
}

fn of_header(headers: &HeaderMap) -> Result<Credential<'_>, NoCredential> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(NoCredential::Missing)?.as_bytes();
    // Two of them: which one a proxy in between has checked, nobody can know.
    if values.next().is_some() {
        return Err(NoCredential::Malformed);
    }
    let space = value
        .iter()
        .position(|byte| *byte == b' ')
        .ok_or(NoCredential::Malformed)?;
    let (scheme, rest) = (&value[..space], &value[space + 1..]);
    let credential = match scheme {
        b"Bearer" | b"Token" => Credential::Plain(rest),
        b"Basic" => Credential::Decoded(password(rest).ok_or(NoCredential::Malformed)?),
        _ => return Err(NoCredential::Malformed),
    };
    if credential.as_bytes().is_empty() {
        Err(NoCredential::Malformed)
    } else {
        Ok(credential)
    }
}

/// What follows the first colon; the user before it means nothing.
fn password(encoded: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(encoded).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(Zeroizing::new(decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn found(header: Option<&str>, parameter: Option<&str>) -> Result<String, NoCredential> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).expect("a header"));
        }
        find(&headers, parameter).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    #[test]
    fn the_header_alone() {
        use NoCredential::{Malformed, Missing};
        let cases = [
            (None, Err(Missing)),
            (Some("Bearer t".to_owned()), Ok("t")),
            (Some("Token t".to_owned()), Ok("t")),
            (Some(basic("user:t")), Ok("t")),
            (Some(basic(":t")), Ok("t")),
            (Some(basic("user:t:with:colons")), Ok("t:with:colons")),
            // Split at the first space: what follows it belongs to the token.
            (Some("Bearer  t".to_owned()), Ok(" t")),
            (Some("bearer t".to_owned()), Err(Malformed)),
            (Some("TOKEN t".to_owned()), Err(Malformed)),
            (Some("basic dTp0".to_owned()), Err(Malformed)),
            (Some("Bearer".to_owned()), Err(Malformed)),
            (Some("Bearer ".to_owned()), Err(Malformed)),
            (Some("Bearer\tt".to_owned()), Err(Malformed)),
            (Some("t".to_owned()), Err(Malformed)),
            (Some(String::new()), Err(Malformed)),
            (Some("Digest t".to_owned()), Err(Malformed)),
            // As one sample of the documentation has it, without base64.
            (Some("Basic user:t".to_owned()), Err(Malformed)),
            (Some(basic("no colon")), Err(Malformed)),
            (Some(basic("user:")), Err(Malformed)),
        ];
        for (header, expected) in cases {
            assert_eq!(
                found(header.as_deref(), None),
                expected.map(str::to_owned),
                "{header:?}"
            );
        }
    }

    #[test]
    fn the_header_comes_first_where_both_are_taken() {
        let cases = [
            (None, Some("p"), Ok("p")),
            (Some("Bearer h"), Some("p"), Ok("h")),
            (Some("Bearer h"), Some(""), Ok("h")),
            (Some("nonsense"), Some("p"), Ok("p")),
            (Some("Bearer "), Some("p"), Ok("p")),
            (Some("nonsense"), Some(""), Err(NoCredential::Malformed)),
            (None, Some(""), Err(NoCredential::Missing)),
        ];
        for (header, parameter, expected) in cases {
            let expected = expected.map(str::to_owned);
            assert_eq!(found(header, parameter), expected, "{header:?} {parameter:?}");
        }
    }

    #[test]
    fn two_headers_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(find(&headers, None).map(|_| ()), Err(NoCredential::Malformed));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Credential::Plain(b"apiv1_x")), "Credential(…)");
    }
}
