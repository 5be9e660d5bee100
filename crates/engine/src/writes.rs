//! The way of a write: checked, parsed, its tables and columns made, committed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rescind_domain::{Action, DatabaseView, Permit, TableName};

use crate::budget::Share;
use crate::committer::{CommitError, Effect};
use crate::engine::{Engine, Inner};
use crate::errors::WriteError;
use crate::points::{Points, Rules, parse};
use crate::precision::Precision;
use crate::records::{Record, WriteRecord};
use crate::tables::{Arrival, Table};

/// Bodies up to this many bytes are parsed at once; longer ones on a thread of their own.
const INLINE_BYTES: usize = 32 << 10;
/// When to try again after [`WriteError::Overloaded`].
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a client writes.
#[derive(Debug, Clone)]
pub struct Write {
    /// Line protocol.
    pub lines: Bytes,
    /// The unit of its timestamps.
    pub precision: Precision,
    /// Whether good lines are stored when others are bad.
    pub accept_partial: bool,
}

/// A write that was stored as a whole, durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How many points.
    pub lines: usize,
    /// How many bytes of line protocol.
    pub bytes: usize,
}

/// Makes the tables that a write needs: the catalog's side of it.
#[async_trait]
pub trait TableMaker: Send + Sync {
    /// Makes the tables of these names, as far as they do not exist, and returns the database with all of them.
    async fn make_tables(
        &self,
        permit: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, TableMakerError>;
}

/// Why tables were not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TableMakerError {
    /// The database may not have so many.
    #[error("the database may have at most {max} tables")]
    TooMany {
        /// The limit.
        max: i32,
    },
    /// The permission was taken away, or the database was deleted, in the meantime.
    #[error("the permission to write was taken away")]
    Cut,
    /// The catalog cannot be asked now.
    #[error("{0}")]
    Unavailable(String),
}

impl Engine {
    /// Stores line protocol. When it returns `Ok`, every line is on disk and visible to queries.
    ///
    /// # Errors
    /// See [`WriteError`]; with `accept_partial`, [`WriteError::Rejected`] says how many good lines were stored.
    pub async fn write(
        &self,
        permit: &Permit,
        view: Arc<DatabaseView>,
        write: Write,
        maker: &dyn TableMaker,
    ) -> Result<Written, WriteError> {
        if permit.action() != Action::Write || *permit.database() != view.name {
            return Err(WriteError::Misdirected);
        }
        let result = self.inner().write(permit, view, write, maker).await;
        let counters = &self.inner().counters;
        match &result {
            Ok(written) => counters
                .lines_written
                .fetch_add(written.lines as u64, Ordering::Relaxed),
            Err(WriteError::Rejected(errors) | WriteError::Retention(errors)) => {
                counters
                    .lines_written
                    .fetch_add(errors.stored_lines as u64, Ordering::Relaxed);
                counters
                    .lines_rejected
                    .fetch_add(errors.total as u64, Ordering::Relaxed)
            }
            Err(_) => counters.writes_refused.fetch_add(1, Ordering::Relaxed),
        };
        result
    }
}

impl Inner {
    async fn write(
        self: &Arc<Self>,
        permit: &Permit,
        view: Arc<DatabaseView>,
        write: Write,
        maker: &dyn TableMaker,
    ) -> Result<Written, WriteError> {
        let bytes = write.lines.len();
        let max = self.settings.max_write_bytes;
        if bytes > max {
            return Err(WriteError::TooLarge { max, got: bytes });
        }
        // Held until the write is in the buffer, which then counts it.
        let share = self.take_share(bytes)?;
        let now = self.clock.now().nanos();
        let mut rules = Rules {
            horizon: view.limits.retention.horizon(now),
            view,
            precision: write.precision,
            now,
            max_line_bytes: self.settings.max_line_bytes,
            hasher: self.hasher.clone(),
        };
        // Each further turn follows from tables or columns that others added meanwhile, and those are bounded.
        loop {
            let points = self.parse(&write.lines, &rules).await?;
            let points = check(points, write.accept_partial)?;
            let missing: Vec<TableName> = points
                .tables
                .iter()
                .filter(|table| table.id.is_none())
                .map(|table| table.name.clone())
                .collect();
            if permit.is_cut() {
                return Err(WriteError::Cut);
            }
            if !missing.is_empty() {
                rules.view = maker.make_tables(permit, missing).await.map_err(maker_error)?;
            }
            if let Some(tables) = self.claim(&points, &rules)? {
                return self.commit_points(permit, points, tables, &rules, share).await;
            }
        }
    }

