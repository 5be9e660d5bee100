//! A real server with people, databases and tokens, and browsers before it.

use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::{Browser, BrowserSetup, Http, ServerSetup, TestServer};
use serde_json::{Value, json};

use crate::visitors::Visitor;

/// The first administrator.
pub(crate) const ADMIN: &str = "ada@example.org";
/// Everybody's password: hashing is what it costs, and guessing it is no subject here.
pub(crate) const PASSWORD: &str = "quiet-otter-counts-9-rivers";

const PATIENCE: Duration = Duration::from_secs(60);

/// A token as its maker knows it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A server whose first administrator has accepted the invitation of the first start.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) admin: Visitor,
}

/// A server that was just started for the first time.
pub(crate) fn fresh() -> ServerSetup {
    ServerSetup::default().arg("--admin-email").arg(ADMIN)
}

/// The path of the one-time link that the first start printed.
pub(crate) fn set_up_path(server: &TestServer) -> String {
    let begun = Instant::now();
    loop {
        let printed = server.printed();
        if let Some(path) = link_in(&printed) {
            return path;
        }
        assert!(begun.elapsed() < PATIENCE, "no link is printed in {printed}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The path of the first one-time link in a text.
pub(crate) fn link_in(text: &str) -> Option<String> {
    let at = text.find("/invitations/I.V1.")?;
    let rest = &text[at..];
    let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "/._-".contains(letter)));
    Some(rest[..end.unwrap_or(rest.len())].to_owned())
}

/// Accepts an invitation; whoever does so is signed in.
pub(crate) fn accept(server: &TestServer, path: &str) -> Visitor {
    let visitor = Visitor::new(server);
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    let reply = visitor.submit(path, &fields);
    assert_eq!(reply.status, 303, "{reply}");
    visitor
}

impl Stage {
    /// With nothing on it but the first administrator.
    pub(crate) fn empty() -> Self {
        Self::with(fresh())
    }

    /// The same, with a server of this set-up.
    pub(crate) fn with(setup: ServerSetup) -> Self {
        let server = setup.start();
        let admin = accept(&server, &set_up_path(&server));
        Self { server, admin }
    }

    /// With the database `weather` too.
    pub(crate) fn start() -> Self {
        let stage = Self::empty();
        stage.database("weather");
        stage
    }

    /// A browser in which the administrator is signed in.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_with(BrowserSetup::default())
    }

    /// The same, with a browser of this set-up.
    pub(crate) fn browser_with(&self, setup: BrowserSetup) -> Browser {
        self.browser_of(&self.admin, setup)
    }

    /// A browser in which this visitor is signed in.
    pub(crate) fn browser_of(&self, visitor: &Visitor, setup: BrowserSetup) -> Browser {
        let browser = setup.start(self.server.url());
        visitor.lend(&browser);
        browser
    }

    /// A browser in which nobody is signed in.
    pub(crate) fn stranger(&self) -> Browser {
        Browser::start(self.server.url())
    }

    /// Makes a user of this role, who has accepted and is signed in.
    pub(crate) fn user(&self, role: &str, email: &str) -> Visitor {
        accept(&self.server, &self.invitation(role, email))
    }

    /// Invites somebody over the management API; the path of the one-time link.
    pub(crate) fn invitation(&self, role: &str, email: &str) -> String {
        let path = format!("/api/v0/accounts/{}/invitations", self.server.account_id());
        let body = json!({ "email": email, "role": role }).to_string();
        let reply = self.server.management().json("POST", &path, &body);
        link_in(&reply.text()).unwrap_or_else(|| panic!("no link for {email}: {reply}"))
    }

    /// `/accounts/{a}`.
    pub(crate) fn account(&self) -> String {
        format!("/accounts/{}", self.server.account_id())
    }

    /// `/clusters/{c}/{what}`.
    pub(crate) fn cluster(&self, what: &str) -> String {
        format!("/clusters/{}/{what}", self.server.cluster_id())
    }

    /// Makes a database.
    pub(crate) fn database(&self, name: &str) {
        let path = format!("{}/databases", self.server.cluster_path());
        let reply = self
            .server
            .management()
            .json("POST", &path, &json!({ "name": name }).to_string());
        assert_eq!(reply.status, 200, "{reply}");
    }

    /// Makes a token that reads and writes this database.
    pub(crate) fn token(&self, description: &str, database: &str) -> Token {
        let permissions = [
            json!({"action": "read", "resource": database}),
            json!({"action": "write", "resource": database}),
        ];
        let body = json!({ "description": description, "permissions": permissions });
        self.make(
            &format!("{}/tokens", self.server.cluster_path()),
            &body,
            "accessToken",
        )
    }

    /// Makes a management token.
    pub(crate) fn management_token(&self, description: &str) -> Token {
        let path = format!("/api/v0/accounts/{}/management-tokens", self.server.account_id());
        self.make(&path, &json!({ "description": description }), "token")
    }

    /// Revokes a database token over the management API, as somebody else may at any time.
    pub(crate) fn revoke(&self, token: &Token) {
        let path = format!("{}/tokens/{}", self.server.cluster_path(), token.id);
        assert_eq!(self.server.management().delete(&path).status, 204);
    }

    /// A database token as the management API shows it.
    pub(crate) fn look_up(&self, id: &str) -> Value {
        let reply = self
            .server
            .management()
            .get(&format!("{}/tokens/{id}", self.server.cluster_path()));
        assert_eq!(reply.status, 200, "{reply}");
        serde_json::from_slice(&reply.bytes).expect("JSON")
    }

    /// A client that presents a secret.
    pub(crate) fn client(&self, secret: &str) -> Http {
        self.server.http().bearer(secret)
    }

    /// The status of writing one point to `weather` with a secret.
    pub(crate) fn write_status(&self, secret: &str) -> u16 {
        self.client(secret)
            .post(
                "/api/v2/write?bucket=weather",
                "weather,city=Seattle warmest=21.5",
            )
            .status
    }

    fn make(&self, path: &str, body: &Value, secret: &str) -> Token {
        let reply = self.server.management().json("POST", path, &body.to_string());
        assert_eq!(reply.status / 100, 2, "{reply}");
        let made: Value = serde_json::from_slice(&reply.bytes).expect("JSON");
        let text = |key: &str| {
            made[key]
                .as_str()
                .unwrap_or_else(|| panic!("no {key} in {made}"))
                .to_owned()
        };
        Token {
            id: text("id"),
            secret: text(secret),
        }
    }
}
