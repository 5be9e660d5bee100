//! `influxctl.toml` in the data directory: the profiles with which `influxctl` reaches this server at once.
//!
//! The first holds a management token in clear: mode 0600, never logged. The other one, `login`, holds none: with it
//! people act in their own names. The file belongs to the operator once it is written: a later start changes only what it
//! must, the address.

use std::fs::{File, OpenOptions, rename};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rescind_authority::Founding;

/// How clients reach this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or an IP address without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// The certificate that clients shall trust, for HTTPS.
    pub(crate) certificate: Option<PathBuf>,
}

impl Address {
    /// `http://HOST:PORT`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        match self.host.contains(':') {
            true => format!("{scheme}://[{}]:{}", self.host, self.port),
            false => format!("{scheme}://{}:{}", self.host, self.port),
        }
    }

    fn tls_line(&self) -> String {
        match &self.certificate {
            Some(certificate) => format!("ca = {}", quoted(&certificate.display().to_string())),
            None => "disable = true".to_owned(),
        }
    }
}

/// The file of a data directory, and the one that waits to take its place.
#[derive(Debug, Clone)]
pub(crate) struct ProfileFile {
    path: PathBuf,
    pending: PathBuf,
}

impl ProfileFile {
    /// The file in `data_dir`.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("influxctl.toml"),
            pending: data_dir.join("influxctl.toml.new"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the profiles beside their place, so that the secret is safe on disk before it is of any use.
    pub(crate) fn prepare(&self, founding: &Founding, address: &Address) -> io::Result<()> {
        self.write_pending(&render(founding, address))
    }

    /// Moves what was prepared into place.
    pub(crate) fn publish(&self) -> io::Result<()> {
        rename(&self.pending, &self.path)?;
        self.sync_directory()
    }

    /// Forgets what was prepared: its token was never made.
    pub(crate) fn discard(&self) -> io::Result<()> {
        std::fs::remove_file(&self.pending)?;
        self.sync_directory()
    }

    /// Whose the file is, in words; `None` when there is none.
    pub(crate) fn owner(&self) -> io::Result<Option<String>> {
        let text = read_if_there(&self.path)?;
        Ok(text.map(|text| match account_of(&text) {
            Some(account) => format!("account {account}"),
            None => "somebody else".to_owned(),
        }))
    }

    /// Ends what a crash left half done: profiles that were prepared for `account`, whose token exists by now.
    pub(crate) fn recover(&self, account: &str) -> io::Result<()> {
        let prepared = read_if_there(&self.pending)?.and_then(|text| account_of(&text));
        match prepared.is_some_and(|owner| owner == account) && !self.path.try_exists()? {
            true => self.publish(),
            false => Ok(()),
        }
    }

    /// Points the profiles to `address`, if they are of `account`. Leaves alone what the operator moved away or made into
    /// something else.
    pub(crate) fn point_to(&self, address: &Address, account: &str) -> io::Result<()> {
        let Some(text) = read_if_there(&self.path)? else {
            return Ok(());
        };
        if account_of(&text).is_none_or(|owner| owner != account) {
            return Ok(());
        }
        let pointed = readdress(&text, address);
        // Never make a file that can be read into one that cannot.
        if pointed == text || pointed.parse::<toml::Table>().is_err() {
            return Ok(());
        }
        self.write_pending(&pointed)?;
        self.publish()
    }

    fn write_pending(&self, text: &str) -> io::Result<()> {
        match std::fs::remove_file(&self.pending) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.pending)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // The name as well: once the catalog has the token, this file is the only copy of its secret.
        self.sync_directory()
    }

    /// Makes changes of the directory's entries durable.
    fn sync_directory(&self) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    }
}

/// The name of the profile that holds no token.
const LOGIN: &str = "login";

fn render(founding: &Founding, address: &Address) -> String {
    let profile = |name: &str, token: &str| {
        format!(
            "[[profile]]\n\
             name = \"{name}\"\n\
             product = \"dedicated\"\n\
             host = {}\n\
             port = \"{}\"\n\
             account_id = \"{}\"\n\
             cluster_id = \"{}\"\n\
             {token}\
             \n\
             [profile.tls]\n\
             {}\n",
            quoted(&address.host),
            address.port,
            founding.account.id,
            founding.cluster.id,
            address.tls_line(),
        )
    };
    format!(
        "# Made by the first start of rescind. It holds a management token: keep it to yourself.\n\
         # The server keeps host, port and tls up to date; everything else is yours to change.\n\
         {}\n\
         # Without a token, for people who act in their own names: influxctl --profile {LOGIN} asks them to log in.\n\
         {}",
        profile(
            "default",
            &format!("mgmt_token = \"{}\"\n", founding.secret.expose())
        ),
        profile(LOGIN, "")
    )
}

