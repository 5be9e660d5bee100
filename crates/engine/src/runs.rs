//! The run of one query, on threads of its own: whatever it does to them, others go on. They have large stacks,
//! because DataFusion plans and runs by recursion.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use rescind_domain::{DatabaseView, Permit};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{interval, timeout};

use crate::catalogs::DatabaseTables;
use crate::columns::PlainColumns;
use crate::engine::Inner;
use crate::errors::QueryError;
use crate::queries::{Query, broken_off, run_error};
use crate::turns::Turn;

/// Of each thread that plans and runs. Only what is touched takes memory.
const STACK_BYTES: usize = 256 << 20;
/// How often a running query asks whether it still may.
const CUT_INTERVAL: Duration = Duration::from_millis(50);

/// How a run ended.
pub(crate) type Ending = Result<(), QueryError>;

/// A query that has its turn.
pub(crate) struct Run {
    pub(crate) inner: Arc<Inner>,
    pub(crate) turn: Turn,
    pub(crate) permit: Permit,
    pub(crate) view: Arc<DatabaseView>,
    pub(crate) query: Query,
    pub(crate) output: Output,
    pub(crate) ending: oneshot::Sender<Ending>,
}

/// Where the result goes.
pub(crate) struct Output {
    /// Given once, when the query is planned.
    pub(crate) schema: oneshot::Sender<SchemaRef>,
    pub(crate) batches: mpsc::Sender<RecordBatch>,
}

impl Run {
    /// Returns at once.
    pub(crate) fn start(self) -> Result<(), QueryError> {
        let thread = std::thread::Builder::new().name("rescind-query".to_owned());
        match thread.spawn(move || self.run()) {
            Ok(_) => Ok(()),
            Err(error) => Err(no_threads(&error)),
        }
    }

    fn run(self) {
        let Self {
            inner,
            turn,
            permit,
            view,
            query,
            output,
            ending,
        } = self;
        let runtime = match runtime(inner.settings.query_threads, "rescind-query") {
            Ok(runtime) => runtime,
            Err(error) => return drop(ending.send(Err(no_threads(&error)))),
        };
        let now = inner.clock.now().nanos();
        // Kept to the end: it holds the files that the query reads.
        let tables = Arc::new(DatabaseTables::new(view, Arc::clone(&inner.tables), now));
        let client = output.batches.clone();
        let answer = {
            let (inner, tables) = (Arc::clone(&inner), Arc::clone(&tables));
            runtime.spawn(async move { inner.answer(tables, now, query, output).await })
        };
        let limit = inner.settings.query_timeout;
        let ended = runtime.block_on(supervised(answer, &permit, client, limit));
        if ended.is_err() {
            inner.counters.queries_failed.fetch_add(1, Ordering::Relaxed);
        }
        // Drops what still runs, and waits for code that is in the middle of something: it keeps its turn. Who asked
        // for what cannot be had need not wait for that.
        let late = match ended {
            Ok(()) => Some(ending),
            Err(error) => {
                let _ = ending.send(Err(error));
                None
            }
        };
        drop(runtime);
        drop(tables);
        drop(inner);
        drop(turn);
        if let Some(ending) = late {
            // Whoever asked may have gone away.
            let _ = ending.send(Ok(()));
        }
    }
}

/// Threads to plan and run on.
pub(crate) fn runtime(threads: usize, name: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .thread_name(name)
        .thread_stack_size(STACK_BYTES)
        .enable_time()
        .build()
}

/// Waits for the first that ends a query: its end, a cut, a client that goes away, time.
async fn supervised(
    mut answer: JoinHandle<Ending>,
    permit: &Permit,
    client: mpsc::Sender<RecordBatch>,
    limit: Duration,
) -> Ending {
    let watched = async {
        let mut asks = interval(CUT_INTERVAL);
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => return answered.unwrap_or_else(|error| Err(panicked(&error))),
                _ = asks.tick() => {
                    if permit.is_cut() {
                        return Err(QueryError::Cut);
                    }
                }
                () = client.closed() => return Ok(()),
            }
        }
    };
    timeout(limit, watched)
        .await
        .unwrap_or(Err(QueryError::TimedOut { limit }))
}

impl Inner {
    async fn answer(&self, tables: Arc<DatabaseTables>, now: i64, query: Query, output: Output) -> Ending {
        let (stream, columns) = self.queries.start_query(tables, now, query).await?;
        // Whoever asked may have gone away.
        let _ = output.schema.send(columns.schema());
        forward(stream, &columns, &output.batches).await
    }
}

async fn forward(
    mut stream: SendableRecordBatchStream,
    columns: &PlainColumns,
    batches: &mpsc::Sender<RecordBatch>,
) -> Ending {
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| run_error(&error))?;
        if batch.num_rows() == 0 {
            continue;
        }
        let batch = columns
            .convert(&batch)
            .map_err(|error| QueryError::Internal(error.to_string()))?;
        if batches.send(batch).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// A bug that this query met. The panic itself is logged where it happens.
fn panicked(error: &JoinError) -> QueryError {
    if error.is_panic() {
        QueryError::Failed(
            "the query was given up: it met a value that cannot be computed; ask it in another way"
                .to_owned(),
        )
    } else {
        broken_off()
    }
}

fn no_threads(error: &std::io::Error) -> QueryError {
    QueryError::Internal(format!("cannot start threads for a query: {error}"))
}
