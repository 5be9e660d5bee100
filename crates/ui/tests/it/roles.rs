//! Each role sees and may do exactly its row (contract, admin-ui section 8).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rescind_testkit::BrowserSetup;

use crate::hostile::device;
use crate::routes::routes;
use crate::stage::{ADMIN, PASSWORD, Stage, Token};
use crate::visitors::{Form, Visitor};

/// What an act sends besides the hidden fields of its form: enough for an administrator to be obeyed. Where one act undoes
/// what the next one needs, the next one stands first.
const ACTS: [(&str, &str); 28] = [
    ("/sign-in", "email=nobody@example.org&password=wrong"),
    (
        "/invitations/{secret}",
        "first_name=A&last_name=B&password=short&password_again=short",
    ),
    ("/device", "user_code={code}"),
    ("/accounts/{account}/management-tokens/new", "description=Made"),
    (
        "/accounts/{account}/management-tokens/revoke",
        "token={other_job}&understood=on",
    ),
    (
        "/accounts/{account}/management-tokens/{token}/revoke",
        "understood=on",
    ),
    (
        "/accounts/{account}/users/invite",
        "email=mallory@example.org&role=admin",
    ),
    ("/accounts/{account}/users/{user}/role", "role=auditor"),
    ("/accounts/{account}/users/{user}/sign-out", ""),
    ("/accounts/{account}/users/{user}/disable", ""),
    ("/accounts/{account}/users/{user}/enable", ""),
    ("/accounts/{account}/users/{user}/delete", "understood=on"),
    ("/accounts/{account}/invitations/{invitation}/revoke", ""),
    ("/clusters/{cluster}/databases/new", "name=made&retain_forever=on"),
    (
        "/clusters/{cluster}/databases/{database}/retention",
        "amount=30&unit=d",
    ),
    ("/clusters/{cluster}/databases/{database}/tables/new", "name=made"),
    (
        "/clusters/{cluster}/databases/{database}/tables/{table}/restore",
        "",
    ),
    ("/clusters/{cluster}/databases/{deleted}/restore", ""),
    (
        "/clusters/{cluster}/database-tokens/new",
        "description=Made&permissions=1&database-0=weather&read-0=1",
    ),
    (
        "/clusters/{cluster}/database-tokens/{token}/edit",
        "description=Changed&permissions=1&database-0=weather&read-0=1&write-0=1",
    ),
    (
        "/clusters/{cluster}/database-tokens/revoke",
        "token={other_token}&understood=on",
    ),
    (
        "/clusters/{cluster}/database-tokens/{token}/revoke",
        "understood=on",
    ),
    (
        "/clusters/{cluster}/databases/{database}/delete",
        "name=weather&understood=on",
    ),
    ("/profile/sessions/{session}/end", ""),
    (
        "/profile/password",
        "current_password={password}&password={password}-2&password_again={password}-2",
    ),
    ("/profile/sessions/end", "keep=on"),
    ("/receipts/{revision}", "back=/profile"),
    ("/sign-out", ""),
];

/// The pages that want something that is deleted; routes call it `{database}` all the same.
const OF_DELETED: &str = "/databases/{database}/restore";

