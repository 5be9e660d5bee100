//! Clients that keep people: let them sign in, with browsers and programs, and end what they have by disabling, deleting
//! and demoting them, and by new passwords, through any node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rescind_testkit::SeededRng;
use serde_json::json;

use crate::histories::{Kind, NodeNumber, Outcome, PersonNumber, Rights, TokenNumber, Treatment};
use crate::logbooks::{Logbook, Request, Site};
use crate::populations::{Population, pick};
use crate::visitors::{PASSWORD, Visitor};

/// One who keeps some people, on whom nobody else acts.
pub(crate) struct Registrar<'a> {
    site: &'a Site,
    population: &'a Population,
    rng: SeededRng,
    /// What it did.
    pub(crate) logbook: Logbook<'a>,
    is_over: &'a AtomicBool,
}

/// A person, as its registrar knows it.
pub(crate) struct Member {
    number: PersonNumber,
    id: String,
    email: String,
    password: String,
    /// How many passwords it has had.
    passwords: u32,
    rights: Rights,
    standing: Standing,
    browser: Option<(TokenNumber, Visitor)>,
    programs: Vec<TokenNumber>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Enabled,
    Disabled,
    /// Deleted, or nobody knows: it is left alone.
    Lost,
}

/// How many programs a person lets in before something happens to it.
const PROGRAMS: usize = 2;
/// How often an act that is not certain yet is repeated.
const REPEATS: usize = 40;

impl Member {
    /// An administrator who has just accepted an invitation.
    pub(crate) fn new(number: PersonNumber, id: String, email: String) -> Self {
        Self {
            number,
            id,
            email,
            password: PASSWORD.to_owned(),
            passwords: 0,
            rights: Rights::ADMIN,
            standing: Standing::Enabled,
            browser: None,
            programs: Vec::new(),
        }
    }

    fn sessions(&self) -> Vec<TokenNumber> {
        let browser = self.browser.iter().map(|(number, _)| *number);
        self.programs.iter().copied().chain(browser).collect()
    }
}

impl<'a> Registrar<'a> {
    /// One who acts until `is_over`.
    pub(crate) const fn new(
        site: &'a Site,
        population: &'a Population,
        rng: SeededRng,
        logbook: Logbook<'a>,
        is_over: &'a AtomicBool,
    ) -> Self {
        Self {
            site,
            population,
            rng,
            logbook,
            is_over,
        }
    }

    /// Lets things happen to these people.
    pub(crate) fn run(&mut self, mut members: Vec<Member>) {
        while !self.is_over.load(Ordering::SeqCst) {
            members.retain(|member| member.standing != Standing::Lost);
            let is_last = members.len() < 2;
            let chosen = pick(&self.rng, members.len());
            let Some(member) = members.get_mut(chosen) else {
                return;
            };
            self.attend(member, is_last);
            thread::sleep(Duration::from_millis(20 + self.rng.below(80)));
        }
    }

    /// Whoever is out may come in again; to whoever has everything something happens.
    fn attend(&mut self, member: &mut Member, is_last: bool) {
        match (member.standing, &member.browser) {
            (Standing::Lost, _) => {}
            (Standing::Disabled, _) => self.enable(member),
            (Standing::Enabled, None) => self.sign_in(member),
            (Standing::Enabled, Some(_)) if member.programs.len() < PROGRAMS => self.let_in(member),
            (Standing::Enabled, Some(_)) => {
                for session in member.sessions() {
                    self.population.heat(session);
                }
                match self.rng.below(20) {
                    0..=6 => self.shut_out(member, Treatment::Disable),
                    7..=12 => self.give_role(member),
                    13..=17 => self.change_password(member),
                    _ if is_last => self.shut_out(member, Treatment::Disable),
                    _ => self.shut_out(member, Treatment::Delete),
                }
            }
        }
    }

    fn sign_in(&mut self, member: &mut Member) {
        let node = self.draw_node();
        let number = self.population.ask_for(Kind::Browser, Some(member.number));
        let began = self.logbook.timeline.now();
        let signed_in = Visitor::signed_in(self.site, node, &member.email, &member.password);
        // What did not come about is tried again.
        if let Ok(visitor) = signed_in
            && let Some(cookie) = visitor.cookie()
        {
            self.population.made(number, None, cookie);
            self.population.hold(number);
            self.logbook.note_session(node, number, member.rights, began);
            member.browser = Some((number, visitor));
        }
    }

