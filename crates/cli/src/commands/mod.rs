//! The commands, one file per noun; and what most of them share.

pub(crate) mod auth;
pub(crate) mod cluster;
pub(crate) mod database;
pub(crate) mod management;
pub(crate) mod query;
pub(crate) mod revocations;
pub(crate) mod table;
pub(crate) mod templates;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod version;
pub(crate) mod write;

use std::collections::HashSet;
use std::hash::Hash;

use rescind_wire::Account;
use ureq::http::Method;

use crate::api::{Api, ApiError};
use crate::args::GlobalArgs;
use crate::config::Product;
use crate::exit::Failure;
use crate::log::Log;
use crate::output::print;
use crate::profiles::Profile;
use crate::receipts;

/// How many things a question describes; beyond, it lists them only.
const MAX_DESCRIBED: usize = 20;

/// A profile, and a client that presents its management token, or logs in when it has none.
pub(crate) struct Session {
    pub(crate) profile: Profile,
    pub(crate) api: Api,
    pub(crate) log: Log,
}

impl Session {
    /// Opens what the flags name.
    ///
    /// # Errors
    /// The profile is missing, or its management token is unusable.
    pub(crate) fn open(global: &GlobalArgs, log: Log) -> Result<Self, Failure> {
        let timeout = global.timeout()?;
        let profile = Profile::open(global, log)?;
        let credentials = profile.management_credentials(timeout, log)?;
        let api = Api::new(&profile, credentials, timeout, log)?;
        Ok(Self { profile, api, log })
    }

    /// `suffix` below the profile's cluster.
    fn cluster_path(&self, suffix: &str) -> Result<String, Failure> {
        Ok(format!("{}{suffix}", self.profile.cluster_path()?))
    }

    /// `suffix` below the profile's account; Clustered has one account and its profiles do not name it.
    fn account_path(&self, suffix: &str) -> Result<String, Failure> {
        let account = match (self.profile.account, self.profile.product) {
            (Some(account), _) => account.to_string(),
            (None, Product::Dedicated) => return Err(self.profile.lacks("account_id", "--account")),
            (None, Product::Clustered) => {
                let accounts: Vec<Account> = self.api.list("/accounts")?;
                let first = accounts.into_iter().next();
                first
                    .ok_or_else(|| Failure::Failed("the server has no account".to_owned()))?
                    .id
            }
        };
        Ok(format!("/accounts/{account}{suffix}"))
    }

    /// Refuses what the documentation has for Dedicated only (contract, CLI-086).
    fn dedicated_only(&self, command: &str) -> Result<(), Failure> {
        match self.profile.product {
            Product::Dedicated => Ok(()),
            Product::Clustered => Err(Failure::Failed(format!(
                "influxctl {command} is not supported for product = \"clustered\" ({})",
                self.profile.place
            ))),
        }
    }

    /// Ends what may be done no more, says so in `words`, and tells where it is refused by now.
    fn end(&self, path: &str, words: impl AsRef<str>) -> Result<(), Failure> {
        let receipt = self.api.order(&Method::DELETE, path).map_err(unsure)?;
        print(words)?;
        receipt.map_or(Ok(()), |receipt| receipts::tell_refused(self.log, &receipt))
    }

    /// Deletes what is at `path`, and tells if not every node acts by it yet.
    fn delete(&self, path: &str) -> Result<(), Failure> {
        let receipt = self.api.order(&Method::DELETE, path)?;
        if let Some(receipt) = receipt {
            receipts::tell_awaited(self.log, &receipt);
        }
        Ok(())
    }

    /// Does `act` to each of `subjects`; an error does not keep it from the next (contract, CLI-059).
    fn for_each<T: std::fmt::Display>(
        &self,
        subjects: &[T],
        act: impl Fn(&T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut failed = false;
        for subject in subjects {
            match act(subject) {
                Ok(()) => {}
                Err(Failure::Closed) => return Err(Failure::Closed),
                Err(error) => {
                    failed = true;
                    self.log.error(format_args!("{subject}: {error}"));
                }
            }
        }
        if failed { Err(Failure::Told) } else { Ok(()) }
    }
}

/// What to say of an act that cannot be done twice.
fn unsure(error: ApiError) -> Failure {
    if !error.may_be_done() {
        return Failure::from(error);
    }
    Failure::Failed(format!(
        "{error}; it may be done all the same: repeat the command to be sure, which is safe"
    ))
}

/// Each once, in the order given.
fn distinct<T: Eq + Hash + Clone>(subjects: &[T]) -> Vec<T> {
    let mut seen = HashSet::new();
    subjects
        .iter()
        .filter(|subject| seen.insert(*subject))
        .cloned()
        .collect()
}
