//! The OpenAPI document: generated from the handlers, completed here with what all of them share.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use rescind_wire::{
    PREFER, PREFERENCE_APPLIED, RESCIND_EFFECTIVE_MS, RESCIND_NODE_STATES, RESCIND_NODES, RESCIND_REVISION,
    RESCIND_SETTLED_WITHIN_MS,
};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use super::extract::NoQuery;
use super::router::{ACCOUNT, CLUSTER};
use super::{
    accounts, audit_events, clusters, databases, invitations, management_tokens, nodes, tables, tokens, users,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Rescind Management API",
        version = "0",
        description = "Tokens, databases and tables. Documented shapes are kept; extensions stand beside them."
    ),
    servers((url = "/api/v0")),
    paths(
        databases::list::list,
        databases::create::create,
        databases::update::update,
        databases::delete::delete,
        databases::rename::rename,
        databases::undelete::undelete,
        tables::list::list,
        tables::create::create,
        tables::delete::delete,
        tables::rename::rename,
        tables::undelete::undelete,
        tokens::list::list,
        tokens::create::create,
        tokens::get::get,
        tokens::update::update,
        tokens::revoke::revoke,
        tokens::revoke_many::revoke_many,
        tokens::usage::usage,
        management_tokens::list::list,
        management_tokens::create::create,
        management_tokens::get::get,
        management_tokens::revoke::revoke,
        management_tokens::revoke_many::revoke_many,
        users::list::list,
        users::get::get,
        users::update::update,
        users::delete::delete,
        invitations::list::list,
        invitations::create::create,
        invitations::get::get,
        invitations::revoke::revoke,
        accounts::list::list,
        accounts::get::get,
        clusters::list::list,
        clusters::get::get,
        audit_events::list::list,
        nodes::list::list,
        serve,
    ),
    components(schemas(rescind_wire::ErrorBody, rescind_wire::SortOrder, rescind_wire::StatusFilter))
)]
struct Handlers;

/// The whole Management API as an OpenAPI 3.1 document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    serde_json::from_value(document())
        .expect("the document is one that utoipa wrote, with parts of its own kind added")
}

/// Describe this API
///
/// Needs no token.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "GetOpenApi",
    tag = "Description",
    security(()),
    responses((status = 200, description = "This document.", body = Object))
)]
pub(crate) async fn serve(_: NoQuery) -> impl IntoResponse {
    // Written once: nobody needs a token to ask for it.
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone())
}

/// What a path without the prefix of an account or a cluster adds to the name of its operation: names must be unique
/// in a document, and those of the prefixed form are the documented ones.
const UNPREFIXED: &str = "Unprefixed";

fn document() -> Value {
    let mut document =
        serde_json::to_value(Handlers::openapi()).expect("a document of strings and maps can be written");
    let schemas = &mut document["components"]["schemas"];
    state_what_types_cannot(schemas);
    let placed = add_unprefixed_schemas(schemas);
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    for (path, mut item) in paths {
        operations(&mut item).for_each(complete);
        let short = [CLUSTER, ACCOUNT].iter().find_map(|prefix| {
            let short = path.strip_prefix(prefix)?;
            (!short.is_empty()).then_some(short)
        });
        if let Some(short) = short {
            document["paths"][short] = unprefixed(item.clone(), short, &placed);
        }
        document["paths"][&path] = item;
    }
    document["components"]["responses"] = refusals();
    document["components"]["securitySchemes"] = json!({
        "bearerAuthManagementToken": { "type": "http", "scheme": "bearer", "bearerFormat": "Management Token" }
    });
    document["security"] = json!([{ "bearerAuthManagementToken": [] }]);
    document
}

/// Bounds of partition templates (contract, management-api section 3), and that a list of databases is of either form,
/// where every element of the longer form is also one of the shorter.
fn state_what_types_cannot(schemas: &mut Value) {
    for (_, schema) in schemas.as_object_mut().into_iter().flatten() {
        if let Some(template) = schema.pointer_mut("/properties/partitionTemplate") {
            template["minItems"] = json!(1);
            template["maxItems"] = json!(8);
            template["uniqueItems"] = json!(true);
        }
    }
    for part in schemas["TemplatePart"]["oneOf"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        if let Some(value) = part
            .pointer_mut("/properties/value")
            .filter(|value| value["type"] == "string")
        {
            value["minLength"] = json!(1);
        }
    }
    schemas["Bucket"]["properties"]["tagName"]["minLength"] = json!(1);
    if let Some(either) = schemas["ListedDatabase"].as_object_mut()
        && let Some(forms) = either.remove("oneOf")
    {
        either.insert("anyOf".to_owned(), forms);
    }
}

