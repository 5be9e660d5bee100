//! The profile that a call uses: chosen, overridden by flags, and checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rescind_domain::{AccountId, ClusterId};
use serde::Deserialize;

use crate::api::{Credential, Credentials, Peer};
use crate::args::GlobalArgs;
use crate::config::{self, ConfigFile, OAuth2Entry, Product, ProfileEntry, TlsEntry};
use crate::exit::Failure;
use crate::log::Log;
use crate::login::Login;

/// The variable that holds a management token.
const MANAGEMENT_TOKEN: &str = "INFLUXCTL_MGMT_TOKEN";
/// The port when neither profile nor product says otherwise.
const HTTPS_PORT: u16 = 443;

/// A profile as this call uses it. No `Debug`: it holds secrets.
pub(crate) struct Profile {
    /// Its name and file, for messages.
    pub(crate) place: String,
    pub(crate) product: Product,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: Option<String>,
    token: Option<String>,
    pub(crate) account: Option<AccountId>,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) tls: TlsEntry,
    management_token: Option<String>,
    token_file: Option<PathBuf>,
    pub(crate) oauth2: OAuth2Entry,
}

impl Profile {
    /// Reads the file that the flags name and takes the profile that they name.
    ///
    /// # Errors
    /// The file cannot be read, has no such profile, or the profile lacks what its product needs.
    pub(crate) fn open(flags: &GlobalArgs, log: Log) -> Result<Self, Failure> {
        let path = match &flags.config {
            Some(path) => path.clone(),
            None => config::default_path(|name| std::env::var(name).ok()).ok_or_else(|| {
                Failure::Failed(
                    "no home directory is known: name the configuration file with --config".to_owned(),
                )
            })?,
        };
        log.debug(format_args!(
            "using profile {:?} of {}",
            flags.profile,
            path.display()
        ));
        let entry = choose(config::read(&path)?, &flags.profile, &path)?;
        if entry.auth.oauth2.client_secret.is_some() {
            log.warn("auth.oauth2.client_secret is not used and can be removed from the profile");
        }
        Self::check(entry, flags, &path)
    }

    fn check(entry: ProfileEntry, flags: &GlobalArgs, path: &Path) -> Result<Self, Failure> {
        let place = format!("profile {:?} of {}", entry.name, path.display());
        let account = id(&place, "account_id", entry.account_id.as_deref())?;
        let cluster = id(&place, "cluster_id", entry.cluster_id.as_deref())?;
        let host = entry.host.filter(|host| !host.is_empty()).ok_or_else(|| {
            Failure::Failed(format!(
                "{place} has no host: add for example host = \"localhost\""
            ))
        })?;
        if host.contains("://") || host.contains('/') || host.contains(char::is_whitespace) {
            let message =
                format!("{place}: host must be a name or an address without scheme and path, not {host:?}");
            return Err(Failure::Failed(message));
        }
        Ok(Self {
            product: entry.product,
            host,
            port: entry.port.unwrap_or(HTTPS_PORT),
            database: entry.database.filter(|name| !name.is_empty()),
            token: entry.token.filter(|token| !token.is_empty()),
            account: flags.account.or(account),
            cluster: flags.cluster.or(cluster),
            tls: entry.tls,
            management_token: entry.mgmt_token.filter(|token| !token.is_empty()),
            token_file: entry.auth.token.map(|entry| entry.token_file),
            oauth2: entry.auth.oauth2,
            place,
        })
    }

