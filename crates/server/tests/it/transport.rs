//! The port itself: both HTTP versions, TLS, long heads, silence, and what lies on no path.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use rescind_testkit::{Outcome, ServerSetup, TestServer};

use crate::house::{assert_scrubbed, rescind};

fn certificate(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/tls")
        .join(name);
    path.to_str().expect("UTF-8").to_owned()
}

fn curl(arguments: &[&str]) -> Outcome {
    Outcome::of(
        Command::new("curl")
            .args(["--silent", "--show-error"])
            .args(arguments),
        b"",
    )
}

fn raw(server: &TestServer, request: &[u8]) -> String {
    let address = server.url().split("://").nth(1).expect("a URL");
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(request).expect("sent");
    let mut answer = Vec::new();
    // A refused client may be cut off while it still sends.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn both_versions_of_http_share_the_port() {
    let server = TestServer::start();
    let url = format!("{}/ping", server.url());
    for (flag, version) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        let outcome = curl(&[
            flag,
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_version} %{http_code}",
            &url,
        ]);
        assert_eq!(outcome.stdout, format!("{version} 204"), "{outcome}");
    }
}

#[test]
fn paths_that_are_none_are_404_in_json() {
    let server = TestServer::start();
    assert_scrubbed!("not_found", server.http().get("/api/v1/nothing"));
    for path in ["/oauth/nothing", "/.well-known/nothing"] {
        let nothing = server.http().get(path);
        assert_eq!(
            (nothing.status, nothing.header("content-type")),
            (404, Some("application/json")),
            "{nothing}"
        );
    }
}

#[test]
fn people_are_shown_pages() {
    let server = TestServer::start();
    let root = server.http().get("/");
    assert_eq!(
        (root.status, root.header("location")),
        (303, Some("/sign-in")),
        "{root}"
    );
    for (path, status) in [("/sign-in", 200), ("/no/such/page", 404)] {
        let page = server.http().get(path);
        assert_eq!(
            (page.status, page.header("content-type")),
            (status, Some("text/html; charset=utf-8")),
            "{page}"
        );
    }
}

#[test]
fn a_head_that_is_too_long_is_431() {
    let server = TestServer::start();
    let long = "x".repeat(70_000);
    let answer = raw(
        &server,
        format!("GET /ping HTTP/1.1\r\nhost: a\r\nx-long: {long}\r\n\r\n").as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many: String = (0..200).map(|number| format!("x-{number}: a\r\n")).collect();
    let answer = raw(
        &server,
        format!("GET /ping HTTP/1.1\r\nhost: a\r\n{many}\r\n").as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(raw(&server, b"nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    assert_eq!(server.http().get("/ping").status, 204);
}

#[test]
fn https_serves_both_versions_and_the_profile_trusts_it() {
    let [chain, key] = ["server.pem", "server.key"].map(certificate);
    let server = ServerSetup::default()
        .arg("--tls-cert")
        .arg(&chain)
        .arg("--tls-key")
        .arg(&key)
        .start();
    assert!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());
    let url = format!("{}/ping", server.url());
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let authority = certificate("ca.pem");
        let write_out = [
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_version} %{http_code}",
        ];
        let outcome = curl(&[&[flag, "--cacert", &authority], &write_out[..], &[&url]].concat());
        assert_eq!(outcome.stdout, format!("{version} 204"), "{outcome}");
    }
    let listed = server.influxctl().run(&["token", "list"]);
    assert_eq!(listed.code, 0, "{listed}");
    let plain = raw(&server, b"GET /ping HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(
        plain.starts_with("HTTP/1.1 400 ") && plain.contains("this port speaks HTTPS"),
        "{plain}"
    );
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let [chain, key, other] = ["server.pem", "server.key", "other.key"].map(certificate);
    for (certificate, key, hint) in [
        (&chain, &other, "do not belong together"),
        (&key, &key, "holds no certificate"),
        (&chain, &chain, "holds no readable private key"),
        (&"/nowhere.pem".to_owned(), &key, "cannot be read"),
    ] {
        let arguments = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            data.to_str().expect("UTF-8"),
        ];
        let outcome = rescind(&[&arguments[..], &["--tls-cert", certificate, "--tls-key", key]].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{outcome}");
        assert!(outcome.stderr.contains(hint), "{outcome}");
        assert!(!outcome.stderr.contains("PRIVATE KEY"), "{outcome}");
    }
}

/// An answer on a connection that may go on: its status and whether it announces the end.
fn next_answer(stream: &mut impl BufRead) -> (u16, bool) {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line of a head");
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let status = head[0].split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("a length").parse().expect("a number");
    stream.read_exact(&mut vec![0; length]).expect("a whole body");
    (
        status.expect("a status"),
        head.contains(&"connection: close".to_owned()),
    )
}

/// Clients reuse connections: what they are not told about ends their next request instead of this one.
#[test]
fn a_refusal_leaves_the_connection_as_it_says() {
    let server = TestServer::start();
    let bearer = format!("authorization: Bearer {}\r\n", server.management_token());
    let json = format!("{bearer}content-type: application/json\r\n");
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).expect("connected");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut ask = |line: &str, headers: &str, body: &[u8], declared: usize| {
        let head = format!("{line} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {declared}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body).expect("sent");
        next_answer(&mut answers)
    };
    let (some, much) = (vec![b' '; 100_000], vec![b' '; 1_500_000]);
    for round in 0..20 {
        for (line, headers, body, status) in [
            ("POST /api/v0/tokens", "", &some, 401),
            ("PUT /api/v0/tokens", json.as_str(), &some, 405),
            ("POST /api/v0/tokens", bearer.as_str(), &some, 400),
            (
                "POST /api/v0/tokens",
                &format!("{bearer}content-type: text/plain\r\n"),
                &some,
                415,
            ),
            ("POST /api/v0/tokens", json.as_str(), &much, 413),
            ("POST /nowhere", "", &some, 404),
        ] {
            assert_eq!(
                ask(line, headers, body, body.len()),
                (status, false),
                "{round}: {line}"
            );
        }
    }
    // Too much to wait for.
    assert_eq!(ask("POST /api/v0/tokens", "", b"", 100_000_000), (401, true));
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).expect("connected");
    let head = "POST /api/v0/tokens HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("sent");
    assert_eq!(
        next_answer(&mut BufReader::new(stream)),
        (401, true),
        "nothing was asked for"
    );
}
