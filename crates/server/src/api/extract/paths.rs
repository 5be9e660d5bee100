//! Names and ids in the path. Each segment is percent-decoded after routing, so that a database name may hold `%2F`
//! (contract, management-api section 1).

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use rescind_domain::{
    ClusterId, DatabaseId, DatabaseName, DatabaseTokenId, InvitationId, ManagementTokenId, TableId,
    TableName, UserId,
};
use rescind_wire::FieldError;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use crate::api::errors::Problem;
use crate::api::router::Api;

/// What the path names, decoded.
pub(super) struct Names(RawPathParams);

impl Names {
    /// The segment of this name, if the path has it.
    pub(super) fn find<T: FromStr<Err: ToString>>(&self, name: &str) -> Result<Option<T>, FieldError> {
        self.find_with(name, str::parse)
    }

    fn find_with<T, E: ToString>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, FieldError> {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found
            .map(|(_, text)| parse(text).map_err(|error| FieldError::new(name, error)))
            .transpose()
    }
}

impl FromRequestParts<Api> for Names {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let names = RawPathParams::from_request_parts(parts, api).await;
        names
            .map(Self)
            .map_err(|_| Problem::invalid("the path is not UTF-8 after percent-decoding"))
    }
}

macro_rules! segment {
    ($(#[$doc:meta])* $name:ident($inner:ty) by $parse:expr, $key:literal, $says:literal, $schema:expr) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) $inner);

        impl FromRequestParts<Api> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
                let found = Names::from_request_parts(parts, api).await?.find_with($key, $parse)?;
                found.map(Self).ok_or_else(|| Problem::invalid(concat!($key, ": is missing from the path")))
            }
        }

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![documented($key, $says, $schema)]
            }
        }
    };
}

segment!(
    /// A cluster.
    ClusterSegment(ClusterId) by str::parse,
    "clusterId",
    "The cluster.",
    uuid_schema()
);
segment!(
    /// A database by name.
    DatabaseSegment(DatabaseName) by str::parse,
    "databaseName",
    "The database; `/` in its name is written `%2F`.",
    name_schema().max_length(Some(DatabaseName::MAX_BYTES)).build()
);
segment!(
    /// A database by id.
    DatabaseIdSegment(DatabaseId) by str::parse,
    "databaseId",
    "The database's id.",
    id_schema()
);
segment!(
    /// A table by name. Tables that a write made have names that no administrator could give.
    TableSegment(TableName) by TableName::written,
    "tableName",
    "The table.",
    name_schema().build()
);
segment!(
    /// A table by id.
    TableIdSegment(TableId) by str::parse,
    "tableId",
    "The table's id.",
    id_schema()
);
segment!(
    /// A database token.
    TokenSegment(DatabaseTokenId) by str::parse,
    "tokenId",
    "The token.",
    uuid_schema()
);
segment!(
    /// A management token.
    ManagementTokenSegment(ManagementTokenId) by str::parse,
    "tokenId",
    "The token.",
    uuid_schema()
);

segment!(
    /// A user.
    UserSegment(UserId) by str::parse,
    "userId",
    "The user.",
    uuid_schema()
);
segment!(
    /// An invitation.
    InvitationSegment(InvitationId) by str::parse,
    "invitationId",
    "The invitation.",
    uuid_schema()
);

/// A segment of the path, as the OpenAPI document shows it.
pub(super) fn documented(name: &str, says: &str, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(says))
        .schema(Some(schema))
        .build()
}

pub(super) fn uuid_schema() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(format))
        .build()
}

fn id_schema() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(format))
        .minimum(Some(1))
        .build()
}

fn name_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(1))
}
