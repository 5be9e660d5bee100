//! The seam between the one SQL text and the two backends. Nothing else in the crate asks which backend it is.
//!
//! Both are reached through sqlx's `Any` driver: with `$1` placeholders, text ids and 64-bit integers one text serves
//! both, and loading a million rows through it costs no more than through the native driver.

pub(crate) use crate::connections::Connection;

/// Which backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// Begins a transaction that writes. SQLite takes its one write lock at once, so that no later statement can fail
    /// for the lack of it.
    pub(crate) fn begin_writing(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction that writes what nobody was promised: its commit does not wait for the disk, and a crash of
    /// the server loses it with whatever else committed so in the last moment. On SQLite every commit waits. Acts must not
    /// wait long for the rows that it locks, when whoever began it stands still.
    pub(crate) fn begin_forgettable(self) -> &'static str {
        match self {
            Self::Sqlite => self.begin_writing(),
            Self::Postgres => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off;
                 SET LOCAL idle_in_transaction_session_timeout = '500ms'"
            }
        }
    }

    /// Begins a transaction whose statements all see the same moment.
    pub(crate) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Lets this transaction run as long as it takes.
    pub(crate) fn unhurried(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5min'"),
        }
    }

    /// Keeps a second process from migrating at the same time; SQLite's write lock does so by itself.
    pub(crate) fn lock_migrations(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7310032981)"),
        }
    }

    /// Lets no node join before the transaction ends; on SQLite nobody does.
    pub(crate) fn lock_nodes(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE"),
        }
    }

    /// Finds out whether there is a table of this name, which whoever may not create one must ask first.
    pub(crate) fn find_table(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1",
            Self::Postgres => {
                "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables
                 WHERE schemaname = current_schema() AND tablename = $1"
            }
        }
    }

    /// Notes that the node `$1` acts by everything up to `$2`. On PostgreSQL those of the JSON array `$3`, who wait for it,
    /// are told, also when it was noted before (`signals`), but never of what the catalog does not hold.
    pub(crate) fn acknowledge(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "UPDATE nodes SET applied = $2
                 WHERE id = $1 AND applied < $2 AND $2 <= (SELECT revision FROM ledger)"
            }
            Self::Postgres => {
                "WITH acknowledged AS (
                     UPDATE nodes SET applied = $2
                     WHERE id = $1 AND applied < $2 AND $2 <= (SELECT revision FROM ledger))
                 SELECT pg_notify('rescind_applied_' || value, $1 || ' ' || $2)::text AS told
                 FROM json_array_elements_text(CAST($3 AS json)) WHERE $2 <= (SELECT revision FROM ledger)"
            }
        }
    }

    /// Asks what time it is for the server, if there is one: microseconds since the epoch.
    pub(crate) fn server_time(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => {
                Some("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now")
            }
        }
    }

    /// The elements of the JSON array in this place of a statement, as rows with a column `value`: how a statement takes
    /// any number of rows as one parameter.
    pub(crate) fn elements(self, place: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({place})"),
            Self::Postgres => format!("json_array_elements(CAST({place} AS json))"),
        }
    }

    /// Whether the text `column` is in the JSON array of texts in this place of a statement. As an array, because
    /// PostgreSQL takes any list of rows for a hundred, and might read a whole table instead of one row of it.
    pub(crate) fn is_listed(self, column: &str, place: &str) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each({place}))"),
            Self::Postgres => {
                format!("{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({place} AS json))))")
            }
        }
    }

    /// Statements that write to different tables and share their parameters, as one: each round trip to a server counts
    /// while everybody else waits for the ledger. On PostgreSQL the commit tells every node that something has changed, and
    /// that the node in the place `asker` waits for them (`signals`); if that is empty, it does not.
    pub(crate) fn together(self, [first, second, third]: [&str; 3], asker: &str) -> String {
        match self {
            Self::Sqlite => format!("{first}; {second}; {third}"),
            Self::Postgres => format!(
                "WITH first AS ({first}), second AS ({second}), third AS ({third})
                 SELECT pg_notify('rescind_changed', {asker})::text AS told WHERE {asker} <> ''"
            ),
        }
    }

    /// Ends a selection, in order, of rows that will be written. Whoever else writes several of them, such as the flush of
    /// uses, waits for its turn instead of for each other. On SQLite the transaction has its lock already.
    pub(crate) fn lock_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR NO KEY UPDATE",
        }
    }

    /// Ends a selection of rows that will be written or deleted off the path of requests: it passes over those that somebody
    /// else is writing. Whoever waits for nobody delays no act, and is no side of a deadlock.
    pub(crate) fn lock_free_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR NO KEY UPDATE SKIP LOCKED",
        }
    }

    /// The schema in the backend's words. Text sorts by its bytes on both.
    pub(crate) fn schema(self, text: &str) -> String {
        let words = match self {
            Self::Sqlite => ["INTEGER", "TEXT", "BLOB", "STRICT"],
            Self::Postgres => ["BIGINT", "TEXT COLLATE \"C\"", "BYTEA", ""],
        };
        ["{integer}", "{text}", "{bytes}", "{strict}"]
            .into_iter()
            .zip(words)
            .fold(text.to_owned(), |text, (mark, word)| text.replace(mark, word))
    }
}
