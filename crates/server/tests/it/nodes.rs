//! Several nodes on one PostgreSQL, as their users meet them.

use std::thread;
use std::time::Duration;

use rescind_testkit::{Ending, Http, Postgres, Reply, ServerSetup, Signal, TestServer};
use serde_json::{Value, json};

use crate::cuts::{assert_broken_off, begin_endless_query, begin_upload, end_upload_in_vain, revoke};
use crate::house::{await_some, make_database, make_token, postgres, printed_with, rescind, text};
use crate::visitors::{PASSWORD, Visitor, link};

/// A node of its own name on `catalog`; terms are as short as they may be.
fn node(catalog: &str, name: &str) -> ServerSetup {
    ServerSetup::default()
        .catalog(catalog)
        .arg("--node-name")
        .arg(name)
        .arg("--lease-ttl")
        .arg("1s")
}

/// Nodes that share a catalog: the first made the installation.
fn nodes<const COUNT: usize>(postgres: &Postgres) -> [TestServer; COUNT] {
    let mut started = vec![node(&postgres.url(), "node-1").start()];
    while started.len() < COUNT {
        let name = format!("node-{}", started.len() + 1);
        let joined = node(&postgres.url(), &name).joining(&started[0]).start();
        started.push(joined);
    }
    started
        .try_into()
        .unwrap_or_else(|_| panic!("as many as were asked for"))
}

/// The list of nodes as `server` tells it: the name of each, and what else is known.
fn listed(server: &TestServer) -> Vec<(String, Value)> {
    let reply = server.management().get("/api/v0/nodes");
    assert_eq!(reply.status, 200, "{reply}");
    let nodes: Vec<Value> = serde_json::from_slice(&reply.bytes).expect("JSON");
    nodes
        .into_iter()
        .map(|node| (text(&node, "name"), node))
        .collect()
}

fn state(server: &TestServer, name: &str) -> String {
    let nodes = listed(server);
    let found: Vec<_> = nodes.iter().filter(|(known, _)| known == name).collect();
    assert_eq!(found.len(), 1, "{name} in {nodes:?}");
    text(&found[0].1, "state")
}

fn await_state(server: &TestServer, name: &str, wanted: &str) {
    await_some(&format!("{name} is {wanted}"), || {
        (state(server, name) == wanted).then_some(())
    });
}

#[test]
fn what_one_node_grants_and_revokes_holds_on_all_at_once() {
    let postgres = postgres();
    let nodes: [TestServer; 3] = nodes(&postgres);
    make_database(&nodes[0]);
    for round in 0..12 {
        let (maker, revoker) = (&nodes[round % 3], &nodes[(round + 1) % 3]);
        let token = make_token(maker, "Everywhere");
        for node in &nodes {
            let written = token.write(node);
            assert_eq!(written.status, 204, "{written}");
        }
        let path = format!("{}/tokens/{}", revoker.cluster_path(), token.id);
        let revoked = revoker.management().delete(&path);
        assert_eq!(
            (revoked.status, revoked.header("rescind-nodes")),
            (204, Some("3/3")),
            "{revoked}"
        );
        for node in &nodes {
            assert_eq!(token.write(node).status, 401);
            assert_eq!(token.query(node).status, 401);
        }
    }
}

/// Points are each node's own; what there is in the catalog is there for all.
#[test]
fn points_stay_on_the_node_that_got_them_and_nothing_breaks_elsewhere() {
    let postgres = postgres();
    let [first, second] = nodes(&postgres);
    make_database(&first);
    let token = make_token(&first, "Points");
    let query = |node: &TestServer| {
        let reply = token.query(node);
        (reply.status, reply.text())
    };
    assert_eq!(token.write(&first).status, 204);
    assert_eq!(query(&first), (200, "n\n1\n".to_owned()));
    // The table is known, and empty.
    assert_eq!(query(&second), (200, "n\n0\n".to_owned()));
    assert_eq!(token.write(&second).status, 204);
    assert_eq!(token.write(&second).status, 204);
    assert_ne!(query(&second), (200, "n\n0\n".to_owned()));
    let tables = format!("{}/databases/weather/tables", second.cluster_path());
    let listed = second.management().get(&tables);
    assert!(
        listed.status == 200 && listed.text().contains("\"weather\""),
        "{listed}"
    );
    // Deleting and making anew through one node holds on the other.
    let database = format!("{}/databases/weather", first.cluster_path());
    assert_eq!(first.management().delete(&database).status, 204);
    assert_eq!(token.write(&second).status, 404);
    make_database(&second);
    assert_eq!(query(&first).0, 400, "no table any more");
    assert_eq!(token.write(&first).status, 204);
    assert_eq!(query(&first), (200, "n\n1\n".to_owned()));
    for node in [&first, &second] {
        let told = printed_with(node, "Points are not");
        assert!(!told.contains("ERROR"), "{told}");
    }
}

