//! Access tokens between calls: one file for each server, account and program, which only its owner can read
//! (contract, influxctl section 4).

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use rescind_domain::{AccountId, Timestamp};
use rescind_wire::{Moment, SecretText};
use serde::{Deserialize, Serialize};

use crate::api::segment;

/// The most bytes of a file that are read.
const MAX_BYTES: u64 = 1 << 16;
/// The longest name of a file, without its ending; what does not fit is told apart by the file's content.
const MAX_NAME: usize = 200;

/// What a token was given for. A token is presented for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Purpose {
    /// The server that it is presented to.
    pub(crate) origin: String,
    /// On which account, if the profile says so.
    pub(crate) account: Option<String>,
    /// To which program it was given.
    pub(crate) client_id: String,
    /// By whom it was given.
    pub(crate) token_url: String,
}

/// A token that was kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(flatten)]
    purpose: Purpose,
    /// The token.
    pub(crate) access_token: SecretText,
    /// From when on it is refused.
    pub(crate) expires_at: Moment,
    /// Whether others than its owner could read it.
    #[serde(skip)]
    pub(crate) is_exposed: bool,
}

/// Where the token for one purpose is kept.
#[derive(Debug, Clone)]
pub(crate) struct CacheFile {
    path: PathBuf,
    purpose: Purpose,
}

impl Purpose {
    pub(crate) fn new(
        origin: String,
        account: Option<AccountId>,
        client_id: String,
        token_url: String,
    ) -> Self {
        Self {
            origin,
            account: account.map(|account| account.to_string()),
            client_id,
            token_url,
        }
    }
}

impl CacheFile {
    /// The file of `purpose` in `directory`.
    pub(crate) fn of(directory: &Path, purpose: Purpose) -> Self {
        let host = purpose.origin.split_once("://").map_or("", |(_, host)| host);
        let words = [
            host,
            purpose.account.as_deref().unwrap_or("any"),
            &purpose.client_id,
        ];
        let mut name = words.map(segment).join(",");
        name.truncate(MAX_NAME);
        Self {
            path: directory.join(name + ".json"),
            purpose,
        }
    }

    /// The token that is kept, expired or not; `None` when there is none for this purpose.
    ///
    /// # Errors
    /// The file cannot be read; what is no such file counts as none.
    pub(crate) fn load(&self) -> io::Result<Option<Kept>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let is_exposed = is_open_to_others(&file)?;
        let mut text = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut text)?;
        let kept = serde_json::from_slice(&text).ok();
        let kept = kept.map(|kept: Kept| Kept { is_exposed, ..kept });
        Ok(kept.filter(|kept| kept.purpose == self.purpose))
    }

    /// Keeps `token` in place of any other; whoever reads meanwhile gets the old one or the new.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub(crate) fn store(&self, token: &SecretText, expires_at: Timestamp) -> io::Result<()> {
        let kept = Kept {
            purpose: self.purpose.clone(),
            access_token: token.clone(),
            expires_at: Moment(expires_at),
            is_exposed: false,
        };
        let text = serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        make_directory(directory)?;
        // Two calls at the same time have two processes.
        let pending = self.path.with_extension(format!("{}.new", std::process::id()));
        remove(&pending)?;
        let written = write_new(&pending, &text).and_then(|()| fs::rename(&pending, &self.path));
        if written.is_err() {
            // The first error says what went wrong.
            let _ = remove(&pending);
        }
        written
    }

    /// Forgets whatever is kept. `true` when something was.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(crate) fn clear(&self) -> io::Result<bool> {
        remove(&self.path)
    }

    /// Forgets `secret`, and spares a newer token that another call has put in its place.
    ///
    /// # Errors
    /// The file cannot be read or removed.
    pub(crate) fn forget(&self, secret: &str) -> io::Result<()> {
        match self.load()? {
            Some(kept) if kept.access_token.expose() == secret => self.clear().map(|_| ()),
            _ => Ok(()),
        }
    }

    /// For messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the directory of the user is what keeps others out.
