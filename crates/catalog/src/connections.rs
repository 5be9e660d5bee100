//! Connections: an answer of the backend is waited for so long and no longer, because a network that swallows packets
//! says nothing. A connection that did not answer is never used again.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use sqlx::any::{AnyConnectOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Either, Execute, Executor, SqlStr};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::seam::Backend;

/// What runs statements, in a transaction or not.
#[derive(Debug)]
pub(crate) struct Connection {
    link: Link,
    /// How long the backend may be silent.
    patience: Duration,
}

#[derive(Debug)]
enum Link {
    Pooled(PoolConnection<Any>),
    Transaction(sqlx::Transaction<'static, Any>),
    Line(Held),
}

/// The connection of a line, until it is given back.
#[derive(Debug)]
struct Held {
    /// Taken when it is given back.
    connection: Option<AnyConnection>,
    slot: OwnedMutexGuard<Option<AnyConnection>>,
    /// Whether the last statement was answered to its end.
    is_whole: bool,
    /// Whether it holds a transaction that has not ended.
    is_open: bool,
}

/// A connection that somebody has for now. Dropping it undoes what was not committed.
#[derive(Debug)]
pub(crate) struct Lent(Connection);

/// The connections of a pool.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) inner: AnyPool,
    pub(crate) patience: Duration,
}

/// One connection for statements that must not queue behind others. It costs a statement one round trip; a pool adds two,
/// to see whether the connection is well.
#[derive(Clone)]
pub(crate) enum Line {
    /// As another pool does it: a SQLite file is always there.
    Shared(Pool),
    /// Dialled when it is needed, and anew when it failed.
    Own(Arc<Dialled>),
}

/// Creating an index may take many minutes.
const LONG_PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How a line is dialled.
pub(crate) struct Dialled {
    options: AnyConnectOptions,
    settings: String,
    patience: Duration,
    slot: Arc<Mutex<Option<AnyConnection>>>,
}

impl Pool {
    pub(crate) async fn take(&self) -> Result<Lent, sqlx::Error> {
        let link = Link::Pooled(self.inner.acquire().await?);
        Ok(Lent::new(link, self.patience))
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, statement: &'static str) -> Result<Lent, sqlx::Error> {
        let begun = within(self.patience, self.inner.begin_with(statement)).await?;
        Ok(Lent::new(Link::Transaction(begun), self.patience))
    }
}

impl Line {
    pub(crate) fn new(options: AnyConnectOptions, settings: String, patience: Duration) -> Self {
        Self::Own(Arc::new(Dialled {
            options,
            settings,
            patience,
            slot: Arc::default(),
        }))
    }

    pub(crate) async fn take(&self) -> Result<Lent, sqlx::Error> {
        match self {
            Self::Shared(pool) => pool.take().await,
            Self::Own(own) => own.take().await,
        }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self, statement: &'static str) -> Result<Lent, sqlx::Error> {
        if let Self::Shared(pool) = self {
            return pool.begin(statement).await;
        }
        let mut lent = self.take().await?;
        if let Link::Line(held) = &mut lent.0.link {
            held.is_open = true;
        }
        (&mut *lent).execute(sqlx::raw_sql(statement)).await?;
        Ok(lent)
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Shared(pool) => pool.inner.close().await,
            Self::Own(own) => drop(own.slot.lock().await.take()),
        }
    }
}

impl Dialled {
    async fn take(&self) -> Result<Lent, sqlx::Error> {
        let free = async { Ok(Arc::clone(&self.slot).lock_owned().await) };
        let mut slot = within(self.patience, free).await?;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => within(self.patience, self.dial()).await?,
        };
        let held = Held {
            connection: Some(connection),
            slot,
            is_whole: true,
            is_open: false,
        };
        Ok(Lent::new(Link::Line(held), self.patience))
    }

    async fn dial(&self) -> Result<AnyConnection, sqlx::Error> {
        let mut connection = AnyConnection::connect_with(&self.options).await?;
        set(&mut connection, &self.settings).await?;
        Ok(connection)
    }
}

/// Runs statements that set something on a connection just made.
pub(crate) async fn set(connection: &mut AnyConnection, settings: &str) -> Result<(), sqlx::Error> {
    let settings = sqlx::raw_sql(sqlx::AssertSqlSafe(settings.to_owned()));
    connection.execute(settings).await.map(|_| ())
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_whole && !self.is_open {
            *self.slot = self.connection.take();
        }
    }
}