/// Answers to prefixed paths always say account and cluster, those to the others never (contract, management-api
/// section 1): every schema that holds both, in itself or in a part, gets a second form. Returns their names.
fn add_unprefixed_schemas(schemas: &mut Value) -> BTreeSet<String> {
    let Some(schemas) = schemas.as_object_mut() else {
        return BTreeSet::new();
    };
    let mut placed = BTreeSet::new();
    for (name, schema) in schemas.iter_mut() {
        let properties = schema.get("properties");
        if PLACE
            .iter()
            .all(|field| properties.is_some_and(|properties| properties.get(field).is_some()))
        {
            placed.insert(name.clone());
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            schema["required"] = PLACE.iter().map(|field| json!(field)).chain(required).collect();
        }
    }
    let wholes = schemas
        .iter()
        .filter(|(_, schema)| refers(schema, &placed))
        .map(|(name, _)| name.clone());
    let wholes: Vec<_> = wholes.collect();
    placed.extend(wholes);
    for name in &placed {
        let mut schema = schemas[name].clone();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            PLACE.iter().for_each(|field| drop(properties.remove(*field)));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|field| !PLACE.iter().any(|placed| field == placed));
        }
        refer_to_unprefixed(&mut schema, &placed);
        schemas.insert(format!("{UNPREFIXED}{name}"), schema);
    }
    placed
}

/// What only answers to prefixed paths say.
const PLACE: [&str; 2] = ["accountId", "clusterId"];
const SCHEMAS: &str = "#/components/schemas/";

fn refers(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let target = value
                .as_str()
                .filter(|_| key == "$ref")
                .and_then(|to| to.strip_prefix(SCHEMAS));
            target.is_some_and(|name| names.contains(name)) || refers(value, names)
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, names)),
        _ => false,
    }
}

fn refer_to_unprefixed(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let target = value
                    .as_str()
                    .filter(|_| key == "$ref")
                    .and_then(|to| to.strip_prefix(SCHEMAS));
                match target.filter(|name| names.contains(*name)) {
                    Some(name) => *value = json!(format!("{SCHEMAS}{UNPREFIXED}{name}")),
                    None => refer_to_unprefixed(value, names),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer_to_unprefixed(item, names)),
        _ => {}
    }
}

/// The same operations on the path without its prefix.
fn unprefixed(mut item: Value, path: &str, placed: &BTreeSet<String>) -> Value {
    for operation in operations(&mut item) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = json!(format!("{id}{UNPREFIXED}"));
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            let is_in_path = |parameter: &Value| {
                parameter["in"] != "path"
                    || parameter["name"]
                        .as_str()
                        .is_some_and(|name| path.contains(&format!("{{{name}}}")))
            };
            parameters.retain(is_in_path);
        }
        refer_to_unprefixed(operation, placed);
    }
    item
}

fn operations(item: &mut Value) -> impl Iterator<Item = &mut Value> {
    item.as_object_mut()
        .into_iter()
        .flatten()
        .map(|(_, operation)| operation)
        .filter(|value| value.is_object())
}

/// Adds what answers to acts have in common, and the refusals that any operation can meet.
fn complete(operation: &mut Value) {
    describe_receipt(operation);
    let needs_token = operation.get("security").is_none();
    let has_body = operation.get("requestBody").is_some();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, name, _) in REFUSALS {
        let applies = match *status {
            "408" | "413" | "415" => has_body,
            _ => needs_token,
        };
        if applies {
            responses.insert(
                (*status).to_owned(),
                json!({ "$ref": format!("#/components/responses/{name}") }),
            );
        }
    }
}

