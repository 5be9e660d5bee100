//! Inviting people: a one-time link that whoever invites hands over.

use rescind_testkit::Browser;

use crate::stage::{PASSWORD, Stage, link_in};

#[test]
fn an_invitation_makes_a_user_of_the_role_it_names_and_works_once() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/users", stage.account()));
    browser.click("Invite Users");
    browser.sees("Invite User");
    browser.fill("Email address", "grace@example.org");
    browser.tick("Auditor");
    browser.click("Send Invitation");
    browser.sees("grace@example.org");
    let link = link_in(&browser.source()).expect("a link to copy");

    let guest = stage.stranger();
    guest.goto(&link);
    guest.sees("grace@example.org");
    guest.fill("First Name", "Grace");
    guest.fill("Last Name", "Hopper");
    guest.fill("Password", PASSWORD);
    guest.fill("Password again", PASSWORD);
    guest.click("Set password and log in");
    guest.sees("Overview");
    guest.goto(&stage.cluster("database-tokens"));
    assert!(!guest.offers("New Database Token"));

    let second = Browser::start(stage.server.url());
    second.goto(&link);
    second.does_not_see("grace@example.org");
    browser.goto(&format!("{}/users", stage.account()));
    browser.sees("Hopper");
    browser.sees("Auditor");
    browser.goto(&format!("{}/invitations", stage.account()));
    browser.sees("accepted");
    assert_eq!(
        stage.server.leaks(&[link.replace("/invitations/", "")]),
        Vec::<String>::new()
    );
}

#[test]
fn a_revoked_invitation_opens_nothing() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/users/invite", stage.account()));
    browser.fill("Email address", "grace@example.org");
    browser.click("Send Invitation");
    browser.sees("grace@example.org");
    let link = link_in(&browser.source()).expect("a link to copy");
    browser.goto(&format!("{}/invitations", stage.account()));
    browser.click("Actions for the invitation of grace@example.org");
    browser.click("Revoke Invitation");
    browser.click("Revoke Invitation");
    browser.sees("revoked");
    let guest = stage.stranger();
    guest.goto(&link);
    guest.does_not_see("grace@example.org");
    assert!(!guest.offers("Set password and log in"));
}

#[test]
fn a_weak_password_is_told_beside_the_field() {
    let stage = Stage::empty();
    let browser = stage.browser();
    browser.goto(&format!("{}/users/invite", stage.account()));
    browser.fill("Email address", "grace@example.org");
    browser.click("Send Invitation");
    browser.sees("grace@example.org");
    let link = link_in(&browser.source()).expect("a link to copy");
    let guest = stage.stranger();
    guest.goto(&link);
    guest.fill("First Name", "Grace");
    guest.fill("Last Name", "Hopper");
    guest.fill("Password", "grace@example.org");
    guest.fill("Password again", "grace@example.org");
    guest.click("Set password and log in");
    guest.sees("Choose a password");
    assert_eq!(guest.value_of("First Name"), "Grace");
    guest.fill("Password", PASSWORD);
    guest.fill("Password again", "something else altogether");
    guest.click("Set password and log in");
    guest.sees("Choose a password");
    guest.fill("Password", PASSWORD);
    guest.fill("Password again", PASSWORD);
    guest.click("Set password and log in");
    guest.sees("Overview");
}
