//! The profile that the server writes at its first start: how a test learns its ids and its first secret.

use std::fs;
use std::path::Path;

/// The first profile of an `influxctl.toml`.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// The host that `influxctl` connects to.
    pub host: String,
    /// The port that `influxctl` connects to.
    pub port: u16,
    /// The account that the first start made.
    pub account_id: String,
    /// The cluster that the first start made.
    pub cluster_id: String,
    /// The secret of the first management token.
    pub mgmt_token: String,
}

impl Profile {
    /// Reads the first profile of the file.
    ///
    /// # Panics
    /// When the file is not there or lacks a key, naming the key.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        Self::parse(&text)
    }

    /// As [`Self::read`], if there is a file.
    pub(crate) fn read_if_there(path: &Path) -> Option<Self> {
        path.exists().then(|| Self::read(path))
    }

    fn parse(text: &str) -> Self {
        let table: toml::Table = text.parse().expect("influxctl.toml is TOML");
        let profile = table
            .get("profile")
            .and_then(|profiles| profiles.get(0))
            .expect("influxctl.toml has a [[profile]]");
        let value = |key: &str| match profile.get(key) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => panic!("the first profile of influxctl.toml lacks {key}"),
        };
        Self {
            host: value("host"),
            port: value("port").parse().expect("port is a number"),
            account_id: value("account_id"),
            cluster_id: value("cluster_id"),
            mgmt_token: value("mgmt_token"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[profile]]
        name = "default"
        product = "dedicated"
        host = "127.0.0.1"
        port = "8181"
        account_id = "a"
        cluster_id = "c"
        mgmt_token = "m"
        [profile.tls]
        disable = true
    "#;

    #[test]
    fn reads_the_first_profile_with_the_port_as_text_or_number() {
        let profile = Profile::parse(GOOD);
        assert_eq!((profile.host.as_str(), profile.port), ("127.0.0.1", 8181));
        assert_eq!(
            [&*profile.account_id, &*profile.cluster_id, &*profile.mgmt_token],
            ["a", "c", "m"]
        );
        assert!(Profile::parse(&GOOD.replace("\"8181\"", "8181")) == profile);
    }

    #[test]
    #[should_panic(expected = "lacks mgmt_token")]
    fn a_missing_key_is_named() {
        Profile::parse(&GOOD.replace("mgmt_token", "mgmt_taken"));
    }
}
