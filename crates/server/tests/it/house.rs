//! What the tests of this crate share: tokens and databases made through the API, and the secrets minted on the way.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::process::Command;
use std::time::{Duration, Instant};

use rescind_testkit::{Http, Outcome, Postgres, Reply, TestServer, binary};
use serde_json::{Value, json};

/// How long something that happens at once may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database token as its maker knows it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Token {
    /// A client that presents it.
    pub(crate) fn client(&self, server: &TestServer) -> Http {
        server.http().bearer(&self.secret)
    }

    /// Writes one point with it.
    pub(crate) fn write(&self, server: &TestServer) -> Reply {
        self.client(server)
            .post("/api/v3/write_lp?db=weather", "weather,city=Seattle warmest=21.5")
    }

    /// Counts points with it.
    pub(crate) fn query(&self, server: &TestServer) -> Reply {
        self.client(server)
            .get("/api/v3/query_sql?db=weather&format=csv&q=SELECT%20count(*)%20AS%20n%20FROM%20weather")
    }
}

/// A PostgreSQL for one test.
pub(crate) fn postgres() -> Postgres {
    Postgres::start().unwrap_or_else(|reason| panic!("{reason}"))
}

/// Makes the database `weather`.
pub(crate) fn make_database(server: &TestServer) {
    let path = format!("{}/databases", server.cluster_path());
    let reply = server.management().json("POST", &path, r#"{"name":"weather"}"#);
    assert_eq!(reply.status, 200, "{reply}");
}

/// Makes a token that reads and writes `weather`.
pub(crate) fn make_token(server: &TestServer, description: &str) -> Token {
    let reply = try_make_token(server, description).expect("the server answers");
    assert_eq!(reply.status, 200, "{reply}");
    read_token(&reply)
}

/// The same, against a server that may be dying.
pub(crate) fn try_make_token(server: &TestServer, description: &str) -> Option<Reply> {
    let permissions = json!([
        {"action": "read", "resource": "weather"},
        {"action": "write", "resource": "weather"},
    ]);
    let body = json!({"description": description, "permissions": permissions}).to_string();
    let path = format!("{}/tokens", server.cluster_path());
    server
        .management()
        .try_send("POST", &path, &[("content-type", "application/json")], body)
        .ok()
}

/// The token that an answer shows.
pub(crate) fn read_token(reply: &Reply) -> Token {
    let made: Value = serde_json::from_slice(&reply.bytes).expect("JSON");
    Token {
        id: text(&made, "id"),
        secret: text(&made, "accessToken"),
    }
}

/// A field of an object, which must be a text.
pub(crate) fn text(object: &Value, key: &str) -> String {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in the answer"))
        .to_owned()
}

/// Runs `rescind` itself to its end.
pub(crate) fn rescind(arguments: &[&str]) -> Outcome {
    rescind_with_stdin(arguments, "")
}

/// Runs `rescind` itself to its end, feeding it `stdin`.
pub(crate) fn rescind_with_stdin(arguments: &[&str], stdin: &str) -> Outcome {
    Outcome::of(
        Command::new(binary("rescind"))
            .env_clear()
            .env("COLUMNS", "110")
            .args(arguments),
        stdin.as_bytes(),
    )
}

/// Asks again and again until there is an answer.
pub(crate) fn await_some<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the server printed, once that holds `text`: what it writes to stderr arrives when it arrives.
pub(crate) fn printed_with(server: &TestServer, text: &str) -> String {
    let began = Instant::now();
    loop {
        let printed = server.printed();
        if printed.contains(text) {
            return printed;
        }
        assert!(began.elapsed() < PATIENCE, "{text:?} is not printed in {printed}");
        std::thread::yield_now();
    }
}

/// A seed of the test's own choosing: `RESCIND_TEST_SEED`, or another one each time.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("RESCIND_TEST_SEED").ok();
    given.map_or_else(
        || RandomState::new().build_hasher().finish(),
        |text| text.parse().expect("a number"),
    )
}

/// What differs from run to run, and how long revocations took.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    let mut filters = rescind_testkit::scrub();
    filters.push((r"after \d+ ms, revision", "after [MS] ms, revision"));
    filters.push((r"I\.V1\.[0-9A-Za-z]{64}", "I.V1.[SECRET]"));
    filters
}

/// A snapshot of something that differs from run to run in ids, secrets and times only.
macro_rules! assert_scrubbed {
    ($name:literal, $value:expr) => {
        insta::with_settings!({ filters => crate::house::filters() }, {
            insta::assert_snapshot!($name, $value);
        })
    };
}
pub(crate) use assert_scrubbed;
