//! Answers under way: passed on until they end, fail, or their token is cut (promise G2).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use rescind_authority::Admission;
use tokio::task::AbortHandle;

use crate::UpstreamError;
use crate::gateway::Gateway;
use crate::meters::Ending;

/// Why a body ended before its end. HTTP has no word for it after the first byte: the connection is cut off, so that no
/// client takes the part for the whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the token was cut while its query ran")]
    Cut,
    #[error(transparent)]
    Failed(UpstreamError),
}

/// A query's answer, tied to its token. The work behind it is dropped at the moment of the cut, even while the client
/// is not reading.
pub(crate) struct TetheredBody {
    first: Option<Bytes>,
    rest: Arc<Mutex<Rest>>,
    watch: AbortHandle,
}

struct Rest {
    /// `None` once the token was cut.
    work: Option<Work>,
    reader: Option<Waker>,
}

/// What ends with the token. The admission is part of it: a revoke waits until none is left, and a body whose client
/// does not read is neither polled nor dropped.
struct Work {
    stream: BoxStream<'static, Result<Bytes, UpstreamError>>,
    log: QueryLog,
    /// Dropped last: once a revoke returns, the work is over and counted.
    admission: Admission,
}

impl Work {
    fn cut(mut self) {
        self.log.ending = Ending::Cut;
    }
}

impl TetheredBody {
    pub(crate) fn new(
        first: Bytes,
        stream: BoxStream<'static, Result<Bytes, UpstreamError>>,
        admission: Admission,
        log: QueryLog,
    ) -> Self {
        let watched = admission.clone();
        let rest = Arc::new(Mutex::new(Rest {
            work: Some(Work {
                stream,
                admission,
                log,
            }),
            reader: None,
        }));
        let watch = tokio::spawn(watch(watched, Arc::clone(&rest))).abort_handle();
        Self {
            first: Some(first),
            rest,
            watch,
        }
    }
}

async fn watch(admission: Admission, rest: Arc<Mutex<Rest>>) {
    admission.cut().await;
    drop(admission);
    let (work, reader) = {
        let mut rest = rest.lock();
        (rest.work.take(), rest.reader.take())
    };
    if let Some(work) = work {
        work.cut();
    }
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl Stream for TetheredBody {
    type Item = Result<Bytes, Ended>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut rest = this.rest.lock();
        let rest = &mut *rest;
        let Some(work) = &mut rest.work else {
            return Poll::Ready(Some(Err(Ended::Cut)));
        };
        let next = if work.admission.permit().is_cut() {
            Poll::Ready(Some(Err(UpstreamError::Cut)))
        } else if let Some(first) = this.first.take() {
            Poll::Ready(Some(Ok(first)))
        } else {
            work.stream.as_mut().poll_next(context)
        };
        match next {
            Poll::Pending => {
                rest.reader = Some(context.waker().clone());
                Poll::Pending
            }
            Poll::Ready(None) => {
                work.log.ending = Ending::Answered;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(Ok(chunk))),
            Poll::Ready(Some(Err(UpstreamError::Cut))) => {
                if let Some(work) = rest.work.take() {
                    work.cut();
                }
                Poll::Ready(Some(Err(Ended::Cut)))
            }
            Poll::Ready(Some(Err(error))) => {
                work.log.ending = Ending::Failed;
                tracing::warn!(error = error.causes(), "a query failed after its first byte");
                Poll::Ready(Some(Err(Ended::Failed(error))))
            }
        }
    }
}

impl Drop for TetheredBody {
    fn drop(&mut self) {
        self.watch.abort();
        // The aborted task may hold its share for a moment longer.
        let work = self.rest.lock().work.take();
        drop(work);
    }
}

/// Counts a query when it is over, however that comes about.
pub(crate) struct QueryLog {
    gateway: Gateway,
    began: Instant,
    pub(crate) ending: Ending,
}

impl QueryLog {
    pub(crate) fn start(gateway: &Gateway) -> Self {
        Self {
            gateway: gateway.clone(),
            began: Instant::now(),
            ending: Ending::Abandoned,
        }
    }
}

impl Drop for QueryLog {
    fn drop(&mut self) {
        self.gateway.meters().note_query(self.ending, self.began);
    }
}
