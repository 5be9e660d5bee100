//! The way of a query: checked, planned, and its result streamed batch by batch.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SQLOptions;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::parser::ParserError;
use futures::{Stream, StreamExt};
use rescind_domain::{Action, DatabaseView, Permit};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::catalogs::DatabaseTables;
use crate::columns::PlainColumns;
use crate::complexity::{Complexity, check_statement, check_text};
use crate::engine::{Engine, Inner};
use crate::errors::{Error, QueryError};
use crate::functions::TooMuch;
use crate::runs::{Ending, Output, Run, runtime};
use crate::scans::TableScan;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::turns::Turns;

/// Batches that wait for the client; more would only take memory.
const BATCHES_AHEAD: usize = 2;
/// When to try again after [`QueryError::TooManyQueries`].
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Longer messages of the planner are cut.
const MESSAGE_BYTES: usize = 4_096;

/// What a client asks.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// One SQL statement.
    pub sql: String,
    /// Values of `$name` placeholders; others than those in the text are ignored.
    pub params: BTreeMap<String, Param>,
}

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond [`i64::MAX`].
    UInteger(u64),
    /// A number.
    Float(f64),
    /// A text.
    String(String),
}

/// A result that comes batch by batch. Tags and texts are `Utf8`, `time` is `Timestamp(ns)` without zone.
#[derive(Debug)]
pub struct QueryResult {
    schema: SchemaRef,
    batches: mpsc::Receiver<RecordBatch>,
    /// How the run ended, when it has.
    ending: oneshot::Receiver<Ending>,
    is_ended: bool,
    permit: Permit,
    is_done: bool,
}

/// What queries run on.
pub(crate) struct Queries {
    sessions: Sessions,
    turns: Turns,
    /// Of work that no client asked for.
    runtime: Option<Runtime>,
    queue_timeout: Duration,
}

impl Engine {
    /// Plans a query and starts it.
    ///
    /// # Errors
    /// See [`QueryError`]. What goes wrong later comes as the last item of the result.
    pub async fn query(
        &self,
        permit: &Permit,
        view: Arc<DatabaseView>,
        query: Query,
    ) -> Result<QueryResult, QueryError> {
        if permit.action() != Action::Read || *permit.database() != view.name {
            return Err(QueryError::Misdirected);
        }
        let inner = self.inner();
        inner.counters.queries.fetch_add(1, Ordering::Relaxed);
        let result = inner.query(permit, view, query).await;
        if result.is_err() {
            inner.counters.queries_failed.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

impl Inner {
    async fn query(
        self: &Arc<Self>,
        permit: &Permit,
        view: Arc<DatabaseView>,
        query: Query,
    ) -> Result<QueryResult, QueryError> {
        let max = self.settings.max_query_bytes;
        if query.sql.len() > max {
            return Err(QueryError::Invalid(format!(
                "a query may have at most {max} bytes"
            )));
        }
        let turn = timeout(self.queries.queue_timeout, self.queries.turns.take(view.id)).await;
        let Ok(Some(turn)) = turn else {
            return Err(QueryError::TooManyQueries {
                retry_after: RETRY_AFTER,
            });
        };
        if permit.is_cut() {
            return Err(QueryError::Cut);
        }
        let (schema, planned) = oneshot::channel();
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let (ending, mut ended) = oneshot::channel();
        let output = Output {
            schema,
            batches: sender,
        };
        let run = Run {
            inner: Arc::clone(self),
            turn,
            permit: permit.clone(),
            view,
            query,
            output,
            ending,
        };
        run.start()?;
        let schema = tokio::select! {
            biased;
            Ok(schema) = planned => schema,
            ended = &mut ended => return Err(ended.ok().and_then(Result::err).unwrap_or_else(broken_off)),
        };
        Ok(QueryResult {
            schema,
            batches,
            ending: ended,
            is_ended: false,
            permit: permit.clone(),
            is_done: false,
        })
    }
}

impl Queries {
    pub(crate) fn start(settings: &Settings) -> Result<Self, Error> {
        let runtime = runtime(settings.query_threads, "rescind-merge")
            .map_err(|error| Error::Stopped(format!("cannot start threads for queries: {error}")))?;
        Ok(Self {
            sessions: Sessions::new(settings).map_err(Error::data("prepare to query"))?,
            turns: Turns::new(settings.max_queries),
            runtime: Some(runtime),
            queue_timeout: settings.query_queue_timeout,
        })
    }

    pub(crate) async fn start_query(
        &self,
        tables: Arc<DatabaseTables>,
        now: i64,
        query: Query,
    ) -> Result<(SendableRecordBatchStream, PlainColumns), QueryError> {
        let (statement, complexity) = parse(self.sessions.internal(), &query.sql)?;
        let state = self.sessions.of(tables, now, complexity);
        let plan = logical_plan(&state, statement, query).await?;
        let plan = state
            .create_physical_plan(&plan)
            .await
            .map_err(|error| plan_error(&error))?;
        let columns = PlainColumns::new(&plan.schema());
        let stream = execute_stream(plan, self.sessions.task(&state)).map_err(|error| run_error(&error))?;
        Ok((stream, columns))
    }

    /// Gives every point of some files to `take`, sorted and merged. Blocks.
    pub(crate) fn for_each_batch(
        &self,
        scan: &TableScan,
        mut take: impl FnMut(RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let state = self.sessions.internal();
        let task = self.sessions.task(state);
        let runtime = self
            .runtime
            .as_ref()
            .ok_or_else(|| Error::Stopped("closed".to_owned()))?;
        let plan = scan.sorted(state).map_err(Error::data("plan merging"))?;
        runtime.block_on(async {
            let mut stream = execute_stream(plan, task).map_err(Error::data("merge"))?;
            while let Some(batch) = stream.next().await {
                take(batch.map_err(Error::data("merge"))?)?;
            }
            Ok(())
        })
    }
}

impl Drop for Queries {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed on threads that run futures, and this may be one.
            runtime.shutdown_background();
        }
    }
}

impl QueryResult {
    /// The columns of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Stream for QueryResult {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let next = self.poll_batch(context);
        // Asked last thing before data goes out (promise G2).
        let item = match std::task::ready!(next) {
            _ if self.permit.is_cut() => Some(Err(QueryError::Cut)),
            Ok(Some(batch)) => return Poll::Ready(Some(Ok(batch))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        };
        self.is_done = true;
        self.batches.close();
        Poll::Ready(item)
    }
}

impl QueryResult {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>, QueryError>> {
        // A run that fails or is stopped may keep its batches open for a while.
        if !self.is_ended
            && let Poll::Ready(ending) = Pin::new(&mut self.ending).poll(context)
        {
            ending.unwrap_or_else(|_| Err(broken_off()))?;
            self.is_ended = true;
        }
        match self.batches.poll_recv(context) {
            Poll::Ready(None) if !self.is_ended => Poll::Pending,
            batch => batch.map(Ok),
        }
    }
}

/// Reads the text as one statement, and measures it.
fn parse(state: &SessionState, sql: &str) -> Result<(Statement, Complexity), QueryError> {
    check_text(sql)?;
    let dialect = state.config().options().sql_parser.dialect;
    let statement = state
        .sql_to_statement(sql, &dialect)
        .map_err(|error| QueryError::Invalid(message(&error)))?;
    let complexity = check_statement(&statement)?;
    Ok((statement, complexity))
}

/// Plans a statement that reads.
async fn logical_plan(
    state: &SessionState,
    statement: Statement,
    query: Query,
) -> Result<LogicalPlan, QueryError> {
    let refuse = |what: &str| QueryError::NotImplemented(format!("{what} is not offered; queries only read"));
    match &statement {
        Statement::CopyTo(_) => return Err(refuse("COPY")),
        Statement::CreateExternalTable(_) => return Err(refuse("CREATE EXTERNAL TABLE")),
        _ => {}
    }
    let plan = state
        .statement_to_plan(statement)
        .await
        .map_err(|error| plan_error(&error))?;
    if let Some(what) = forbidden(&plan) {
        return Err(refuse(&what));
    }
    if !query.sql.contains('$') {
        return Ok(plan);
    }
    let params: HashMap<String, ScalarValue> = query
        .params
        .into_iter()
        .map(|(name, param)| (name, param.into()))
        .collect();
    plan.with_param_values(params).map_err(|error| plan_error(&error))
}

/// What a plan does besides reading.
fn forbidden(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Ddl(ddl) => Some(ddl.name().to_owned()),
        LogicalPlan::Dml(dml) => Some(dml.op.to_string()),
        LogicalPlan::Copy(_) => Some("COPY".to_owned()),
        LogicalPlan::Statement(statement) => Some(statement.name().to_owned()),
        // The same inside EXPLAIN and subqueries.
        other => {
            let options = SQLOptions::new()
                .with_allow_ddl(false)
                .with_allow_dml(false)
                .with_allow_statements(false);
            options.verify_plan(other).err().map(|error| message(&error))
        }
    }
}

impl From<Param> for ScalarValue {
    fn from(param: Param) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Boolean(value) => Self::Boolean(Some(value)),
            Param::Integer(value) => Self::Int64(Some(value)),
            Param::UInteger(value) => Self::UInt64(Some(value)),
            Param::Float(value) => Self::Float64(Some(value)),
            Param::String(value) => Self::Utf8(Some(value)),
        }
    }
}