/// What the names in addresses and fields stand for on this stage.
struct Cast {
    stage: Stage,
    tokens: [Token; 2],
    names: Vec<(&'static str, String)>,
}

impl Cast {
    fn gather() -> Self {
        let stage = Stage::start();
        stage.database("tides");
        let (token, other) = (stage.token("Station", "weather"), stage.token("Other", "weather"));
        let (job, other_job) = (stage.management_token("Job"), stage.management_token("Other job"));
        assert_eq!(stage.write_status(&token.secret), 204);
        for gone in ["weather/tables/weather", "tides"] {
            let path = format!("{}/databases/{gone}", stage.server.cluster_path());
            assert_eq!(stage.server.management().delete(&path).status, 204, "{gone}");
        }
        stage.user("member", "mary@example.org");
        stage.invitation("member", "pending@example.org");
        let link = stage.invitation("member", "opened@example.org");
        let elsewhere = Visitor::new(&stage.server);
        elsewhere.submit("/sign-in", &[("email", ADMIN), ("password", PASSWORD)]);
        let code = device(&stage, "influxctl", "laptop");
        let account = stage.account();
        let id_of = |list: &str, email: &str| {
            let list = format!("{account}/{list}");
            linked(&stage, &list, email, &format!("{list}/"))
        };
        let names = vec![
            ("{account}", stage.server.account_id().to_owned()),
            ("{cluster}", stage.server.cluster_id().to_owned()),
            ("{job}", job.id),
            ("{other_job}", other_job.id),
            ("{other_token}", other.id.clone()),
            ("{token}", token.id.clone()),
            ("{secret}", link.replace("/invitations/", "")),
            ("{user}", id_of("users", "mary@example.org")),
            ("{invitation}", id_of("invitations", "pending@example.org")),
            // The first entry is the newest session: the one elsewhere.
            (
                "{session}",
                linked(&stage, "/profile", "<tbody", "/profile/sessions/"),
            ),
            ("{code}", code),
            ("{revision}", "1".to_owned()),
            ("{database}", "1".to_owned()),
            ("{deleted}", "2".to_owned()),
            ("{table}", "1".to_owned()),
            ("{password}", PASSWORD.to_owned()),
        ];
        Self {
            stage,
            tokens: [token, other],
            names,
        }
    }

