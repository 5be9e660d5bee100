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
    admission: Admission,
    watch: AbortHandle,
    log: QueryLog,
}

struct Rest {
    /// `None` once the token was cut.
    stream: Option<BoxStream<'static, Result<Bytes, UpstreamError>>>,
    reader: Option<Waker>,
}

impl TetheredBody {
    pub(crate) fn new(
        first: Bytes,
        rest: BoxStream<'static, Result<Bytes, UpstreamError>>,
        admission: Admission,
        log: QueryLog,
    ) -> Self {
        let rest = Arc::new(Mutex::new(Rest {
            stream: Some(rest),
            reader: None,
        }));
        let watch = tokio::spawn(watch(admission.clone(), Arc::clone(&rest))).abort_handle();
        Self {
            first: Some(first),
            rest,
            admission,
            watch,
            log,
        }
    }

    fn cut(&mut self) -> Ended {
        self.rest.lock().stream = None;
        self.log.ending = Ending::Cut;
        Ended::Cut
    }
}

async fn watch(admission: Admission, rest: Arc<Mutex<Rest>>) {
    admission.cut().await;
    let (stream, reader) = {
        let mut rest = rest.lock();
        (rest.stream.take(), rest.reader.take())
    };
    drop(stream);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl Stream for TetheredBody {
    type Item = Result<Bytes, Ended>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.admission.permit().is_cut() {
            return Poll::Ready(Some(Err(this.cut())));
        }
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let mut rest = this.rest.lock();
        let Some(stream) = &mut rest.stream else {
            drop(rest);
            return Poll::Ready(Some(Err(this.cut())));
        };
        match stream.as_mut().poll_next(context) {
            Poll::Pending => {
                rest.reader = Some(context.waker().clone());
                Poll::Pending
            }
            Poll::Ready(None) => {
                this.log.ending = Ending::Answered;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(Ok(chunk))),
            Poll::Ready(Some(Err(UpstreamError::Cut))) => {
                drop(rest);
                Poll::Ready(Some(Err(this.cut())))
            }
            Poll::Ready(Some(Err(error))) => {
                this.log.ending = Ending::Failed;
                tracing::warn!(error = error.causes(), "a query failed after its first byte");
                Poll::Ready(Some(Err(Ended::Failed(error))))
            }
        }
    }
}

impl Drop for TetheredBody {
    fn drop(&mut self) {
        self.watch.abort();
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
