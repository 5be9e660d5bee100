//! Crowds: how many connections one network may hold, so that a stranger who opens them all shuts nobody else out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::proxies::Proxies;

/// The connections of each network.
#[derive(Clone)]
pub(crate) struct Crowd {
    most: usize,
    proxies: Proxies,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of one connection, given back when dropped.
pub(crate) struct Place {
    network: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Crowd {
    /// At most `most` of one network at once. This machine itself and the proxies that the operator named speak for many,
    /// and are not counted.
    pub(crate) fn new(most: usize, proxies: Proxies) -> Self {
        Self {
            most,
            proxies,
            held: Arc::default(),
        }
    }

    /// A place for a connection from there, if there is one.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Place> {
        let network = network(address);
        let mut held = self.held.lock();
        let count = held.entry(network).or_default();
        if *count >= self.most && !network.is_loopback() && !self.proxies.contains(network) {
            return None;
        }
        *count += 1;
        let held = Arc::clone(&self.held);
        Some(Place { network, held })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.network);
            }
        }
    }
}

/// One host or household: all of an IPv4 address, the first 64 bits of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_take_the_places_of_others() {
        let proxy: IpAddr = "192.0.2.9".parse().expect("an address");
        let crowd = Crowd::new(2, Proxies::new(&[proxy]));
        let enter = |address: &str| crowd.enter(address.parse().expect("an address"));
        let first = enter("2001:db8::1");
        let _second = enter("2001:db8::2").expect("room");
        assert!(first.is_some() && enter("2001:db8::3").is_none(), "one network");
        let _others = enter("2001:db8:0:1::1").expect("another network");
        drop(first);
        let _again = enter("2001:db8::3").expect("a place was given back");
        let _proxied: Vec<_> = (0..9)
            .map(|_| enter("192.0.2.9").expect("speaks for many"))
            .collect();
        let _local: Vec<_> = (0..9)
            .map(|_| enter("127.0.0.1").expect("this machine"))
            .collect();
    }
}
