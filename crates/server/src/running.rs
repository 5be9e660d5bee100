//! A running server: everything that one process needs, brought together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use rescind_authority::{Authority, Catalog, Location, NodeSettings, SessionLimits};
use rescind_domain::{Clock as _, Email};
use rescind_engine::Engine;
use rescind_ui::{NodeInfo, Post, Ui};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ambient::{SystemClock, SystemRng};
use crate::args::Bounds;
use crate::authorities::Opened;
use crate::data_dir::DataDir;
use crate::failure::Failure;
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
}

/// A server that accepts connections.
pub(crate) struct Running {
    url: String,
    public_url: Arc<str>,
    set_up: SetUp,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    /// Ends after the requests have, so that what they did is flushed.
    background: CancellationToken,
    background_tasks: TaskTracker,
    engine: Engine,
    catalog: Catalog,
    /// Given back last of all.
    locks: (DataDir, Option<Lock>),
}

impl Running {
    /// Opens everything and begins to serve.
    pub(crate) async fn start(setup: Setup) -> Result<Self, Failure> {
        let Setup {
            data,
            location,
            listen,
            node_name,
            administrator,
            certificate,
            bounds,
            session_limits,
            public_url,
            mailer,
            proxies,
        } = setup;
        let tls = certificate
            .as_ref()
            .map(|(certificate, key)| tls::acceptor(certificate, key))
            .transpose()?;
        listener::raise_file_limit();
        // Bound first: the profile that the first start writes names the port. Early clients wait in the kernel's queue.
        let listener = bind(&listen).await?;
        let address = reachable(
            &listen,
            &listener,
            certificate.map(|(certificate, _)| certificate),
        )?;
        let node = NodeSettings {
            name: node_name,
            address: address.url(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lease_ttl: NodeSettings::USUAL_LEASE,
            admits: true,
        };
        let Opened {
            authority,
            catalog,
            lock,
        } = authorities::open(&location, node, session_limits).await?;
        let set_up = first_start::run(&authority, &data, &address, &administrator).await?;
        let engine = open_engine(&data, &bounds).await?;
        let metrics = Metrics::install(&SystemClock)?;
        let (shutdown, background) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, background_tasks) = (TaskTracker::new(), TaskTracker::new());
        let url = address.url();
        let secure = tls.is_some() || public_url.as_ref().is_some_and(PublicUrl::is_secure);
        let public_url = Arc::from(public_url.as_ref().map_or(url.as_str(), PublicUrl::as_str));
        let faces = Faces {
            figures: figures(&authority, &engine, &metrics, &url),
            authority,
            engine: engine.clone(),
            metrics,
            post: mailer.map(|mailer| Arc::new(mailer) as Arc<dyn Post>),
            public_url: Arc::clone(&public_url),
            secure,
        };
        faces.work(&background_tasks, &background);
        let router = faces.router(&url, &bounds);
        tasks.spawn(listener::serve(
            listener,
            server(router, tls, proxies),
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
            background_tasks,
            engine,
            catalog,
            locks: (data, lock),
        })
    }

    /// Where clients reach it: `http://HOST:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Tells on stderr what the first administrator still has to do, if anything.
    pub(crate) fn tell_set_up(&self) {
        let (data, _) = &self.locks;
        self.set_up.tell(&self.public_url, data.path());
    }

    /// Lets requests in progress end, flushes and closes.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.background.cancel();
        self.background_tasks.close();
        self.background_tasks.wait().await;
        let closed = self.engine.close().await;
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
fn reachable(
    listen: &Listen,
    listener: &TcpListener,
    certificate: Option<PathBuf>,
) -> Result<Address, Failure> {
    let bound = listener
        .local_addr()
        .map_err(|e| Failure::because("the listener has no address", e))?;
    let certificate = certificate.map(std::path::absolute).transpose();
    let certificate = certificate.map_err(|e| Failure::because("--tls-cert has no absolute path", e))?;
    Ok(Address {
        host: host_of(&listen.host, bound),
        port: bound.port(),
        certificate,
    })
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
    fn work(&self, tasks: &TaskTracker, shutdown: &CancellationToken) {
        tasks.spawn(Arc::clone(&self.authority).run(shutdown.clone()));
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
            engine,
            metrics,
            figures,
            post,
            public_url,
            secure,
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
        let upstream = Arc::new(Embedded::new(engine, Arc::clone(&authority)));
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