pub(crate) fn broken_off() -> QueryError {
    QueryError::Internal("the query broke off".to_owned())
}

fn plan_error(error: &DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::NotImplemented(_) => QueryError::NotImplemented(message(error)),
        DataFusionError::ResourcesExhausted(_) => out_of_memory(),
        DataFusionError::External(external) if external.is::<TooMuch>() => {
            QueryError::OutOfMemory(external.to_string())
        }
        DataFusionError::ArrowError(arrow, _) => match &**arrow {
            // What the system did not say, the limit of spilled data did.
            ArrowError::IoError(_, io) if io.raw_os_error().is_none() => out_of_memory(),
            ArrowError::IoError(..) => QueryError::Internal(message(error)),
            _ => QueryError::Invalid(message(error)),
        },
        DataFusionError::Internal(_)
        | DataFusionError::External(_)
        | DataFusionError::IoError(_)
        | DataFusionError::ParquetError(_)
        | DataFusionError::ObjectStore(_) => QueryError::Internal(message(error)),
        _ => QueryError::Invalid(message(error)),
    }
}

/// What the library advises instead, nobody can set.
fn out_of_memory() -> QueryError {
    QueryError::OutOfMemory("raise --query-memory-bytes or narrow the query".to_owned())
}

pub(crate) fn run_error(error: &DataFusionError) -> QueryError {
    match plan_error(error) {
        QueryError::Invalid(message) | QueryError::NotImplemented(message) => QueryError::Failed(message),
        other => other,
    }
}

fn message(error: &DataFusionError) -> String {
    let mut text = match error.find_root() {
        DataFusionError::SQL(error, _) => match &**error {
            ParserError::TokenizerError(what) | ParserError::ParserError(what) => {
                format!("SQL error: {what}")
            }
            ParserError::RecursionLimitExceeded => {
                "the query is too complex: too many parentheses or sub-selects in one another".to_owned()
            }
        },
        _ => error.strip_backtrace(),
    };
    let end = text.floor_char_boundary(MESSAGE_BYTES);
    text.truncate(end);
    text
}
