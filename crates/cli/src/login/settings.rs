//! With whom a profile logs in, and as which program (contract, influxctl section 3.2).

use std::collections::BTreeMap;

use rescind_wire::INFLUXCTL_CLIENT;

use crate::config::OAuth2Entry;
use crate::exit::Failure;

/// Parameters that the flow itself sets (RFC 8628 sections 3.1 and 3.4).
const OWN_PARAMETERS: [&str; 5] = ["client_id", "scope", "host_name", "grant_type", "device_code"];

/// What `[profile.auth.oauth2]` says, and what holds where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where device codes are asked for.
    pub(crate) device_url: String,
    /// Where access tokens are asked for.
    pub(crate) token_url: String,
    /// Where they are ended; unknown for an identity provider.
    pub(crate) revoke_url: Option<String>,
    /// As which program.
    pub(crate) client_id: String,
    /// What for.
    pub(crate) scope: Option<String>,
    /// Further parameters of both requests.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Settings {
    /// The settings of the profile at `place`, whose server is at `origin`.
    ///
    /// # Errors
    /// What is set makes no sense, or lacks what an identity provider needs.
    pub(crate) fn of(entry: &OAuth2Entry, origin: &str, place: &str) -> Result<Self, Failure> {
        let wrong = |key: &str, what: &str| Failure::Failed(format!("{place}: auth.oauth2.{key} {what}"));
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let (device_url, token_url) = match (given(&entry.device_url), given(&entry.token_url)) {
            (Some(device_url), Some(token_url)) => (device_url, token_url),
            (None, None) => (format!("{origin}/oauth/device"), format!("{origin}/oauth/token")),
            (Some(_), None) => return Err(wrong("device_url", "is given without token_url")),
            (None, Some(_)) => return Err(wrong("token_url", "is given without device_url")),
        };
        for (key, url) in [("device_url", &device_url), ("token_url", &token_url)] {
            if !is_web_address(url) {
                return Err(wrong(
                    key,
                    "must be an address that starts with https:// or http://",
                ));
            }
        }
        let is_server = |url: &str| url.strip_prefix(origin).is_some_and(|path| path.starts_with('/'));
        let is_own = is_server(&device_url) && is_server(&token_url);
        let client_id = match (given(&entry.client_id), is_own) {
            (Some(client_id), _) => client_id,
            (None, true) => INFLUXCTL_CLIENT.to_owned(),
            (None, false) => {
                return Err(wrong(
                    "client_id",
                    "is missing: the identity provider asks for it",
                ));
            }
        };
        if let Some(name) = entry
            .parameters
            .keys()
            .find(|name| OWN_PARAMETERS.contains(&name.as_str()))
        {
            return Err(wrong(
                "parameters",
                &format!("must not hold {name}: the login sets it"),
            ));
        }
        let scopes: Vec<&str> = entry.scopes.iter().map(|scope| scope.trim()).collect();
        Ok(Self {
            device_url,
            token_url,
            revoke_url: is_own.then(|| format!("{origin}/oauth/revoke")),
            client_id,
            scope: given(&scopes.join(" ").trim().to_owned()),
            parameters: entry
                .parameters
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        })
    }

    /// Whether the profile's server itself hands out the tokens.
    pub(crate) fn is_own(&self) -> bool {
        self.revoke_url.is_some()
    }
}

/// Whether `text` is an address of the web, and one that cannot be taken for anything else on a command line.
pub(crate) fn is_web_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"'`\\<>^{|}".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://db.example:8181";

    fn settings(toml: &str) -> Result<Settings, String> {
        let entry = toml::from_str(toml).expect("an entry");
        Settings::of(&entry, ORIGIN, "P").map_err(|error| error.to_string())
    }

    #[test]
    fn without_settings_the_server_itself_is_asked() {
        let expected = Settings {
            device_url: "https://db.example:8181/oauth/device".to_owned(),
            token_url: "https://db.example:8181/oauth/token".to_owned(),
            revoke_url: Some("https://db.example:8181/oauth/revoke".to_owned()),
            client_id: "influxctl".to_owned(),
            scope: None,
            parameters: BTreeMap::new(),
        };
        assert_eq!(settings(""), Ok(expected.clone()));
        let sample = "client_id = \"\"\nscopes = [\"\"]\nparameters = { audience = \"\" }\ntoken_url = \"\"\ndevice_url = \"\"";
        assert_eq!(settings(sample), Ok(expected));
    }

    #[test]
    fn a_provider_is_asked_as_the_profile_says() {
        let given = settings(
            "client_id = \"c\"\nscopes = [\"openid\", \"x/.default\"]\nparameters = { audience = \"a\" }\n\
             token_url = \"https://id.example/token\"\ndevice_url = \"https://id.example/device\"",
        )
        .expect("complete");
        assert!(!given.is_own());
        assert_eq!(
            (given.client_id.as_str(), given.scope.as_deref()),
            ("c", Some("openid x/.default"))
        );
        assert_eq!(given.parameters["audience"], "a");
        // A host that only begins like the server's is another host.
        let similar = ["token", "device"]
            .map(|name| format!("{name}_url = \"{ORIGIN}0/{name}\""))
            .join("\n");
        assert!(
            settings(&similar)
                .expect_err("another host")
                .contains("client_id is missing")
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let urls = "token_url = \"https://id.example/token\"\ndevice_url = \"https://id.example/device\"\n";
        for (toml, message) in [
            (urls.to_owned(), "P: auth.oauth2.client_id is missing"),
            (
                "token_url = \"https://x/\"".to_owned(),
                "P: auth.oauth2.token_url is given without device_url",
            ),
            (
                "device_url = \"https://x/\"".to_owned(),
                "P: auth.oauth2.device_url is given without token_url",
            ),
            (
                format!(
                    "client_id = \"c\"\n{}",
                    urls.replace("https://id.example/device", "file:///etc/passwd")
                ),
                "P: auth.oauth2.device_url must be an address",
            ),
            (
                format!("client_id = \"c\"\n{urls}parameters = {{ grant_type = \"password\" }}"),
                "P: auth.oauth2.parameters must not hold grant_type",
            ),
        ] {
            let error = settings(&toml).expect_err("refused");
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn only_the_webs_addresses_are_addresses() {
        for good in [
            "http://localhost:8181/device?user_code=WDJB-MJHT",
            "https://[::1]/a%20b",
            "https://x.example",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///x",
            "https://-x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "--help",
            "https://x/ y",
            "https://x/\u{1b}[2J",
            "https://x/\n",
            "https://x/$('a')",
            "https://größe.example/",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
