use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::stub::{ACCOUNT, Answer, Asked, CLUSTER, Ctl, Ended, Stub};

const DEVICE_CODE: &str = "D.V1.devicecodethatnobodysees";
pub(crate) const ACCESS_TOKEN: &str = "A.V1.accesstokenthatnobodysees";

/// A profile without a token, and `more` below it; its cache is a directory of the test.
pub(crate) fn without_token(port: u16, more: &str) -> Ctl {
    let config = format!(
        "[[profile]]\nname = \"default\"\nproduct = \"dedicated\"\nhost = \"127.0.0.1\"\nport = \"{port}\"\n\
         account_id = \"{ACCOUNT}\"\ncluster_id = \"{CLUSTER}\"\n{more}\n[profile.tls]\ndisable = true\n"
    );
    let ctl = Ctl::with_config(port, &config);
    let cache = ctl.path("cache").to_str().expect("UTF-8").to_owned();
    ctl.variable("XDG_CACHE_HOME", &cache)
}

/// The files in the cache.
pub(crate) fn kept(ctl: &Ctl) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(ctl.path("cache/influxctl"));
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// The fields of a form.
pub(crate) fn form(asked: &Asked) -> BTreeMap<String, String> {
    assert_eq!(
        asked.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let text = String::from_utf8(asked.body.clone()).expect("UTF-8");
    let pairs = text.split('&').map(|pair| pair.split_once('=').expect("a pair"));
    let decode = |text: &str| {
        text.replace("%2E", ".")
            .replace("%3A", ":")
            .replace("%2F", "/")
            .replace("%20", " ")
    };
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn authorization(expires_in: u64) -> Answer {
    Answer::json(
        200,
        format!(
            r#"{{"device_code":"{DEVICE_CODE}","user_code":"WDJB-MJHT","verification_uri":"http://localhost/device",
            "verification_uri_complete":"http://localhost/device?user_code=WDJB-MJHT","expires_in":{expires_in},
            "interval":1}}"#
        ),
    )
}

pub(crate) fn granted(expires_in: u64) -> Answer {
    let body =
        format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":{expires_in}}}"#);
    Answer::json(200, body)
}

fn refused(code: &str) -> Answer {
    Answer::json(
        400,
        format!(r#"{{"error":"{code}","error_description":"so says the server"}}"#),
    )
}

/// A server that gives these answers, one after the other, to whoever asks for a token, and then the token.
pub(crate) fn server(answers: Vec<Answer>) -> Stub {
    let number = AtomicUsize::new(0);
    Stub::serve(move |asked| match asked.target.as_str() {
        "/oauth/device" => authorization(600),
        "/oauth/token" => {
            let answer = answers.get(number.fetch_add(1, Ordering::Relaxed)).cloned();
            answer.unwrap_or_else(|| granted(3_600))
        }
        "/oauth/revoke" => Answer::new(200, "text/plain", ""),
        _ => Answer::json(200, "[]"),
    })
}

/// How often each endpoint was asked.
fn counts(stub: &Stub) -> [usize; 3] {
    let lines = stub.lines();
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    [
        count("POST /oauth/device"),
        count("POST /oauth/token"),
        count("GET /api/"),
    ]
}

fn no_secret(ended: &Ended) {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    for secret in [DEVICE_CODE, ACCESS_TOKEN] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn a_command_logs_in_by_itself_and_the_next_need_not() {
    let stub = server(vec![refused("authorization_pending")]);
    let ctl = without_token(stub.port, "");
    let first = ctl.run(&["token", "list"]);
    insta::assert_snapshot!(first.text());
    assert_eq!(counts(&stub), [1, 2, 1]);
    let second = ctl.run(&["--trace", "token", "list"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    no_secret(&second);
    assert_eq!(counts(&stub), [1, 2, 2]);

    let asked = stub.asked();
    let mut device = form(&asked[0]);
    assert!(device.remove("host_name").is_some_and(|name| !name.is_empty()));
    assert_eq!(
        device,
        BTreeMap::from([("client_id".to_owned(), "influxctl".to_owned())])
    );
    let expected = [
        ("client_id", "influxctl"),
        ("device_code", DEVICE_CODE),
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(form(&asked[1]), BTreeMap::from(expected));
    let bearer = format!("Bearer {ACCESS_TOKEN}");
    for list in asked.iter().filter(|asked| asked.method == "GET") {
        assert_eq!(list.header("authorization"), Some(bearer.as_str()));
    }
    assert!(
        asked
            .iter()
            .filter(|asked| asked.method == "POST")
            .all(|asked| asked.header("authorization").is_none())
    );
}

#[test]
fn the_token_is_kept_for_its_owner_alone() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    let files = kept(&ctl);
    let name = format!("127%2E0%2E0%2E1%3A{},{ACCOUNT},influxctl.json", stub.port);
    assert_eq!(files, [ctl.path("cache/influxctl").join(name)]);
    let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(files[0].clone()), 0o600);
    assert_eq!(mode(ctl.path("cache/influxctl")), 0o700);

    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o640)).expect("set");
    let ended = ctl.run(&["token", "list"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stderr
            .contains("is not used: others than its owner can read it"),
        "{}",
        ended.stderr
    );
    assert_eq!(counts(&stub), [2, 2, 2]);
    assert_eq!(mode(files[0].clone()), 0o600);
}

#[test]
fn another_account_is_another_login() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    let other = ["token", "list", "--account", CLUSTER];
    assert_eq!(ctl.run(&other).code, 0);
    assert_eq!(ctl.run(&other).code, 0);
    assert_eq!((counts(&stub), kept(&ctl).len()), ([2, 2, 3], 2));
}

#[test]
fn a_token_that_is_about_to_expire_is_not_used() {
    let stub = server(vec![granted(5)]);
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(counts(&stub), [2, 2, 3]);
}

#[test]
fn a_refused_token_is_forgotten() {
    let number = AtomicUsize::new(0);
    let stub = Stub::serve(move |asked| match asked.target.as_str() {
        "/oauth/device" => authorization(600),
        "/oauth/token" => granted(3_600),
        _ if number.fetch_add(1, Ordering::Relaxed) == 1 => {
            Answer::error(401, "the request was not authenticated")
        }
        _ => Answer::json(200, "[]"),
    });
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    insta::assert_snapshot!(ctl.run(&["token", "list"]).text());
    assert!(kept(&ctl).is_empty());
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(counts(&stub), [2, 2, 3]);
}

/// What `run` makes of each case. Logins wait for seconds, but need not wait for each other.
fn side_by_side<C: Send, T: Send>(cases: impl IntoIterator<Item = C>, run: impl Fn(C) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let started = cases.into_iter().map(|case| {
            scope.spawn({
                let run = &run;
                move || run(case)
            })
        });
        let started: Vec<_> = started.collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    })
}

