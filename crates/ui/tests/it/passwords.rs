//! Passwords on pages: how they are typed, and what changing one does to who is signed in.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::stage::{ADMIN, PASSWORD, Stage, accept, fresh, link_in, set_up_path};
use crate::visitors::Visitor;

const SESSION: &str = "rescind_session";
const OTHER: &str = "patient-heron-9-counts-lakes";

/// The fields of a page for passwords, as they are written.
fn password_fields(visitor: &Visitor, path: &str) -> Vec<String> {
    let page = visitor.get(path);
    assert_eq!(page.status, 200, "{path}: {page}");
    let text = page.text();
    let fields = text.split("<input").skip(1);
    let fields = fields.map(|field| field.split('>').next().unwrap_or(field).to_owned());
    let about_passwords =
        |field: &String| attribute(field, "name").is_some_and(|name| name.contains("password"));
    fields.filter(about_passwords).collect()
}

/// The value of a field's attribute, with quotes around it or not.
fn attribute(field: &str, name: &str) -> Option<String> {
    let plain = field.replace('"', "");
    let mut attributes = plain.split_whitespace().filter_map(|pair| pair.split_once('='));
    attributes
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// ASVS 6.2.6 and 6.2.7.
#[test]
fn fields_hide_what_is_typed_and_let_managers_help() {
    let server = fresh().start();
    let link = set_up_path(&server);
    let stranger = Visitor::new(&server);
    let of_link = password_fields(&stranger, &link);
    let of_sign_in = password_fields(&stranger, "/sign-in");
    let admin = accept(&server, &link);
    let of_change = password_fields(&admin, "/profile/password");
    let kinds = |fields: &[String]| -> Vec<String> {
        let kinds = fields.iter().map(|field| attribute(field, "autocomplete"));
        kinds.map(Option::unwrap_or_default).collect()
    };
    assert_eq!(kinds(&of_link), ["new-password", "new-password"]);
    assert_eq!(kinds(&of_sign_in), ["current-password"]);
    assert_eq!(
        kinds(&of_change),
        ["current-password", "new-password", "new-password"]
    );
    for field in [of_link, of_sign_in, of_change].concat() {
        assert_eq!(attribute(&field, "type").as_deref(), Some("password"), "{field}");
        assert_eq!(attribute(&field, "maxlength"), None, "{field}");
        assert!(
            !field.contains(" on"),
            "no handler that could refuse what is pasted: {field}"
        );
    }
}

#[test]
fn a_new_password_renews_the_session_and_ends_all_others() {
    let stage = Stage::empty();
    let elsewhere = Visitor::new(&stage.server);
    let reply = elsewhere.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
    assert_eq!(reply.status, 303, "{reply}");
    let copy = Visitor::new(&stage.server);
    copy.put_cookie(SESSION, &stage.admin.cookie(SESSION).expect("signed in"));
    let change = |current: &str| {
        let fields = [
            ("current_password", current),
            ("password", OTHER),
            ("password_again", OTHER),
        ];
        stage.admin.submit("/profile/password", &fields)
    };
    let wrong = change("not the password");
    assert_eq!(wrong.status, 422, "{wrong}");
    assert_eq!(copy.get("/profile").status, 200, "nothing has changed");
    let changed = change(PASSWORD);
    assert_eq!(changed.status, 303, "{changed}");
    assert_eq!(stage.admin.get("/profile").status, 200);
    for ended in [&elsewhere, &copy] {
        assert_eq!(ended.get("/profile").status, 303);
    }
}

/// The link of an invitation that the first administrator makes.
fn invite(stage: &Stage, email: &str) -> String {
    let invite = format!("{}/users/invite", stage.account());
    let fields = [("email", email), ("role", "member")];
    let reply = stage.admin.submit(&invite, &fields);
    let shown = match reply.header("location") {
        Some(location) => stage.admin.get(location).text(),
        None => reply.text(),
    };
    link_in(&shown).expect("a link to copy")
}

fn acceptance(password: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("first_name", "Grace"),
        ("last_name", "Hopper"),
        ("password", password),
        ("password_again", password),
    ]
}

