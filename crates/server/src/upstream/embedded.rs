//! The embedded engine as an upstream of the gateway.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use rescind_authority::{Admission, Authority};
use rescind_domain::{DatabaseView, Permit, TableName};
use rescind_engine::{Engine, Param, Query, TableMaker, TableMakerError, Write};
use rescind_gateway::{
    Answer, Format, Precision, SqlRequest, SqlValue, Upstream, UpstreamError, WriteRequest,
};

use crate::upstream::errors;

/// The engine of this process; the authority makes the tables that writes name.
pub(crate) struct Embedded {
    engine: Engine,
    tables: Tables,
}

struct Tables(Arc<Authority>);

impl Embedded {
    /// Writes and queries go to `engine`.
    pub(crate) fn new(engine: Engine, authority: Arc<Authority>) -> Self {
        Self {
            engine,
            tables: Tables(authority),
        }
    }
}

#[async_trait]
impl Upstream for Embedded {
    async fn write(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: WriteRequest,
    ) -> Result<(), UpstreamError> {
        let write = Write {
            lines: request.lines,
            precision: precision(request.precision),
            accept_partial: request.accept_partial,
        };
        let written = self
            .engine
            .write(admission.permit(), database, write, &self.tables)
            .await;
        written.map(drop).map_err(errors::of_write)
    }

    async fn query_sql(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: SqlRequest,
    ) -> Result<Answer, UpstreamError> {
        let params = request
            .params
            .into_iter()
            .map(|(name, value)| (name, param(value)))
            .collect();
        let query = Query {
            sql: request.sql,
            params,
        };
        let result = self
            .engine
            .query(admission.permit(), database, query)
            .await
            .map_err(errors::of_query)?;
        let body = result
            .encode(format(request.format))
            .map_err(errors::of_query)
            .boxed();
        Ok(Answer {
            content_type: request.format.content_type(),
            body,
        })
    }
}

#[async_trait]
impl TableMaker for Tables {
    async fn make_tables(
        &self,
        permit: &Permit,
        names: Vec<TableName>,
    ) -> Result<Arc<DatabaseView>, TableMakerError> {
        let made = self.0.create_written_tables(permit, names).await;
        made.map_err(|error| {
            let max = self.0.database_view(permit).map(|view| view.limits.max_tables);
            errors::of_table_making(&error, max)
        })
    }
}

fn precision(precision: Precision) -> rescind_engine::Precision {
    match precision {
        Precision::Nanosecond => rescind_engine::Precision::Nanoseconds,
        Precision::Microsecond => rescind_engine::Precision::Microseconds,
        Precision::Millisecond => rescind_engine::Precision::Milliseconds,
        Precision::Second => rescind_engine::Precision::Seconds,
        Precision::Minute => rescind_engine::Precision::Minutes,
        Precision::Hour => rescind_engine::Precision::Hours,
        Precision::Auto => rescind_engine::Precision::Auto,
    }
}

fn format(format: Format) -> rescind_engine::Format {
    match format {
        Format::Json => rescind_engine::Format::Json,
        Format::JsonLines => rescind_engine::Format::JsonLines,
        Format::TypedJsonLines => rescind_engine::Format::TypedJsonLines,
        Format::Csv => rescind_engine::Format::Csv,
        Format::Pretty => rescind_engine::Format::Pretty,
        Format::Parquet => rescind_engine::Format::Parquet,
    }
}

fn param(value: SqlValue) -> Param {
    match value {
        SqlValue::Null => Param::Null,
        SqlValue::Bool(value) => Param::Boolean(value),
        SqlValue::Integer(value) => Param::Integer(value),
        SqlValue::Unsigned(value) => Param::UInteger(value),
        SqlValue::Float(value) => Param::Float(value),
        SqlValue::Text(value) => Param::String(value),
    }
}