#[test]
fn every_end_of_a_login_is_told() {
    let html = || Answer::new(200, "text/html", "<html>It works!</html>");
    let cases = [
        (
            "denied",
            vec![refused("authorization_pending"), refused("access_denied")],
        ),
        ("expired", vec![refused("expired_token")]),
        ("another program's code", vec![refused("invalid_grant")]),
        ("a reason that nobody knows", vec![refused("consent_required")]),
        (
            "refused with 200",
            vec![Answer::json(200, r#"{"error":"access_denied"}"#)],
        ),
        ("a page", vec![html()]),
        ("no token", vec![Answer::json(200, "{}")]),
        (
            "another kind of token",
            vec![Answer::json(200, r#"{"access_token":"x","token_type":"mac"}"#)],
        ),
        (
            "a token with a line end",
            vec![Answer::json(
                200,
                r#"{"access_token":"x\r\nEvil: 1","token_type":"Bearer"}"#,
            )],
        ),
        ("half an answer", vec![Answer::json(200, r#"{"access_token":"#)]),
    ];
    let run = |(what, answers): (&str, Vec<Answer>)| {
        let stub = server(answers);
        let ctl = without_token(stub.port, "");
        let ended = ctl.run(&["token", "list"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{what}");
        assert!(kept(&ctl).is_empty(), "{what}");
        assert_eq!(counts(&stub)[2], 0, "{what}");
        no_secret(&ended);
        let error = ended.stderr.lines().last().unwrap_or_default();
        format!("# {what}\n{error}\n")
    };
    insta::assert_snapshot!(side_by_side(cases, run).concat());
}

#[test]
fn every_refusal_of_a_login_is_told() {
    let page = |url: &str| {
        let body = r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"URL","expires_in":600}"#;
        Answer::json(200, body.replace("URL", url))
    };
    let mut text = String::new();
    for (what, answer) in [
        ("no such endpoint", Answer::error(404, "not found")),
        ("a gateway", Answer::new(503, "text/html", "<html>")),
        ("another product", Answer::new(200, "text/html", "<html>")),
        ("an unknown program", refused("invalid_client")),
        ("a page that is no page", page("file:///etc/passwd")),
        (
            "a page that moves the cursor",
            page("http://localhost/\\u001b[2J"),
        ),
        ("expired at once", authorization(0)),
        ("no answer", Answer::none()),
    ] {
        let stub = Stub::serve(move |_| answer.clone());
        let ended = without_token(stub.port, "").run(&["token", "list"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{what}");
        let error = ended.stderr.lines().last().unwrap_or_default();
        text.push_str(&format!("# {what}\n{error}\n"));
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let nobody = without_token(port, "").run(&["token", "list"]);
    text.push_str(&format!("# nobody listens\n{}", nobody.text()));
    insta::assert_snapshot!(text);
}

#[test]
fn a_server_that_is_away_or_wants_fewer_questions_is_asked_again() {
    let cases = [
        refused("slow_down"),
        Answer::none(),
        Answer::new(503, "text/html", "<html>"),
        refused("temporarily_unavailable"),
    ];
    side_by_side(cases, |answer| {
        let stub = server(vec![answer]);
        let ended = without_token(stub.port, "").run(&["token", "list"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(counts(&stub), [1, 2, 1]);
    });
}

#[test]
fn a_login_that_failed_is_not_tried_again() {
    let stub = server(vec![refused("access_denied")]);
    let ids = [
        "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
        "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
    ];
    let ended = without_token(stub.port, "").run(&["token", "revoke", "--force", ids[0], ids[1]]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.stderr.matches("the login was denied").count(),
        2,
        "{}",
        ended.stderr
    );
    assert_eq!(counts(&stub), [1, 1, 0]);
}

#[test]
fn what_a_profile_lacks_is_told_before_anyone_logs_in() {
    let stub = server(vec![]);
    let config = format!(
        "[[profile]]\nname = \"default\"\nproduct = \"dedicated\"\nhost = \"127.0.0.1\"\nport = \"{}\"\n\
         [profile.tls]\ndisable = true\n",
        stub.port
    );
    let ended = Ctl::with_config(stub.port, &config).run(&["token", "list"]);
    assert!(ended.stderr.contains("has no account_id"), "{}", ended.stderr);
    assert_eq!(counts(&stub), [0, 0, 0]);
}

#[test]
fn where_nothing_can_be_kept_a_login_still_works() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, "");
    ctl.file("cache", "not a directory");
    let ended = ctl.run(&["token", "list"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stderr
            .contains("warn\tthe next command will ask to log in again: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_identity_provider_is_asked_as_the_profile_says() {
    let provider = server(vec![]);
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let address = format!("http://127.0.0.1:{}", provider.port);
    let more = format!(
        "[profile.auth.oauth2]\nclient_id = \"my client\"\nscopes = [\"openid\", \"my/.default\"]\n\
         parameters = {{ audience = \"rescind\" }}\ntoken_url = \"{address}/oauth/token\"\n\
         device_url = \"{address}/oauth/device\"\n"
    );
    let ctl = without_token(stub.port, &more);
    let ended = ctl.run(&["token", "list"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(stub.lines().len(), 1);
    let asked = provider.asked();
    let field = |asked: &Asked, name: &str| form(asked).remove(name);
    for asked in &asked {
        assert_eq!(field(asked, "client_id").as_deref(), Some("my client"));
        assert_eq!(field(asked, "audience").as_deref(), Some("rescind"));
        assert_eq!(field(asked, "host_name"), None);
    }
    assert_eq!(field(&asked[0], "scope").as_deref(), Some("openid my/.default"));

    let ended = ctl.run(&["auth", "logout"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("its provider ends it at 20"),
        "{}",
        ended.stderr
    );
    assert_eq!((provider.lines().len(), kept(&ctl).len()), (2, 0));

    drop(ctl);
    let nobody = more.replace(&address, "https://no-such-host.invalid");
    let ended = without_token(stub.port, &nobody).run(&["token", "list"]);
    insta::assert_snapshot!(ended.text());
}

#[test]
fn a_login_with_senseless_settings_is_refused() {
    let ended = without_token(
        1,
        "[profile.auth.oauth2]\ntoken_url = \"https://id.example/token\"",
    )
    .run(&["token", "list"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .stderr
            .contains("auth.oauth2.token_url is given without device_url"),
        "{}",
        ended.stderr
    );
}

#[test]
fn no_browser_opens_where_nobody_sits() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, "");
    let script = ctl.file("browser", "#!/bin/sh\ntouch \"$0.opened\"\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("set");
    let ctl = ctl.variable("BROWSER", script.to_str().expect("UTF-8"));
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert!(!ctl.path("browser.opened").exists());
}