#[test]
fn people_belong_to_all_nodes() {
    let postgres = postgres();
    let [first, second] = nodes(&postgres);
    let ada = Visitor::new(&first);
    let accepted = ada.accept(&link(&printed_with(&first, "/invitations/I.V1.")));
    assert_eq!(accepted.status, 303, "{accepted}");
    assert_eq!(
        ada.at(&second).get("/profile").status,
        200,
        "a session is one everywhere"
    );

    let invited = second.management().json(
        "POST",
        "/api/v0/invitations",
        r#"{"email":"grace@example.org","role":"admin"}"#,
    );
    let invited: Value = serde_json::from_slice(&invited.bytes).expect("JSON");
    let grace = Visitor::new(&first);
    assert_eq!(grace.accept(&link(&text(&invited, "link"))).status, 303);

    // A program asks one node, its user approves on the other, and the first gives the token.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let asked = first
        .http()
        .send("POST", "/oauth/device", &form, "client_id=influxctl");
    assert_eq!(asked.status, 200, "{asked}");
    let asked: Value = serde_json::from_slice(&asked.bytes).expect("JSON");
    let approved = grace.at(&second).submit(
        &format!("/device?user_code={}", text(&asked, "user_code")),
        &format!("user_code={}&answer=approve", text(&asked, "user_code")),
    );
    assert!(approved.status < 400, "{approved}");
    let redeem = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=influxctl&device_code={}",
        text(&asked, "device_code")
    );
    let redeemed = first.http().send("POST", "/oauth/token", &form, redeem);
    assert_eq!(redeemed.status, 200, "{redeemed}");
    let redeemed: Value = serde_json::from_slice(&redeemed.bytes).expect("JSON");
    let access = text(&redeemed, "access_token");
    let with = |node: &TestServer| node.http().bearer(&access).get("/api/v0/nodes").status;
    assert_eq!((with(&first), with(&second)), (200, 200));

    // A command is a guest beside nodes that run.
    let disabled = rescind(&[
        "user",
        "disable",
        "grace@example.org",
        "--catalog",
        &postgres.url(),
    ]);
    assert_eq!(disabled.code, 0, "{disabled}");
    assert!(
        disabled.stderr.starts_with("refused on 2 of 2 nodes after "),
        "{disabled}"
    );
    for node in [&first, &second] {
        assert_eq!(with(node), 401);
        assert_eq!(grace.at(node).get("/profile").status, 303, "to the sign-in page");
        assert_eq!(ada.at(node).get("/profile").status, 200);
    }
    let fields = format!("email=grace@example.org&password={PASSWORD}");
    assert_ne!(Visitor::new(&second).submit("/sign-in", &fields).status, 303);
}

#[test]
fn nodes_are_listed_with_their_leases() {
    let postgres = postgres();
    let [first, mut second, mut third] = nodes(&postgres);
    make_database(&third);
    for server in [&first, &second, &third] {
        let nodes = listed(server);
        let names: Vec<_> = nodes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["node-1", "node-2", "node-3"]);
        for ((name, node), its) in nodes.iter().zip([&first, &second, &third]) {
            assert_eq!(text(node, "state"), "serving", "{name}");
            assert_eq!(text(node, "address"), its.url());
            assert_eq!(text(node, "version"), env!("CARGO_PKG_VERSION"));
            assert_eq!(node["lease"]["termMs"], 1_000);
            let is_answering = its.url() == server.url();
            assert_eq!(node["answering"], is_answering);
            assert_eq!(node["grants"].is_u64(), is_answering, "{node}");
        }
    }
    let caught_up = |node: &Value| node["revisionsBehind"] == 0 && node["appliedRevision"].as_i64() > Some(0);
    await_some("all are current", || {
        listed(&first)
            .iter()
            .all(|(_, node)| caught_up(node))
            .then_some(())
    });

    // Whoever is killed lapses, after one term; whoever is stopped leaves at once. Both come back under their names.
    third.kill();
    let token = make_token(&first, "While one is dead");
    await_state(&first, "node-3", "lapsed");
    second.stop();
    assert_eq!(state(&first, "node-2"), "left");
    let path = format!("{}/tokens/{}", first.cluster_path(), token.id);
    let revoked = first.management().delete(&path);
    assert_eq!(revoked.header("rescind-nodes"), Some("1/1"), "{revoked}");
    let metrics = first.http().get("/metrics").text();
    assert!(metrics.contains("rescind_nodes{state=\"lapsed\"} 1"), "{metrics}");
    assert!(metrics.contains("rescind_nodes_lapsed_total 1"), "{metrics}");
    second.restart();
    third.restart();
    for name in ["node-1", "node-2", "node-3"] {
        assert_eq!(state(&third, name), "serving");
    }
}

