//! Request bodies, read whole into bounded memory.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;

use crate::encodings::{Encoding, Inflation};

/// Why a body was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("request too large: at most {limit} bytes, counted after decompression; send it in parts")]
    TooLarge { limit: usize },
    #[error("too many request bodies are being read at the moment: try again")]
    Busy,
    #[error("nothing more of the request body arrived for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error("the request body ended before it was complete")]
    Broken,
    #[error("the request body is not a complete gzip stream: Content-Encoding says gzip")]
    Gzip,
}

/// The bytes of all bodies together, so that a flood of uploads is refused before memory runs out.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            used: AtomicUsize::new(0),
        }
    }
}

/// What one body holds of the budget; given back on drop.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    budget: &'a Budget,
    held: usize,
}

impl<'a> Reservation<'a> {
    pub(crate) const fn of(budget: &'a Budget) -> Self {
        Self { budget, held: 0 }
    }

    fn grow_to(&mut self, bytes: usize) -> Result<(), BodyError> {
        let more = bytes.saturating_sub(self.held);
        let before = self.budget.used.fetch_add(more, Ordering::Relaxed);
        self.held += more;
        // What was taken too much goes back with the rest, on drop.
        if before + more > self.budget.limit {
            Err(BodyError::Busy)
        } else {
            Ok(())
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// A body that has arrived, decoded. Keep it as long as its bytes are in memory.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) bytes: Bytes,
    _reservation: Reservation<'a>,
}

/// Bytes that grow to a limit, within the budget.
pub(crate) struct Buffer<'a> {
    bytes: Vec<u8>,
    limit: usize,
    reservation: Reservation<'a>,
}

/// The first allocation; from there it doubles.
const FIRST: usize = 64 * 1024;

impl<'a> Buffer<'a> {
    pub(crate) const fn new(limit: usize, reservation: Reservation<'a>) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            reservation,
        }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        let needed = self.bytes.len() + chunk.len();
        if needed > self.limit {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        if needed > self.bytes.capacity() {
            let capacity = needed
                .max(FIRST)
                .max(self.bytes.capacity() * 2)
                .min(self.limit.max(needed));
            self.reservation.grow_to(capacity)?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn into_received(self) -> Received<'a> {
        Received {
            bytes: self.bytes.into(),
            _reservation: self.reservation,
        }
    }
}

/// The bounds of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// After decompression, in bytes.
    pub(crate) limit: usize,
    /// How long the client may pause.
    pub(crate) patience: Duration,
    pub(crate) budget: &'a Budget,
}

impl<'a> Bounds<'a> {
    /// Reads a body to its end and undoes its encoding.
    pub(crate) async fn read(self, body: &mut Body, encoding: Encoding) -> Result<Received<'a>, BodyError> {
        // What is compressed may be as long as what it becomes, or a little longer: it is not judged here.
        if encoding == Encoding::Identity && body.size_hint().lower() > self.limit as u64 {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        match encoding {
            Encoding::Identity => self.read_plain(body).await,
            Encoding::Gzip => self.read_gzip(body).await,
        }
    }

    async fn read_plain(self, body: &mut Body) -> Result<Received<'a>, BodyError> {
        let mut reservation = Reservation::of(self.budget);
        let Some(first) = self.next_chunk(body).await? else {
            return Ok(Received {
                bytes: Bytes::new(),
                _reservation: reservation,
            });
        };
        // Most bodies arrive in one piece, which is then passed on as it is.
        if body.is_end_stream() {
            if first.len() > self.limit {
                return Err(BodyError::TooLarge { limit: self.limit });
            }
            reservation.grow_to(first.len())?;
            return Ok(Received {
                bytes: first,
                _reservation: reservation,
            });
        }
        let mut buffer = Buffer::new(self.limit, reservation);
        buffer.push(&first)?;
        drop(first);
        while let Some(chunk) = self.next_chunk(body).await? {
            buffer.push(&chunk)?;
        }
        Ok(buffer.into_received())
    }

    async fn read_gzip(self, body: &mut Body) -> Result<Received<'a>, BodyError> {
        /// Inflates to 4 MiB at most, which takes a few milliseconds: other requests get their turn in between.
        const PIECE: usize = 4 * 1024;
        let mut inflation = Inflation::into(Buffer::new(self.limit, Reservation::of(self.budget)));
        while let Some(chunk) = self.next_chunk(body).await? {
            for piece in chunk.chunks(PIECE) {
                inflation.push(piece)?;
                tokio::task::consume_budget().await;
            }
        }
        Ok(inflation.finish()?.into_received())
    }

    async fn next_chunk(self, body: &mut Body) -> Result<Option<Bytes>, BodyError> {
        loop {
            let frame = tokio::time::timeout(self.patience, body.frame())
                .await
                .map_err(|_| BodyError::Stalled(self.patience))?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(BodyError::Broken),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    // Trailers mean nothing here.
                    Err(_) => {}
                },
            }
        }
    }
}

/// Reads and forgets what a refused client is still sending, so that it reads the refusal instead of finding its
/// connection reset (RFC 9112 section 9.6); for a while only.
pub(crate) async fn drain(body: &mut Body, most: usize) {
    const PAUSE: Duration = Duration::from_millis(500);
    const ALTOGETHER: Duration = Duration::from_secs(5);
    let reading = async {
        let mut read = 0;
        while read < most {
            match tokio::time::timeout(PAUSE, Pin::new(&mut *body).frame()).await {
                Ok(Some(Ok(frame))) => read += frame.data_ref().map_or(0, Bytes::len),
                Ok(Some(Err(_)) | None) | Err(_) => break,
            }
        }
    };
    // Whether it was enough, nobody needs to know.
    let _ = tokio::time::timeout(ALTOGETHER, reading).await;
}
