//! Failed attempts to sign in: recorded, told to the user at the next sign-in, answered at a steady pace.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rescind_catalog::Entry;
use rescind_domain::{Act, Actor, Agent, AuditEvent, Client, LastClient, User};

use crate::databases::pair;
use crate::{Authority, Error};

/// Attempts to sign in as a user that failed since it last signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempts {
    /// How many; it stops at a thousand.
    pub count: usize,
    /// Who made the last of them, and when.
    pub last: LastClient,
}

impl Authority {
    /// Puts a failed attempt into the audit log.
    pub(crate) async fn record_failure(self: &Arc<Self>, user: &User, client: &Client) -> Result<(), Error> {
        let entry = Entry {
            actor: Actor::System,
            account: user.account,
            act: Act::SignInFailure,
            subject: user.id.to_string(),
            details: vec![
                pair("email", &user.email),
                pair(ADDRESS, client.address),
                pair(AGENT, &client.agent),
            ],
            changes: Vec::new(),
        };
        self.act(move |this| async move {
            let tx = this.begin(None).await?;
            this.commit(tx, entry).await
        })
        .await?;
        Ok(())
    }

    /// What failed since `user` last signed in.
    pub(crate) async fn failed_attempts(&self, user: &User) -> Result<Option<FailedAttempts>, Error> {
        let failures = self.catalog.sign_in_failures(user.account, user.id).await?;
        let last = failures.first().and_then(|last| {
            let address: IpAddr = detail(last, ADDRESS)?.parse().ok()?;
            let agent = Agent::new(detail(last, AGENT)?);
            Some(LastClient {
                at: last.at,
                client: Client { address, agent },
            })
        });
        let count = failures.len();
        Ok(last.map(|last| FailedAttempts { count, last }))
    }
}

const ADDRESS: &str = "address";
const AGENT: &str = "agent";

fn detail<'a>(event: &'a AuditEvent, name: &str) -> Option<&'a str> {
    let found = event.details.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Returns at a whole number of `pace` after `began`, the next one from now.
pub(crate) async fn keep_pace(began: Instant, pace: Duration) {
    if let Some(paces) = began.elapsed().as_nanos().checked_div(pace.as_nanos()) {
        let paces = u32::try_from(paces + 1).unwrap_or(u32::MAX);
        tokio::time::sleep_until((began + pace.saturating_mul(paces)).into()).await;
    }
}