/// A unit file was copied, name and all.
#[test]
fn nodes_of_one_name_or_of_other_terms_are_remarked_upon_and_hide_nobody() {
    let postgres = postgres();
    let first = node(&postgres.url(), "node-1").start();
    let mut copy = ServerSetup::default()
        .catalog(&postgres.url())
        .joining(&first)
        .arg("--node-name")
        .arg("node-1")
        .arg("--lease-ttl")
        .arg("2s")
        .start();
    let called = |other: &TestServer| {
        format!(
            "another node that serves, at {}, is called node-1 too: give each its own --node-name",
            other.url()
        )
    };
    let terms = |own: &str, others: &str| {
        format!("its terms last {own}, those of node-1 {others}: give all nodes the same --lease-ttl")
    };
    let found = |server: &TestServer| {
        let nodes = listed(&first);
        let mut its = nodes
            .iter()
            .filter(|(_, node)| text(node, "address") == server.url());
        let (_, node) = its
            .next()
            .unwrap_or_else(|| panic!("{} in {nodes:?}", server.url()));
        (text(node, "state"), node["remarks"].clone())
    };
    assert_eq!(found(&first).1, json!([called(&copy), terms("1s", "2s")]));
    assert_eq!(found(&copy).1, json!([called(&first), terms("2s", "1s")]));
    for remark in [called(&first), terms("2s", "1s")] {
        printed_with(&copy, &remark);
    }
    let ada = Visitor::new(&first);
    ada.accept(&link(&printed_with(&first, "/invitations/I.V1.")));
    let page = ada.get("/nodes").text();
    assert!(page.contains(&called(&copy)), "{page}");

    copy.kill();
    await_some("whoever died is listed beside its namesake", || {
        (found(&copy).0 == "lapsed").then_some(())
    });
    assert_eq!(found(&first), ("serving".to_owned(), Value::Null));
}

#[test]
fn of_nodes_that_start_at_once_on_an_empty_catalog_one_founds() {
    let postgres = postgres();
    let url = postgres.url();
    let started: Vec<TestServer> = thread::scope(|scope| {
        let starts: Vec<_> = ["a", "b", "c"]
            .map(|name| scope.spawn(|| node(&url, name).start()))
            .into_iter()
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().expect("it starts"))
            .collect()
    });
    let founder_of = |node: &TestServer| node.data_dir().join("influxctl.toml").exists();
    let (founders, joined): (Vec<_>, Vec<_>) = started.iter().partition(|node| founder_of(node));
    assert_eq!(founders.len(), 1);
    let founder = founders[0];
    assert_eq!(
        printed_with(founder, "Points are not")
            .matches("/invitations/I.V1.")
            .count(),
        1
    );
    for node in &joined {
        let told = printed_with(node, "Points are not");
        assert!(
            told.contains("joined an installation that exists already") && !told.contains("I.V1."),
            "{told}"
        );
        assert!(!node.data_dir().join("influxctl.toml.new").exists());
    }
    // The one account is known to all, whoever loaded before it was made.
    for node in &started {
        let management = node.http().bearer(founder.management_token());
        let clusters = management.get(&format!("/api/v0/accounts/{}/clusters", founder.account_id()));
        assert!(clusters.text().contains(founder.cluster_id()), "{clusters}");
        // By what this node has in memory: the list above comes from the catalog.
        let path = format!(
            "/api/v0/accounts/{}/clusters/{}/tokens",
            founder.account_id(),
            founder.cluster_id()
        );
        let tokens = management.get(&path);
        assert_eq!(tokens.status, 200, "{tokens}");
        let accounts = management.get("/api/v0/accounts").text();
        assert_eq!(accounts.matches(founder.account_id()).count(), 1, "{accounts}");
    }
    let users = rescind(&["user", "list", "--catalog", &url]);
    assert_eq!((users.code, users.stdout.lines().count()), (0, 1), "{users}");
}

