//! Whoever is asked, and what went wrong on the way there: each in one line that says what was tried and what to do.

use std::io::ErrorKind;
use std::time::Duration;

use rustls::CertificateError;
use ureq::Timeout;

/// The other end of a connection, as messages name it.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// The profile that leads to it.
    pub(crate) place: String,
    /// What in the profile leads to it: "host and port", or the keys of a provider.
    pub(crate) keys: &'static str,
    /// Whether `[profile.tls]` is about it; it is not about an identity provider, but for the certificate to trust.
    pub(crate) is_server: bool,
    /// How long a request may take.
    pub(crate) timeout: Duration,
}

impl Peer {
    fn check(&self) -> String {
        format!("check {} in {}", self.keys, self.place)
    }

    /// Whoever answered is not one that this command can talk to.
    pub(crate) fn wrong_product(&self, what: &str) -> String {
        let product = if self.is_server {
            "Rescind"
        } else {
            "an identity provider"
        };
        format!(
            "{} does not answer like {product}: {what}; {}",
            self.origin,
            self.check()
        )
    }

    /// Whether a request that met this error may have arrived.
    pub(crate) fn may_have_arrived(error: &ureq::Error) -> bool {
        match error {
            ureq::Error::Timeout(when) => !matches!(when, Timeout::Resolve | Timeout::Connect),
            ureq::Error::Io(error) => matches!(
                error.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::ConnectionReset
                    | ErrorKind::BrokenPipe
                    | ErrorKind::TimedOut
            ),
            _ => false,
        }
    }

    /// No answer at all.
    pub(crate) fn unreachable(&self, error: &ureq::Error) -> String {
        let Self { origin, timeout, .. } = self;
        let check = format!("{}, and that the server runs", self.check());
        match error {
            ureq::Error::Timeout(_) => {
                format!("{origin} gave no answer within {timeout:?}: try again, or give a longer --timeout")
            }
            ureq::Error::HostNotFound => {
                format!("cannot reach {origin}: the host name is not known; {check}")
            }
            ureq::Error::ConnectionFailed => format!("cannot reach {origin}: no connection; {check}"),
            ureq::Error::Rustls(error) => self.tls_failure(error),
            ureq::Error::Io(error) => {
                let tls = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>());
                match (tls, error.kind()) {
                    (Some(error), _) => self.tls_failure(error),
                    (None, ErrorKind::ConnectionRefused) => {
                        format!("cannot reach {origin}: the connection was refused; {check}")
                    }
                    (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                        format!(
                            "{origin} closed the connection without an answer; {}",
                            self.other_scheme()
                        )
                    }
                    (None, ErrorKind::TimedOut) => {
                        format!("{origin} gave no answer: try again, or give a longer --timeout")
                    }
                    // The standard library has no kind for it.
                    _ if error.to_string().contains("failed to lookup address") => {
                        format!("cannot reach {origin}: the host name is not known; {check}")
                    }
                    _ => format!("cannot reach {origin}: {error}; {check}"),
                }
            }
            ureq::Error::Protocol(error) => {
                format!(
                    "{origin} does not answer in HTTP ({error}); {}",
                    self.other_scheme()
                )
            }
            error => format!("cannot reach {origin}: {error}; {check}"),
        }
    }

    fn tls_failure(&self, error: &rustls::Error) -> String {
        let Self { origin, place, .. } = self;
        let or_any = if self.is_server {
            ", or tls.insecure = true to trust any"
        } else {
            ""
        };
        match error {
            rustls::Error::InvalidMessage(_) => {
                format!("{origin} does not speak TLS; {}", self.other_scheme())
            }
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => format!(
                "{origin} is not trusted: its certificate is signed by nobody known here; set tls.ca in {place} to the certificate that signed it{or_any}"
            ),
            // The library names this reason in a type that it keeps to itself.
            rustls::Error::InvalidCertificate(reason)
                if format!("{reason:?}").contains("CaUsedAsEndEntity") =>
            {
                format!(
                    "{origin} is not trusted: its certificate was made for an authority (CA:TRUE), and a server's must be made for a server (CA:FALSE): make the server another one"
                )
            }
            rustls::Error::InvalidCertificate(reason) => format!(
                "{origin} is not trusted: {reason}; set tls.ca in {place} to the certificate that signed the server's{or_any}"
            ),
            error => format!("no TLS connection with {origin}: {error}; check [profile.tls] in {place}"),
        }
    }

    /// The other of HTTP and HTTPS is often what was meant.
    fn other_scheme(&self) -> String {
        let Self { place, .. } = self;
        match (self.is_server, self.origin.starts_with("https")) {
            (false, _) => self.check(),
            (true, true) => {
                format!("if it serves plain HTTP, set disable = true under [profile.tls] in {place}")
            }
            (true, false) => {
                format!("if it serves HTTPS, remove disable = true under [profile.tls] in {place}")
            }
        }
    }
}
