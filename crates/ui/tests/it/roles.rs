//! Each role sees and may do exactly its row (contract, admin-ui section 8).

use std::fmt::Write as _;

use rescind_testkit::BrowserSetup;

use crate::stage::Stage;
use crate::visitors::{Form, Visitor};

/// Every page, dialog and act, for each role: the status that it gets. One golden table, so that a page that forgets to
/// ask, or asks too much, shows up as a changed line.
#[test]
fn every_page_and_act_by_role() {
    let stage = Stage::start();
    let token = stage.token("Seattle station", "weather");
    let job = stage.management_token("Nightly job");
    let member = stage.user("member", "grace@example.org");
    let auditor = stage.user("auditor", "edith@example.org");
    let (account, cluster) = (
        stage.account(),
        stage.cluster("").trim_end_matches('/').to_owned(),
    );
    let pages = [
        "/".to_owned(),
        "/profile".to_owned(),
        "/help".to_owned(),
        "/nodes".to_owned(),
        "/device".to_owned(),
        "/accounts".to_owned(),
        account.clone(),
        format!("{account}/clusters"),
        format!("{account}/management-tokens"),
        format!("{account}/management-tokens/new"),
        format!("{account}/management-tokens/{}", job.id),
        format!("{account}/management-tokens/{}/revoke", job.id),
        format!("{account}/users"),
        format!("{account}/users/invite"),
        format!("{account}/invitations"),
        format!("{account}/audit-log"),
        cluster.clone(),
        format!("{cluster}/databases"),
        format!("{cluster}/databases/new"),
        format!("{cluster}/databases/1/retention"),
        format!("{cluster}/databases/1/delete"),
        format!("{cluster}/databases/1/tables"),
        format!("{cluster}/databases/1/tables/new"),
        format!("{cluster}/tables"),
        format!("{cluster}/database-tokens"),
        format!("{cluster}/database-tokens/new"),
        format!("{cluster}/database-tokens/{}", token.id),
        format!("{cluster}/database-tokens/{}/edit", token.id),
        format!("{cluster}/database-tokens/{}/revoke", token.id),
    ];
    let nobody = Visitor::new(&stage.server);
    let mut table = format!(
        "{:<55} {:>6} {:>6} {:>7} {:>6}\n",
        "page", "admin", "member", "auditor", "nobody"
    );
    for page in &pages {
        let plain = page
            .replace(&account, "/accounts/A")
            .replace(&cluster, "/clusters/C")
            .replace(&token.id, "T")
            .replace(&job.id, "M");
        let [a, m, o, n] = [&stage.admin, &member, &auditor, &nobody].map(|visitor| visitor.get(page).status);
        let _ = writeln!(table, "{plain:<55} {a:>6} {m:>6} {o:>7} {n:>6}");
    }
    insta::assert_snapshot!("pages_by_role", table);
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