#[test]
fn a_node_that_joined_gets_the_profile_of_the_first() {
    let postgres = postgres();
    let [first, second] = nodes(&postgres);
    let listed = second.influxctl().run(&["token", "list"]);
    assert_eq!(listed.code, 0, "{listed}");
    assert_ne!(first.profile().port, second.profile().port);
    let told = printed_with(&second, "Points are not");
    assert!(!told.contains("joined an installation"), "{told}");
}

/// Promise G2 across nodes: what is cut has ended, too. On the other node it takes a second to end, so that a revocation
/// that did not wait for it would be told sooner.
#[test]
fn work_on_another_node_has_ended_before_the_revocation_returns() {
    let postgres = postgres();
    // A term is longer than the work: nobody takes that node for a dead one.
    let node = |name: &str| {
        let setup = ServerSetup::default().catalog(&postgres.url());
        setup.arg("--node-name").arg(name).arg("--lease-ttl").arg("20s")
    };
    let first = node("node-1").start();
    let second = node("node-2").joining(&first).arg("--linger").arg("1s").start();
    make_database(&first);
    let (token, reader) = (make_token(&first, "At work"), make_token(&first, "Reader"));
    let query = begin_endless_query(&second, &token);
    let before = reader.query(&second).text();
    let upload = begin_upload(&second, &token);
    let path = format!("{}/tokens/{}", first.cluster_path(), token.id);
    let revoked = first.management().delete(&path);
    let metrics = second.http().get("/metrics").text();
    assert!(
        metrics.contains("rescind_queries_total{outcome=\"cut\"} 1"),
        "{metrics}"
    );
    assert_eq!(revoked.status, 204, "{revoked}");
    let states = revoked.header("rescind-node-states").expect("of both nodes");
    let applied = states.split("\"node-2\";applied=").nth(1).expect(states);
    let digits = applied.split(',').next().expect("a part");
    assert!(digits.parse::<u64>().expect("a number") >= 1_000, "{revoked}");
    assert_broken_off(query);
    end_upload_in_vain(upload);
    assert_eq!(reader.query(&second).text(), before);
}

/// Promises G2 and G3: a process that is stopped holds nobody up for longer than its term, and does nothing with what it
/// was in the middle of once it goes on.
#[test]
fn work_on_a_node_that_stands_still_is_cut_by_its_term() {
    let postgres = postgres();
    let [first, second] = nodes(&postgres);
    make_database(&first);
    let (token, reader) = (make_token(&first, "At work"), make_token(&first, "Reader"));
    let query = begin_endless_query(&second, &token);
    let before = reader.query(&second).text();
    let upload = begin_upload(&second, &token);
    second.signal(Signal::STOP);
    let path = format!("{}/tokens/{}", first.cluster_path(), token.id);
    let revoked = first.management().delete(&path);
    assert_eq!(
        (revoked.status, revoked.header("rescind-nodes")),
        (204, Some("1/2")),
        "{revoked}"
    );
    // The rest of the body waits in the kernel; nothing looks at the tether before it is there.
    let ending = thread::spawn(move || end_upload_in_vain(upload));
    second.signal(Signal::CONT);
    assert_broken_off(query);
    ending.join().expect("not stored");
    let after = await_some("the node serves again", || {
        let reply = reader.query(&second);
        assert!(matches!(reply.status, 200 | 503), "{reply}");
        (reply.status == 200).then(|| reply.text())
    });
    assert_eq!(after, before);
    assert_eq!(token.write(&second).status, 401);
}

/// Promise G3.
#[test]
fn without_postgres_nodes_close_and_come_back_by_themselves() {
    let mut postgres = postgres();
    let [first, second] = nodes(&postgres);
    make_database(&first);
    let token = make_token(&first, "Patient");
    let ada = Visitor::new(&first);
    assert_eq!(
        ada.accept(&link(&printed_with(&first, "/invitations/I.V1.")))
            .status,
        303
    );
    assert_eq!(first.http().get("/health").status, 200);
    assert_eq!(token.write(&first).status, 204);
    postgres.end(Ending::Immediate);
    for node in [&first, &second] {
        let refused = await_some("the term is over", || {
            let reply = token.write(node);
            assert!(matches!(reply.status, 204 | 503), "{reply}");
            (reply.status == 503).then_some(reply)
        });
        assert_closed(&refused);
        assert_closed(&token.query(node));
        assert_closed(&node.management().get("/api/v0/nodes"));
        let health = node.http().get("/health");
        assert_eq!(health.status, 503, "{health}");
        assert!(health.text().contains("\"fail\""), "{health}");
        assert_eq!(node.http().get("/ping").status, 204);
        let page = ada.at(node).get("/tokens");
        assert_eq!(page.status, 503, "{page}");
        assert!(page.text().contains("<h1>"), "{page}");
        let metrics = node.http().get("/metrics").text();
        for line in [
            "rescind_admitting 0",
            "rescind_lease_remaining_seconds 0",
            "rescind_catalog_lag_revisions NaN",
        ] {
            assert!(metrics.lines().any(|told| told == line), "no {line} in {metrics}");
        }
    }
    postgres.start_again().expect("it starts again");
    for node in [&first, &second] {
        await_some("the node serves again", || {
            let reply = token.write(node);
            assert!(matches!(reply.status, 204 | 503), "{reply}");
            (reply.status == 204).then_some(())
        });
    }
    assert_eq!(first.http().get("/health").status, 200);
    let metrics = await_some("it knows how far the catalog is", || {
        let metrics = first.http().get("/metrics").text();
        metrics
            .contains("rescind_catalog_lag_revisions 0")
            .then_some(metrics)
    });
    assert!(
        !metrics.contains("rescind_lease_renewal_failures_total 0"),
        "{metrics}"
    );
}