    fn take_share(&self, bytes: usize) -> Result<Share, WriteError> {
        self.budget.take(bytes).ok_or_else(|| {
            self.maintenance.wake();
            WriteError::Overloaded {
                retry_after: RETRY_AFTER,
            }
        })
    }

    async fn parse(self: &Arc<Self>, lines: &Bytes, rules: &Rules) -> Result<Points, WriteError> {
        if lines.len() <= INLINE_BYTES {
            return Ok(parse(lines, rules, &*self.tables));
        }
        let turn = self.parsers.acquire().await;
        let (inner, lines, rules) = (Arc::clone(self), lines.clone(), rules.clone());
        let parsed = tokio::task::spawn_blocking(move || parse(&lines, &rules, &*inner.tables)).await;
        drop(turn);
        parsed.map_err(|error| WriteError::Unavailable(error.to_string()))
    }

    /// Finds the table of each set of points and adds its columns; `None` when the points must be checked again,
    /// because the table is not what they were checked against.
    fn claim(&self, points: &Points, rules: &Rules) -> Result<Option<Vec<Arc<Table>>>, WriteError> {
        let mut tables = Vec::with_capacity(points.tables.len());
        for points in &points.tables {
            let name = &points.name;
            let gone = |what| WriteError::Unavailable(format!("table '{name}' {what}"));
            let view = rules.view.tables.get(name).ok_or_else(|| gone("was not made"))?;
            if view.max_columns != points.max_columns || points.id.is_some_and(|id| id != view.id) {
                return Ok(None);
            }
            let table = self
                .tables
                .get_or_add(rules.view.id, view.id)
                .ok_or_else(|| gone("is being deleted"))?;
            if !table.try_extend(&points.base, &points.added) {
                return Ok(None);
            }
            tables.push(table);
        }
        Ok(Some(tables))
    }

    async fn commit_points(
        self: &Arc<Self>,
        permit: &Permit,
        points: Points,
        tables: Vec<Arc<Table>>,
        rules: &Rules,
        share: Share,
    ) -> Result<Written, WriteError> {
        let mut named = Vec::with_capacity(tables.len());
        let mut arrivals = Vec::with_capacity(tables.len());
        for (points, table) in points.tables.into_iter().zip(tables) {
            named.extend(points.names.iter().map(|name| (name.as_str().into(), table.id)));
            let arrival =
                Arrival::new(points.rows).map_err(|error| WriteError::Unavailable(error.to_string()))?;
            arrivals.push((table, arrival));
        }
        let bytes = points.accepted.len();
        let record = Record::Write(WriteRecord {
            database: rules.view.id,
            precision: rules.precision,
            now: rules.now,
            tables: named,
            lines: points.accepted,
        });
        let effect = Effect::Write {
            permit: permit.clone(),
            arrivals,
            share,
        };
        let answer = self.committer.commit(Some(&record), effect).await;
        match answer {
            Ok(Ok(_)) => {}
            Ok(Err(CommitError::Cut)) => return Err(WriteError::Cut),
            Ok(Err(CommitError::TooLarge { max, got })) => return Err(WriteError::TooLarge { max, got }),
            Ok(Err(CommitError::Failed(why))) => return Err(WriteError::Unavailable(why)),
            Err(_) => return Err(WriteError::Unavailable("the engine is closed".to_owned())),
        }
        self.wake_when_full();
        let mut errors = points.errors;
        if errors.total > 0 {
            errors.stored_lines = points.lines;
            return Err(WriteError::Rejected(errors));
        }
        Ok(Written {
            lines: points.lines,
            bytes,
        })
    }

    pub(crate) fn wake_when_full(&self) {
        if self.tables.buffered.load(Ordering::Relaxed) > self.settings.buffer_bytes {
            self.maintenance.wake();
        }
    }
}

/// Decides whether parsed points go on.
fn check(points: Points, accept_partial: bool) -> Result<Points, WriteError> {
    let rejected = points.errors.total;
    if rejected > 0 && points.lines == 0 && points.too_old == rejected {
        return Err(WriteError::Retention(points.errors));
    }
    if rejected > 0 && (points.lines == 0 || !accept_partial) {
        return Err(WriteError::Rejected(points.errors));
    }
    if points.lines == 0 {
        return Err(WriteError::Empty);
    }
    Ok(points)
}

fn maker_error(error: TableMakerError) -> WriteError {
    match error {
        TableMakerError::TooMany { max } => WriteError::TooManyTables { max },
        TableMakerError::Cut => WriteError::Cut,
        TableMakerError::Unavailable(why) => WriteError::Unavailable(why),
    }
}
