use crate::logins::{ACCESS_TOKEN, form, granted, kept, server, without_token};
use crate::stub::{Answer, Ctl, MANAGEMENT_SECRET, Stub};

#[test]
fn logging_in_is_forced_and_logging_out_ends_it() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, "");
    for _ in 0..2 {
        let ended = ctl.run(&["auth", "login"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(
            ended
                .stdout
                .starts_with("Logged in to http://127.0.0.1:PORT until 20"),
            "{}",
            ended.stdout
        );
    }
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    let out = ctl.run(&["auth", "logout"]);
    assert_eq!(
        out.text(),
        "exit 0\n--- stdout\nLogged out of http://127.0.0.1:PORT\n--- stderr\n"
    );
    assert!(kept(&ctl).is_empty());
    let again = ctl.run(&["auth", "logout"]);
    assert_eq!(
        again.text(),
        "exit 0\n--- stdout\nNot logged in to http://127.0.0.1:PORT\n--- stderr\n"
    );

    let asked = stub.asked();
    let targets: Vec<&str> = asked.iter().map(|asked| asked.target.as_str()).collect();
    let [list, revoke] = targets[4..] else {
        panic!("{targets:?}");
    };
    assert_eq!(targets[..4], ["/oauth/device", "/oauth/token"].repeat(2));
    assert!(
        list.contains("/tokens?") && revoke == "/oauth/revoke",
        "{targets:?}"
    );
    let revocation = form(&asked[5]);
    assert_eq!(revocation["token"], ACCESS_TOKEN);
    assert_eq!(revocation["client_id"], "influxctl");
}

#[test]
fn a_server_that_cannot_be_told_keeps_nobody_logged_in_here() {
    let stub = Stub::serve(|asked| match asked.target.as_str() {
        "/oauth/device" => Answer::json(
            200,
            r#"{"device_code":"d","user_code":"u","verification_uri":"http://x/","expires_in":60,"interval":1}"#,
        ),
        "/oauth/token" => granted(3_600),
        _ => Answer::new(502, "text/html", "<html>"),
    });
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["auth", "login"]).code, 0);
    let ended = ctl.run(&["auth", "logout"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(
        ended
            .stderr
            .contains("the token is removed here, but works elsewhere until 20")
            && ended.stderr.contains("is not available: it answers 502"),
        "{}",
        ended.stderr
    );
    assert!(kept(&ctl).is_empty());
}

#[test]
fn an_expired_token_is_removed_without_asking() {
    let stub = server(vec![granted(0)]);
    let ctl = without_token(stub.port, "");
    assert_eq!(ctl.run(&["auth", "login"]).code, 0);
    assert_eq!(
        ctl.run(&["auth", "logout"]).stdout,
        "Logged out of http://127.0.0.1:PORT\n"
    );
    assert!(stub.lines().iter().all(|line| !line.contains("revoke")));
}

#[test]
fn a_management_token_goes_before_a_login() {
    let stub = server(vec![]);
    let ctl = without_token(stub.port, &format!("mgmt_token = \"{MANAGEMENT_SECRET}\""));
    let ended = ctl.run(&["auth", "login"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended
            .stderr
            .contains("warn\tmgmt_token in profile \"default\" of config.toml goes before the login"),
        "{}",
        ended.stderr
    );
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    let last = stub.asked().pop().expect("asked");
    assert_eq!(last.header("authorization"), Some("Bearer M.V1.managementsecret"));
}

#[test]
fn a_token_file_replaces_the_login() {
    let stub = server(vec![]);
    let ctl: Ctl = without_token(stub.port, "[profile.auth.token]\ntoken_file = \"token.txt\"");
    ctl.file("token.txt", "M.V1.saved\n");
    let ended = ctl.run(&["auth", "login"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(
        ended.stderr.contains("uses auth.token.token_file"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        ctl.run(&["auth", "logout"]).stdout,
        "Not logged in to http://127.0.0.1:PORT\n"
    );
    assert!(stub.lines().is_empty());
}