fn assert_closed(reply: &Reply) {
    assert_eq!(reply.status, 503, "{reply}");
    assert!(reply.header("retry-after").is_some(), "{reply}");
}

/// A release would not have the flag. Whoever checks histories needs to see a node that lies.
#[test]
fn a_sabotaged_node_acknowledges_and_goes_on_admitting() {
    let postgres = postgres();
    let first = node(&postgres.url(), "node-1").start();
    let second = node(&postgres.url(), "node-2")
        .joining(&first)
        .arg("--sabotage")
        .arg("ignore-revocations")
        .arg("--clock-rate")
        .arg("0.9")
        .start();
    make_database(&first);
    let token = make_token(&first, "Ignored");
    assert_eq!(token.write(&second).status, 204);
    revoke(&first, &token);
    assert_eq!(token.write(&first).status, 401);
    assert_eq!(token.write(&second).status, 204);
}

#[test]
fn a_catalog_that_cannot_be_had_is_explained() {
    let postgres = postgres();
    let unknown = postgres.url().replace("/rescind", "/nowhere");
    let dead = "postgres://rescind:hush@127.0.0.1:1/rescind";
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = directory.path().to_str().expect("UTF-8");
    for (catalog, said) in [(unknown.as_str(), "nowhere"), (dead, "127.0.0.1:1")] {
        for command in [
            &["serve", "--listen", "127.0.0.1:0"] as &[&str],
            &["user", "list"],
            &["audit", "verify"],
        ] {
            let outcome = rescind(&[command, &["--data-dir", data_dir, "--catalog", catalog]].concat());
            assert_eq!(outcome.code, 1, "{outcome}");
            let last = outcome.stderr.lines().last().unwrap_or_default();
            assert!(last.starts_with("error: ") && last.contains(said), "{outcome}");
            assert!(!outcome.stderr.contains("hush"), "{outcome}");
        }
    }
    let users = rescind(&["user", "list", "--catalog", &postgres.url()]);
    assert_eq!(users.code, 1, "{users}");
    assert!(users.stderr.contains("rescind serve"), "{users}");
}

/// A node that starts while another lives on the same catalog needs a data directory of its own, and one of this catalog.
#[test]
fn points_of_another_catalog_are_refused() {
    let (one, other) = (postgres(), postgres());
    let mut server = node(&one.url(), "node-1").start();
    server.stop();
    let data_dir = server.data_dir().to_str().expect("UTF-8");
    let refused = rescind(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data_dir,
        "--catalog",
        &other.url(),
    ]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(
        refused.stderr.contains("holds the points of account"),
        "{refused}"
    );
}

/// How long SIGTERM holds others up: not at all.
#[test]
fn a_node_that_is_stopped_holds_nobody_up() {
    let postgres = postgres();
    let first = node(&postgres.url(), "node-1").start();
    let mut second = ServerSetup::default()
        .catalog(&postgres.url())
        .arg("--lease-ttl")
        .arg("60s")
        .joining(&first)
        .start();
    make_database(&first);
    second.stop();
    let token = make_token(&first, "Soon gone");
    let path = format!("{}/tokens/{}", first.cluster_path(), token.id);
    // Far less than a term of the other one.
    let hasty =
        Http::with_patience(first.url().to_owned(), Duration::from_secs(30)).bearer(first.management_token());
    let revoked = hasty.delete(&path);
    assert_eq!(
        (revoked.status, revoked.header("rescind-nodes")),
        (204, Some("1/1")),
        "{revoked}"
    );
}
