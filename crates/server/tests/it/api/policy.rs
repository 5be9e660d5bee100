//! Every route against every kind of caller that must be refused, in one table that needs no programmer to read.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use futures::stream::{self, StreamExt as _};
use rescind_authority::{AddUser, Admission, SignedIn};
use rescind_domain::{DatabaseView, Role};
use rescind_gateway::{Answer as Rows, Gateway, Settings, SqlRequest, Upstream, UpstreamError, WriteRequest};
use serde_json::Value;

use super::world::{Answer, World, send};

const COLUMNS: [&str; 14] = [
    "no token",
    "garbage",
    "wrong kind",
    "expired",
    "revoked",
    "other account",
    "other cluster",
    "no right",
    "right token",
    "ended",
    "disabled",
    "auditor",
    "member",
    "admin",
];

/// The routes of the data plane, with a request that succeeds. A management route comes from the OpenAPI document.
const DATA_PLANE: &[(&str, &str, &str)] = &[
    ("POST", "/write?db=weather", "wind speed=1"),
    ("POST", "/api/v2/write?bucket=weather", "wind speed=1"),
    ("POST", "/api/v3/write_lp?db=weather", "wind speed=1"),
    ("GET", "/api/v3/query_sql?db=weather&q=SELECT%201", ""),
    ("POST", "/api/v3/query_sql", r#"{"db":"weather","q":"SELECT 1"}"#),
];

const LEGEND: &str = "\
Each row is a route, each column a caller. Numbers are HTTP statuses: 401 the caller is not recognised, 403 recognised
but without the right, 404 no such thing there, 200 and 204 done. A dot: the case cannot arise, because the path names no
account or cluster (the token says which), or because a management token has every right on its account.

wrong kind: a database token where a management token is needed, and the reverse.
no right: on the data plane, a token for another database.
other account, other cluster: the path names one that the token does not belong to.
ended, disabled, auditor, member, admin: users by the access token of their device. The session of the first was ended,
the second was disabled; the others have that role. What is there was made by somebody else.
";

#[tokio::test]
async fn every_route_refuses_whoever_it_must() {
    let mut table = format!("{LEGEND}\n{:<86}", "route");
    for column in COLUMNS {
        write!(table, " | {column}").expect("writes");
    }
    table.push('\n');
    let document = serde_json::to_value(rescind_server::api::openapi()).expect("a document");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let statuses = management_row(method, path, operation).await;
            write_row(
                &mut table,
                &format!("{} /api/v0{path}", method.to_uppercase()),
                statuses,
            );
        }
    }
    for (method, path, body) in DATA_PLANE {
        let statuses = data_plane_row(method, path, body).await;
        let shown = path.split('?').next().unwrap_or(path);
        write_row(&mut table, &format!("{method} {shown}"), statuses);
    }
    insta::assert_snapshot!(table);
}

fn write_row(table: &mut String, route: &str, statuses: [Option<u16>; 14]) {
    let route = route.replace("{accountId}", "A").replace("{clusterId}", "C");
    write!(table, "{route:<86}").expect("writes");
    for (column, status) in COLUMNS.into_iter().zip(statuses) {
        let status = status.map_or_else(|| ".".to_owned(), |status| status.to_string());
        write!(table, " | {status:<width$}", width = column.len()).expect("writes");
    }
    table.truncate(table.trim_end().len());
    table.push('\n');
}

/// What the cases need: things to act on, and tokens to be refused.
struct Cast {
    world: World,
    things: Things,
    /// The first administrator.
    admin: SignedIn,
    database_token: String,
    other_database_token: String,
    expired: [String; 2],
    revoked: [String; 2],
}

struct Things {
    user: String,
    invitation: String,
    token: String,
    management_token: String,
    deleted_database: String,
    deleted_table: String,
}

const SOON: &str = "2026-01-02T04:00:00Z";
const ELSEWHERE: &str = "99999999-9999-4999-8999-999999999999";

