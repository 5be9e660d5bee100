//! The five documented stories of revocation, each told by the real programs (contract, SEED-1 to SEED-5).

use std::process::Command;

use rescind_testkit::{Influxctl, Outcome, ServerSetup, TestServer};
use serde_json::Value;

use crate::house::{Token, assert_scrubbed, make_database, make_token, postgres, text};

/// The answer to a confirmation.
const YES: &str = "y\n";
const UNKNOWN: &str = "11111111-1111-4111-8111-111111111111";

/// Everything that `influxctl` said, for the search for secrets.
struct Teller {
    influxctl: Influxctl,
    said: String,
}

impl Teller {
    fn new(server: &TestServer) -> Self {
        Self {
            influxctl: server.influxctl(),
            said: String::new(),
        }
    }

    fn run(&mut self, arguments: &[&str]) -> Outcome {
        self.answer(arguments, "")
    }

    fn answer(&mut self, arguments: &[&str], stdin: &str) -> Outcome {
        let outcome = self.influxctl.run_with_stdin(arguments, stdin);
        self.said.push_str(&outcome.to_string());
        outcome
    }

    /// Nothing that was said or kept shows any of these.
    fn assert_discreet(&self, server: &TestServer, secrets: &[String]) {
        for secret in secrets {
            assert!(!self.said.contains(secret), "influxctl shows a secret");
        }
        let leaks = server.leaks(secrets);
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}

/// Makes a management token through `influxctl`; this once its secret is shown, so it is not part of what was said.
fn make_management_token(server: &TestServer, description: &str) -> Token {
    let made = server.influxctl().run(&[
        "management",
        "create",
        "--description",
        description,
        "--format",
        "json",
    ]);
    assert_eq!(made.code, 0, "{made}");
    let made: Value = serde_json::from_str(&made.stdout).expect("JSON");
    Token {
        id: text(&made, "id"),
        secret: text(&made, "token"),
    }
}

#[test]
fn a_management_token_is_revoked_by_the_command() {
    tell_of_a_management_token(&TestServer::start());
}

#[test]
fn a_database_token_is_revoked_by_the_command() {
    tell_of_a_database_token(&TestServer::start());
}

/// The same stories, word for word, on the other catalog.
#[test]
fn the_documented_stories_are_the_same_on_postgres() {
    let postgres = postgres();
    let server = ServerSetup::default().catalog(&postgres.url()).start();
    tell_of_a_management_token(&server);
    let postgres = self::postgres();
    let server = ServerSetup::default().catalog(&postgres.url()).start();
    tell_of_a_database_token(&server);
}

fn tell_of_a_management_token(server: &TestServer) {
    let token = make_management_token(server, "Example Token");
    let mut teller = Teller::new(server);
    let databases = format!("{}/databases", server.cluster_path());
    assert_eq!(token.client(server).get(&databases).status, 200);

    assert_scrubbed!("management_1_list", teller.run(&["management", "list"]));
    assert_scrubbed!(
        "management_2_revoke",
        teller.answer(&["management", "revoke", &token.id], YES)
    );
    assert_scrubbed!("management_3_list", teller.run(&["management", "list"]));
    assert_scrubbed!("management_4_refused", token.client(server).get(&databases));
    teller.assert_discreet(server, &[token.secret, server.management_token().to_owned()]);
}

fn tell_of_a_database_token(server: &TestServer) {
    make_database(server);
    let token = make_token(server, "Read and write weather");
    let mut teller = Teller::new(server);
    assert_eq!(token.write(server).status, 204);

    assert_scrubbed!("token_1_list", teller.run(&["token", "list"]));
    assert_scrubbed!(
        "token_2_revoke",
        teller.answer(&["token", "revoke", &token.id], YES)
    );
    assert_scrubbed!("token_3_write_refused", token.write(server));
    assert_scrubbed!("token_4_query_refused", token.query(server));
    assert_scrubbed!("token_5_list", teller.run(&["token", "list"]));
    assert_scrubbed!(
        "token_6_list_all",
        teller.run(&["token", "list", "--include-revoked"])
    );
    assert_scrubbed!("token_7_get", teller.run(&["token", "get", &token.id]));
    assert_scrubbed!(
        "token_8_get_all",
        teller.run(&["token", "get", "--include-revoked", &token.id])
    );
    teller.assert_discreet(server, &[token.secret, server.management_token().to_owned()]);
}

#[test]
fn a_database_token_is_revoked_by_the_api() {
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "Read and write weather");
    assert_eq!(token.write(&server).status, 204);

