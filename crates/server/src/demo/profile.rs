//! What the first start wrote for `influxctl`.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The first profile of the file.
pub(crate) struct Profile {
    /// The file.
    pub(crate) path: PathBuf,
    /// The first start's management token.
    pub(crate) management_token: String,
    /// The account that the first start made.
    pub(crate) account: String,
    /// Its cluster.
    pub(crate) cluster: String,
}

impl Profile {
    /// Reads it from the data directory.
    pub(crate) fn of(data_dir: &Path) -> Result<Self, Failure> {
        let path = data_dir.join("influxctl.toml");
        let cannot = || format!("{} cannot be read", path.display());
        let text = std::fs::read_to_string(&path).map_err(|e| Failure::because(cannot(), e))?;
        // The parser's message would quote a file that holds a secret.
        let table: toml::Table = text.parse().map_err(|_| Failure::new(cannot()))?;
        let profile = table.get("profile").and_then(|profiles| profiles.get(0));
        let value = |key: &str| {
            let found = profile
                .and_then(|profile| profile.get(key))
                .and_then(toml::Value::as_str);
            found
                .map(ToOwned::to_owned)
                .ok_or_else(|| Failure::new(format!("{}: no {key}", cannot())))
        };
        Ok(Self {
            management_token: value("mgmt_token")?,
            account: value("account_id")?,
            cluster: value("cluster_id")?,
            path,
        })
    }

    /// The path of what belongs to the account.
    pub(crate) fn account_path(&self) -> String {
        format!("/api/v0/accounts/{}", self.account)
    }

    /// The path of what belongs to the cluster.
    pub(crate) fn cluster_path(&self) -> String {
        format!("{}/clusters/{}", self.account_path(), self.cluster)
    }
}
