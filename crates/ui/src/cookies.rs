//! Cookies: their names, how they are read and set (RFC 6265).

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The secret of the visitor's session.
    Session,
    /// What ties the forms of someone who is not signed in to this browser.
    Gate,
    /// The notice that the next page shows.
    Notice,
    /// The chosen colour scheme; set by the script.
    Theme,
    /// Whether the side bar is folded; set by the script.
    Side,
}

/// What a cookie's value may hold as it is (RFC 6265 section 4.1.1).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

impl Cookie {
    /// Its name. The prefix keeps other hosts of the same domain from setting it; browsers want `Secure` for it.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-rescind_session",
            (Self::Session, false) => "rescind_session",
            (Self::Gate, true) => "__Host-rescind_gate",
            (Self::Gate, false) => "rescind_gate",
            (Self::Notice, true) => "__Host-rescind_notice",
            (Self::Notice, false) => "rescind_notice",
            (Self::Theme, _) => "rescind_theme",
            (Self::Side, _) => "rescind_side",
        }
    }

    /// Its value in a request, if there is exactly one: two of a name mean that somebody else set one of them.
    pub(crate) fn read(self, headers: &HeaderMap, secure: bool) -> Option<String> {
        let name = self.name(secure);
        let lines = headers.get_all(header::COOKIE).into_iter();
        let mut values = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        let text = percent_decode_str(value).decode_utf8().ok()?;
        Some(text.into_owned())
    }

    /// The header that sets it: for `seconds`, or until the browser closes.
    pub(crate) fn set(self, value: &str, seconds: Option<u32>, secure: bool) -> HeaderValue {
        let value = utf8_percent_encode(value, PLAIN);
        let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let guard = if secure { "; Secure" } else { "" };
        // A form is sent from our own pages only, a session must survive a link from elsewhere.
        let site = if self == Self::Gate { "Strict" } else { "Lax" };
        let line = format!(
            "{}={value}; Path=/; HttpOnly; SameSite={site}{age}{guard}",
            self.name(secure)
        );
        // Percent-encoding leaves nothing that a header cannot hold.
        HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""))
    }

    /// The header that removes it.
    pub(crate) fn remove(self, secure: bool) -> HeaderValue {
        self.set("", Some(0), secure)
    }
}
