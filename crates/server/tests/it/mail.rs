//! Invitations by mail, against a mail server that only listens.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use rescind_testkit::{ServerSetup, TestServer};
use serde_json::Value;

use crate::house::printed_with;

/// Takes one message and gives all that its sender said.
fn mail_server() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let taking = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a sender");
        take(stream)
    });
    (url, taking)
}

fn take(stream: TcpStream) -> String {
    let mut lines = BufReader::new(stream.try_clone().expect("the same socket"));
    let answer = |text: &str| {
        (&stream)
            .write_all(format!("{text}\r\n").as_bytes())
            .expect("heard")
    };
    let (mut said, mut is_message) = (String::new(), false);
    answer("220 mail.example.org");
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).expect("text") == 0 {
            return said;
        }
        said.push_str(&line);
        if is_message {
            if line == ".\r\n" {
                is_message = false;
                answer("250 taken");
            }
            continue;
        }
        match line.split_whitespace().next().unwrap_or_default() {
            "DATA" => {
                is_message = true;
                answer("354 go on");
            }
            "QUIT" => {
                answer("221 bye");
                return said;
            }
            _ => answer("250 fine"),
        }
    }
}

fn invite(server: &TestServer) -> (Value, Option<String>) {
    let body = r#"{"email":"grace@example.org","firstName":"Grace","role":"member"}"#;
    let reply = server.management().json("POST", "/api/v0/invitations", body);
    assert_eq!(reply.status, 200, "{reply}");
    let told = reply.header("rescind-mail").map(str::to_owned);
    (serde_json::from_slice(&reply.bytes).expect("JSON"), told)
}

/// Without the soft line ends of quoted-printable, and with its equals signs (RFC 2045 section 6.7).
fn decoded(message: &str) -> String {
    message.replace("=\r\n", "").replace("=3D", "=")
}

#[test]
fn an_invitation_goes_out_by_mail() {
    let (url, taking) = mail_server();
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("smtp-url");
    std::fs::write(&file, format!("{url}\n")).expect("written");
    let server = ServerSetup::default()
        .arg("--smtp-url-file")
        .arg(file.to_str().expect("UTF-8"))
        .env("RESCIND_SMTP_FROM", "rescind@example.org")
        .start();
    let (invited, told) = invite(&server);
    assert_eq!(told.as_deref(), Some("sent"));
    let said = decoded(&taking.join().expect("the mail server ends"));
    for part in [
        "MAIL FROM:<rescind@example.org>",
        "RCPT TO:<grace@example.org>",
        "\r\nFrom: rescind@example.org\r\n",
        "\r\nTo: grace@example.org\r\n",
        "\r\nSubject: Your invitation to Rescind\r\n",
        "\r\nDate: ",
        "Hello Grace,",
        invited["link"].as_str().expect("a link"),
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let secret = invited["link"]
        .as_str()
        .expect("a link")
        .rsplit('/')
        .next()
        .expect("a secret");
    let leaks = server.leaks(&[secret.to_owned()]);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn a_mail_server_that_is_away_spoils_no_invitation() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "smtp://rescind:hush@{}?tls=opportunistic",
        listener.local_addr().expect("an address")
    );
    drop(listener);
    let server = ServerSetup::default()
        .env("RESCIND_SMTP_URL", &url)
        .arg("--smtp-from")
        .arg("rescind@example.org")
        .start();
    let (invited, told) = invite(&server);
    assert_eq!(told.as_deref(), Some("failed"));
    assert!(invited["link"].is_string());
    let printed = printed_with(&server, "the mail server did not take a message");
    assert!(!printed.contains("hush"), "{printed}");
}
