//! What an administrator does to users, and that it works at once in sessions that are open.

use crate::stage::{ADMIN, Stage};

#[test]
fn a_role_is_changed_and_holds_in_an_open_session() {
    let stage = Stage::start();
    let grace = stage.user("member", "grace@example.org");
    let new = stage.cluster("databases/new");
    assert_eq!(grace.get(&new).status, 403);
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    assert_eq!(
        browser.column("Email"),
        [&format!("{ADMIN} You"), "grace@example.org"]
    );
    browser.click("Actions for grace@example.org");
    browser.click("Change Role");
    browser.tick("Admin");
    browser.click("Save Changes");
    browser.sees("is Admin now, in every session.");
    assert_eq!(grace.get(&new).status, 200);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn signing_a_user_out_everywhere_leaves_the_user() {
    let stage = Stage::start();
    let grace = stage.user("auditor", "grace@example.org");
    assert_eq!(grace.get("/profile").status, 200);
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click("Actions for grace@example.org");
    browser.click("Log Out Everywhere");
    browser.sees("All sessions of this user end");
    browser.click("Log Out Everywhere");
    browser.sees("is logged out everywhere. Refused on 1 of 1 nodes");
    assert_eq!(grace.get("/profile").status, 303, "sent to the page Log In");
}

#[test]
fn a_user_is_disabled_enabled_and_deleted() {
    let stage = Stage::start();
    let grace = stage.user("member", "grace@example.org");
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click("Actions for grace@example.org");
    browser.click("Disable User");
    browser.click("Disable User");
    browser.sees("is disabled. Refused on 1 of 1 nodes");
    assert_eq!(grace.get("/profile").status, 303);
    browser.click("Actions for grace@example.org");
    browser.click("Enable User");
    browser.sees("is enabled and can log in again. In force on 1 of 1 nodes");
    browser.click("Actions for grace@example.org");
    browser.click("Delete User");
    assert!(browser.is_disabled("Delete User"));
    browser.tick("I understand the risk of this action");
    browser.click("Delete User");
    browser.sees("is deleted.");
    assert_eq!(browser.column("Email").len(), 1);
}

#[test]
fn the_last_administrator_stays() {
    let stage = Stage::start();
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click(&format!("Actions for {ADMIN}"));
    browser.click("Disable User");
    browser.click("Disable User");
    browser.sees("make another administrator first");
}

#[test]
fn the_states_of_an_invitation_are_shown() {
    let stage = Stage::empty();
    stage.invitation("member", "grace@example.org");
    let browser = stage.browser();
    browser.goto(&format!("{}/invitations", stage.account()));
    browser.row("grace@example.org").click("grace@example.org");
    browser.sees("Invite ID");
    assert_eq!(browser.fact("Role"), "Member");
    browser.sees("pending");
    browser.click("Revoke Invitation");
    browser.sees("The link stops working at once");
    browser.click("Revoke Invitation");
    browser.sees("is withdrawn: its link works no more.");
    browser.row("grace@example.org").click("grace@example.org");
    browser.sees("revoked");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
