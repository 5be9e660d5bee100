//! Clients that create, update and revoke tokens through any node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rescind_testkit::SeededRng;
use serde_json::{Value, json};

use crate::bailiffs::mark;
use crate::histories::{Change, Kind, Outcome, Rights, TokenNumber};
use crate::logbooks::{DATABASE, Logbook, Request, Site};
use crate::populations::{Claimed, Population, pick};

/// One administrator.
pub(crate) struct Administrator<'a> {
    site: &'a Site,
    population: &'a Population,
    rng: SeededRng,
    /// How many database tokens there should be.
    target: usize,
    /// How many tokens there should be in each crowd.
    crowds: &'a [usize],
    /// What it did.
    pub(crate) logbook: Logbook<'a>,
    is_over: &'a AtomicBool,
}

/// Management tokens beside the database tokens.
const MANAGEMENT: usize = 16;
/// How often a revocation that is not certain yet is repeated.
const REPEATS: usize = 40;

impl<'a> Administrator<'a> {
    /// One who acts until `is_over`.
    pub(crate) const fn new(
        site: &'a Site,
        population: &'a Population,
        rng: SeededRng,
        (target, crowds): (usize, &'a [usize]),
        logbook: Logbook<'a>,
        is_over: &'a AtomicBool,
    ) -> Self {
        Self {
            site,
            population,
            rng,
            target,
            crowds,
            logbook,
            is_over,
        }
    }

    /// Makes tokens until there are enough.
    pub(crate) fn populate(&mut self) {
        while self.population.count(Kind::Database) < self.target && !self.is_over.load(Ordering::SeqCst) {
            self.create(Kind::Database);
        }
        while let Some(crowd) = self.population.crowd_with_room(self.crowds) {
            self.create_in(crowd);
        }
    }

    /// Acts at random.
    pub(crate) fn run(&mut self) {
        while !self.is_over.load(Ordering::SeqCst) {
            let missing = self.population.count(Kind::Database) < self.target;
            match self.rng.below(100) {
                0..=1 => self.revoke(&[Kind::Session], 1),
                2..=9 if self.population.count(Kind::Management) < MANAGEMENT => {
                    self.create(Kind::Management);
                }
                2..=9 => self.revoke(&[Kind::Management], 1),
                10..=39 => self.update(),
                40..=54 if missing => self.create(Kind::Database),
                55..=69 if !missing => self.revoke(&[Kind::Database], 1),
                70..=72 => self.revoke(&[Kind::Database], 4),
                73..=85 => self.create(Kind::Database),
                _ => self.revoke(&[Kind::Database], 1),
            }
            thread::sleep(Duration::from_millis(5 + self.rng.below(40)));
        }
    }

    fn create(&mut self, kind: Kind) {
        let number = self.population.ask(kind);
        let rights = match kind {
            Kind::Database => self.draw_rights(),
            _ => Rights::MANAGE,
        };
        let description = format!("chaos {number}");
        if self.make(kind, number, rights, &description) {
            self.population.heat(number);
            self.population.release(number, rights);
        }
    }

    fn create_in(&mut self, crowd: usize) {
        let number = self.population.ask(Kind::Database);
        let description = format!("{}{number}", mark(crowd));
        if self.make(Kind::Database, number, Rights::of(true, true), &description) {
            self.population.join(crowd, number);
        }
    }

    /// Makes a token; whether it is there for certain.
    fn make(&mut self, kind: Kind, number: TokenNumber, rights: Rights, description: &str) -> bool {
        let body = match kind {
            Kind::Database => json!({"description": description, "permissions": permissions(rights)}),
            _ => json!({"description": description}),
        };
        let request = Request {
            method: "POST",
            path: self.site.tokens_path(kind),
            body: body.to_string(),
            wait: self.draw_wait(),
            patience: None,
        };
        let node = self.draw_node();
        let change = Change::Create(rights);
        let (outcome, said) = self.logbook.act(node, &[number], change, &request);
        let Outcome::Done { complete } = outcome else {
            return false;
        };
        let text = |key: &str| {
            said.as_ref()
                .and_then(|said| said[key].as_str())
                .map(str::to_owned)
        };
        let (Some(id), Some(secret)) = (text("id"), text("accessToken").or_else(|| text("token"))) else {
            return false;
        };
        self.population.made(number, Some(id), secret);
        if complete {
            self.population.urge(number);
        }
        true
    }

    fn update(&mut self) {
        let Some(claimed) = self.population.claim(&self.rng, &[Kind::Database]) else {
            return;
        };
        let mut rights = self.draw_rights();
        if rights == claimed.rights {
            rights.read = !rights.read;
        }
        self.population.heat(claimed.number);
        let request = Request {
            method: "PATCH",
            path: format!("{}/{}", self.site.tokens_path(claimed.kind), claimed.id),
            body: json!({"permissions": permissions(rights)}).to_string(),
            wait: self.draw_wait(),
            patience: None,
        };
        let node = self.draw_node();
        let change = Change::Update(rights);
        let (outcome, _) = self.logbook.act(node, &[claimed.number], change, &request);
        if matches!(outcome, Outcome::Done { complete: true }) {
            self.population.urge(claimed.number);
        }
        match outcome {
            Outcome::Rejected(_) => self.population.release(claimed.number, claimed.rights),
            _ => self.population.release(claimed.number, rights),
        }
    }

    /// Revokes up to so many, by one request where it is more than one, until it is certain.
    fn revoke(&mut self, kinds: &[Kind], count: usize) {
        let claim = |_| self.population.claim(&self.rng, kinds);
        let claimed: Vec<Claimed> = (0..count).filter_map(claim).collect();
        let Some(first) = claimed.first() else {
            return;
        };
        let path = self.site.tokens_path(first.kind);
        let mut request = Request {
            method: "DELETE",
            path: format!("{path}/{}", first.id),
            body: String::new(),
            wait: self.draw_wait(),
            patience: None,
        };
        if first.kind == Kind::Session {
            request = end_of_session(&first.secret);
        }
        if claimed.len() > 1 {
            let ids: Vec<_> = claimed.iter().map(|one| &one.id).collect();
            (request.method, request.path) = ("POST", format!("{path}/revoke"));
            request.body = json!({"ids": ids}).to_string();
        }
        let numbers: Vec<_> = claimed.iter().map(|one| one.number).collect();
        for number in &numbers {
            self.population.heat(*number);
        }
        if first.kind == Kind::Database && self.rng.below(4) == 0 {
            self.population.doom(first.number);
            thread::sleep(Duration::from_millis(30 + self.rng.below(100)));
        }
        for _ in 0..REPEATS {
            let node = self.draw_node();
            let (outcome, _) = self.logbook.act(node, &numbers, Change::Revoke, &request);
            if outcome == (Outcome::Done { complete: true }) {
                for number in &numbers {
                    self.population.end(*number);
                    self.population.urge(*number);
                }
                return;
            }
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            request.wait = None;
            thread::sleep(Duration::from_millis(50 + self.rng.below(100)));
        }
    }

    fn draw_node(&self) -> usize {
        pick(&self.rng, self.site.asked)
    }

    fn draw_rights(&self) -> Rights {
        match self.rng.below(6) {
            0..=2 => Rights::of(true, true),
            3 => Rights::of(true, false),
            4 => Rights::of(false, true),
            _ => Rights::of(false, false),
        }
    }

    fn draw_wait(&self) -> Option<u32> {
        (self.rng.below(10) == 0).then(|| u32::from(self.rng.below(2) == 0))
    }
}

/// RFC 7009: whoever has the token may end it.
fn end_of_session(secret: &str) -> Request<'static> {
    Request {
        method: "POST",
        path: "/oauth/revoke".to_owned(),
        body: format!("token={secret}"),
        wait: None,
        patience: None,
    }
}

fn permissions(rights: Rights) -> Value {
    let actions = [(rights.read, "read"), (rights.write, "write")];
    let held = actions.iter().filter(|(has, _)| *has);
    held.map(|(_, action)| json!({"action": action, "resource": DATABASE}))
        .collect()
}
