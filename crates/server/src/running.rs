//! A running server: everything that one process needs, brought together.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use rescind_authority::{Authority, Catalog, Closure, Location, NodeSettings, SessionLimits};
use rescind_domain::{Clock, Email, Stopwatch};
use rescind_engine::Engine;
use rescind_gateway::Upstream;
use rescind_ui::{NodeInfo, Post, Ui};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{SystemClock, SystemRng, SystemStopwatch};
use crate::args::Bounds;
use crate::authorities::Opened;
use crate::data_dir::DataDir;
use crate::failure::Failure;
#[cfg(debug_assertions)]
use crate::faults::Faults;
use crate::figures::ProcessFigures;
use crate::housekeeping::Housekeeping;
use crate::links::SetUp;
use crate::locks::Lock;
use crate::mail::Mailer;
use crate::metrics::{Metrics, Rendering};
use crate::oauth::OAuth;
use crate::profile_file::Address;
use crate::proxies::Proxies;
use crate::refusals::Refusals;
use crate::upstream::Embedded;
use crate::values::{Listen, PublicUrl};
use crate::{answers, api, authorities, first_start, leftovers, listener, metrics, oauth, tls};

/// What a server is started with.
pub(crate) struct Setup {
    /// Where it keeps everything.
    pub(crate) data: DataDir,
    /// Where its catalog is.
    pub(crate) location: Location,
    /// Where it listens.
    pub(crate) listen: Listen,
    /// What it calls itself.
    pub(crate) node_name: String,
    /// Who administers what the first start makes.
    pub(crate) administrator: Email,
    /// Certificate and key, for HTTPS.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    /// What requests may take.
    pub(crate) bounds: Bounds,
    /// How long browser sessions last.
    pub(crate) session_limits: SessionLimits,
    /// Where people reach it, if not at its own address.
    pub(crate) public_url: Option<PublicUrl>,
    /// Sends invitations.
    pub(crate) mailer: Option<Mailer>,
    /// What stands in front of it.
    pub(crate) proxies: Proxies,
    /// How long a term of its lease lasts, if it shares its catalog.
    pub(crate) lease_ttl: Duration,
    /// What is wrong with it on purpose.
    #[cfg(debug_assertions)]
    pub(crate) faults: Faults,
}

/// Said where nodes share a catalog.
const OWN_POINTS: &str = "
  Tokens, users and databases are shared by all nodes on this catalog. Points are not: the embedded database
  is this node's own. What is written here is found by queries here, and nowhere else.

";

/// How often is asked whether the node admits.
const LOOK: Duration = Duration::from_millis(10);
/// How often is asked whether it ever will again.
const GLANCE: Duration = Duration::from_millis(200);