impl Cast {
    async fn new() -> Self {
        let world = World::new().await;
        world.make("/databases", r#"{"name":"weather"}"#).await;
        world.make("/databases", r#"{"name":"gone"}"#).await;
        for table in ["wind", "rain"] {
            world
                .make("/databases/weather/tables", &format!(r#"{{"name":"{table}"}}"#))
                .await;
        }
        let renamed = world
            .ask("PUT", "/databases/gone/rename", r#"{"name":"gone"}"#)
            .await
            .json();
        assert_eq!(world.ask("DELETE", "/databases/gone", "").await.status, 204);
        let table = world
            .ask(
                "PUT",
                "/databases/weather/tables/rain/rename",
                r#"{"name":"rain"}"#,
            )
            .await
            .json();
        assert_eq!(
            world
                .ask("DELETE", "/databases/weather/tables/rain", "")
                .await
                .status,
            204
        );
        let (id, database_token) = make_database_token(&world, "weather", "").await;
        let (_, other_database_token) = make_database_token(&world, "other", "").await;
        let (manager, _) = make_management_token(&world, "{}").await;
        let until = format!(r#","expiresAt":"{SOON}""#);
        let expired = [
            make_database_token(&world, "weather", &until).await.1,
            make_management_token(&world, &format!(r#"{{"expiresAt":"{SOON}"}}"#))
                .await
                .1,
        ];
        let revoked = revoked(&world).await;
        world.clock.advance(Duration::from_secs(3_600));
        let admin = world.administrator().await;
        let invited = world
            .make("/invitations", r#"{"email":"new@example.com","role":"member"}"#)
            .await;
        let things = Things {
            user: spare_user(&world).await,
            invitation: text(&invited["id"]),
            token: id,
            management_token: manager,
            deleted_database: renamed["id"].to_string(),
            deleted_table: table["id"].to_string(),
        };
        Self {
            world,
            things,
            admin,
            database_token,
            other_database_token,
            expired,
            revoked,
        }
    }
}

async fn spare_user(world: &World) -> String {
    let operator = world.operator().await;
    let request = AddUser {
        email: "spare@example.com".parse().expect("an address"),
        first_name: "A".to_owned(),
        last_name: "Spare".to_owned(),
        role: Role::Member,
    };
    let added = world
        .authority
        .add_user(&operator, operator.account(), request)
        .await;
    added.expect("added").id.to_string()
}

async fn make_database_token(world: &World, database: &str, rest: &str) -> (String, String) {
    let permissions = format!(
        r#"[{{"action":"read","resource":"{database}"}},{{"action":"write","resource":"{database}"}}]"#
    );
    let made = world
        .make(
            "/tokens",
            &format!(r#"{{"description":"t","permissions":{permissions}{rest}}}"#),
        )
        .await;
    (text(&made["id"]), text(&made["accessToken"]))
}

async fn make_management_token(world: &World, body: &str) -> (String, String) {
    let made = world.make("/management-tokens", body).await;
    (text(&made["id"]), text(&made["token"]))
}

async fn revoked(world: &World) -> [String; 2] {
    let (database_id, database) = make_database_token(world, "weather", "").await;
    let (management_id, management) = make_management_token(world, "{}").await;
    for path in [
        format!("/tokens/{database_id}"),
        format!("/management-tokens/{management_id}"),
    ] {
        assert_eq!(world.ask("DELETE", &path, "").await.status, 204);
    }
    [database, management]
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// A refusal says in its header what kind it is (RFC 6750 section 3), and nothing else has one.
fn assert_challenge(answer: &Answer, has_token: bool, request: &str) {
    let challenge = match (answer.status.as_u16(), has_token) {
        (401, false) => Some(r#"Bearer realm="rescind""#),
        (401, true) => Some(r#"Bearer realm="rescind", error="invalid_token", error_description="#),
        (403, _) => Some(r#"Bearer realm="rescind", error="insufficient_scope""#),
        _ => None,
    };
    let given = answer.header("www-authenticate");
    let is_right = match (given, challenge) {
        (Some(given), Some(challenge)) => given.starts_with(challenge),
        (given, challenge) => given == challenge,
    };
    assert!(is_right, "{request}: {given:?}");
}

async fn management_row(method: &str, path: &str, operation: &Value) -> [Option<u16>; 14] {
    let cast = Cast::new().await;
    let world = &cast.world;
    let filled = fill(path, &cast);
    let body = body_of(operation);
    let method = method.to_uppercase();
    let status = async |path: &str, secret: Option<&str>| {
        let authorization = secret.map(|secret| format!("Bearer {secret}"));
        let headers: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let answer = world.send(&method, path, &headers, body.to_owned()).await;
        assert_challenge(&answer, secret.is_some(), &format!("{method} {path}"));
        Some(answer.status.as_u16())
    };
    let before = world.authority.revision();
    let elsewhere = |place: &str| filled.contains(place).then(|| filled.replace(place, ELSEWHERE));
    let other_account = elsewhere(&world.account);
    let other_cluster = elsewhere(&world.cluster);
    let needs_token = operation.get("security").is_none();
    let refused = [
        status(&filled, None).await,
        status(&filled, Some("garbage")).await,
        status(&filled, Some(&cast.database_token)).await,
        status(&filled, Some(&cast.expired[1])).await,
        status(&filled, Some(&cast.revoked[1])).await,
        match &other_account {
            Some(path) => status(path, Some(&world.secret)).await,
            None => None,
        },
        match &other_cluster {
            Some(path) => status(path, Some(&world.secret)).await,
            None => None,
        },
    ];
    assert_eq!(
        world.authority.revision(),
        before,
        "{method} {path}: a refused caller changed something"
    );
    if needs_token {
        assert!(
            refused.iter().flatten().all(|status| *status >= 400),
            "{method} {path}: someone was let in"
        );
    }
    let [a, b, c, d, e, f, g] = refused;
    let admitted = status(&filled, Some(&world.secret)).await;
    let [ended, disabled, auditor, member, admin] = users_of_row(&method, path, body).await;
    [
        a, b, c, d, e, f, g, None, admitted, ended, disabled, auditor, member, admin,
    ]
}

/// The same for users, by the access tokens of their devices, on a place of their own: some may change it.
async fn users_of_row(method: &str, path: &str, body: &str) -> [Option<u16>; 5] {
    let cast = Cast::new().await;
    let world = &cast.world;
    let mut tokens = Vec::new();
    let ended = world.access_token(&cast.admin).await;
    world
        .authority
        .end_by_secret(ended.as_bytes())
        .await
        .expect("ended");
    tokens.push(ended);
    let gone = world.user("gone@example.com", Role::Admin).await;
    tokens.push(world.access_token(&gone).await);
    let operator = world.operator().await;
    let disabling = world
        .authority
        .disable_user(&operator, gone.user.account, gone.user.id);
    disabling.await.expect("disabled");
    for (email, role) in [
        ("auditor@example.com", Role::Auditor),
        ("member@example.com", Role::Member),
    ] {
        let user = world.user(email, role).await;
        tokens.push(world.access_token(&user).await);
    }
    tokens.push(world.access_token(&cast.admin).await);
    let filled = fill(path, &cast);
    let mut statuses = [None; 5];
    for (token, shown) in tokens.iter().zip(&mut statuses) {
        let before = world.authority.revision();
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let answer = world.send(method, &filled, &headers, body.to_owned()).await;
        assert_challenge(&answer, true, &format!("{method} {path}"));
        assert!(
            answer.status.is_success() || world.authority.revision() == before,
            "{method} {path}: a refused user changed something"
        );
        *shown = Some(answer.status.as_u16());
    }
    statuses
}

fn fill(path: &str, cast: &Cast) -> String {
    let Cast { world, things, .. } = cast;
    let token = if path.contains("management-tokens") {
        &things.management_token
    } else {
        &things.token
    };
    path.replace("{accountId}", &world.account)
        .replace("{clusterId}", &world.cluster)
        .replace("{tokenId}", token)
        .replace("{userId}", &things.user)
        .replace("{invitationId}", &things.invitation)
        .replace("{databaseName}", "weather")
        .replace("{databaseId}", &things.deleted_database)
        .replace("{tableName}", "wind")
        .replace("{tableId}", &things.deleted_table)
}

/// A body that succeeds. A new operation with a body needs one here.
fn body_of(operation: &Value) -> &'static str {
    if operation.get("requestBody").is_none() {
        return "";
    }
    let id = operation["operationId"].as_str().expect("an id");
    match id.strip_suffix("Unprefixed").unwrap_or(id) {
        "CreateClusterDatabase"
        | "CreateClusterDatabaseTable"
        | "RenameClusterDatabase"
        | "RenameClusterDatabaseTable" => r#"{"name":"new"}"#,
        "UpdateClusterDatabase" => r#"{"maxTables":7}"#,
        "CreateDatabaseToken" | "UpdateDatabaseToken" => r#"{"description":"new"}"#,
        "CreateManagementToken" => "{}",
        "UpdateUser" => r#"{"lastName":"New"}"#,
        "CreateInvitation" => r#"{"email":"newer@example.com","role":"auditor"}"#,
        "RevokeDatabaseTokens" | "RevokeManagementTokens" => {
            r#"{"ids":["99999999-9999-4999-8999-999999999999"]}"#
        }
        other => panic!("{other} is new: say here what a good body is"),
    }
}

async fn data_plane_row(method: &str, path: &str, body: &str) -> [Option<u16>; 14] {
    let cast = Cast::new().await;
    let gateway = Gateway::new(
        Arc::clone(&cast.world.authority),
        Arc::new(Stub),
        Settings::default(),
    );
    let router: Router = rescind_gateway::router(gateway);
    let status = async |secret: Option<&str>| {
        let authorization = secret.map(|secret| format!("Bearer {secret}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(
            authorization
                .iter()
                .map(|value| ("authorization", value.as_str())),
        );
        let answer = send(&router, method, path, &headers, body.to_owned()).await;
        Some(answer.status.as_u16())
    };
    [
        status(None).await,
        status(Some("garbage")).await,
        status(Some(&cast.world.secret)).await,
        status(Some(&cast.expired[0])).await,
        status(Some(&cast.revoked[0])).await,
        None,
        None,
        status(Some(&cast.other_database_token)).await,
        status(Some(&cast.database_token)).await,
        None,
        None,
        None,
        None,
        status(Some(&cast.world.access_token(&cast.admin).await)).await,
    ]
}

/// Stores nothing and finds nothing: whoever reaches it was admitted.
struct Stub;

#[async_trait]
impl Upstream for Stub {
    async fn write(&self, _: &Admission, _: Arc<DatabaseView>, _: WriteRequest) -> Result<(), UpstreamError> {
        Ok(())
    }

    async fn query_sql(
        &self,
        _: &Admission,
        _: Arc<DatabaseView>,
        request: SqlRequest,
    ) -> Result<Rows, UpstreamError> {
        let body = stream::empty().boxed();
        Ok(Rows {
            content_type: request.format.content_type(),
            body,
        })
    }
}
