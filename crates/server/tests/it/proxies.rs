//! Behind a proxy: whom the server takes for its client.

use rescind_testkit::{ServerSetup, TestServer};

use crate::house::printed_with;

/// The client of a refused request, as the log names it.
fn client(server: &TestServer, agent: &str, forwarded: Option<&str>) -> String {
    let mut stranger = server.http().header("user-agent", agent);
    if let Some(addresses) = forwarded {
        stranger = stranger.header("x-forwarded-for", addresses);
    }
    assert_eq!(stranger.get("/api/v0/accounts").status, 401);
    let printed = printed_with(server, agent);
    let line = printed.lines().find(|line| line.contains(agent)).expect("logged");
    let (_, rest) = line.split_once("client_address=\"").expect(line);
    let (client, _) = rest.split_once('"').expect(line);
    client.to_owned()
}

#[test]
fn the_word_of_a_named_proxy_is_taken() {
    let setup = ServerSetup::default()
        .arg("--proxy=10.0.0.1")
        .arg("--proxy=127.0.0.1");
    let server = setup.start();
    let spoofed = Some("192.0.2.1, 198.51.100.7, 10.0.0.1");
    assert_eq!(client(&server, "by-two/1", spoofed), "198.51.100.7:0");
    assert!(client(&server, "directly/1", None).starts_with("127.0.0.1:"));
}

#[test]
fn the_word_of_others_is_not_taken() {
    for proxies in [None, Some("10.0.0.1,10.0.0.2")] {
        let setup = ServerSetup::default();
        let setup = match proxies {
            Some(proxies) => setup.env("RESCIND_PROXY", proxies),
            None => setup,
        };
        let client = client(&setup.start(), "liar/1", Some("198.51.100.7"));
        assert!(client.starts_with("127.0.0.1:"), "{client}");
    }
}