/// A browser holds one session: whoever becomes somebody else there is nobody any more by the session before (ASVS 7.2.4).
#[test]
fn a_link_that_is_accepted_ends_the_session_before() {
    let stage = Stage::empty();
    let link = invite(&stage, "grace@example.org");
    let copy = Visitor::new(&stage.server);
    copy.put_cookie(SESSION, &stage.admin.cookie(SESSION).expect("signed in"));
    let accepted = stage.admin.submit(&link, &acceptance(PASSWORD));
    assert_eq!(accepted.status, 303, "{accepted}");
    let own = stage.admin.get("/profile");
    assert!(own.text().contains("grace@example.org"), "{own}");
    assert_eq!(copy.get("/profile").status, 303);
}

/// Whoever forgot the password is often still signed in somewhere: that session ends with the link, the new one begins.
#[test]
fn a_link_replaces_ones_own_password_where_one_is_signed_in() {
    let stage = Stage::empty();
    let grace = stage.user("member", "grace@example.org");
    let copy = Visitor::new(&stage.server);
    copy.put_cookie(SESSION, &grace.cookie(SESSION).expect("signed in"));
    let link = invite(&stage, "grace@example.org");
    let accepted = grace.submit(&link, &acceptance(OTHER));
    assert_eq!(accepted.status, 303, "{accepted}");
    assert_eq!(grace.get("/profile").status, 200);
    assert_eq!(copy.get("/profile").status, 303);
}

/// ASVS 6.3.5.
#[test]
fn whoever_logs_in_is_told_what_failed_since() {
    let stage = Stage::empty();
    let log_in = |password: &str| {
        let visitor = Visitor::new(&stage.server);
        let reply = visitor.submit("/sign-in", &[("email", ADMIN), ("password", password)]);
        (visitor, reply.status)
    };
    for _ in 0..2 {
        assert_eq!(log_in("not the password").1, 422);
    }
    for (told, when) in [(true, "the next time"), (false, "and only then")] {
        let (ada, status) = log_in(PASSWORD);
        assert_eq!(status, 303, "{when}");
        let page = ada.get("/profile").text();
        assert_eq!(page.contains("2 attempts to log in failed"), told, "{when}");
    }
}

/// ASVS 6.3.7.
#[test]
fn a_new_password_is_told_by_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let taking = thread::spawn(move || take(&listener.accept().expect("a sender").0));
    let setup = fresh().arg("--smtp-url").arg(&url);
    let stage = Stage::with(setup.arg("--smtp-from").arg("rescind@example.org"));
    let fields = [
        ("current_password", PASSWORD),
        ("password", OTHER),
        ("password_again", OTHER),
    ];
    let changed = stage.admin.submit("/profile/password", &fields);
    assert_eq!(changed.status, 303, "{changed}");
    let said = taking.join().expect("the mail server ends");
    assert!(said.contains("RCPT TO:<ada@example.org>"), "{said}");
    assert!(
        said.contains("Subject: Your Rescind password was changed"),
        "{said}"
    );
    assert!(!said.contains(OTHER), "{said}");
}

/// Takes one message (RFC 5321) and gives all that its sender said.
fn take(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream);
    let (mut said, mut is_message) = (String::new(), false);
    let mut answer = "220 mail.example.org";
    loop {
        if !answer.is_empty() {
            let mut writer = stream;
            writer
                .write_all(format!("{answer}\r\n").as_bytes())
                .expect("heard");
        }
        let from = said.len();
        if lines.read_line(&mut said).expect("text") == 0 {
            return said;
        }
        answer = match (is_message, said[from..].trim_end()) {
            (true, ".") => {
                is_message = false;
                "250 taken"
            }
            (true, _) => "",
            (false, "DATA") => {
                is_message = true;
                "354 go on"
            }
            (false, _) => "250 fine",
        };
    }
}
