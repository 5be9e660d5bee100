//! Bodies that nobody read: a refusal may come before its request has arrived whole. On HTTP/1 what is left of it stands
//! before the next request, so it is read and thrown away, or the connection ends and the answer says so: a client that
//! is not told runs into a closed connection with its next request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

/// The most that is read and thrown away, in bytes: a few times the longest body that the management API takes.
const MOST: u64 = 4 * 1024 * 1024;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers, and leaves the connection ready for the next request or announces its end.
pub(crate) async fn clear(request: Request, next: Next) -> Response {
    // HTTP/2 resets the one stream.
    if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_withheld = request.headers().contains_key(EXPECT);
    let (head, body) = request.into_parts();
    let rest = Rest::of(body);
    let mut response = next.run(Request::from_parts(head, Body::new(rest.clone()))).await;
    let is_cleared = match response.status() {
        // The handler has waited for it already.
        StatusCode::REQUEST_TIMEOUT => false,
        // Who waits to be told to go on (RFC 9110 section 10.1.1) need not send it at all.
        _ if is_withheld && !rest.is_begun() => false,
        _ => timeout(PATIENCE, rest.discard()).await.unwrap_or(false),
    };
    if !is_cleared {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A body that outlives its reader.
#[derive(Clone)]
struct Rest(Arc<Mutex<Remaining>>);

struct Remaining {
    body: Body,
    is_begun: bool,
    is_ended: bool,
}

impl Rest {
    fn of(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Remaining {
            body,
            is_begun: false,
            is_ended: false,
        })))
    }

    fn remaining(&self) -> MutexGuard<'_, Remaining> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_begun(&self) -> bool {
        self.remaining().is_begun
    }

    /// Reads to the end; false when that is too far away or the body breaks off.
    async fn discard(mut self) -> bool {
        let mut read = 0;
        while read + self.size_hint().lower() <= MOST {
            match self.frame().await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
            }
        }
        false
    }
}

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut remaining = self.remaining();
        remaining.is_begun = true;
        if remaining.is_ended {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut remaining.body).poll_frame(context);
        remaining.is_ended = matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        let remaining = self.remaining();
        remaining.is_ended || remaining.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining().body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn chunks(count: usize) -> Body {
        let chunk = || Ok::<_, std::io::Error>(Bytes::from(vec![0; 1 << 20]));
        Body::from_stream(stream::iter((0..count).map(move |_| chunk())))
    }

    #[tokio::test]
    async fn what_is_near_its_end_is_read_to_it() {
        assert!(Rest::of(chunks(4)).discard().await);
        assert!(!Rest::of(chunks(5)).discard().await);
        assert!(!Rest::of(Body::from(vec![0; (4 << 20) + 1])).discard().await);
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(std::io::Error::other("gone"))]);
        assert!(!Rest::of(Body::from_stream(broken)).discard().await);
    }

    #[tokio::test]
    async fn what_its_reader_left_is_all_that_is_left() {
        let rest = Rest::of(chunks(2));
        let mut reader = Body::new(rest.clone());
        assert!(!rest.is_begun());
        reader.frame().await.expect("a frame").expect("whole");
        drop(reader);
        assert!(rest.is_begun() && !rest.is_end_stream());
        assert!(rest.clone().discard().await);
        assert!(rest.is_end_stream());
        assert!(rest.discard().await, "the end stays the end");
    }
}