#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// The user's directory for what can be had again.
pub(crate) fn directory(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = || {
        variable("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library").join("Caches"))
    } else {
        let base = variable("XDG_CACHE_HOME").filter(|base| base.starts_with('/'));
        base.map(PathBuf::from)
            .or_else(|| home().map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("influxctl"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn purpose(origin: &str, account: Option<&str>) -> Purpose {
        Purpose {
            origin: origin.to_owned(),
            account: account.map(str::to_owned),
            client_id: "influxctl".to_owned(),
            token_url: format!("{origin}/oauth/token"),
        }
    }

    fn secret(text: &str) -> SecretText {
        serde_json::from_value(text.into()).expect("a text")
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_token_is_kept_for_its_purpose_and_its_owner_alone() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join("cache").join("influxctl");
        let file = CacheFile::of(&directory, purpose("https://db:1", Some("a")));
        assert!(file.load().expect("nothing there").is_none());
        file.store(&secret("first"), Timestamp::from_micros(1_000))
            .expect("stored");
        file.store(&secret("second"), Timestamp::from_micros(2_000))
            .expect("stored again");
        let kept = file.load().expect("readable").expect("kept");
        assert_eq!(kept.access_token.expose(), "second");
        assert_eq!(kept.expires_at.0, Timestamp::from_micros(2_000));
        assert_eq!((mode(&directory), mode(file.path())), (0o700, 0o600));
        assert_eq!(
            fs::read_dir(&directory).expect("readable").count(),
            1,
            "nothing is left over"
        );

        for other in [purpose("https://db:2", Some("a")), purpose("https://db:1", None)] {
            assert!(
                CacheFile::of(&directory, other)
                    .load()
                    .expect("readable")
                    .is_none()
            );
        }
        // The same file, asked for another server.
        let moved = CacheFile {
            purpose: purpose("http://db:1", Some("a")),
            ..file.clone()
        };
        assert!(moved.load().expect("readable").is_none());
    }

    #[test]
    fn a_newer_token_is_spared() {
        let home = tempfile::tempdir().expect("a directory");
        let file = CacheFile::of(home.path(), purpose("https://db:1", None));
        file.store(&secret("new"), Timestamp::from_micros(0))
            .expect("stored");
        file.forget("old").expect("readable");
        assert!(file.load().expect("readable").is_some());
        file.forget("new").expect("removed");
        file.forget("new").expect("nothing there");
        assert!(!file.clear().expect("nothing there"));
    }

    #[test]
    fn what_others_can_read_is_told() {
        let home = tempfile::tempdir().expect("a directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("set");
        let file = CacheFile::of(home.path(), purpose("https://db:1", None));
        file.store(&secret("x"), Timestamp::from_micros(0))
            .expect("stored");
        assert_eq!(mode(home.path()), 0o700, "the directory is closed");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).expect("set");
        assert!(file.load().expect("readable").expect("kept").is_exposed);
        fs::write(file.path(), "{\"access_token\":").expect("written");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).expect("set");
        assert!(file.load().expect("half a file is none").is_none());
    }

    #[test]
    fn any_server_has_a_file() {
        let name = |origin: &str| {
            let file = CacheFile::of(Path::new("/c"), purpose(origin, None));
            file.path().to_str().expect("UTF-8").to_owned()
        };
        assert_eq!(
            name("http://127.0.0.1:8181"),
            "/c/127%2E0%2E0%2E1%3A8181,any,influxctl.json"
        );
        assert_eq!(name("https://[::1]:1"), "/c/%5B%3A%3A1%5D%3A1,any,influxctl.json");
        assert_eq!(
            name(&format!("https://{}", "x".repeat(300))).len(),
            3 + MAX_NAME + 5
        );
    }

    #[test]
    fn the_directory_is_the_users() {
        let with = |pairs: &'static [(&str, &str)]| {
            directory(|name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        if cfg!(target_os = "linux") {
            assert_eq!(with(&[("HOME", "/h")]), Some("/h/.cache/influxctl".into()));
            let both = &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")];
            assert_eq!(with(both), Some("/x/influxctl".into()));
            let relative = &[("HOME", "/h"), ("XDG_CACHE_HOME", "x")];
            assert_eq!(with(relative), Some("/h/.cache/influxctl".into()));
        }
        assert_eq!(with(&[]), None);
    }
}