    /// A route's address, or an act's fields, with names replaced.
    fn fill(&self, text: &str) -> String {
        // Both kinds of tokens are `{token}` in their routes.
        let text = match text.contains("/management-tokens/") {
            true => text.replace("{token}", "{job}"),
            false => text.to_owned(),
        };
        self.names
            .iter()
            .fold(text, |text, (name, value)| text.replace(name, value))
    }
}

/// The id that follows `before` in the first address after a text of a page.
pub(crate) fn linked(stage: &Stage, page: &str, text: &str, before: &str) -> String {
    let page = stage.admin.get(page).text();
    let rest = page.split_once(text).expect("it is on the page").1;
    let rest = rest.split_once(before).expect("it is linked there").1;
    let is_of_id = |letter: &char| letter.is_ascii_hexdigit() || *letter == '-';
    rest.chars().take_while(is_of_id).collect()
}

/// What a form holds that the page showed; for whoever is not shown it, what a forger has: a seal of their own.
fn forged(visitor: &Visitor, path: &str, fields: &str) -> Form {
    let shown = visitor.shown_form(path);
    let form = shown.unwrap_or_else(|| {
        let own = visitor.shown_form_on("/profile", "/sign-out");
        let gate = || visitor.shown_form_on("/sign-in", "/sign-in");
        let kept = own.or_else(gate).expect("some page has a form").fields;
        Form {
            action: path.to_owned(),
            fields: kept.into_iter().filter(|(name, _)| name == "csrf").collect(),
        }
    });
    let pairs = fields.split('&').filter_map(|pair| pair.split_once('='));
    form.with(&pairs.collect::<Vec<_>>())
}

/// Every page, dialog and act, for each role: the status that it gets. One golden table, so that a page that forgets to
/// ask, or asks too much, shows up as a changed line; and every route is in it.
#[test]
fn every_page_and_act_by_role() {
    let cast = Cast::gather();
    let stage = &cast.stage;
    let member = stage.user("member", "grace@example.org");
    let auditor = stage.user("auditor", "edith@example.org");
    let nobody = Visitor::new(&stage.server);
    // Whoever may do it comes last: nobody before has done it then.
    let everybody = [&nobody, &auditor, &member, &stage.admin];
    let mut table = format!(
        "{:<72} {:>6} {:>7} {:>6} {:>6}\n",
        "route", "nobody", "auditor", "member", "admin"
    );
    let mut row = |what: &str, [n, o, m, a]: [u16; 4]| {
        let _ = writeln!(table, "{what:<72} {n:>6} {o:>7} {m:>6} {a:>6}");
    };
    let routes = routes();
    for page in routes.iter().filter_map(|route| route.strip_prefix("GET ")) {
        let path = match page.ends_with(OF_DELETED) {
            true => cast.fill(&page.replace("{database}", "{deleted}")),
            false => cast.fill(page),
        };
        row(
            &format!("GET {page}"),
            everybody.map(|visitor| visitor.get(&path).status),
        );
    }
    for (act, fields) in ACTS {
        let path = cast.fill(act);
        let fields = cast.fill(fields);
        let by = |visitor: &Visitor| visitor.post(&forged(visitor, &path, &fields)).status;
        let [n, o, m] = [&nobody, &auditor, &member].map(by);
        if act.contains("/database-tokens/") && act.ends_with("/revoke") {
            let token = &cast.tokens[usize::from(!act.contains("{token}"))];
            assert_eq!(
                stage.write_status(&token.secret),
                204,
                "{act}: nobody has done it"
            );
        }
        let what = format!("POST {}", act.replace("{deleted}", "{database}"));
        row(&what, [n, o, m, by(&stage.admin)]);
    }
    insta::assert_snapshot!("pages_by_role", table);
    let posted: BTreeSet<_> = ACTS
        .map(|(act, _)| format!("POST {}", act.replace("{deleted}", "{database}")))
        .into();
    let acts: BTreeSet<_> = routes
        .into_iter()
        .filter(|route| route.starts_with("POST "))
        .collect();
    assert_eq!(
        posted, acts,
        "every act of the pages is in the table, and no other"
    );
}

/// What a role is not shown, it is also refused: the authority decides, not the page.
#[test]
fn what_is_not_offered_is_refused_too() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let job = stage.management_token("Nightly job");
    let acts = [
        stage.cluster(&format!("database-tokens/{}/revoke", token.id)),
        format!("{}/management-tokens/{}/revoke", stage.account(), job.id),
        stage.cluster("databases/new"),
        format!("{}/users/invite", stage.account()),
    ];
    for role in ["member", "auditor"] {
        let visitor = stage.user(role, &format!("{role}@example.org"));
        // A seal of its own, as a page that it may see holds one.
        let seal = visitor
            .form_on("/profile", "/sign-out")
            .fields
            .into_iter()
            .find(|(name, _)| name == "csrf")
            .expect("a seal");
        for act in &acts {
            let fields = [
                ("understood", "on"),
                ("risk", "on"),
                ("name", "stolen"),
                ("retain_forever", "on"),
                ("email", "mallory@example.org"),
                ("role", "admin"),
            ];
            let form = Form {
                action: act.clone(),
                fields: vec![seal.clone()],
            }
            .with(&fields);
            let reply = visitor.post(&form);
            assert_eq!(reply.status, 403, "{role} {act}: {reply}");
        }
    }
    assert_eq!(stage.write_status(&token.secret), 204);
    let databases = format!("{}/databases", stage.server.cluster_path());
    let listed = stage.client(&job.secret).get(&databases);
    assert_eq!(listed.status, 200);
    assert!(!listed.text().contains("stolen"));
}

#[test]
fn a_member_makes_tokens_and_revokes_only_those() {
    let stage = Stage::start();
    let foreign = stage.token("Of somebody else", "weather");
    let member = stage.user("member", "grace@example.org");
    let browser = stage.browser_of(&member, BrowserSetup::default());
    browser.goto(&stage.cluster("database-tokens/new"));
    browser.fill("Token Description", "My own");
    browser.choose("Database", "weather");
    browser.click("Create Token");
    browser.sees("Token secret");
    browser.click("Done");
    browser.click("Options of My own");
    browser.click("Revoke Token");
    browser.tick("I understand the risk of this action");
    browser.click("Revoke Token");
    browser.sees("Refused on 1 of 1 nodes");
    let reply = member.get(&stage.cluster(&format!("database-tokens/{}/revoke", foreign.id)));
    assert_eq!(reply.status, 403, "{reply}");
    assert!(!browser.offers("Management Tokens"));
}
