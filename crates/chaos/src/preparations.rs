//! What is there before anything goes wrong: a database, points, tokens that are never acted on, people and their sessions.

use std::sync::atomic::{AtomicBool, AtomicU64};

use rescind_testkit::Profile;
use serde_json::{Value, json};

use crate::clusters::Cluster;
use crate::hammers::try_all;
use crate::histories::{Act, Change, History, Kind, Moment, Outcome, Person, Rights, Timeline, TokenNumber};
use crate::logbooks::{DATABASE, Logbook, Pages, ROOT, Request, Site, Tally};
use crate::nodes::Node;
use crate::populations::Population;
use crate::registrars::Member;
use crate::runs::Run;
use crate::setups::{SLACK, Setup};
use crate::streams;
use crate::visitors::Visitor;

/// A token that is never acted on, by which points are read in the end.
pub(crate) const READER: TokenNumber = 1;
/// Sessions of programs that one person let in, who is left alone.
const SESSIONS: usize = 12;
/// People whom registrars keep.
const PEOPLE: usize = 8;

impl Run {
    /// Makes all of it, through nodes that are well.
    ///
    /// # Errors
    /// What did not go as it should.
    pub(crate) fn prepare(setup: &Setup, cluster: &Cluster) -> Result<Self, String> {
        let founders = cluster.founders();
        let founder = *founders
            .first()
            .ok_or("no node has the profile of a first start")?;
        let site = site(setup, cluster, cluster.profile(founder));
        let timeline = Timeline::begin();
        let population = Population::new(setup.nodes.len());
        let mut history = History {
            nodes: setup.nodes.len(),
            account: site.profile.account_id.clone(),
            founders,
            is_time_wrong: setup.wrong_time.is_some(),
            ..History::default()
        };
        history.acts.push(founding(ROOT, Moment(0), Moment(0)));
        history.take(make_tokens(&site, &population, timeline)?);
        let members = make_people(&site, &population, timeline, &mut history)?;
        Ok(Self {
            site,
            population,
            timeline,
            is_over: AtomicBool::new(false),
            history,
            members,
        })
    }
}

fn site(setup: &Setup, cluster: &Cluster, profile: Profile) -> Site {
    Site {
        asked: setup.asked,
        urls: cluster.nodes.iter().map(Node::url).collect(),
        profile,
        patience: setup.ttl * 4 + SLACK * 2,
        points: AtomicU64::new(1),
        tally: Tally::default(),
    }
}

/// The database, the tokens that are never acted on, and points on every node.
fn make_tokens(site: &Site, population: &Population, timeline: Timeline) -> Result<Pages, String> {
    let mut logbook = Logbook::new(site, timeline);
    population.ask(Kind::Management);
    population.made(ROOT, None, site.profile.mgmt_token.clone());
    population.ask(Kind::Database);
    let rights = Rights::of(true, true);
    let mut post = |tokens: &[TokenNumber], path: String, body: &Value| {
        let request = Request {
            method: "POST",
            path,
            body: body.to_string(),
            wait: None,
            patience: None,
        };
        match logbook.act(0, tokens, Change::Create(rights), &request) {
            (Outcome::Done { .. }, Some(said)) => Ok(said),
            (outcome, said) => Err(format!("{}: {outcome} {said:?}", request.path)),
        }
    };
    post(
        &[],
        format!("{}/databases", site.cluster_path()),
        &json!({"name": DATABASE}),
    )?;
    let permissions = ["read", "write"].map(|action| json!({"action": action, "resource": DATABASE}));
    let reader = json!({"description": "reader", "permissions": permissions});
    let said = post(&[READER], site.tokens_path(Kind::Database), &reader)?;
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    population.made(READER, Some(text("id")), text("accessToken"));
    let all = population.all();
    let reader = all.last().ok_or("the reader has no secret")?;
    for node in 0..site.urls.len() {
        try_all(&mut logbook, node, reader);
        logbook.write(node, &reader.secret, &streams::points())?;
        // Whichever made the account: it is everybody's.
        logbook.get(node, &site.cluster_path())?;
    }
    Ok(logbook.into_pages())
}

/// A person who lets programs in and is left alone, and those whom registrars keep.
fn make_people(
    site: &Site,
    population: &Population,
    timeline: Timeline,
    history: &mut History,
) -> Result<Vec<Member>, String> {
    let mut ada = Visitor::invited(site, 0, "ada@example.org", "admin")?;
    for _ in 0..SESSIONS {
        let number = population.ask(Kind::Session);
        let began = timeline.now();
        let secret = ada.let_in()?;
        population.made(number, Some(format!("session {number}")), secret);
        population.release(number, Rights::MANAGE);
        history.acts.push(founding(number, began, timeline.now()));
    }
    let mut members = Vec::new();
    for number in 0..PEOPLE {
        let email = format!("member-{number}@example.org");
        Visitor::invited(site, 0, &email, "admin")?;
        let id = id_of(site, timeline, &email)?;
        history.people.push(Person { id: id.clone() });
        members.push(Member::new(number, id, email));
    }
    Ok(members)
}

fn id_of(site: &Site, timeline: Timeline, email: &str) -> Result<String, String> {
    let path = format!("{}/users", site.account_path());
    let listed = Logbook::new(site, timeline).get(0, &path)?;
    let listed: Vec<Value> = serde_json::from_slice(&listed).map_err(|error| format!("{path}: {error}"))?;
    let found = listed.iter().find(|user| user["email"] == email);
    let id = found.and_then(|user| user["id"].as_str());
    Ok(id
        .ok_or_else(|| format!("{path} does not name {email}"))?
        .to_owned())
}

/// How what may administer came to be: the first management token, and sessions.
const fn founding(token: TokenNumber, began: Moment, ended: Moment) -> Act {
    Act {
        token,
        node: 0,
        change: Change::Create(Rights::MANAGE),
        began,
        ended,
        outcome: Outcome::Done { complete: true },
    }
}
