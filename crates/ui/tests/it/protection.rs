//! What keeps others out: headers, seals of forms, and texts that stay texts.

use crate::hostile::{TEXTS, is_harmless};
use crate::stage::Stage;
use crate::visitors::{Form, Visitor, title};

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let stage = Stage::start();
    for (who, path) in [
        (&stage.admin, stage.cluster("database-tokens")),
        (&Visitor::new(&stage.server), "/sign-in".to_owned()),
        (&stage.admin, "/nowhere".to_owned()),
        (
            &Visitor::new(&stage.server),
            "/invitations/I.V1.unknown".to_owned(),
        ),
    ] {
        let reply = who.get(&path);
        let header = |name: &str| {
            reply
                .header(name)
                .unwrap_or_else(|| panic!("{path} lacks {name}"))
                .to_owned()
        };
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
    }
}

/// Forms without a seal, with somebody else's, from elsewhere, or as another kind of body: refused, and nothing is done.
#[test]
fn a_forged_form_is_refused() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let path = stage.cluster(&format!("database-tokens/{}/revoke", token.id));
    let form = stage.admin.form(&path).with(&[("understood", "on")]);
    let without = Form {
        fields: form
            .fields
            .iter()
            .filter(|(name, _)| name != "csrf")
            .cloned()
            .collect(),
        ..form.clone()
    };
    let member = stage.user("admin", "grace@example.org");
    let theirs = member
        .form(&path)
        .fields
        .into_iter()
        .find(|(name, _)| name == "csrf")
        .expect("a seal")
        .1;
    for (forged, how) in [
        (without, "no seal"),
        (form.clone().with(&[("csrf", &theirs)]), "another's seal"),
        (form.clone().with(&[("csrf", "")]), "an empty seal"),
    ] {
        // From a browser that vouches for nothing it is refused; from one that vouches for the page, whose session may
        // have ended and begun again meanwhile, it is asked about. Neither does anything.
        let own = [("origin", stage.server.url())];
        assert_eq!(stage.admin.post_from(&forged, &own).status, 403, "{how}");
        let asked = stage.admin.post(&forged);
        assert_eq!(title(&asked), "Send it again? · Rescind", "{how}");
    }
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example.com")],
    ] {
        let reply = stage.admin.post_from(&form, &headers);
        assert_eq!(reply.status, 403, "{headers:?}: {reply}");
    }
    assert_eq!(stage.write_status(&token.secret), 204, "nothing was done");
    // A link or a picture never acts.
    assert_eq!(stage.admin.get(&path).status, 200);
    assert_eq!(stage.write_status(&token.secret), 204);
    // And the form as it was shown does.
    assert_eq!(stage.admin.post(&form).status, 303);
    assert_eq!(stage.write_status(&token.secret), 401);
}

/// Descriptions on every page that shows them, and whatever stands in addresses; other fields are in `hostile`.
#[test]
fn nothing_that_is_typed_becomes_part_of_a_page() {
    let stage = Stage::start();
    for text in TEXTS {
        stage.token(text, "weather");
        stage.management_token(text);
    }
    let browser = stage.browser();
    let escape = crate::visitors::escape;
    let mut pages = vec![
        stage.cluster("database-tokens"),
        format!("{}/management-tokens", stage.account()),
        format!("{}/audit-log", stage.account()),
        "/profile".to_owned(),
        stage.cluster(""),
    ];
    for text in TEXTS {
        for path in [
            format!("{}?q={}", stage.cluster("database-tokens"), escape(text)),
            format!(
                "{}?sort={}&database={}&creator={}",
                stage.cluster("database-tokens"),
                escape(text),
                escape(text),
                escape(text)
            ),
            format!("/sign-in?next={}", escape(text)),
            format!("/device?user_code={}", escape(text)),
            format!("/{}", escape(text)),
        ] {
            pages.push(path);
        }
    }
    for page in pages {
        is_harmless(&browser, page.trim_end_matches('/'), &[]);
    }
}

#[test]
fn assets_are_kept_for_long_and_pages_are_not() {
    let stage = Stage::empty();
    let page = stage.admin.get("/profile").text();
    let at = page.find("/assets/").expect("a page has assets");
    let path: String = page[at..].chars().take_while(|letter| *letter != '"').collect();
    let reply = stage.admin.get(&path);
    assert_eq!(reply.status, 200, "{reply}");
    assert!(
        reply
            .header("cache-control")
            .is_some_and(|text| text.contains("immutable")),
        "{path}"
    );
    assert_eq!(reply.header("set-cookie"), None);
}
