//! The port itself: both HTTP versions, TLS, long heads, silence, and what lies on no path.

use std::io::{Read as _, Write as _};
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
    let root = server.http().get("/");
    assert_eq!(
        (root.status, root.header("content-type")),
        (200, Some("text/html; charset=utf-8")),
        "{root}"
    );
    assert!(root.text().contains("/api/v0"), "{root}");
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
