//! An upstream whose queries end late when they are cut. Not in releases.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rescind_authority::Admission;
use rescind_domain::DatabaseView;
use rescind_gateway::{Answer, SqlRequest, Upstream, UpstreamError, WriteRequest};

/// Another upstream, as if its queries went on for a while after their cut.
pub(crate) struct Lingering {
    /// The other one.
    pub(crate) upstream: Arc<dyn Upstream>,
    /// For how long.
    pub(crate) span: Duration,
}

#[async_trait]
impl Upstream for Lingering {
    async fn write(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: WriteRequest,
    ) -> Result<(), UpstreamError> {
        self.upstream.write(admission, database, request).await
    }

    async fn query_sql(
        &self,
        admission: &Admission,
        database: Arc<DatabaseView>,
        request: SqlRequest,
    ) -> Result<Answer, UpstreamError> {
        let (working, span) = (admission.clone(), self.span);
        tokio::spawn(async move {
            working.cut().await;
            tokio::time::sleep(span).await;
            drop(working);
        });
        self.upstream.query_sql(admission, database, request).await
    }
}
