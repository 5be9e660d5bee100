//! What flags hold: addresses, sizes and places, each read from its text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
use rescind_authority::Location;

use crate::failure::Failure;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// A name or an IP address, without brackets.
    pub(crate) host: String,
    /// 0 for any free one.
    pub(crate) port: u16,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "must be HOST:PORT, such as 127.0.0.1:8181, [::1]:8181 or 127.0.0.1:0 for any free port"
                .to_owned()
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) => host,
            // An IPv6 address without brackets could mean several things.
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        match port.parse() {
            Ok(port) if !host.is_empty() => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(wrong()),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: usize = match unit.trim() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => 0,
        };
        let bytes = number
            .parse()
            .ok()
            .and_then(|number: usize| number.checked_mul(factor));
        match bytes {
            Some(bytes) if bytes > 0 => Ok(Self(bytes)),
            _ => Err("must be a number of bytes above 0, or one with a unit: 64KiB, 256MiB, 1GiB".to_owned()),
        }
    }
}

/// A length of time, above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => 0,
        };
        let seconds = number
            .parse()
            .ok()
            .and_then(|number: u64| number.checked_mul(factor));
        match seconds {
            Some(seconds) if seconds > 0 => Ok(Self(Duration::from_secs(seconds))),
            _ => Err("must be a whole number above 0 with a unit: 90s, 30m, 12h or 7d".to_owned()),
        }
    }
}

/// Where people reach the server: scheme, host and port, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// `https://rescind.example.com`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether people come over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "must be http:// or https:// with a host, such as https://rescind.example.com, and no path"
                .to_owned()
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('#');
        let is_good = matches!(scheme, "http" | "https") && !host.is_empty() && !authority.contains('@');
        match is_good && is_bare {
            true => Ok(Self(format!("{scheme}://{}", authority.to_ascii_lowercase()))),
            false => Err(wrong()),
        }
    }
}

/// A mail server's address, as typed. Judged after parsing, because it may hold a password.
#[derive(Clone)]
pub(crate) struct SmtpText(String);

impl SmtpText {
    /// What was typed, without white space around it: a file ends with a line end.
    pub(crate) fn expose(&self) -> &str {
        self.0.trim()
    }
}

impl From<String> for SmtpText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SmtpText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpText(…)")
    }
}

/// Where the catalog shall be, as typed. Judged after parsing, because the parser's messages repeat what was typed and
/// this may hold a password.
#[derive(Clone)]
pub(crate) struct CatalogText(String);

impl From<String> for CatalogText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for CatalogText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CatalogText(…)")
    }
}

impl CatalogText {
    /// The location.
    pub(crate) fn location(&self) -> Result<Location, Failure> {
        self.0.parse().map_err(|_| {
            let forms = "sqlite:PATH, such as sqlite:/var/lib/rescind/catalog.sqlite, or postgres://USER@HOST/DATABASE";
            Failure::new(format!("--catalog: must be {forms}")).into_usage()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_ambiguous_ones_refused() {
        for (text, host, port) in [
            ("127.0.0.1:0", "127.0.0.1", 0),
            ("[::1]:8181", "::1", 8181),
            ("db:80", "db", 80),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Listen {
                    host: host.to_owned(),
                    port
                }),
                "{text}"
            );
        }
        for text in [
            "",
            "8181",
            ":8181",
            "::1:8181",
            "127.0.0.1",
            "127.0.0.1:http",
            "127.0.0.1:65536",
            "[::1:80",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1", 1),
            ("64KiB", 65_536),
            ("2 MiB", 2 << 20),
            ("1GiB", 1 << 30),
            ("7B", 7),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "1kb",
            "MiB",
            "1.5GiB",
            "99999999999999999999",
            "18446744073709551615GiB",
        ] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_have_units() {
        for (text, seconds) in [("90s", 90), ("1m", 60), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "0h", "5", "-1h", "1.5h", "h", "2 h", "99999999999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for (text, url) in [
            ("https://Rescind.example.com/", "https://rescind.example.com"),
            ("http://[::1]:8181", "http://[::1]:8181"),
            ("HTTPS://a:8443", "https://a:8443"),
        ] {
            assert_eq!(text.parse(), Ok(PublicUrl(url.to_owned())), "{text}");
        }
        for text in [
            "",
            "rescind.example.com",
            "ftp://a",
            "https://",
            "https://a/rescind",
            "https://a?b",
            "https://a/#b",
            "https://user@a",
            "javascript:alert(1)",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_catalog_is_a_file_or_a_database_and_what_was_typed_is_not_repeated() {
        let catalog = |text: &str| CatalogText::from(text.to_owned()).location();
        assert!(matches!(catalog("sqlite:a.db"), Ok(Location::Sqlite(_))));
        assert!(matches!(
            catalog("postgres://rescind:hush@db/catalog"),
            Ok(Location::Postgres(_))
        ));
        let refusal = catalog("pg:hush").expect_err("no location").to_string();
        assert!(
            refusal.contains("postgres://") && !refusal.contains("hush"),
            "{refusal}"
        );
    }
}
