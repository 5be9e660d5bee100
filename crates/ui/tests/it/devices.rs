//! Programs that ask to act for somebody: the real `influxctl`, approved in the browser (RFC 8628; contract, CLI-038 to
//! CLI-041).

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rescind_testkit::{Browser, BrowserSetup, Influxctl};

use crate::stage::Stage;
use crate::visitors::Visitor;

/// `influxctl auth login` while it waits for an answer.
struct Login {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    path: String,
}

impl Login {
    /// Starts it and reads where to approve it.
    fn start(influxctl: &Influxctl) -> Self {
        let mut command = influxctl.command();
        command.args(["--profile", "login", "auth", "login"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("influxctl starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let mut said = String::new();
        let path = loop {
            let mut line = String::new();
            assert!(
                stderr.read_line(&mut line).expect("text") > 0,
                "influxctl ended: {said}"
            );
            if let Some(at) = line.find("/device?user_code=") {
                break line[at..].trim().to_owned();
            }
            said.push_str(&line);
        };
        Self { child, stderr, path }
    }

    fn code(&self) -> &str {
        self.path.split('=').next_back().expect("a split has a last part")
    }

    fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("text");
        let status = self.child.wait().expect("a child can be waited for");
        (status.code().unwrap_or(-1), said)
    }
}

/// Approves a login in a browser, as the page asks.
fn approve(browser: &Browser, login: &Login) {
    browser.goto(&login.path);
    browser.sees(login.code());
    browser.click("Approve");
    browser.sees("is logged in as you");
}

#[test]
fn influxctl_is_let_in_by_its_user_and_out_again() {
    let stage = Stage::start();
    stage.token("Seattle station", "weather");
    let influxctl = stage.server.influxctl();
    let login = Login::start(&influxctl);
    let browser = stage.browser();
    approve(&browser, &login);
    let (code, said) = login.end();
    assert_eq!(code, 0, "{said}");
    let listed = influxctl.run(&["--profile", "login", "token", "list"]);
    assert_eq!(listed.code, 0, "{listed}");
    assert!(listed.stdout.contains("Seattle station"), "{listed}");

    // What acts for somebody is among that person's sessions.
    browser.goto("/profile");
    browser.sees("influxctl");

    let out = influxctl.run(&["--profile", "login", "auth", "logout"]);
    assert_eq!(out.code, 0, "{out}");
    // Asked again: it shows a code and waits for an approval.
    drop(Login::start(&influxctl).child.kill());
}

#[test]
fn a_denied_login_ends_and_gets_nothing() {
    let stage = Stage::empty();
    let influxctl = stage.server.influxctl();
    let login = Login::start(&influxctl);
    let browser = stage.browser();
    browser.goto(&login.path);
    browser.click("Deny");
    browser.sees("was told so");
    let (code, said) = login.end();
    assert_eq!(code, 1, "{said}");
    browser.goto("/profile");
    browser.does_not_see("influxctl");
}

#[test]
fn a_disabled_users_influxctl_is_refused_at_once() {
    let stage = Stage::start();
    let grace = stage.user("admin", "grace@example.org");
    let influxctl = stage.server.influxctl();
    let login = Login::start(&influxctl);
    approve(&stage.browser_of(&grace, BrowserSetup::default()), &login);
    let (code, said) = login.end();
    assert_eq!(code, 0, "{said}");
    let before = influxctl.run(&["--profile", "login", "token", "list"]);
    assert_eq!(before.code, 0, "{before}");

    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click("Actions for grace@example.org");
    browser.click("Disable User");
    browser.sees("All sessions of this user end");
    browser.click("Disable User");
    browser.sees("Revision");
    assert_eq!(grace.get("/profile").status, 303);
    let refused = influxctl.run(&["--profile", "login", "token", "list"]);
    assert_eq!(refused.code, 1, "{refused}");
}

#[test]
fn a_code_is_typed_by_hand_and_an_unknown_one_is_told() {
    let stage = Stage::empty();
    let login = Login::start(&stage.server.influxctl());
    let browser = stage.browser();
    browser.goto("/device");
    browser.fill("Code", "BCDF-GHJK");
    browser.click("Continue");
    browser.sees("No program waits for this code");
    browser.goto("/device");
    browser.fill("Code", &login.code().to_lowercase().replace('-', " "));
    browser.click("Continue");
    browser.sees(login.code());
    browser.click("Approve");
    browser.sees("is logged in as you");
    assert_eq!(login.end().0, 0);
}

#[test]
fn an_approval_that_is_sent_twice_is_one_approval() {
    let stage = Stage::empty();
    let login = Login::start(&stage.server.influxctl());
    let form = stage.admin.form(&login.path).with(&[("answer", "approve")]);
    let first = stage.admin.post(&form);
    assert_eq!(first.status, 200, "{first}");
    let second = stage.admin.post(&form);
    assert_eq!(second.status, 303, "{second}");
    let page = stage
        .admin
        .get(second.header("location").expect("a location"))
        .text();
    assert!(page.contains("influxctl is logged in as you"), "{page}");
    assert_eq!(login.end().0, 0);
}

#[test]
fn nobody_approves_without_signing_in() {
    let stage = Stage::empty();
    let login = Login::start(&stage.server.influxctl());
    let stranger = Visitor::new(&stage.server);
    let reply = stranger.get(&login.path);
    assert_eq!(reply.status, 303, "{reply}");
    assert!(
        reply
            .header("location")
            .is_some_and(|place| place.starts_with("/sign-in")),
        "{reply}"
    );
    let mut child = login.child;
    child.kill().expect("a child can be killed");
    child.wait().expect("a child can be waited for");
}
