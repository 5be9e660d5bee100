//! Every error of the engine in the words of the gateway, and of the authority in the words of the engine.

use rescind_authority::Error;
use rescind_domain::{Chain, MaxTables};
use rescind_engine::{LineErrors, QueryError, TableMakerError, WriteError};
use rescind_gateway::{LineError, UpstreamError};

/// Why a write failed.
pub(crate) fn of_write(error: WriteError) -> UpstreamError {
    match error {
        WriteError::Rejected(LineErrors {
            first,
            total,
            stored_lines,
        }) => UpstreamError::LinesRejected {
            lines: lines(first),
            total_rejected: total,
            stored: stored_lines,
        },
        WriteError::Retention(LineErrors { first, total, .. }) => UpstreamError::OutsideRetention {
            lines: lines(first),
            total_rejected: total,
        },
        WriteError::Empty | WriteError::TooManyTables { .. } => UpstreamError::Invalid(error.to_string()),
        WriteError::TooLarge { .. } => UpstreamError::TooLarge(error.to_string()),
        WriteError::Overloaded { retry_after } => UpstreamError::Overloaded { retry_after },
        WriteError::Cut => UpstreamError::Cut,
        WriteError::Unavailable(reason) => {
            // The client learns only that it may try again.
            tracing::warn!(reason, "a write could not be stored");
            UpstreamError::Unavailable("the write could not be stored: try again".to_owned())
        }
        WriteError::Misdirected => UpstreamError::Internal(Box::new(error)),
    }
}

/// Why a query failed, at once or on the way.
pub(crate) fn of_query(error: QueryError) -> UpstreamError {
    match error {
        QueryError::Invalid(_) | QueryError::Failed(_) | QueryError::TimedOut { .. } => {
            UpstreamError::Invalid(error.to_string())
        }
        QueryError::NotImplemented(what) => UpstreamError::NotImplemented(what),
        QueryError::OutOfMemory(_) => UpstreamError::OutOfMemory(error.to_string()),
        QueryError::TooManyQueries { retry_after } => UpstreamError::Overloaded { retry_after },
        QueryError::Cut => UpstreamError::Cut,
        QueryError::Misdirected | QueryError::Internal(_) => UpstreamError::Internal(Box::new(error)),
    }
}

/// Why the tables of a write were not made; `max` is how many its database may have, if it still exists.
pub(crate) fn of_table_making(error: &Error, max: Option<MaxTables>) -> TableMakerError {
    match (error, max) {
        (Error::Conflict(_), Some(max)) => TableMakerError::TooMany { max: max.get() },
        // The database was deleted, or the token revoked, since the gateway looked.
        (Error::NotFound { .. } | Error::Conflict(_) | Error::Refused(_), _) => TableMakerError::Cut,
        _ => TableMakerError::Unavailable(Chain(error).to_string()),
    }
}

fn lines(lines: Vec<rescind_engine::LineError>) -> Vec<LineError> {
    let line = |line: rescind_engine::LineError| LineError {
        line: line.line_number,
        message: line.message,
        original: line.original,
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_error_has_its_word() {
        let rejected = || LineErrors {
            first: vec![rescind_engine::LineError {
                line_number: 2,
                message: "bad".to_owned(),
                original: "x".to_owned(),
            }],
            total: 1,
            stored_lines: 3,
        };
        let retry_after = Duration::from_secs(1);
        let mut table = String::new();
        for error in [
            WriteError::Misdirected,
            WriteError::Empty,
            WriteError::Rejected(rejected()),
            WriteError::Retention(rejected()),
            WriteError::TooManyTables { max: 500 },
            WriteError::TooLarge { max: 1, got: 2 },
            WriteError::Overloaded { retry_after },
            WriteError::Cut,
            WriteError::Unavailable("disk full".to_owned()),
        ] {
            let shown = format!("{error:?}");
            let _ = writeln!(table, "{shown}\n  -> {:?}", of_write(error));
        }
        for error in [
            QueryError::Misdirected,
            QueryError::Invalid("no table".to_owned()),
            QueryError::NotImplemented("DROP".to_owned()),
            QueryError::Failed("division by zero".to_owned()),
            QueryError::OutOfMemory("2 GB".to_owned()),
            QueryError::TooManyQueries { retry_after },
            QueryError::TimedOut { limit: retry_after },
            QueryError::Cut,
            QueryError::Internal("a bug".to_owned()),
        ] {
            let shown = format!("{error:?}");
            let _ = writeln!(table, "{shown}\n  -> {:?}", of_query(error));
        }
        for (error, max) in [
            (Error::Conflict("full".to_owned()), MaxTables::new(5)),
            (Error::Conflict("full".to_owned()), None),
            (
                Error::NotFound {
                    what: "database",
                    name: "weather".to_owned(),
                },
                None,
            ),
            (Error::Unavailable("disk I/O error".into()), MaxTables::new(5)),
            (Error::Internal("damaged".into()), None),
        ] {
            let _ = writeln!(
                table,
                "{error:?}, {max:?}\n  -> {:?}",
                of_table_making(&error, max)
            );
        }
        insta::assert_snapshot!(table);
    }
}
