//! People at the real server: invited, logging in, logging out, shut out.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use rescind_testkit::{Http, Influxctl, TestServer};

const PASSWORD: &str = "seven unrelated kites";

/// Somebody with a browser that runs no script and follows no redirect.
struct Person {
    http: Http,
    cookies: RefCell<Vec<String>>,
}

impl Person {
    /// Becomes a user by accepting the invitation at `path`.
    fn accept(server: &TestServer, path: &str) -> Self {
        let person = Self {
            http: server.http().header("origin", server.url()),
            cookies: RefCell::default(),
        };
        let answers = [
            ("first_name", "Grace"),
            ("last_name", "Hopper"),
            ("password", PASSWORD),
            ("password_again", PASSWORD),
        ];
        person.submit(path, &answers);
        person
    }

    /// Fills in the form of the page at `path` that posts to the page's own address.
    fn submit(&self, path: &str, answers: &[(&str, &str)]) {
        let action = path.split('?').next().unwrap_or(path);
        let page = self.send("GET", path, "");
        let (_, form) = page
            .split_once(&format!("method=\"post\" action=\"{action}\""))
            .unwrap_or_else(|| panic!("no form on {path}: {page}"));
        let form = form.split("</form>").next().unwrap_or(form);
        let hidden = form
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(|rest| {
                let (name, rest) = rest.split_once("\" value=\"")?;
                Some((name, rest.split('"').next()?))
            });
        let fields: Vec<String> = hidden
            .chain(answers.iter().copied())
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40")))
            .collect();
        self.send("POST", action, &fields.join("&"));
    }

    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let cookies = self.cookies.borrow().join("; ");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", &cookies),
        ];
        let reply = self.http.send(method, path, &headers, body);
        assert!(reply.status < 400, "{method} {path}: {reply}");
        let set = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
        let set = set.filter_map(|(_, line)| line.split(';').next());
        self.cookies.borrow_mut().extend(set.map(str::to_owned));
        reply.text()
    }
}

/// `influxctl --profile login …` while it waits for an approval.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Where to approve it.
    page: String,
}

impl Waiting {
    fn start(influxctl: &Influxctl, arguments: &[&str]) -> Self {
        let mut command = influxctl.command();
        command.args(["--profile", "login"]).args(arguments);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut told = String::new();
        let page = loop {
            let before = told.len();
            stderr.read_line(&mut told).expect("text");
            assert!(told.len() > before, "ended: {told}");
            if let Some(at) = told.find("/device?user_code=") {
                break told[at..].trim().to_owned();
            }
        };
        Self { child, stderr, page }
    }

    /// How it ended after `person` gave this answer, and what else it told.
    fn answered(mut self, person: &Person, answer: &str) -> (Option<i32>, String) {
        person.submit(&self.page, &[("answer", answer)]);
        let mut told = String::new();
        self.stderr.read_to_string(&mut told).expect("text");
        (self.child.wait().expect("ends").code(), told)
    }

    fn give_up(mut self) {
        self.child.kill().expect("still waits");
        self.child.wait().expect("ends");
    }
}

/// The path of the link in `text`.
fn invitation(text: &str) -> &str {
    let at = text.find("/invitations/I.V1.").expect("a link");
    text[at..].split_whitespace().next().expect("a path")
}

#[test]
fn people_are_listed_invited_and_deleted() {
    let server = TestServer::start();
    let influxctl = server.influxctl();
    let listed = influxctl.run(&["user", "list", "--format", "json"]);
    assert_eq!(listed.code, 0, "{listed}");
    let users: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let (count, role) = (users.as_array().map(Vec::len), &users[0]["roles"][0]);
    assert_eq!((count, role), (Some(1), &"admin".into()));

    let invite = [
        "user",
        "invite",
        "--role",
        "auditor",
        "Grace",
        "Hopper",
        "grace@example.com",
    ];
    let invited = influxctl.run(&invite);
    assert_eq!(invited.code, 0, "{invited}");
    assert!(
        invited
            .stdout
            .starts_with(&format!("{}/invitations/I.V1.", server.url())),
        "{invited}"
    );
    assert!(
        invited.stderr.contains("grace@example.com is invited as auditor")
            && !invited.stderr.contains("I.V1."),
        "{invited}"
    );

    let delete = |id: &str| influxctl.run_with_stdin(&["user", "delete", id], "y\n");
    let unknown = delete("44444444-4444-4444-8444-444444444444");
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""), "{unknown}");
    let deleted = delete(users[0]["id"].as_str().expect("an id"));
    assert_eq!(deleted.code, 0, "{deleted}");
    assert!(
        deleted.stderr.contains("info\trefused on 1 of 1 nodes"),
        "{deleted}"
    );
    assert_eq!(
        influxctl.run(&["user", "list", "--format", "json"]).stdout,
        "[]\n"
    );
}

#[test]
fn a_person_logs_in_and_out_again() {
    let server = TestServer::start();
    let influxctl = server.influxctl();
    let person = Person::accept(&server, invitation(&server.printed()));
    let list = ["--profile", "login", "token", "list"];

    let (code, told) = Waiting::start(&influxctl, &["token", "list"]).answered(&person, "deny");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error\tthe login was denied"), "{told}");

    let (code, told) = Waiting::start(&influxctl, &["auth", "login"]).answered(&person, "approve");
    assert_eq!(code, Some(0), "{told}");
    let listed = influxctl.run(&list);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""), "{listed}");

    let out = influxctl.run(&["--profile", "login", "auth", "logout"]);
    assert_eq!(
        (out.code, out.stdout),
        (0, format!("Logged out of {}\n", server.url()))
    );
    Waiting::start(&influxctl, &["token", "list"]).give_up();
    let again = influxctl.run(&["--profile", "login", "auth", "logout"]);
    assert_eq!(
        (again.code, again.stdout),
        (0, format!("Not logged in to {}\n", server.url()))
    );
}

#[test]
fn who_is_disabled_is_refused_at_once() {
    let server = TestServer::start();
    let influxctl = server.influxctl();
    let invited = influxctl.run(&["user", "invite", "Grace", "Hopper", "grace@example.com"]);
    let person = Person::accept(&server, invitation(&invited.stdout));
    let (code, told) = Waiting::start(&influxctl, &["token", "list"]).answered(&person, "approve");
    assert_eq!(code, Some(0), "{told}");
    // A member reads, and does not administer people.
    let forbidden = influxctl.run(&["--profile", "login", "user", "list"]);
    assert_eq!(
        (forbidden.code, forbidden.stdout.as_str()),
        (1, ""),
        "{forbidden}"
    );

    let users = influxctl.run(&["user", "list", "--format", "json"]).stdout;
    let users: Vec<serde_json::Value> = serde_json::from_str(&users).expect("JSON");
    let grace = users
        .iter()
        .find(|user| user["email"] == "grace@example.com")
        .expect("listed");
    let path = format!(
        "/api/v0/accounts/{}/users/{}",
        server.account_id(),
        grace["id"].as_str().expect("an id")
    );
    let disabled = server
        .management()
        .json("PATCH", &path, r#"{"state":"disabled"}"#);
    assert_eq!(disabled.status, 200, "{disabled}");

    let refused = influxctl.run(&["--profile", "login", "token", "list"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused}");
    assert!(
        refused.stderr.contains("(run the command again to log in)"),
        "{refused}"
    );
    Waiting::start(&influxctl, &["token", "list"]).give_up();
}
