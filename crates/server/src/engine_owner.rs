//! Whose points the embedded database holds. It finds them by the numbers of databases, and those of another catalog are
//! the same numbers: beside the wrong catalog, one customer's points would be another's.

use std::fs::{File, OpenOptions, read_dir, read_to_string, rename};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use rescind_domain::AccountId;

use crate::data_dir;
use crate::failure::Failure;

/// The file that names the first account of the catalog to which the points belong; no two catalogs have the same.
const OWNER: &str = "owner";
/// What a crash may leave of it before it is in place.
const PENDING: &str = "owner.new";

/// The directory of the embedded database, before that is opened.
#[derive(Debug)]
pub(crate) struct EngineOwner {
    directory: PathBuf,
}

impl EngineOwner {
    /// Of the embedded database in `directory`, which need not exist.
    pub(crate) fn of(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Fails unless nothing is there: a new catalog may not take over what another one left.
    pub(crate) fn must_be_nobody(&self) -> Result<(), Failure> {
        if !self.holds_anything().map_err(|e| self.unreadable(e))? {
            return Ok(());
        }
        let directory = self.directory.display();
        let whose = match self.read().map_err(|e| self.unreadable(e))? {
            Some(account) => format!("account {account}"),
            None => "another catalog".to_owned(),
        };
        let advice = "give the --catalog that belongs to this data directory, or another --data-dir";
        Err(Failure::new(format!(
            "{directory} holds the points of {whose}, and the catalog is new: {advice}"
        )))
    }

    /// Fails unless the points are those of the catalog whose first account this is; takes the directory for it when
    /// nothing is there yet.
    pub(crate) fn must_be(&self, account: AccountId) -> Result<(), Failure> {
        let directory = self.directory.display();
        match self.read().map_err(|e| self.unreadable(e))? {
            Some(owner) if owner == account.to_string() => Ok(()),
            Some(owner) => {
                let advice = "start with a --data-dir and a --catalog that belong together";
                Err(Failure::new(format!(
                    "{directory} holds the points of account {owner}, and the catalog is that of account {account}: \
                     {advice}"
                )))
            }
            None if self.holds_anything().map_err(|e| self.unreadable(e))? => {
                let advice = format!(
                    "restore it from a back-up, or write {account} into it if they are that account's"
                );
                Err(Failure::new(format!(
                    "{directory} holds points, but {directory}/{OWNER}, which says whose, is missing: {advice}"
                )))
            }
            None => self
                .write(account)
                .map_err(|e| Failure::because(format!("{directory}/{OWNER} cannot be written"), e)),
        }
    }

    fn unreadable(&self, error: io::Error) -> Failure {
        Failure::because(format!("{} cannot be read", self.directory.display()), error)
    }

    fn holds_anything(&self) -> io::Result<bool> {
        let entries = match read_dir(&self.directory) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            entries => entries?,
        };
        for entry in entries {
            if entry?.file_name() != PENDING {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&self) -> io::Result<Option<String>> {
        match read_to_string(self.directory.join(OWNER)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// In place whole or not at all, and before the first point: a crash leaves a directory that is owned or empty.
    fn write(&self, account: AccountId) -> io::Result<()> {
        data_dir::make(&self.directory)?;
        let pending = self.directory.join(PENDING);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&pending)?;
        writeln!(file, "{account}")?;
        file.sync_all()?;
        rename(&pending, self.directory.join(OWNER))?;
        File::open(&self.directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(last: char) -> AccountId {
        let text = format!("00000000-0000-4000-8000-00000000000{last}");
        text.parse().expect("an id")
    }

    #[test]
    fn the_first_to_come_owns_it_and_nobody_else_may() {
        let parent = tempfile::tempdir().expect("a directory");
        let owner = EngineOwner::of(parent.path().join("engine"));
        owner.must_be_nobody().expect("not there");
        owner.must_be(account('1')).expect("taken");
        owner.must_be(account('1')).expect("still its own");
        for refusal in [owner.must_be(account('2')), owner.must_be_nobody()] {
            let refusal = refusal.expect_err("another's").to_string();
            assert!(
                refusal.contains("account 00000000-0000-4000-8000-000000000001"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn points_without_an_owner_are_nobodys_to_take() {
        let parent = tempfile::tempdir().expect("a directory");
        let owner = EngineOwner::of(parent.path().to_owned());
        std::fs::write(parent.path().join(PENDING), "half").expect("written");
        owner.must_be_nobody().expect("a crash left that");
        std::fs::write(parent.path().join("manifest"), "").expect("written");
        owner.must_be_nobody().expect_err("points of somebody");
        let refusal = owner
            .must_be(account('1'))
            .expect_err("points of somebody")
            .to_string();
        assert!(
            refusal.contains("owner, which says whose, is missing"),
            "{refusal}"
        );
        std::fs::write(parent.path().join(OWNER), account('1').to_string()).expect("written");
        owner.must_be(account('1')).expect("the operator said so");
    }
}
