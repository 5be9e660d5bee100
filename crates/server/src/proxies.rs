//! Proxies in front of this server: for whom they speak.
//!
//! Anyone can send `X-Forwarded-For`. It counts only when the other end of the connection is a proxy that the operator
//! named, and of its addresses only those that such a proxy wrote: each one appends whom it was asked by.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

/// Addresses of the proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Arc<[IpAddr]>);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Proxies {
    /// These ones.
    pub(crate) fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    /// Who asks, when `peer` is at the other end of the connection. Behind a proxy the port is not known, and 0.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.contains(peer.ip()) {
            return peer;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut nearest = None;
        for hop in hops {
            // What no proxy can have written ends what can be believed.
            let Some(address) = address(hop) else { break };
            nearest = Some(address);
            if !self.contains(address) {
                break;
            }
        }
        nearest.map_or(peer, |address| SocketAddr::new(address, 0))
    }

    /// Whether this is the address of one.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

/// An address as proxies write it: with a port or without, the newer kind in brackets or not.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<IpAddr> = proxies
            .iter()
            .map(|text| text.parse().expect("an address"))
            .collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        let client = Proxies::new(&proxies).client(peer.parse().expect("an address"), &headers);
        client.to_string()
    }

    #[test]
    fn only_a_named_proxy_is_believed() {
        for peer in ["203.0.113.9:1234", "127.0.0.1:1234", "[::1]:1234"] {
            assert_eq!(client(&[], peer, &["198.51.100.7"]), peer);
            assert_eq!(client(&["10.0.0.1"], peer, &["198.51.100.7"]), peer);
        }
        for peer in ["10.0.0.1:1234", "[::ffff:10.0.0.1]:1234"] {
            assert_eq!(client(&["10.0.0.1"], peer, &["198.51.100.7"]), "198.51.100.7:0");
            assert_eq!(
                client(&["::ffff:10.0.0.1"], peer, &["198.51.100.7"]),
                "198.51.100.7:0"
            );
        }
    }

    #[test]
    fn what_the_client_claims_itself_is_not_believed() {
        let claimed = |lines: &[&str]| client(&["10.0.0.1"], "10.0.0.1:1", lines);
        assert_eq!(claimed(&["192.0.2.1, 198.51.100.7"]), "198.51.100.7:0");
        assert_eq!(
            claimed(&["192.0.2.1", "192.0.2.2,198.51.100.7"]),
            "198.51.100.7:0"
        );
        assert_eq!(claimed(&["10.0.0.1,198.51.100.7"]), "198.51.100.7:0");
    }

    #[test]
    fn of_proxies_in_a_row_the_outermost_named_one_says_who_asks() {
        let named = ["10.0.0.1", "10.0.0.2"];
        let forwarded = ["192.0.2.1, 198.51.100.7, 10.0.0.2"];
        assert_eq!(client(&named, "10.0.0.1:1", &forwarded), "198.51.100.7:0");
        assert_eq!(client(&named[..1], "10.0.0.1:1", &forwarded), "10.0.0.2:0");
        assert_eq!(client(&named, "10.0.0.1:1", &["10.0.0.2"]), "10.0.0.2:0");
    }

    #[test]
    fn addresses_are_read_in_every_usual_form_and_nothing_else_is() {
        let read = |text: &str| client(&["10.0.0.1"], "10.0.0.1:1", &[text]);
        for (text, client) in [
            (" 198.51.100.7:4711 ", "198.51.100.7:0"),
            ("2001:db8::7", "[2001:db8::7]:0"),
            ("[2001:db8::7]", "[2001:db8::7]:0"),
            ("[2001:db8::7]:4711", "[2001:db8::7]:0"),
            ("::ffff:198.51.100.7", "198.51.100.7:0"),
        ] {
            assert_eq!(read(text), client);
        }
        for text in [
            "",
            "unknown",
            "198.51.100.7, unknown",
            "198.51.100.7,",
            "[198.51.100.7",
            "example.com",
        ] {
            assert_eq!(read(text), "10.0.0.1:1", "{text}");
        }
        assert_eq!(
            client(&["10.0.0.1"], "10.0.0.1:1", &[]),
            "10.0.0.1:1",
            "the proxy itself asks"
        );
    }
}