fn read_if_there(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The account of the first profile.
fn account_of(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let account = table.get("profile")?.get(0)?.get("account_id")?.as_str()?;
    Some(account.to_owned())
}

/// Whether each profile in turn is one that the server keeps: the first, and the one called `login` of the same account.
fn kept(text: &str) -> Vec<bool> {
    let table: toml::Table = text.parse().unwrap_or_default();
    let profiles = table.get("profile").and_then(toml::Value::as_array);
    let profiles = profiles.map_or(&[][..], Vec::as_slice);
    let value = |profile: &toml::Value, key: &str| Some(profile.get(key)?.as_str()?.to_owned());
    let owner = profiles.first().and_then(|first| value(first, "account_id"));
    let is_login = |profile: &toml::Value| {
        value(profile, "name").as_deref() == Some(LOGIN) && value(profile, "account_id") == owner
    };
    let numbered = profiles.iter().enumerate();
    numbered
        .map(|(number, profile)| number == 0 || is_login(profile))
        .collect()
}

/// The same text with the address of the kept profiles replaced, line by line, so that comments and order stay.
fn readdress(text: &str, address: &Address) -> String {
    let mut following = kept(text).into_iter();
    let mut is_kept = false;
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with('[') {
            if bare.starts_with("[[profile]]") {
                is_kept = following.next().unwrap_or(false);
            }
            section = bare;
            lines.push(line.to_owned());
            if is_kept && section.starts_with("[profile.tls]") {
                lines.push(address.tls_line());
            }
            continue;
        }
        let key = bare.split('=').next().unwrap_or_default().trim();
        match key {
            "host" if is_kept && section.starts_with("[[profile]]") => {
                lines.push(format!("host = {}", quoted(&address.host)));
            }
            "port" if is_kept && section.starts_with("[[profile]]") => {
                lines.push(format!("port = \"{}\"", address.port));
            }
            "disable" | "ca" if is_kept && section.starts_with("[profile.tls]") => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDITED: &str = "# mine\n[[profile]]\nname = \"default\" # main\nhost = \"127.0.0.1\"\nport = \"1\"\n\
        account_id = \"a\"\ndatabase = \"weather\"\n\n[profile.tls]\ndisable = true\n\n\
        [[profile]]\nname = \"other\"\nhost = \"elsewhere\"\nport = \"443\"\naccount_id = \"b\"\n\
        [profile.tls]\nca = \"x\"\n";

    fn clear(port: u16) -> Address {
        Address {
            host: "::1".to_owned(),
            port,
            certificate: None,
        }
    }

    #[test]
    fn only_the_address_of_the_first_profile_changes() {
        let moved = readdress(EDITED, &clear(2));
        let expected = EDITED
            .replacen("\"127.0.0.1\"", "\"::1\"", 1)
            .replacen("\"1\"", "\"2\"", 1);
        assert_eq!(moved, expected);
        let secured = readdress(
            EDITED,
            &Address {
                certificate: Some("/c.pem".into()),
                ..clear(2)
            },
        );
        assert_eq!(secured, expected.replacen("disable = true", "ca = \"/c.pem\"", 1));
        assert_eq!(readdress(&secured, &clear(2)), moved);
    }

    #[test]
    fn the_profile_without_a_token_follows_its_account() {
        let login = |account: &str, port: &str| {
            format!(
                "[[profile]]\nname = \"login\"\nhost = \"::1\"\nport = \"{port}\"\naccount_id = \"{account}\"\n\
                 # no token here\n[profile.tls]\ndisable = true\n"
            )
        };
        let first = login("a", "1").replace("\"login\"", "\"main\"");
        let text = |port: &str| first.replace("\"1\"", "\"2\"") + &login("b", "1") + &login("a", port);
        assert_eq!(readdress(&text("1"), &clear(2)), text("2"));
        assert_eq!(readdress(&text("2"), &clear(2)), text("2"));
    }

    #[test]
    fn a_file_is_pointed_in_place_and_a_foreign_one_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = ProfileFile::of(directory.path());
        file.point_to(&clear(2), "a").expect("no file is no failure");
        std::fs::write(file.path(), EDITED).expect("written");
        file.point_to(&clear(2), "b").expect("readable");
        assert_eq!(std::fs::read_to_string(file.path()).expect("readable"), EDITED);
        file.point_to(&clear(2), "a").expect("readable");
        assert_eq!(
            std::fs::read_to_string(file.path()).expect("readable"),
            readdress(EDITED, &clear(2))
        );
    }

    #[test]
    fn a_prepared_profile_is_published_once_and_never_over_another() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = ProfileFile::of(directory.path());
        let read = || std::fs::read_to_string(file.path()).expect("readable");
        file.recover("a").expect("nothing to do");
        file.write_pending(EDITED).expect("written");
        file.recover("b").expect("nothing to do");
        assert_eq!(file.owner().expect("readable"), None);
        file.recover("a").expect("published");
        assert_eq!(file.owner().expect("readable").as_deref(), Some("account a"));
        file.write_pending(&readdress(EDITED, &clear(2)))
            .expect("written");
        file.recover("a").expect("nothing to do");
        assert_eq!(read(), EDITED);
    }

    #[test]
    fn an_address_is_a_url() {
        assert_eq!(clear(8181).url(), "http://[::1]:8181");
        let secured = Address {
            host: "db".to_owned(),
            port: 1,
            certificate: Some("c".into()),
        };
        assert_eq!(secured.url(), "https://db:1");
    }
}