/// An answer with a revision has the whole receipt, and may come before every node acts by it.
fn describe_receipt(operation: &mut Value) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    let Some(responses) = responses else { return };
    let acts = |response: &Value| response["headers"].get(RESCIND_REVISION).is_some();
    let Some(done) = responses.values_mut().find(|response| acts(response)) else {
        return;
    };
    let header = |says: &str, kind: &str| json!({ "description": says, "schema": { "type": kind } });
    let mut accepted = done.clone();
    accepted["description"] = json!(
        "Done and durable, but when the wait that `Prefer` asks for ended, not every node was known to act by it: \
         `Rescind-Node-States` says which are awaited. Repeating the request is safe and waits again."
    );
    for (response, is_complete) in [(&mut *done, true), (&mut accepted, false)] {
        let headers = &mut response["headers"];
        headers[RESCIND_NODES] = header(NODES, "string");
        headers[RESCIND_NODE_STATES] = header(NODE_STATES, "string");
        headers[PREFERENCE_APPLIED] = header("With `Prefer`: what was heeded of it.", "string");
        if is_complete {
            headers[RESCIND_EFFECTIVE_MS] = header("How long that took, in milliseconds.", "integer");
        } else {
            headers[RESCIND_REVISION]["description"] = json!("The revision that made the change.");
            headers[RESCIND_SETTLED_WITHIN_MS] = header(SETTLED_WITHIN, "integer");
        }
    }
    responses.insert("202".to_owned(), accepted);
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(prefer()),
        None => operation["parameters"] = json!([prefer()]),
    }
}

const NODES: &str = "Nodes that act by it, of all that held a lease: `1/1`.";
const NODE_STATES: &str = "What each node made of it, where there are several or one is awaited (RFC 9651): \
                           `\"node-1\";applied=3, \"node-2\";lapsed, \"node-3\";awaited`.";
const SETTLED_WITHIN: &str =
    "In how many milliseconds every node acts by it or has stopped by itself, at the latest.";

fn prefer() -> Value {
    json!({
        "name": PREFER,
        "in": "header",
        "required": false,
        "description": "`wait=SECONDS` (RFC 7240): answer within this time, with 202 if not every node is known to act by \
                        the change by then. Without it, the answer waits for every node, or for the end of its lease.",
        "schema": { "type": "string" },
        "example": "wait=10",
    })
}

const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "400",
        "BadRequest",
        "The request breaks a rule; the message names the field.",
    ),
    (
        "401",
        "Unauthorized",
        "No token, or one that is unknown, expired, revoked or of the other kind.",
    ),
    (
        "403",
        "Forbidden",
        "The token has no right to do this, on this account.",
    ),
    ("404", "NotFound", "What the path names does not exist."),
    (
        "408",
        "RequestTimeout",
        "Nothing more of the body arrived for 30 seconds; the connection ends.",
    ),
    ("413", "PayloadTooLarge", "The body is larger than 1 MiB."),
    ("415", "UnsupportedMediaType", "The body is not JSON."),
    ("500", "InternalServerError", "A defect; the log says which."),
    (
        "503",
        "ServiceUnavailable",
        "This node cannot tell what holds; repeat after the time that Retry-After gives.",
    ),
];

fn refusals() -> Value {
    let refusal = |(status, name, says): &(&str, &str, &str)| {
        let example = json!({ "code": status.parse::<u16>().unwrap_or_default(), "message": says });
        let schema = json!({ "$ref": format!("{SCHEMAS}ErrorBody") });
        let mut response = json!({
            "description": says,
            "content": { "application/json": { "schema": schema, "example": example } },
        });
        let header = match *status {
            "401" => Some((
                "WWW-Authenticate",
                "`Bearer` with realm, error and error_description (RFC 6750).",
                "string",
            )),
            "403" => Some((
                "WWW-Authenticate",
                "`Bearer` with the error insufficient_scope (RFC 6750).",
                "string",
            )),
            "503" => Some(("Retry-After", "Seconds.", "integer")),
            _ => None,
        };
        if let Some((header, says, kind)) = header {
            response["headers"] = json!({ header: { "description": says, "schema": { "type": kind } } });
        }
        ((*name).to_owned(), response)
    };
    Value::Object(REFUSALS.iter().map(refusal).collect())
}