    // As the documentation has it, line for line.
    let mut curl = Command::new("curl");
    curl.arg("--location").arg(format!(
        "{}{}/tokens/{}",
        server.url(),
        server.cluster_path(),
        token.id
    ));
    curl.args([
        "--request",
        "DELETE",
        "--header",
        "Accept: application/json",
        "--header",
    ]);
    curl.arg(format!("Authorization: Bearer {}", server.management_token()));
    let answered = Outcome::of(curl.args(["--silent", "--show-error", "--include"]), b"");
    assert_eq!((answered.code, answered.stderr.as_str()), (0, ""), "{answered}");
    let head = answered.stdout.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 204 no content\r\n"), "{head}");
    for header in [
        "rescind-revision: ",
        "rescind-nodes: 1/1\r\n",
        "rescind-effective-ms: ",
    ] {
        assert!(head.contains(header), "no {header} in {head}");
    }
    let refused = token.write(&server);
    assert_eq!(refused.status, 401, "{refused}");
    assert_eq!(
        refused
            .header("www-authenticate")
            .map(|value| value.starts_with("Bearer")),
        Some(true)
    );
    assert_eq!(token.query(&server).status, 401);
    let leaks = server.leaks(&[token.secret, server.management_token().to_owned()]);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn several_are_revoked_at_once_and_an_unknown_one_stops_none() {
    let server = TestServer::start();
    make_database(&server);
    let tokens = ["First", "Second"].map(|description| make_token(&server, description));
    let managers = ["Third", "Fourth"].map(|description| make_management_token(&server, description));
    let mut teller = Teller::new(&server);

    let revoke = teller.answer(&["token", "revoke", &tokens[0].id, UNKNOWN, &tokens[1].id], YES);
    assert_eq!(revoke.code, 1, "{revoke}");
    assert_scrubbed!("several_1_tokens", revoke);
    for token in &tokens {
        assert_eq!(token.write(&server).status, 401);
    }
    let revoke = teller.answer(
        &["management", "revoke", &managers[0].id, UNKNOWN, &managers[1].id],
        YES,
    );
    assert_eq!(revoke.code, 1, "{revoke}");
    assert_scrubbed!("several_2_management_tokens", revoke);
    for manager in &managers {
        assert_eq!(
            manager
                .client(&server)
                .get(&format!("{}/tokens", server.cluster_path()))
                .status,
            401
        );
    }
    let secrets: Vec<String> = tokens
        .iter()
        .chain(&managers)
        .map(|token| token.secret.clone())
        .collect();
    teller.assert_discreet(&server, &secrets);
}

#[test]
fn a_revocation_is_forced_aliased_or_declined() {
    let server = TestServer::start();
    make_database(&server);
    let [forced, aliased, kept] =
        ["Forced", "Aliased", "Kept"].map(|description| make_token(&server, description));
    let manager = make_management_token(&server, "Forced");
    let mut teller = Teller::new(&server);

    assert_scrubbed!(
        "force_1_token",
        teller.run(&["token", "revoke", "--force", &forced.id])
    );
    assert_eq!(forced.write(&server).status, 401);
    assert_scrubbed!(
        "force_2_alias",
        teller.run(&["token", "delete", "--force", &aliased.id])
    );
    assert_eq!(aliased.write(&server).status, 401);
    assert_scrubbed!(
        "force_3_management",
        teller.run(&["management", "revoke", "--force", &manager.id])
    );
    assert_scrubbed!(
        "force_4_again",
        teller.run(&["token", "revoke", "--force", &forced.id])
    );
    for (answer, reason) in [
        ("n\n", "no"),
        ("", "end of input"),
        ("yes please\n", "something else"),
    ] {
        let declined = teller.answer(&["token", "revoke", &kept.id], answer);
        assert_eq!(declined.code, 3, "{reason}: {declined}");
        assert_eq!(kept.write(&server).status, 204, "{reason}");
    }
    assert_scrubbed!(
        "force_5_declined",
        teller.answer(&["token", "revoke", &kept.id], "n\n")
    );
    teller.assert_discreet(
        &server,
        &[forced, aliased, kept, manager].map(|token| token.secret),
    );
}
