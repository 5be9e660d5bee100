//! Passwords on pages: how they are typed, and what changing one does to who is signed in.

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

/// A browser holds one session: whoever becomes somebody else there is nobody any more by the session before (ASVS 7.2.4).
#[test]
fn a_link_that_is_accepted_ends_the_session_before() {
    let stage = Stage::empty();
    let invite = format!("{}/users/invite", stage.account());
    let fields = [("email", "grace@example.org"), ("role", "member")];
    let reply = stage.admin.submit(&invite, &fields);
    let shown = match reply.header("location") {
        Some(location) => stage.admin.get(location).text(),
        None => reply.text(),
    };
    let link = link_in(&shown).expect("a link to copy");
    let copy = Visitor::new(&stage.server);
    copy.put_cookie(SESSION, &stage.admin.cookie(SESSION).expect("signed in"));
    let fields = [
        ("first_name", "Grace"),
        ("last_name", "Hopper"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    let accepted = stage.admin.submit(&link, &fields);
    assert_eq!(accepted.status, 303, "{accepted}");
    let own = stage.admin.get("/profile");
    assert!(own.text().contains("grace@example.org"), "{own}");
    assert_eq!(copy.get("/profile").status, 303);
}
