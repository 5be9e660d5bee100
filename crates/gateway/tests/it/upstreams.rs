//! An upstream that records what reaches it and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use rescind_authority::Admission;
use rescind_domain::DatabaseView;
use rescind_gateway::{Answer, SqlRequest, Upstream, UpstreamError, WriteRequest};
use tokio::sync::{Semaphore, mpsc};

pub(crate) type Chunk = Result<Bytes, UpstreamError>;

/// Answers with what was queued; with success when nothing was.
pub(crate) struct Script {
    calls: Mutex<Vec<String>>,
    writes: Mutex<VecDeque<UpstreamError>>,
    queries: Mutex<VecDeque<Query>>,
    /// Writes wait here: none of them, unless a test takes all the permits away.
    pub(crate) gate: Semaphore,
    pub(crate) waiting: Semaphore,
}

/// What becomes of a query.
enum Query {
    Answered(mpsc::Receiver<Chunk>),
    /// Holds the receiver for ever, before any answer.
    Planned(mpsc::Receiver<Chunk>),
    Failed(UpstreamError),
}

pub(crate) const WIDE_OPEN: u32 = 1_000;

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            writes: Mutex::default(),
            queries: Mutex::default(),
            gate: Semaphore::new(WIDE_OPEN as usize),
            waiting: Semaphore::new(0),
        })
    }

    /// What reached the upstream since the last call.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().expect("unpoisoned"))
    }

    pub(crate) fn fail_write(&self, error: UpstreamError) {
        self.writes.lock().expect("unpoisoned").push_back(error);
    }

    pub(crate) fn fail_query(&self, error: UpstreamError) {
        self.queries
            .lock()
            .expect("unpoisoned")
            .push_back(Query::Failed(error));
    }

    /// The next query's answer is what the test sends; `closed()` tells that nobody wants it any more.
    pub(crate) fn answer(&self) -> mpsc::Sender<Chunk> {
        let (sender, receiver) = mpsc::channel(8);
        self.queries
            .lock()
            .expect("unpoisoned")
            .push_back(Query::Answered(receiver));
        sender
    }

    /// The next query is planned without end; `closed()` tells that nobody waits for it any more.
    pub(crate) fn plan(&self) -> mpsc::Sender<Chunk> {
        let (sender, receiver) = mpsc::channel(1);
        self.queries
            .lock()
            .expect("unpoisoned")
            .push_back(Query::Planned(receiver));
        sender
    }

    /// Waits until something has reached the upstream since the last call of [`Self::calls`].
    pub(crate) async fn called(&self) {
        while self.calls.lock().expect("unpoisoned").is_empty() {
            tokio::task::yield_now().await;
        }
    }

    fn note(&self, call: String) {
        self.calls.lock().expect("unpoisoned").push(call);
    }
}

#[async_trait]
impl Upstream for Script {
    async fn write(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: WriteRequest,
    ) -> Result<(), UpstreamError> {
        assert_eq!(admission.permit().database(), &database.name);
        let WriteRequest {
            lines,
            precision,
            accept_partial,
        } = request;
        let lines = match std::str::from_utf8(&lines) {
            Ok(text) if text.len() < 100 => format!("{text:?}"),
            _ => format!("{} bytes", lines.len()),
        };
        let whole = if accept_partial { "" } else { " or nothing" };
        self.note(format!("write {} {precision:?} {lines}{whole}", database.name));
        self.waiting.add_permits(1);
        let _passage = self.gate.acquire().await.expect("open");
        match self.writes.lock().expect("unpoisoned").pop_front() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    async fn query_sql(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: SqlRequest,
    ) -> Result<Answer, UpstreamError> {
        assert_eq!(admission.permit().database(), &database.name);
        let SqlRequest { sql, params, format } = request;
        self.note(format!("query {} {sql:?} {params:?} {format:?}", database.name));
        let next = self.queries.lock().expect("unpoisoned").pop_front();
        let body = match next {
            Some(Query::Answered(receiver)) => futures::stream::unfold(receiver, |mut receiver| async move {
                Some((receiver.recv().await?, receiver))
            })
            .boxed(),
            Some(Query::Planned(_receiver)) => futures::future::pending().await,
            Some(Query::Failed(error)) => return Err(error),
            None => futures::stream::iter([Ok(Bytes::from_static(b"[]"))]).boxed(),
        };
        Ok(Answer {
            content_type: format.content_type(),
            body,
        })
    }
}
