use crate::stub::{ACCOUNT, Answer, CLUSTER, Ctl, Stub};

const MINIMAL: &str = "[[profile]]\nname = \"default\"\nproduct = \"dedicated\"\nhost = \"localhost\"\n";

/// What `token list` says about each of these files.
fn refusals(configs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (what, config) in configs {
        let ended = Ctl::with_config(0, config).run(&["token", "list"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{what}");
        assert!(
            !ended.stderr.contains("managementsecret"),
            "{what}: {}",
            ended.stderr
        );
        text.push_str(&format!("# {what}\n{}\n", ended.stderr));
    }
    text
}

#[test]
fn every_mistake_in_a_file_is_named() {
    insta::assert_snapshot!(refusals(&[
        ("no profile", String::new()),
        (
            "not TOML",
            "[[profile]\nmgmt_token = \"M.V1.managementsecret".to_owned(),
        ),
        (
            "half a line",
            format!("{MINIMAL}mgmt_token = \"M.V1.managementsecret\n"),
        ),
        ("file of version 1", format!("account_id = \"{ACCOUNT}\"\n")),
        ("unknown key", format!("{MINIMAL}hots = \"x\"\n")),
        (
            "unknown key in tls",
            format!("{MINIMAL}[profile.tls]\nverify = true\n"),
        ),
        (
            "unknown key in oauth2",
            format!("{MINIMAL}[profile.auth.oauth2]\nclient = \"x\"\n"),
        ),
        (
            "wrong type",
            format!("{MINIMAL}[profile.tls]\ninsecure = \"yes\"\n"),
        ),
        ("wrong port", format!("{MINIMAL}port = \"99999\"\n")),
        ("no name", "[[profile]]\nproduct = \"dedicated\"\n".to_owned()),
        (
            "unknown product",
            "[[profile]]\nname = \"default\"\nproduct = \"core\"\n".to_owned(),
        ),
    ]));
}

#[test]
fn no_mistake_in_a_file_tells_a_secret() {
    let secret = "M.V1.0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ30aB1cD2eF3gH4iJ5kL6mN7oP";
    for line in [
        format!("mgmt_token {secret}"),
        format!("mgmt_token = {secret}"),
        format!("mgmt_token = \"{secret}"),
        format!("{secret} = 1"),
        format!("\"{secret}\" = 1"),
        format!("port = \"{secret}\""),
        format!("account_id = \"{secret}\""),
        format!("[profile.tls]\ninsecure = \"{secret}\""),
        format!("[profile.tls]\nca = \"{secret}\""),
        format!("[profile.auth.token]\ntoken_file = \"{secret}\""),
    ] {
        let ended = Ctl::with_config(0, &format!("{MINIMAL}{line}\n")).run(&["token", "list"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{line}");
        assert!(!ended.stderr.contains("0aB1cD2e"), "{line}: {}", ended.stderr);
    }
}

#[test]
fn everything_that_a_profile_lacks_is_named() {
    insta::assert_snapshot!(refusals(&[
        ("another profile", MINIMAL.replace("\"default\"", "\"other\"")),
        ("two of that name", MINIMAL.repeat(2)),
        ("no host", MINIMAL.replace("host = \"localhost\"\n", "")),
        (
            "host with scheme",
            MINIMAL.replace("localhost", "https://localhost"),
        ),
        ("bad account", format!("{MINIMAL}account_id = \"a\"\n")),
        ("no account", format!("{MINIMAL}mgmt_token = \"x\"\n")),
        (
            "no cluster",
            format!("{MINIMAL}mgmt_token = \"x\"\naccount_id = \"{ACCOUNT}\"\n"),
        ),
        (
            "token with a line end",
            format!("{MINIMAL}mgmt_token = \"x\\n\"\n"),
        ),
        (
            "no token file",
            format!("{MINIMAL}[profile.auth.token]\ntoken_file = \"missing.json\"\n"),
        ),
        (
            "certificate without key",
            format!("{MINIMAL}mgmt_token = \"x\"\n[profile.tls]\ncert = \"c.pem\"\n"),
        ),
        (
            "no such CA file",
            format!("{MINIMAL}mgmt_token = \"x\"\n[profile.tls]\nca = \"missing.pem\"\n"),
        ),
        (
            "CA file without certificate",
            format!("{MINIMAL}mgmt_token = \"x\"\n[profile.tls]\nca = \"config.toml\"\n"),
        ),
    ]));
}

#[test]
fn a_missing_file_is_named() {
    let ended = Ctl::new(0).run(&["--config", "nowhere/config.toml", "token", "list"]);
    insta::assert_snapshot!(ended.text());
}

#[test]
fn the_file_is_where_the_documentation_says() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let ctl = Ctl::new(stub.port);
    let home = tempfile::tempdir().expect("a directory");
    let under = if cfg!(target_os = "macos") {
        "Library/Application Support/influxctl"
    } else {
        ".config/influxctl"
    };
    std::fs::create_dir_all(home.path().join(under)).expect("made");
    let text = std::fs::read_to_string(ctl.file("x", "").with_file_name("config.toml")).expect("there");
    std::fs::write(home.path().join(under).join("config.toml"), text).expect("written");
    let home = home.path().to_str().expect("UTF-8");
    for (variable, value) in [("UNUSED", ""), ("INFLUXCTL_CONFIG", "")] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_influxctl"))
            .args(["token", "list"])
            .env_clear()
            .env("HOME", home)
            .env(variable, value)
            .output()
            .expect("runs");
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn the_management_token_comes_from_the_environment_first() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let ctl = Ctl::new(stub.port).variable("INFLUXCTL_MGMT_TOKEN", "M.V1.fromenvironment");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(
        stub.asked()[0].header("authorization"),
        Some("Bearer M.V1.fromenvironment")
    );
}

#[test]
fn a_saved_token_is_read_in_both_forms() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    let config = format!(
        "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"127.0.0.1\"\nport = {}\n\
         [profile.tls]\ndisable = true\n[profile.auth.oauth2]\nclient_id = \"x\"\nclient_secret = \"y\"\nscopes = [\"\"]\n\
         parameters = {{ audience = \"\" }}\ntoken_url = \"\"\ndevice_url = \"\"\n\
         [profile.auth.token]\ntoken_file = \"token.json\"\n",
        stub.port
    );
    let ctl = Ctl::with_config(stub.port, &config);
    for text in [
        "M.V1.saved\n",
        "{\"access_token\":\"M.V1.saved\",\"expires_in\":3600}",
    ] {
        ctl.file("token.json", text);
        let ended = ctl.run(&["token", "list"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(
            ended
                .stderr
                .contains("warn\tauth.oauth2.client_secret is not used"),
            "{}",
            ended.stderr
        );
    }
    for asked in stub.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer M.V1.saved"));
    }
    ctl.file("token.json", "{}");
    insta::assert_snapshot!(ctl.run(&["token", "list"]).text());
}

#[test]
fn profiles_are_chosen_by_flag_and_by_variable() {
    let stub = Stub::serve(|_| Answer::json(200, "[]"));
    assert_eq!(
        Ctl::new(stub.port)
            .run(&["--profile", "own", "token", "list"])
            .code,
        0
    );
    let ctl = Ctl::new(stub.port).variable("INFLUXCTL_PROFILE", "own");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    assert_eq!(ctl.run(&["token", "list", "--profile", "default"]).code, 0);
    let ctl = Ctl::new(stub.port).variable("INFLUXCTL_PROFILE", "");
    assert_eq!(ctl.run(&["token", "list"]).code, 0);
    let bare = "GET /api/v0/tokens?status=active,expired&limit=1000".to_owned();
    let prefixed = bare.replace("v0", &format!("v0/accounts/{ACCOUNT}/clusters/{CLUSTER}"));
    assert_eq!(stub.lines(), [bare.clone(), bare, prefixed.clone(), prefixed]);
}

#[test]
fn a_refused_token_is_named_by_its_source() {
    let stub = Stub::serve(|_| {
        let challenge =
            r#"Bearer realm="x", error="invalid_token", error_description="the token was revoked""#;
        Answer::json(401, r#"{"error":"the request was not authenticated"}"#)
            .with("WWW-Authenticate", challenge)
    });
    let ctl = Ctl::new(stub.port);
    let query = ["query", "SELECT 1"].as_slice();
    let by_flag = [query, &["--token", "apiv1_x"]].concat();
    let empty = [query, &["--token", ""]].concat();
    let config = format!(
        "[[profile]]\nname = \"default\"\nproduct = \"clustered\"\nhost = \"127.0.0.1\"\nport = {}\n\
         [profile.tls]\ndisable = true\n[profile.auth.token]\ntoken_file = \"token.txt\"\n",
        stub.port
    );
    let saved = Ctl::with_config(stub.port, &config);
    saved.file("token.txt", "M.V1.saved\n");
    let variable = Ctl::new(stub.port).variable("INFLUXCTL_MGMT_TOKEN", "M.V1.other");
    let list = ["token", "list"].as_slice();
    let mut text = String::new();
    for (what, ctl, arguments) in [
        ("database token of the profile", &ctl, query),
        ("database token of the flag", &ctl, &by_flag),
        ("no database token", &ctl, &empty),
        ("management token of the profile", &ctl, list),
        ("management token of the variable", &variable, list),
        ("management token of a file", &saved, list),
    ] {
        text.push_str(&format!("# {what}\n{}\n", ctl.run(arguments).text()));
    }
    insta::assert_snapshot!(text);
}