/// What a node does on its own, until it is told to end.
#[derive(Clone)]
struct Background {
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    /// Begins with what must not wait: a node that does not renew its lease loses it, while it replays its log.
    fn begin(authority: &Arc<Authority>) -> Self {
        let begun = Self {
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        begun
            .tasks
            .spawn(Arc::clone(authority).run(begun.shutdown.clone()));
        begun
    }

    async fn end(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A server that accepts connections.
pub(crate) struct Running {
    url: String,
    public_url: Arc<str>,
    set_up: SetUp,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    /// Ends after the requests have, so that what they did is flushed.
    background: Background,
    authority: Arc<Authority>,
    engine: Engine,
    catalog: Catalog,
    /// Given back last of all.
    locks: (DataDir, Option<Lock>),
}

impl Running {
    /// Opens everything and begins to serve.
    pub(crate) async fn start(setup: Setup) -> Result<Self, Failure> {
        let tls = setup
            .certificate
            .as_ref()
            .map(|(certificate, key)| tls::acceptor(certificate, key))
            .transpose()?;
        listener::raise_file_limit();
        // Bound first: the profile that the first start writes names the port. Early clients wait in the kernel's queue.
        let listener = bind(&setup.listen).await?;
        let address = reachable(&setup, &listener)?;
        let opened = authorities::open(
            &setup.location,
            node_settings(&setup, &address),
            clocks(&setup),
            setup.session_limits,
        )
        .await?;
        let background = Background::begin(&opened.authority);
        match Self::serve(setup, listener, address, tls, opened, background.clone()).await {
            Ok(running) => Ok(running),
            Err(failure) => {
                // Nobody shall wait for the lease of a node that did not come to be.
                background.end().await;
                Err(failure)
            }
        }
    }

    async fn serve(
        setup: Setup,
        listener: TcpListener,
        address: Address,
        tls: Option<TlsAcceptor>,
        opened: Opened,
        background: Background,
    ) -> Result<Self, Failure> {
        let Opened {
            authority,
            catalog,
            lock,
        } = opened;
        let set_up = first_start::run(&authority, &setup.data, &address, &setup.administrator).await?;
        let engine = open_engine(&setup.data, &setup.bounds).await?;
        let metrics = Metrics::install(&SystemClock)?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let url = address.url();
        let public_url = setup.public_url.as_ref();
        let secure = tls.is_some() || public_url.is_some_and(PublicUrl::is_secure);
        let public_url: Arc<str> = Arc::from(public_url.map_or(url.as_str(), PublicUrl::as_str));
        let faces = Faces {
            figures: figures(&authority, &engine, &metrics, &url),
            upstream: upstream(&setup, Embedded::new(engine.clone(), Arc::clone(&authority))),
            authority: Arc::clone(&authority),
            engine: engine.clone(),
            metrics,
            post: setup.mailer.map(|mailer| Arc::new(mailer) as Arc<dyn Post>),
            public_url: Arc::clone(&public_url),
            secure,
        };
        faces.work(&background);
        let router = faces.router(&url, &setup.bounds);
        tasks.spawn(listener::serve(
            listener,
            server(router, tls, setup.proxies),
            shutdown.clone(),
        ));
        tracing::info!(url, "serving");
        Ok(Self {
            url,
            public_url,
            set_up,
            shutdown,
            tasks,
            background,
            authority,
            engine,
            catalog,
            locks: (setup.data, lock),
        })
    }

    /// Returns once requests can be admitted: among other nodes, during a term of this one's lease.
    pub(crate) async fn admits(&self) {
        while !self.authority.is_current() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns once this node can admit nothing any more, with the reason: only a new start helps.
    pub(crate) async fn closed_for_good(&self) -> Closure {
        loop {
            match self.authority.closure() {
                Some(Closure::Final) => return Closure::Final,
                _ => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Where clients reach it: `http://HOST:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Tells on stderr what the first administrator still has to do, if anything.
    pub(crate) fn tell_set_up(&self) {
        let (data, _) = &self.locks;
        let is_shared = self.catalog.is_shared();
        self.set_up.tell(&self.public_url, data.path(), is_shared);
        if is_shared {
            // Whoever closed stderr does not want to know.
            let _ = std::io::stderr().lock().write_all(OWN_POINTS.as_bytes());
        }
    }

    /// Lets requests in progress end, flushes and closes.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // Before the lease is given up: what a request left behind when its drain was cut short must not land later, when
        // no fence waits for this node any more (promise G2).
        let closed = self.engine.close().await;
        self.background.end().await;
        self.catalog.close().await;
        closed.map_err(|e| {
            Failure::because(
                "the embedded database could not be closed; nothing acknowledged is lost",
                e,
            )
        })
    }
}

/// The name of this machine, as far as it is fit to be shown.
pub(crate) fn host_name() -> String {
    let name = rustix::system::uname();
    match name.nodename().to_str() {
        Ok(name) if !name.is_empty() => name.to_owned(),
        _ => "rescind".to_owned(),
    }
}

fn figures(authority: &Arc<Authority>, engine: &Engine, metrics: &Metrics, url: &str) -> Arc<ProcessFigures> {
    Arc::new(ProcessFigures {
        authority: Arc::clone(authority),
        engine: engine.clone(),
        tally: metrics.tally(),
        clock: Arc::new(SystemClock),
        node: NodeInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: SystemClock.now(),
            listens_on: url.to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
        },
        samples: Mutex::default(),
    })
}

async fn bind(listen: &Listen) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind((listen.host.as_str(), listen.port)).await;
    bound.map_err(|e| Failure::because(format!("cannot listen on {}:{}", listen.host, listen.port), e))
}

/// Where clients on this machine reach the listener.
fn reachable(setup: &Setup, listener: &TcpListener) -> Result<Address, Failure> {
    let bound = listener
        .local_addr()
        .map_err(|e| Failure::because("the listener has no address", e))?;
    let certificate = setup.certificate.as_ref();
    let certificate = certificate
        .map(|(certificate, _)| std::path::absolute(certificate))
        .transpose();
    let certificate = certificate.map_err(|e| Failure::because("--tls-cert has no absolute path", e))?;
    Ok(Address {
        host: host_of(&setup.listen.host, bound),
        port: bound.port(),
        certificate,
    })
}

/// What the others are told of this node.
fn node_settings(setup: &Setup, address: &Address) -> NodeSettings {
    let everywhere = setup.listen.host.parse::<IpAddr>();
    let from_afar = match everywhere.is_ok_and(|ip| ip.is_unspecified()) {
        // The address of this machine's own clients would lead every other one to itself.
        true => Address {
            host: host_name(),
            ..address.clone()
        },
        false => address.clone(),
    };
    NodeSettings {
        address: from_afar.url(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        lease_ttl: setup.lease_ttl,
        #[cfg(debug_assertions)]
        sabotage: setup.faults.sabotage(),
        ..NodeSettings::alone(&setup.node_name)
    }
}

/// What the authority tells the time by.
#[cfg(debug_assertions)]
fn clocks(setup: &Setup) -> (Arc<dyn Clock>, Arc<dyn Stopwatch>) {
    let faults = &setup.faults;
    (
        faults.shift(Arc::new(SystemClock)),
        faults.skew(Arc::new(SystemStopwatch)),
    )
}

#[cfg(not(debug_assertions))]
fn clocks(_: &Setup) -> (Arc<dyn Clock>, Arc<dyn Stopwatch>) {
    (Arc::new(SystemClock), Arc::new(SystemStopwatch))
}

#[cfg(debug_assertions)]
fn upstream(setup: &Setup, embedded: Embedded) -> Arc<dyn Upstream> {
    setup.faults.slow(Arc::new(embedded))
}

#[cfg(not(debug_assertions))]
fn upstream(_: &Setup, embedded: Embedded) -> Arc<dyn Upstream> {
    Arc::new(embedded)
}

fn host_of(given: &str, bound: SocketAddr) -> String {
    match given.parse::<IpAddr>() {
        // A name was asked for: a certificate may be made out to it.
        Err(_) => given.to_owned(),
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        Ok(_) => bound.ip().to_string(),
    }
}

async fn open_engine(data: &DataDir, bounds: &Bounds) -> Result<Engine, Failure> {
    let settings = rescind_engine::Settings {
        max_write_bytes: bounds.max_body_bytes.0,
        buffer_bytes: bounds.buffer_bytes.0,
        buffer_limit_bytes: bounds.buffer_limit_bytes.0,
        query_memory_bytes: bounds.query_memory_bytes.0,
        ..rescind_engine::Settings::new(data.engine())
    };
    // Replaying the log reads and computes: not on a thread that serves.
    let opening = tokio::task::spawn_blocking(move || Engine::open(settings, Arc::new(SystemClock)));
    let opened = opening
        .await
        .map_err(|e| Failure::because("the embedded database could not be opened", e))?;
    opened.map_err(|e| Failure::because("the embedded database could not be opened", e))
}

fn server(router: Router, tls: Option<TlsAcceptor>, proxies: Proxies) -> listener::Server {
    listener::Server { router, tls, proxies }
}

/// What the faces work with.
struct Faces {
    authority: Arc<Authority>,
    upstream: Arc<dyn Upstream>,
    engine: Engine,
    metrics: Metrics,
    figures: Arc<ProcessFigures>,
    post: Option<Arc<dyn Post>>,
    public_url: Arc<str>,
    /// Whether people come over TLS only.
    secure: bool,
}

impl Faces {
    /// Begins what this node does on its own.
    fn work(&self, background: &Background) {
        let Background { shutdown, tasks } = background;
        let housekeeping = Housekeeping {
            authority: Arc::clone(&self.authority),
            engine: self.engine.clone(),
        };
        tasks.spawn(housekeeping.run(shutdown.clone()));
        tasks.spawn(self.metrics.clone().keep_small(shutdown.clone()));
        tasks.spawn(Arc::clone(&self.figures).run(shutdown.clone()));
    }

    fn router(self, url: &str, bounds: &Bounds) -> Router {
        let Self {
            authority,
            upstream,
            metrics,
            figures,
            post,
            public_url,
            secure,
            ..
        } = self;
        let counting =
            axum::middleware::from_fn_with_state(Arc::new(Refusals::new()), metrics::count_management);
        let management = api::router(api::Setup {
            authority: Arc::clone(&authority),
            clock: Arc::new(SystemClock),
            url: url.into(),
            public_url: Arc::clone(&public_url),
            post: post.clone(),
        });
        let management = management.layer(counting);
        let oauth = OAuth {
            authority: Arc::clone(&authority),
            public_url: Arc::clone(&public_url),
        };
        let pages = rescind_ui::router(Ui {
            authority: Arc::clone(&authority),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            figures,
            post,
            public_url,
            secure,
        });
        let rendering = Rendering {
            authority: Arc::clone(&authority),
            metrics,
        };
        let gateway = rescind_gateway::Settings {
            max_body_bytes: bounds.max_body_bytes.0,
            max_bytes_in_flight: bounds.body_memory_bytes.0,
            ..rescind_gateway::Settings::default()
        };
        Router::new()
            .nest("/api/v0", management)
            .merge(oauth::router(oauth))
            .route("/metrics", get(metrics::render).with_state(rendering))
            .fallback(move |request: Request| answers::any_other(pages.clone(), request))
            // The data plane does so by itself: its bodies are longer.
            .layer(axum::middleware::from_fn(leftovers::clear))
            .merge(rescind_gateway::router(rescind_gateway::Gateway::new(
                authority, upstream, gateway,
            )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sent_where_they_can_go() {
        let bound: SocketAddr = "0.0.0.0:80".parse().expect("an address");
        assert_eq!(host_of("0.0.0.0", bound), "127.0.0.1");
        assert_eq!(host_of("::", bound), "::1");
        assert_eq!(host_of("db.example.com", bound), "db.example.com");
        assert_eq!(
            host_of("10.0.0.1", "10.0.0.1:80".parse().expect("an address")),
            "10.0.0.1"
        );
    }
}
