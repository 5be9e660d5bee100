//! Devices: a program asks to act in a user's name, the user answers, the program gets a session (RFC 8628).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rescind_catalog::Entry;
use rescind_domain::{
    Act, Client, DeviceRequest, DeviceRequestId, DeviceState, Presented, Secret, SecretKind, SessionKind,
    Timestamp, UserCode, UserId,
};

use crate::attempts::network;
use crate::databases::pair;
use crate::{Authority, Caller, Error, SignedIn};

/// A program's request.
#[derive(Debug, Clone)]
pub struct AskDevice {
    /// What the program calls itself.
    pub client_id: String,
    /// The machine that it says it runs on; may be empty.
    pub host: String,
    /// Where the request came from.
    pub client: Client,
}

/// A request that now waits for its user.
pub struct DeviceStarted {
    /// What the user will see.
    pub request: DeviceRequest,
    /// By which the program asks for its session.
    pub secret: Secret,
    /// How long it must wait between two questions, in seconds.
    pub interval: u32,
}

/// Why a program does not get a session (RFC 8628 section 3.5).
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The user has not answered yet.
    #[error("the request still waits for its user: ask again")]
    Pending,
    /// It asked again too soon.
    #[error("asked too often: wait {interval} s between two questions from now on")]
    SlowDown {
        /// Seconds to wait from now on.
        interval: u32,
    },
    /// The user refused.
    #[error("the user refused the request")]
    Denied,
    /// Nobody answered in time.
    #[error("the request has expired: start again")]
    Expired,
    /// No such request of this program, or its session was handed out already.
    #[error("the device code is unknown or was used already")]
    Unknown,
    /// It could not be found out.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<rescind_catalog::Error> for RedeemError {
    fn from(error: rescind_catalog::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// How often programs ask whether they were approved. In memory: anybody may ask, and nobody's question shall cost a
/// commit that a revocation would wait for.
#[derive(Default)]
pub(crate) struct Paces(Mutex<HashMap<DeviceRequestId, Pace>>);

struct Pace {
    asked: Timestamp,
    /// Seconds.
    interval: u32,
}

/// So many are remembered before the old ones are forgotten; requests that wait are fewer.
const MOST_PACES: usize = 2 * MOST_PENDING as usize;

const WHAT: &str = "device request";

/// How long a request waits for its user.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Anyone may ask: so many requests may wait at once.
const MOST_PENDING: u32 = 1_000;
/// So many of one network, so that one stranger cannot take all places.
const MOST_OF_NETWORK: usize = 20;
const LONGEST_NAME: usize = 200;

impl Authority {
    /// Takes a program's request.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a missing or overlong name, [`Error::Conflict`] when too many requests wait, in all or of
    /// the client's network.
    pub async fn ask_device(self: &Arc<Self>, ask: AskDevice) -> Result<DeviceStarted, Error> {
        let now = self.clock().now();
        let secret = Secret::mint(SecretKind::Device, self.rng());
        let client_id = clean(&ask.client_id);
        if client_id.trim().is_empty() || ask.client_id.chars().count() > LONGEST_NAME {
            return Err(Error::invalid(
                "client_id",
                "must have 1 to 200 visible characters",
            ));
        }
        let request = DeviceRequest {
            id: DeviceRequestId::mint(self.rng()),
            user_code: UserCode::mint(self.rng()),
            client_id,
            host: clean(&ask.host),
            client: ask.client,
            created_at: now,
            expires_at: now.plus_micros(LIFETIME.as_micros() as i64),
            state: DeviceState::Pending,
        };
        // One at a time: of many that ask at once, each must see those before it.
        let _turn = self.asking.lock().await;
        let waiting = self.catalog.pending_device_addresses(now).await?;
        let here = network(request.client.address);
        if waiting
            .into_iter()
            .filter(|address| network(*address) == here)
            .count()
            >= MOST_OF_NETWORK
        {
            let reason = "too many devices at this address wait for an answer: try again in some minutes";
            return Err(Error::Conflict(reason.to_owned()));
        }
        let kept = self
            .catalog
            .insert_device_request(&request, &secret.hash(), MOST_PENDING)
            .await?;
        if !kept {
            let reason = "too many devices wait for an answer: try again in some minutes";
            return Err(Error::Conflict(reason.to_owned()));
        }
        Ok(DeviceStarted {
            request,
            secret,
            interval: DeviceRequest::POLL_SECONDS,
        })
    }

    /// The request that a user's code names, while it waits for an answer.
    ///
    /// # Errors
    /// [`Error::NotFound`] for codes that are unknown, answered or expired alike; [`Error::Conflict`] after too many of
    /// them; [`Error::Forbidden`] for callers who are no user.
    pub async fn device_request(&self, caller: &Caller, code: &UserCode) -> Result<DeviceRequest, Error> {
        let user = caller.user().ok_or_else(not_a_user)?;
        let looking = async {
            let found = self.catalog.device_request_by_code(code).await?;
            let now = self.clock().now();
            found
                .filter(|request| request.state == DeviceState::Pending && now < request.expires_at)
                .ok_or_else(|| Error::not_found(WHAT, code))
        };
        self.guess(user, looking).await
    }

    /// Lets a device act in the caller's name, or refuses it.
    ///
    /// # Errors
    /// As [`Self::device_request`].
    pub async fn answer_device(
        self: &Arc<Self>,
        caller: &Caller,
        code: &UserCode,
        approve: bool,
    ) -> Result<DeviceRequest, Error> {
        let user = caller.user().ok_or_else(not_a_user)?;
        let (caller, code) = (*caller, code.clone());
        let answering = self.act(move |this| async move {
            let mut tx = this.begin(caller.standing()).await?;
            let found = tx.device_request_by_code(&code).await?;
            let now = tx.now();
            let waits = |r: &DeviceRequest| r.state == DeviceState::Pending && now < r.expires_at;
            let mut request = found.filter(waits).ok_or_else(|| Error::not_found(WHAT, &code))?;
            let (state, act) = match approve {
                true => (DeviceState::Approved { user }, Act::DeviceApprove),
                false => (DeviceState::Denied, Act::DeviceDeny),
            };
            request.state = state;
            tx.update_device_request(&request).await?;
            let entry = Entry {
                actor: caller.actor(),
                account: caller.account(),
                act,
                subject: request.id.to_string(),
                details: vec![
                    pair("client_id", &request.client_id),
                    pair("host", &request.host),
                    pair("address", request.client.address),
                    pair("agent", &request.client.agent),
                ],
                changes: Vec::new(),
            };
            this.commit(tx, entry).await?;
            Ok(request)
        });
        self.guess(user, answering).await
    }

    /// Does what a user asks with a code, unless the user tried too many wrong ones (RFC 8628 section 5.1).
    async fn guess<T>(
        &self,
        user: UserId,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let turn = self.guesses.begin(user, Instant::now());
        turn.map_err(|wait| {
            let seconds = wait.as_secs().max(1);
            Error::Conflict(format!("too many wrong codes: wait {seconds} s and try again"))
        })?;
        let outcome = asked.await;
        if !matches!(outcome, Err(Error::NotFound { .. })) {
            self.guesses.take_back(user);
        }
        outcome
    }

    /// Hands an approved program its session, once. The secret is its access token. A program that calls itself other
    /// than when it asked is told nothing of the request (RFC 6749 section 5.2).
    ///
    /// # Errors
    /// [`RedeemError`].
    pub async fn redeem_device(
        self: &Arc<Self>,
        secret: &[u8],
        client_id: &str,
        client: Client,
    ) -> Result<SignedIn, RedeemError> {
        let presented = Presented::parse(secret).map_err(|_| RedeemError::Unknown)?;
        if presented.kind != SecretKind::Device {
            return Err(RedeemError::Unknown);
        }
        let found = self.catalog.device_request_by_secret(&presented.hash).await?;
        let request = found
            .filter(|request| request.client_id == clean(client_id))
            .ok_or(RedeemError::Unknown)?;
        let now = self.clock().now();
        match request.state {
            DeviceState::Redeemed => return Err(RedeemError::Unknown),
            DeviceState::Denied => return Err(RedeemError::Denied),
            _ if request.expires_at <= now => return Err(RedeemError::Expired),
            DeviceState::Pending => return Err(self.keep_pace(&request)),
            DeviceState::Approved { .. } => {}
        }
        let redeemed = self.act(move |this| async move {
            let mut tx = this.begin(None).await?;
            let found = tx.device_request_by_secret(&presented.hash).await?;
            let used = || Error::not_found(WHAT, "of this device code");
            let mut request = found.ok_or_else(used)?;
            let DeviceState::Approved { user } = request.state else {
                return Err(used());
            };
            if request.expires_at <= tx.now() {
                return Err(used());
            }
            let user = tx.user_by_id(user).await?.ok_or_else(used)?;
            request.state = DeviceState::Redeemed;
            tx.update_device_request(&request).await?;
            this.begin_session(tx, Vec::new(), user, SessionKind::Device, client)
                .await
        });
        redeemed.await.map_err(|error| match error {
            Error::NotFound { .. } => RedeemError::Unknown,
            // The user was disabled after approving.
            Error::Refused(_) => RedeemError::Denied,
            other => RedeemError::Failed(other),
        })
    }

    /// What to tell a program that asks before its user has answered.
    fn keep_pace(&self, request: &DeviceRequest) -> RedeemError {
        let now = self.clock().now();
        let mut paces = self.paces.0.lock();
        if paces.len() >= MOST_PACES {
            paces.retain(|_, pace| now.micros() - pace.asked.micros() < LIFETIME.as_micros() as i64);
        }
        let pace = paces.entry(request.id).or_insert(Pace {
            asked: request.created_at,
            interval: DeviceRequest::POLL_SECONDS,
        });
        // Half a second of grace: the network does not keep time. The first question may come at once.
        let wanted = i64::from(pace.interval) * 1_000_000 - 500_000;
        let is_first = pace.asked == request.created_at;
        let is_hasty = !is_first && now.micros() - pace.asked.micros() < wanted;
        pace.asked = now.max(request.created_at.plus_micros(1));
        if !is_hasty {
            return RedeemError::Pending;
        }
        pace.interval = pace.interval.saturating_add(DeviceRequest::SLOW_DOWN_SECONDS);
        RedeemError::SlowDown {
            interval: pace.interval,
        }
    }
}

/// What a program says of itself, as it is kept and shown.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect()
}

fn not_a_user() -> Error {
    Error::Forbidden("only a user who is logged in can answer a device".to_owned())
}
