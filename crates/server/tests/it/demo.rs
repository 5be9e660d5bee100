//! `rescind demo` tells the truth, lets a newcomer in, and ends well.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::{Http, Influxctl, Profile, Reply, Signal, binary};
use rustix::process::{Pid, kill_process};
use tempfile::TempDir;

use crate::house::rescind;

/// How long something that happens within seconds may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_story_ends_with_the_refusal_and_the_receipt() {
    let told = rescind(&["demo", "--exit"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told}");
    let mut filters = crate::house::filters();
    filters.extend([
        (r"/\S*/rescind-demo-\w+", "[DEMO]"),
        (
            r"after \d+ ms, revision \d+",
            "after [MS] ms, revision [REVISION]",
        ),
        (r"apiv1_\w{3}…", "apiv1_xxx…"),
    ]);
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!("demo_story", told.stdout); });
    assert!(!told.stdout.contains('\u{1b}'), "colour without a terminal");
}

#[test]
fn a_step_that_fails_is_told() {
    // The port is out of bounds for everybody but root, and there is no such address here.
    let failed = rescind(&["demo", "--exit", "--listen", "192.0.2.1:1"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{failed}");
    assert!(
        failed.stderr.starts_with("error: cannot listen on 192.0.2.1:1: "),
        "{failed}"
    );
}

/// `rescind demo` after its story, with sample clients at work.
struct Demo {
    child: Child,
    stdout: BufReader<ChildStdout>,
    told: String,
    temporary: TempDir,
}

impl Demo {
    /// Starts it and reads to the end of the closing block.
    fn start() -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut child = Command::new(binary("rescind"))
            .env_clear()
            .env("TMPDIR", temporary.path())
            .arg("demo")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("rescind starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut demo = Self {
            child,
            stdout,
            told: String::new(),
            temporary,
        };
        demo.read_to("Ctrl-C ends the server and its clients");
        demo
    }

    /// Reads the terminal up to the line that holds `text`, and gives that line.
    fn read_to(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.stdout.read_line(&mut line).expect("text");
            assert!(count > 0, "the demo ended without {text:?}: {}", self.told);
            self.told.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What follows the last `start`, up to white space: the story has commands of its own.
    fn word_after(&self, start: &str) -> &str {
        let (_, rest) = self
            .told
            .rsplit_once(start)
            .unwrap_or_else(|| panic!("no {start:?} in {}", self.told));
        rest.split_whitespace().next().expect("a word")
    }

    fn data_dir(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.temporary.path()).expect("readable");
        entries
            .next()
            .expect("the demo's directory")
            .expect("readable")
            .path()
    }

    /// Ctrl-C; gives all that it told.
    fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a child can be signalled");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        assert!(self.child.wait().expect("a child can be waited for").success());
        self.told.push_str(&rest);
        let left = fs::read_dir(self.temporary.path()).expect("readable").count();
        assert_eq!(left, 0, "its directory is left");
        std::mem::take(&mut self.told)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A test that already panics must not panic again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Signs in as the page asks; gives the browser's cookie.
fn sign_in(http: &Http, email: &str, password: &str) -> String {
    let cookie = |reply: &Reply| {
        let line = reply.header("set-cookie").expect("a cookie").to_owned();
        line.split(';').next().expect("a cookie").to_owned()
    };
    let page = http.get("/sign-in");
    assert_eq!(page.status, 200, "{page}");
    let text = page.text();
    let (_, proof) = text.split_once("name=\"csrf\" value=\"").expect("a form");
    let proof = proof.split('"').next().expect("a value");
    let form = format!(
        "csrf={proof}&email={}&password={password}",
        email.replace('@', "%40")
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", &cookie(&page)),
    ];
    let entered = http.send("POST", "/sign-in", &headers, form);
    assert_eq!(entered.status, 303, "{entered}");
    cookie(&entered)
}

#[test]
fn a_newcomer_revokes_a_token_in_use_and_sees_its_client_refused() {
    let mut demo = Demo::start();
    let profile = Profile::read(&demo.data_dir().join("influxctl.toml"));
    let http = Http::new(demo.word_after("Admin UI "));

    // What the terminal says lets people in, each as what they are.
    let password = demo.word_after("with the password ").to_owned();
    let session = sign_in(&http, demo.word_after("Log in "), &password);
    let browser = http.clone().header("cookie", &session);
    let list = browser.get(&format!(
        "/clusters/{}/database-tokens?rows=100",
        profile.cluster_id
    ));
    assert_eq!(list.status, 200, "{list}");
    for token in ["Weather station, roof", "Noor's notebook", "Load test, spring"] {
        let shown = token.replace('\'', "&#39;");
        assert!(list.text().contains(&shown), "no {token} in {list}");
    }
    assert!(
        !list.text().contains("Intern"),
        "a revoked token is among those in force: {list}"
    );
    sign_in(&http, "kenji@example.com", &password);

    // The command that the terminal shows is the one that works.
    let id = demo.word_after("token revoke --force ").to_owned();
    let config = demo.data_dir().join("influxctl.toml");
    let shown = format!(
        "$ influxctl --config {} token revoke --force {id}\n",
        config.display()
    );
    assert!(demo.told.contains(&shown), "{}", demo.told);
    let revoked = Influxctl::new(config).run(&["token", "revoke", "--force", &id]);
    assert_eq!(revoked.code, 0, "{revoked}");

    let refused = demo.read_to("demo-weather-station/1.0 is refused: 401 Unauthorized");
    let why = r#""the request was not authenticated: the token was revoked", "#;
    assert!(refused.contains(why), "{refused}");
    assert!(refused.contains("s after it was revoked; "), "{refused}");
    assert!(
        refused.ends_with(&format!("token \"Weather station, roof\", {id}\n")),
        "{refused}"
    );
    // Uses are written in batches: who used it last is on the page a little later.
    let path = format!("/clusters/{}/database-tokens/{id}", profile.cluster_id);
    let began = Instant::now();
    while !browser.get(&path).text().contains("demo-weather-station/1.0") {
        assert!(began.elapsed() < PATIENCE, "{}", browser.get(&path));
        thread::sleep(Duration::from_millis(100));
    }

    let told = demo.end();
    assert_eq!(told.matches(&password).count(), 1, "{told}");
    assert!(!told.contains(&profile.mgmt_token));
    for kind in ["M.V1.", "S.V1.", "A.V1.", "I.V1."] {
        assert!(!told.contains(kind), "a secret {kind}… in {told}");
    }
    // The story shows the beginning of one.
    let starts = told.match_indices("apiv1_").map(|(at, _)| &told[at..]);
    let whole: Vec<&str> = starts
        .filter(|rest| !rest.contains('…') || rest.find('…') > Some(9))
        .collect();
    assert_eq!(whole, Vec::<&str>::new());
}

#[test]
fn a_writer_and_a_reader_tell_that_they_are_refused() {
    let mut demo = Demo::start();
    let influxctl = Influxctl::new(demo.data_dir().join("influxctl.toml"));
    let listed = influxctl.run(&["token", "list"]).stdout;
    for (description, name) in [
        ("Power meters, hall 2", "demo-power-meters/1.0"),
        ("Operations dashboard", "demo-dashboard/1.0"),
    ] {
        let row = listed.lines().find(|line| line.contains(description));
        let id = row.and_then(|row| row.split('|').nth(1)).expect("a row").trim();
        let revoked = influxctl.run(&["token", "revoke", "--force", id]);
        assert_eq!(revoked.code, 0, "{revoked}");
        let line = demo.read_to(&format!("UTC  {name} is "));
        assert!(
            line.contains(": 401 Unauthorized, ") && line.contains(id),
            "{line}"
        );
    }
    demo.end();
}
