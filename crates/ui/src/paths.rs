//! What a path names.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use rescind_domain::{
    DatabaseId, DatabaseTokenId, InvitationId, ManagementTokenId, Revision, SessionId, TableId, UserId,
};

use crate::app::App;
use crate::errors::Fault;

/// An id that paths hold.
pub(crate) trait PathId: FromStr + Send {
    /// The parameter's name in routes.
    const PARAMETER: &'static str;
    /// What it names, for the page that says it does not exist.
    const WHAT: &'static str;
}

macro_rules! path_ids {
    ($($id:ty: $parameter:literal, $what:literal;)*) => {
        $(impl PathId for $id {
            const PARAMETER: &'static str = $parameter;
            const WHAT: &'static str = $what;
        })*
    };
}

path_ids! {
    DatabaseTokenId: "token", "database token";
    ManagementTokenId: "token", "management token";
    DatabaseId: "database", "database";
    TableId: "table", "table";
    UserId: "user", "user";
    InvitationId: "invitation", "invitation";
    SessionId: "session", "session";
    Revision: "revision", "revision";
}

/// The id of this kind in the path. What is no id names nothing, so the answer is the same page as for an unknown one.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: PathId> FromRequestParts<Arc<App>> for Named<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let parameters = RawPathParams::from_request_parts(parts, app).await;
        let parameters = parameters.map_err(|_| Fault::not_found(T::WHAT))?;
        let text = parameters.iter().find(|(name, _)| *name == T::PARAMETER);
        let id = text.and_then(|(_, text)| text.parse().ok());
        id.map(Self).ok_or_else(|| Fault::not_found(T::WHAT))
    }
}

/// A path of this server; the start for anything that could lead elsewhere.
pub(crate) fn local(next: &str) -> String {
    let is_path =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if is_path && !next.starts_with("/sign-") {
        next.to_owned()
    } else {
        "/".to_owned()
    }
}
