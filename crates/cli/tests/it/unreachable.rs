use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::stub::{Answer, Ctl, Stub};

/// Answers every connection with these bytes, whatever was sent, and closes it.
fn raw(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(bytes);
        }
    });
    port
}

fn over_tls(port: u16) -> Ctl {
    let config = format!(
        "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"127.0.0.1\"\nport = \"{port}\"\nmgmt_token = \"x\"\n"
    );
    Ctl::with_config(port, &config)
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    insta::assert_snapshot!(Ctl::new(port).run(&["token", "list"]).text());
}

#[test]
fn an_unknown_host() {
    let config = "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"no-such-host.invalid\"\nmgmt_token = \"x\"\n";
    insta::assert_snapshot!(Ctl::with_config(1, config).run(&["token", "list"]).text());
}

#[test]
fn another_product_answers() {
    let html = "<html><body>It works!</body></html>";
    let answers = [
        ("a page", Answer::new(200, "text/html", html)),
        ("a page that is not there", Answer::new(404, "text/html", html)),
        ("another kind of JSON", Answer::json(200, r#"{"status":"ok"}"#)),
        (
            "another kind of error",
            Answer::json(404, r#"{"detail":"Not Found"}"#),
        ),
        (
            "a redirect",
            Answer::new(302, "text/html", "").with("Location", "https://login.example/"),
        ),
        ("a gateway", Answer::new(503, "text/html", html)),
    ];
    let mut text = String::new();
    for (what, answer) in answers {
        let stub = Stub::serve(move |_| answer.clone());
        text.push_str(&format!(
            "# {what}\n{}\n",
            Ctl::new(stub.port).run(&["token", "list"]).text()
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_page_is_no_confirmation_of_a_revocation() {
    let stub = Stub::serve(|_| Answer::new(200, "text/html", "<html></html>"));
    let id = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
    let ended = Ctl::new(stub.port).run(&["token", "revoke", "--force", id]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
}

#[test]
fn tls_to_a_plain_port() {
    let stub = raw(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    insta::assert_snapshot!(over_tls(stub).run(&["token", "list"]).text());
}

#[test]
fn plain_http_to_a_tls_port() {
    // The alert "protocol version", as a TLS server sends it to who speaks HTTP.
    let port = raw(b"\x15\x03\x03\x00\x02\x02\x46");
    insta::assert_snapshot!(Ctl::new(port).run(&["token", "list"]).text());
}

#[test]
fn a_connection_closed_without_an_answer() {
    insta::assert_snapshot!(Ctl::new(raw(b"")).run(&["token", "list"]).text());
}

#[test]
fn a_server_that_never_answers() {
    // The listener accepts by itself and nothing is ever read.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ended = Ctl::new(port).run(&["token", "list", "--timeout", "200ms"]);
    insta::assert_snapshot!(ended.text());
}
