//! The configuration file as it is written (contract, influxctl section 3).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use crate::exit::Failure;

/// The largest configuration file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A whole file: profiles for any number of servers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// `[[profile]]`
    #[serde(default, rename = "profile")]
    pub(crate) profiles: Vec<ProfileEntry>,
}

/// One `[[profile]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileEntry {
    pub(crate) name: String,
    pub(crate) product: Product,
    pub(crate) host: Option<String>,
    #[serde(default, deserialize_with = "port")]
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) cluster_id: Option<String>,
    pub(crate) mgmt_token: Option<String>,
    #[serde(default)]
    pub(crate) tls: TlsEntry,
    #[serde(default)]
    pub(crate) auth: AuthEntry,
}

/// Which product's paths and commands a profile uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Product {
    /// Paths name account and cluster.
    Dedicated,
    /// They do not.
    Clustered,
}

/// `[profile.tls]`
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsEntry {
    /// Do not verify the server's certificate.
    pub(crate) insecure: bool,
    /// Plain HTTP.
    pub(crate) disable: bool,
    /// The client's certificate, a PEM file; none when empty.
    pub(crate) cert: String,
    /// Its key, a PEM file.
    pub(crate) key: String,
    /// Certificates to trust instead of the system's, a PEM file.
    pub(crate) ca: String,
}

/// `[profile.auth.…]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuthEntry {
    pub(crate) oauth2: OAuth2Entry,
    pub(crate) token: Option<TokenEntry>,
}

/// `[profile.auth.oauth2]`; what is empty counts as absent, as samples have empty values.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OAuth2Entry {
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    /// Further parameters of every request to the provider.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Where access tokens are asked for.
    pub(crate) token_url: String,
    /// Where device codes are asked for.
    pub(crate) device_url: String,
    /// Removed from influxctl 2.9.8 and still in its samples (contract, X-CLI-5): read and not used.
    pub(crate) client_secret: Option<IgnoredAny>,
}

/// `[profile.auth.token]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenEntry {
    /// A saved management token.
    pub(crate) token_file: PathBuf,
}

/// A port is a string in every sample; a bare number is as clear.
fn port<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u16>, D::Error> {
    struct Port;
    impl Visitor<'_> for Port {
        type Value = u16;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a port from 1 to 65535, such as \"8181\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u16, E> {
            match text.parse() {
                Ok(port) if port > 0 => Ok(port),
                _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u16, E> {
            match u16::try_from(number) {
                Ok(port) if port > 0 => Ok(port),
                _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }
    }
    reader.deserialize_any(Port).map(Some)
}

/// Reads the file at `path`.
///
/// # Errors
/// It is missing, too large, not TOML, or holds a key that is not known; the message names line and key.
pub(crate) fn read(path: &Path) -> Result<ConfigFile, Failure> {
    let shown = path.display();
    let size = fs::metadata(path).map(|about| about.len());
    match size {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::Failed(format!(
                "there is no configuration file {shown}: create it, or name another one with --config or INFLUXCTL_CONFIG"
            )));
        }
        Ok(bytes) if bytes > MAX_BYTES => {
            return Err(Failure::Failed(format!(
                "{shown} is no configuration file: it has {bytes} bytes"
            )));
        }
        _ => {}
    }
    let text = fs::read_to_string(path).map_err(Failure::because(format!("cannot read {shown}")))?;
    toml::from_str(&text).map_err(|error| Failure::Failed(explain(path, &text, &error)))
}

/// One line, and never the offending line itself: it may hold a secret.
fn explain(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let message = error
        .message()
        .replace("unknown field", "unknown key")
        .replace("missing field", "missing key");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return format!("{}: {message}", path.display());
    };
    let line = before.matches('\n').count() + 1;
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let key = source.split_once('=').map(|(key, _)| key.trim());
    match key {
        Some(key) if !message.contains(&format!("`{key}`")) => {
            format!("{} line {line}: {key}: {message}", path.display())
        }
        _ => format!("{} line {line}: {message}", path.display()),
    }
}

/// Where the file is unless said otherwise (contract, influxctl section 3.1).
pub(crate) fn default_path(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let under = |base: Option<PathBuf>| base.map(|base| base.join("influxctl").join("config.toml"));
    let home = || variable("HOME").map(PathBuf::from);
    if cfg!(windows) {
        under(variable("APPDATA").map(PathBuf::from))
    } else if cfg!(target_os = "macos") {
        under(home().map(|home| home.join("Library").join("Application Support")))
    } else {
        let base = variable("XDG_CONFIG_HOME").filter(|base| base.starts_with('/'));
        under(
            base.map(PathBuf::from)
                .or_else(|| home().map(|home| home.join(".config"))),
        )
    }
}
