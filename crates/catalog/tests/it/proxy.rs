//! A network between a catalog and its server that can become silent: packets are swallowed, nobody is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Forwards connections to a server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    weather: Arc<Weather>,
}

/// Connections live in a period. An odd one is silent; what began in an earlier one is never heard of again.
#[derive(Default)]
struct Weather(AtomicU64);

impl Weather {
    fn period(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn lets_through(&self, began: u64) -> bool {
        began == self.period() && began.is_multiple_of(2)
    }
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let weather = Arc::new(Weather::default());
        let known = Arc::clone(&weather);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (weather, began) = (Arc::clone(&known), known.period());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.expect("the server is up");
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        forward(from_client, to_server, &weather, began),
                        forward(from_server, to_client, &weather, began)
                    );
                });
            }
        });
        Self { port, weather }
    }

    /// Swallows everything from now on.
    pub(crate) fn fall_silent(&self) {
        assert!(self.weather.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2));
    }

    /// Lets new connections through again.
    pub(crate) fn heal(&self) {
        assert!(!self.weather.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2));
    }
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    weather: &Weather,
    began: u64,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if !weather.lets_through(began) {
            // Not even the end of the connection comes through.
            return std::future::pending().await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
