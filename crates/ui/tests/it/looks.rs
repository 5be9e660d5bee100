//! Every page and dialog, looked at: by axe-core for accessibility, and by people in `target/screenshots`.

use std::collections::BTreeMap;
use std::time::Duration;

use rescind_testkit::{Browser, BrowserSetup, Key, Scheme};
use serde_json::json;

use crate::hostile::{TEXTS, device};
use crate::roles::linked;
use crate::stage::Stage;

/// A page and the name of its pictures.
type Page = (&'static str, String);

/// How pages are looked at.
#[derive(Clone, Copy)]
struct Look {
    name: &'static str,
    scheme: Scheme,
    width: u32,
    height: u32,
}

const LOOKS: [Look; 4] = [
    Look {
        name: "light",
        scheme: Scheme::Light,
        width: 1280,
        height: 900,
    },
    Look {
        name: "dark",
        scheme: Scheme::Dark,
        width: 1280,
        height: 900,
    },
    Look {
        name: "medium",
        scheme: Scheme::Dark,
        width: 768,
        height: 1024,
    },
    Look {
        name: "narrow",
        scheme: Scheme::Light,
        width: 360,
        height: 740,
    },
];

impl Look {
    fn put_on(self, browser: &Browser) {
        browser.scheme(self.scheme);
        browser.resize(self.width, self.height);
    }

    /// Takes a picture of the page as it is now, and tells what is wrong with it.
    fn faults(self, browser: &Browser, name: &str) -> Vec<String> {
        browser.screenshot(&format!("{}/{name}", self.name));
        let mut found: Vec<String> = browser.axe().iter().map(ToString::to_string).collect();
        if is_too_wide(browser) {
            found.push("it scrolls sideways".to_owned());
        }
        found
    }
}

/// Looks in every look at what cannot be opened again: what is shown once, or opened by hand.
pub(crate) fn look_here(browser: &Browser, name: &str) {
    for look in LOOKS {
        look.put_on(browser);
        assert_eq!(
            look.faults(browser, name),
            Vec::<String>::new(),
            "{name}, {}",
            look.name
        );
    }
    LOOKS[0].put_on(browser);
}

/// Goes through pages in every look; tells every fault at the end, so that one run shows all.
fn look_at(browser: &Browser, pages: &[Page]) {
    let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for look in LOOKS {
        look.put_on(browser);
        for (name, path) in pages {
            browser.goto(path);
            let mut found = look.faults(browser, name);
            // A page that is not there says so with its status, which the console repeats.
            let complaints = browser.complaints();
            found.extend(
                complaints
                    .into_iter()
                    .filter(|line| !line.contains("404 (Not Found)")),
            );
            for fault in found {
                let places = faults.entry(fault).or_default();
                places.push(format!("{name} ({})", look.name));
            }
        }
    }
    let told: Vec<String> = faults
        .into_iter()
        .map(|(fault, places)| format!("{fault}\n  on {}", places.join(", ")))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

fn is_too_wide(browser: &Browser) -> bool {
    let wide = "const page = document.documentElement; return page.scrollWidth > page.clientWidth";
    browser.run_js(wide, &json!([])) == json!(true)
}

/// A stage with a little of everything.
fn furnished() -> Stage {
    let stage = Stage::start();
    for name in ["archive", "greenhouse", "tides"] {
        stage.database(name);
    }
    for number in 1..=12 {
        let token = stage.token(&format!("Weather station {number}"), "weather");
        stage.write_status(&token.secret);
        if number == 3 {
            stage.revoke(&token);
        }
    }
    stage.management_token("Nightly job");
    stage.management_token("Terraform");
    stage
}

#[test]
fn tokens_look_right() {
    let stage = furnished();
    let token = stage.token("Telegraf on the roof", "weather");
    for _ in 0..5 {
        stage.write_status(&token.secret);
    }
    let one = |what: &str| stage.cluster(&format!("database-tokens/{}{what}", token.id));
    let other = stage.token("Telegraf in the cellar", "weather");
    let (job, other_job) = (
        stage.management_token("Backup"),
        stage.management_token("Restore"),
    );
    let jobs = format!("{}/management-tokens", stage.account());
    look_at(
        &stage.browser(),
        &[
            ("database-tokens", stage.cluster("database-tokens")),
            (
                "database-tokens-none-match",
                stage.cluster("database-tokens?q=nowhere"),
            ),
            ("database-token", one("")),
            ("database-token-new", stage.cluster("database-tokens/new")),
            ("database-token-edit", one("/edit")),
            ("database-token-revoke", one("/revoke")),
            (
                "database-tokens-revoke",
                stage.cluster(&format!(
                    "database-tokens/revoke?token={}&token={}",
                    token.id, other.id
                )),
            ),
            ("management-tokens", jobs.clone()),
            ("management-token", format!("{jobs}/{}", job.id)),
            ("management-token-new", format!("{jobs}/new")),
            ("management-token-revoke", format!("{jobs}/{}/revoke", job.id)),
            (
                "management-tokens-revoke",
                format!("{jobs}/revoke?token={}&token={}", job.id, other_job.id),
            ),
        ],
    );
}

#[test]
fn resources_look_right() {
    let stage = furnished();
    let account = stage.account();
    for gone in ["tides", "weather/tables/weather"] {
        let path = format!("{}/databases/{gone}", stage.server.cluster_path());
        assert_eq!(stage.server.management().delete(&path).status, 204, "{gone}");
    }
    let writer = stage.token("Writes again", "weather");
    assert_eq!(stage.write_status(&writer.secret), 204);
    // The first database and the first table of a cluster have the number 1; the second table is of the same name.
    let database = |what: &str| stage.cluster(&format!("databases/1/{what}"));
    look_at(
        &stage.browser(),
        &[
            ("overview", stage.cluster("").trim_end_matches('/').to_owned()),
            ("databases", stage.cluster("databases")),
            ("database-new", stage.cluster("databases/new")),
            ("database-retention", database("retention")),
            ("database-delete", database("delete")),
            ("tables", database("tables")),
            ("table-new", database("tables/new")),
            ("table", database("tables/2")),
            ("table-restore", database("tables/1/restore")),
            ("database-restore", stage.cluster("databases/4/restore")),
            ("accounts", "/accounts".to_owned()),
            ("account", account.clone()),
            ("clusters", format!("{account}/clusters")),
            ("nodes", "/nodes".to_owned()),
            ("help", "/help".to_owned()),
            ("not-found", "/nowhere".to_owned()),
        ],
    );
}

#[test]
fn people_look_right() {
    let stage = furnished();
    let account = stage.account();
    stage.user("auditor", "edith@example.org");
    stage.admin.submit(
        &format!("{account}/users/invite"),
        &[("email", "grace@example.org"), ("role", "member")],
    );
    let id_of = |list: &str, email: &str| {
        let list = format!("{account}/{list}");
        linked(&stage, &list, email, &format!("{list}/"))
    };
    let user = |act: &str| format!("{account}/users/{}/{act}", id_of("users", "edith@example.org"));
    let invitation = format!(
        "{account}/invitations/{}",
        id_of("invitations", "grace@example.org")
    );
    let code = device(&stage, "influxctl", "ada's laptop");
    look_at(
        &stage.browser(),
        &[
            ("users", format!("{account}/users")),
            ("user-invite", format!("{account}/users/invite")),
            ("user-role", user("role")),
            ("user-disable", user("disable")),
            ("user-sign-out", user("sign-out")),
            ("user-delete", user("delete")),
            ("invitations", format!("{account}/invitations")),
            ("invitation-details", invitation.clone()),
            ("invitation-revoke", format!("{invitation}/revoke")),
            ("audit-log", format!("{account}/audit-log")),
            ("profile", "/profile".to_owned()),
            ("profile-password", "/profile/password".to_owned()),
            ("device", "/device".to_owned()),
            ("device-confirm", format!("/device?user_code={code}")),
        ],
    );
}

#[test]
fn what_strangers_see_looks_right() {
    let stage = Stage::empty();
    let link = stage.invitation("member", "grace@example.org");
    look_at(
        &stage.stranger(),
        &[
            ("sign-in", "/sign-in".to_owned()),
            ("invitation", link),
            ("invitation-used", "/invitations/I.V1.unknown".to_owned()),
        ],
    );
}

/// A place with nothing in it says what it is for.
#[test]
fn emptiness_looks_right() {
    let stage = Stage::empty();
    look_at(
        &stage.browser(),
        &[
            ("empty-database-tokens", stage.cluster("database-tokens")),
            ("empty-databases", stage.cluster("databases")),
            ("empty-tables", stage.cluster("tables")),
            (
                "empty-overview",
                stage.cluster("").trim_end_matches('/').to_owned(),
            ),
        ],
    );
}

#[test]
fn hostile_texts_break_no_layout() {
    let stage = Stage::start();
    let tokens: Vec<_> = TEXTS.iter().map(|text| stage.token(text, "weather")).collect();
    let mut pages = vec![("hostile-database-tokens", stage.cluster("database-tokens"))];
    for (name, token) in [
        "hostile-script",
        "hostile-image",
        "hostile-template",
        "hostile-tags",
    ]
    .iter()
    .zip(&tokens)
    {
        pages.push((name, stage.cluster(&format!("database-tokens/{}", token.id))));
    }
    for (name, token) in ["hostile-rtl", "hostile-emoji", "hostile-long"]
        .iter()
        .zip(&tokens[4..])
    {
        pages.push((
            name,
            stage.cluster(&format!("database-tokens/{}/revoke", token.id)),
        ));
    }
    look_at(&stage.browser(), &pages);
}

/// The secret, which is shown once, and the receipt.
#[test]
fn what_is_shown_once_looks_right() {
    let stage = furnished();
    let browser = stage.browser_with(BrowserSetup::default());
    for look in LOOKS {
        look.put_on(&browser);
        browser.goto(&stage.cluster("database-tokens/new"));
        let description = format!("Shown once, {}", look.name);
        browser.fill("Token Description", &description);
        browser.choose("Database", "weather");
        browser.click("Create Token");
        browser.sees("Token secret");
        browser.screenshot(&format!("{}/database-token-secret", look.name));
        assert_eq!(browser.axe(), Vec::new(), "the secret, {}", look.name);
        browser.click("Done");
        browser.fill("Search by description or ID", &description);
        browser.sees("1–1 of 1");
        browser.click(&format!("Options of {description}"));
        browser.screenshot(&format!("{}/database-token-options", look.name));
        assert_eq!(browser.axe(), Vec::new(), "the options, {}", look.name);
        browser.click("Revoke Token");
        browser.sees("Revoke Database Token");
        browser.click("See more details");
        browser.tick("I understand the risk of this action");
        browser.screenshot(&format!("{}/database-token-revoke-ticked", look.name));
        assert_eq!(browser.axe(), Vec::new(), "the dialog, {}", look.name);
        browser.click("Revoke Token");
        browser.sees("Refused on 1 of 1 nodes");
        browser.screenshot(&format!("{}/database-token-revoked", look.name));
        assert_eq!(browser.axe(), Vec::new(), "the receipt, {}", look.name);
    }
}

#[test]
fn the_keys_are_told() {
    let stage = furnished();
    let browser = stage.browser();
    browser.goto(&stage.cluster("database-tokens"));
    browser.press(Key::Letter('?'));
    browser.sees("Search the list");
    look_here(&browser, "keys");
    browser.press(Key::Escape);
    browser.does_not_see("Search the list");
}

#[test]
fn an_invitation_that_was_made_looks_right() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/users/invite", stage.account()));
    browser.fill("Email address", "grace@example.org");
    browser.click("Send Invitation");
    browser.sees("Invitation made");
    look_here(&browser, "invitation-made");
}

#[test]
fn a_device_that_was_answered_looks_right() {
    let stage = Stage::empty();
    let browser = stage.browser();
    for (answer, told, name) in [
        ("Approve", "is logged in as you", "device-approved"),
        ("Deny", "was told so", "device-denied"),
    ] {
        let code = device(&stage, "influxctl", "laptop");
        browser.goto(&format!("/device?user_code={code}"));
        browser.click(answer);
        browser.sees(told);
        look_here(&browser, name);
    }
}

/// Charts have something to draw once three samples were taken, at 15 seconds' distance.
#[test]
fn the_overview_looks_right_once_it_has_samples() {
    let stage = furnished();
    let overview = stage.cluster("").trim_end_matches('/').to_owned();
    while !stage.admin.get(&overview).text().contains("CPU Usage") {
        std::thread::sleep(Duration::from_millis(500));
    }
    let browser = stage.browser();
    look_at(&browser, &[("overview-charts", overview.clone())]);
    browser.goto(&overview);
    for table in ["Requests", "CPU Usage", "Memory Usage", "Revocations"] {
        browser.sees(table);
    }
    let open_all = "for (const details of document.querySelectorAll('.chart details')) details.open = true";
    browser.run_js(open_all, &json!([]));
    look_here(&browser, "overview-tables");
}