impl Lent {
    fn new(link: Link, patience: Duration) -> Self {
        Self(Connection { link, patience })
    }

    /// Keeps what the transaction did.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        let Connection { link, patience } = self.0;
        match link {
            Link::Transaction(transaction) => within(patience, transaction.commit()).await,
            other => Self::new(other, patience).end("COMMIT").await,
        }
    }

    /// Undoes what the transaction did.
    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        let Connection { link, patience } = self.0;
        match link {
            Link::Transaction(transaction) => within(patience, transaction.rollback()).await,
            other => Self::new(other, patience).end("ROLLBACK").await,
        }
    }

    /// Lets the transaction take as long as it takes.
    pub(crate) async fn unhurried(&mut self, backend: Backend) -> Result<(), sqlx::Error> {
        if let Some(unhurried) = backend.unhurried() {
            sqlx::raw_sql(unhurried).execute(&mut **self).await?;
        }
        self.0.patience = LONG_PATIENCE;
        Ok(())
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        (&mut *self).execute(sqlx::raw_sql(statement)).await?;
        if let Link::Line(held) = &mut self.0.link {
            held.is_open = false;
        }
        Ok(())
    }
}

impl Deref for Lent {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// Notes when a statement begins and whether it was answered to its end.
struct Watch<'c>(Option<&'c mut bool>);

impl Watch<'_> {
    fn begin(&mut self) {
        self.note(false);
    }

    fn end(&mut self) {
        self.note(true);
    }

    /// What the backend itself refused leaves the connection well, unless it ended it.
    fn fail(&mut self, error: &sqlx::Error) {
        let code = error.as_database_error().and_then(|refusal| refusal.code());
        // PostgreSQL, appendix A, "PostgreSQL Error Codes": an operator intervened, or a transaction was idle for too long.
        let ended = |code: &str| code == "25P03" || code.starts_with("57P");
        self.note(code.is_some_and(|code| !ended(&code)));
    }

    fn note(&mut self, is_whole: bool) {
        if let Some(noted) = &mut self.0 {
            **noted = is_whole;
        }
    }
}

impl Connection {
    fn parts(&mut self) -> (&mut AnyConnection, Watch<'_>, Duration) {
        match &mut self.link {
            Link::Pooled(pooled) => (&mut **pooled, Watch(None), self.patience),
            Link::Transaction(transaction) => (&mut **transaction, Watch(None), self.patience),
            Link::Line(held) => (
                held.connection
                    .as_mut()
                    .expect("it is taken only when it is given back"),
                Watch(Some(&mut held.is_whole)),
                self.patience,
            ),
        }
    }
}

/// Each answer, and each further row, comes within the connection's patience.
impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (connection, mut watch, patience) = self.parts();
        watch.begin();
        let answers = connection.fetch_many(query);
        let next = move |(mut answers, mut watch): (BoxStream<'e, _>, Watch<'e>)| async move {
            match within(patience, async { answers.next().await.transpose() }).await {
                Ok(Some(answer)) => Some((Ok(answer), (answers, watch))),
                Ok(None) => {
                    watch.end();
                    None
                }
                Err(error) => {
                    watch.fail(&error);
                    // Whatever would come after an error.
                    Some((Err(error), (stream::empty().boxed(), Watch(None))))
                }
            }
        };
        stream::unfold((answers, watch), next).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (connection, mut watch, patience) = self.parts();
        Box::pin(async move {
            watch.begin();
            let found = within(patience, connection.fetch_optional(query)).await;
            match &found {
                Ok(_) => watch.end(),
                Err(error) => watch.fail(error),
            }
            found
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let (connection, mut watch, patience) = self.parts();
        Box::pin(async move {
            watch.begin();
            let prepared = within(patience, connection.prepare_with(sql, parameters)).await;
            match &prepared {
                Ok(_) => watch.end(),
                Err(error) => watch.fail(error),
            }
            prepared
        })
    }
}

/// What takes longer than `patience` has failed.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(patience, work).await.unwrap_or_else(|_| {
        let silent = format!("the database did not answer within {patience:?}");
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, silent)))
    })
}
