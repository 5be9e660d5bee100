//! One port for everything: HTTP/1.1 and HTTP/2, in clear or over TLS, bounded in every direction.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::crowds::{Crowd, Place};
use crate::panics;
use crate::proxies::Proxies;

/// Connections at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a client may take to begin to speak, and to finish a TLS handshake.
const GREETING: Duration = Duration::from_secs(10);
/// How long a client may take to send one head; idle connections are closed after it.
const HEAD: Duration = Duration::from_secs(60);
/// Longest head of a request in bytes; a longer one is answered 431.
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// How long requests in progress may take to end once the server stops.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait when the process has run out of file descriptors.
const BREATHER: Duration = Duration::from_millis(100);

/// What every HTTP/2 connection starts with (RFC 9113 section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The first byte of a TLS handshake record (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What serves connections.
#[derive(Clone)]
pub(crate) struct Server {
    /// Answers requests.
    pub(crate) router: Router,
    /// Present for HTTPS.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whose word about their clients is taken. Whatever lies behind sees the client only.
    pub(crate) proxies: Proxies,
}

/// Accepts connections until `shutdown`, then lets requests in progress end for a while and cuts the rest.
pub(crate) async fn serve(listener: TcpListener, server: Server, shutdown: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let crowd = Crowd::new(MAX_CONNECTIONS / 4, server.proxies.clone());
    while let Some((stream, peer, slot)) = accept(&listener, &slots, &crowd, &shutdown).await {
        let (server, shutdown, cut) = (server.clone(), shutdown.clone(), cut.clone());
        connections.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = server.greet(stream, peer, shutdown) => {}
            }
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests did not end in time and are cut"
        );
        cut.cancel();
        connections.wait().await;
    }
}

/// The next connection; `None` on shutdown.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    crowd: &Crowd,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, (OwnedSemaphorePermit, Place))> {
    let mut is_told = false;
    loop {
        let next = async {
            // The semaphore is never closed.
            let slot = Arc::clone(slots).acquire_owned().await.ok()?;
            Some((listener.accept().await, slot))
        };
        let (accepted, slot) = tokio::select! {
            () = shutdown.cancelled() => return None,
            next = next => next?,
        };
        match accepted {
            Ok((stream, peer)) => match crowd.enter(peer.ip()) {
                Some(place) => return Some((stream, peer, (slot, place))),
                // Closed at once: others must find room.
                None => drop(stream),
            },
            Err(error) => {
                // Running out of descriptors passes, but not at once, and it must not flood the log as well.
                if !is_told {
                    tracing::warn!(%error, "a connection could not be accepted");
                }
                is_told = true;
                sleep(BREATHER).await;
            }
        }
    }
}

/// Asks for as many file descriptors as this process may have: the usual 1,024 are fewer than its connections and files.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

impl Server {
    async fn greet(self, stream: TcpStream, peer: SocketAddr, shutdown: CancellationToken) {
        // Small answers must not wait for more to come; a stream that refuses the option works all the same.
        let _ = stream.set_nodelay(true);
        let greeting = async {
            tokio::select! {
                () = shutdown.cancelled() => None,
                first = first_byte(&stream) => first,
            }
        };
        let Ok(Some(first)) = timeout(GREETING, greeting).await else {
            return;
        };
        match self.tls.clone() {
            None if first == TLS_HANDSHAKE => {
                tracing::debug!(%peer, "a client spoke TLS to a port without TLS")
            }
            None => self.speak(stream, peer, shutdown).await,
            Some(_) if first != TLS_HANDSHAKE => refuse_plain(stream).await,
            Some(acceptor) => match timeout(GREETING, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.speak(stream, peer, shutdown).await,
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            },
        }
    }

    async fn speak<S>(self, stream: S, peer: SocketAddr, shutdown: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (router, proxies) = (self.router, self.proxies);
        let service = service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            let mut request = request.map(Body::new);
            let client = proxies.client(peer, request.headers());
            request.extensions_mut().insert(ConnectInfo(client));
            panics::caught(router.oneshot(request))
        });
        let builder = http_builder();
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection broke");
        }
    }
}

fn http_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_concurrent_streams(MAX_STREAMS)
        .adaptive_window(true)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The first byte that the client sends, once it is clear which HTTP it speaks: what follows has time limits of its own.
async fn first_byte(stream: &TcpStream) -> Option<u8> {
    let mut bytes = [0; HTTP2_PREFACE.len()];
    loop {
        let count = stream.peek(&mut bytes).await.ok()?;
        let first = *bytes[..count].first()?;
        let is_undecided = count < HTTP2_PREFACE.len() && HTTP2_PREFACE.starts_with(&bytes[..count]);
        if !is_undecided {
            return Some(first);
        }
        // Peeking returns at once while these bytes lie there.
        sleep(Duration::from_millis(5)).await;
    }
}

/// Says what is wrong in the language that the client spoke.
async fn refuse_plain(mut stream: TcpStream) {
    const BODY: &str = r#"{"code":400,"message":"this port speaks HTTPS: use https:// instead of http://"}"#;
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    // Whether the client listens is its own affair.
    let _ = timeout(GREETING, async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}