    /// The address that all requests start with.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.tls.disable { "http" } else { "https" };
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("{scheme}://{host}:{}", self.port)
    }

    /// The server, as messages name it.
    pub(crate) fn peer(&self, timeout: Duration) -> Peer {
        Peer {
            origin: self.origin(),
            place: self.place.clone(),
            keys: "host and port",
            is_server: true,
            timeout,
        }
    }

    /// What the management API is asked with: a management token, or else a login (contract, influxctl section 4).
    ///
    /// # Errors
    /// The token file cannot be read, what is given is no token, or the settings of the login make no sense.
    pub(crate) fn management_credentials(&self, timeout: Duration, log: Log) -> Result<Credentials, Failure> {
        match self.management_token()? {
            Some(credential) => Ok(Credentials::Given(credential)),
            None => Login::of(self, timeout, log).map(Credentials::login),
        }
    }

    /// The management token: environment, then profile, then token file; `None` when there is none.
    fn management_token(&self) -> Result<Option<Credential>, Failure> {
        if let Some(credential) = self.manual_token() {
            return credential.map(Some);
        }
        let Some(path) = &self.token_file else {
            return Ok(None);
        };
        let source = format!("the token file {}", path.display());
        let text =
            std::fs::read_to_string(path).map_err(Failure::because(format!("cannot read {source}")))?;
        match read_token(&text) {
            Some(secret) => Credential::new(secret, source).map(Some),
            None => Err(Failure::Failed(format!("{source} holds no token"))),
        }
    }

    /// The management token that somebody made and wrote down: it goes before a login.
    pub(crate) fn manual_token(&self) -> Option<Result<Credential, Failure>> {
        let given = std::env::var(MANAGEMENT_TOKEN).ok();
        if let Some(secret) = given.filter(|token| !token.is_empty()) {
            return Some(Credential::new(secret, MANAGEMENT_TOKEN.to_owned()));
        }
        self.own("mgmt_token", self.management_token.as_ref())
    }

    /// Whether a saved token replaces the login and its cache.
    pub(crate) fn has_token_file(&self) -> bool {
        self.token_file.is_some()
    }

    /// The database token: the flag's, then the profile's.
    pub(crate) fn database_token(&self, flag: Option<&String>) -> Result<Credential, Failure> {
        let given = flag.map(|secret| Credential::new(secret.clone(), "--token".to_owned()));
        given
            .or_else(|| self.own("token", self.token.as_ref()))
            .unwrap_or_else(|| Err(self.lacks("token", "--token")))
    }

    fn own(&self, key: &str, secret: Option<&String>) -> Option<Result<Credential, Failure>> {
        let source = format!("{key} in {}", self.place);
        secret.cloned().map(|secret| Credential::new(secret, source))
    }

    /// What precedes the cluster's resources in every path.
    pub(crate) fn cluster_path(&self) -> Result<String, Failure> {
        match (self.product, self.account, self.cluster) {
            (Product::Clustered, ..) => Ok(String::new()),
            (Product::Dedicated, Some(account), Some(cluster)) => {
                Ok(format!("/accounts/{account}/clusters/{cluster}"))
            }
            (Product::Dedicated, None, _) => Err(self.lacks("account_id", "--account")),
            (Product::Dedicated, _, None) => Err(self.lacks("cluster_id", "--cluster")),
        }
    }

    /// The refusal of a profile without `key`.
    pub(crate) fn lacks(&self, key: &str, flag: &str) -> Failure {
        Failure::Failed(format!(
            "{} has no {key}: add it there, or give {flag}",
            self.place
        ))
    }
}

fn choose(file: ConfigFile, name: &str, path: &Path) -> Result<ProfileEntry, Failure> {
    let names: Vec<String> = file
        .profiles
        .iter()
        .map(|entry| format!("{:?}", entry.name))
        .collect();
    let mut matching = file.profiles.into_iter().filter(|entry| entry.name == name);
    match (matching.next(), matching.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(_), Some(_)) => Err(Failure::Failed(format!(
            "{} has two profiles named {name:?}: rename one",
            path.display()
        ))),
        (None, _) if names.is_empty() => Err(Failure::Failed(format!(
            "{} has no profile: add one that starts with [[profile]]",
            path.display()
        ))),
        (None, _) => Err(Failure::Failed(format!(
            "{} has no profile named {name:?}; it has {}: choose with --profile",
            path.display(),
            names.join(", ")
        ))),
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    place: &str,
    key: &str,
    text: Option<&str>,
) -> Result<Option<T>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|error| Failure::Failed(format!("{place}: {key}: {error}")))
}

/// A JSON object with `access_token`, or the bare token (contract, influxctl section 3.2).
fn read_token(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Saved {
        access_token: String,
    }
    let text = text.trim();
    let token = match serde_json::from_str::<Saved>(text) {
        Ok(saved) => saved.access_token,
        Err(_) => text.to_owned(),
    };
    let is_one_word =
        !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic()) && !token.contains('{');
    is_one_word.then_some(token)
}