    fn let_in(&mut self, member: &mut Member) {
        let node = self.draw_node();
        let Some((_, visitor)) = &mut member.browser else {
            return;
        };
        let number = self.population.ask_for(Kind::Session, Some(member.number));
        visitor.go(self.site, node);
        let began = self.logbook.timeline.now();
        if let Ok(secret) = visitor.let_in() {
            self.population.made(number, None, secret);
            self.population.hold(number);
            self.logbook.note_session(node, number, member.rights, began);
            member.programs.push(number);
        } else if self.rng.below(4) == 0 {
            // Its session may have expired by a clock that is wrong.
            member.browser = None;
        }
    }

    fn enable(&mut self, member: &mut Member) {
        let body = json!({"state": "enabled"}).to_string();
        member.standing = match self.treat(member, Treatment::Enable, "PATCH", &body) {
            true => Standing::Enabled,
            false => Standing::Lost,
        };
    }

    /// Ends all that a person has, by disabling or deleting it.
    fn shut_out(&mut self, member: &mut Member, treatment: Treatment) {
        let (method, body, then) = match treatment {
            Treatment::Delete => ("DELETE", String::new(), Standing::Lost),
            _ => (
                "PATCH",
                json!({"state": "disabled"}).to_string(),
                Standing::Disabled,
            ),
        };
        member.standing = Standing::Lost;
        if self.treat(member, treatment, method, &body) {
            member.standing = then;
            self.end_sessions(member);
        }
    }

    fn give_role(&mut self, member: &mut Member) {
        let (rights, role) = match member.rights == Rights::ADMIN {
            true => (Rights::AUDITOR, "auditor"),
            false => (Rights::ADMIN, "admin"),
        };
        let body = json!({"role": role}).to_string();
        match self.treat(member, Treatment::Become(rights), "PATCH", &body) {
            true => member.rights = rights,
            false => member.standing = Standing::Lost,
        }
        for session in member.sessions() {
            self.population.urge(session);
        }
    }

    /// Through a page, as nobody but the person itself can.
    fn change_password(&mut self, member: &mut Member) {
        let node = self.draw_node();
        let Some((_, mut visitor)) = member.browser.take() else {
            return;
        };
        visitor.go(self.site, node);
        member.passwords += 1;
        let new = format!("{PASSWORD}-{}", member.passwords);
        let number = self.population.ask_for(Kind::Browser, Some(member.number));
        let began = self.logbook.timeline.now();
        let outcome = visitor.change_password(&member.password, &new);
        let is_done = outcome.is_complete();
        self.logbook
            .note_treatment(node, member.number, Treatment::Password, began, outcome);
        let cookie = visitor.cookie().filter(|_| is_done);
        let Some(cookie) = cookie else {
            // It may have either password.
            member.standing = Standing::Lost;
            return;
        };
        self.end_sessions(member);
        member.password = new;
        self.population.made(number, None, cookie);
        self.population.hold(number);
        self.logbook.note_session(node, number, member.rights, began);
        member.browser = Some((number, visitor));
    }

    /// Asks until it is certain; whether it is.
    fn treat(&mut self, member: &Member, treatment: Treatment, method: &str, body: &str) -> bool {
        let mut request = Request {
            method,
            path: format!("{}/users/{}", self.site.account_path(), member.id),
            body: body.to_owned(),
            wait: (self.rng.below(6) == 0).then_some(0),
            patience: None,
        };
        for _ in 0..REPEATS {
            let node = self.draw_node();
            match self.logbook.treat(node, member.number, treatment, &request) {
                Outcome::Done { complete: true } => return true,
                Outcome::Rejected(_) => return false,
                Outcome::Done { complete: false } | Outcome::Uncertain(_) | Outcome::Abandoned => {}
            }
            if self.is_over.load(Ordering::SeqCst) {
                return false;
            }
            request.wait = None;
            thread::sleep(Duration::from_millis(50 + self.rng.below(100)));
        }
        false
    }

    /// They are refused everywhere by now.
    fn end_sessions(&self, member: &mut Member) {
        for session in member.sessions() {
            self.population.end(session);
            self.population.urge(session);
        }
        member.browser = None;
        member.programs.clear();
    }

    fn draw_node(&self) -> NodeNumber {
        pick(&self.rng, self.site.asked)
    }
}
