//! One run from beginning to end: start everything, let clients and faults loose, wait for calm, ask, judge.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::SeededRng;
use serde_json::json;

use crate::administrators::Administrator;
use crate::checker;
use crate::clusters::Cluster;
use crate::faults::{self, Scope};
use crate::hammers::{hammer, try_all};
use crate::histories::{
    Act, Change, History, Kind, Moment, NodeNumber, Outcome, Reply, Rights, Timeline, TokenNumber, Use,
};
use crate::inspections::{inspect, inspect_tales};
use crate::logbooks::{DATABASE, Logbook, ROOT, Request, Site, Tally};
use crate::populations::{Population, Presented};
use crate::reports::Report;
use crate::setups::{SLACK, Setup};
use crate::storms::Storm;
use crate::uploads::upload;
use crate::visitors::Visitor;

/// Clients that use tokens, for each node.
const HAMMERS: usize = 2;
/// Clients that act.
const ADMINISTRATORS: usize = 6;
/// Sessions of programs that a person let in.
const SESSIONS: usize = 24;
/// How long nodes have to admit again.
const RECOVERY: Duration = Duration::from_secs(60);
/// How often it is told how it goes.
const PROGRESS: Duration = Duration::from_secs(10);
/// A token that is never acted on, by which points are read in the end.
const READER: TokenNumber = 1;

/// Runs it and judges it.
///
/// # Errors
/// What did not start, or did not come back at all.
pub fn run(setup: &Setup) -> Result<Report, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    // PostgreSQL runs as another user.
    open_to_all(directory.path())?;
    let mut cluster = Cluster::start(directory.path(), &setup.arguments())?;
    let disk = cluster.unfillable.as_deref().unwrap_or("can be filled");
    (setup.tell)(&format!(
        "seed {}: {} nodes serve; the catalog's disk: {disk}",
        setup.seed,
        setup.nodes.len()
    ));
    let outcome = Run::prepare(setup, &cluster).and_then(|mut run| run.go(setup, &mut cluster));
    let result = outcome.map(|history| {
        let violations = checker::check(&history, &setup.limits());
        Report::of(
            setup.seed,
            &history,
            &setup.limits(),
            violations,
            cluster.unfillable.clone(),
        )
    });
    if result
        .as_ref()
        .map_or(true, |report| !report.violations.is_empty())
    {
        keep(
            &setup.out.join(setup.seed.to_string()),
            &cluster,
            result.as_ref().ok(),
        )?;
    }
    result
}

/// What the threads of a run share.
struct Run {
    site: Site,
    population: Population,
    timeline: Timeline,
    is_over: AtomicBool,
    history: History,
}

impl Run {
    /// Makes the database, its table on every node, and the token by which points are read.
    fn prepare(setup: &Setup, cluster: &Cluster) -> Result<Self, String> {
        let site = Site {
            asked: setup.asked,
            urls: cluster.nodes.iter().map(crate::nodes::Node::url).collect(),
            profile: cluster.profile(),
            patience: setup.ttl * 4 + SLACK * 2,
            points: AtomicU64::new(1),
            tally: Tally::default(),
        };
        let timeline = Timeline::begin();
        let population = Population::new(setup.nodes.len());
        let mut logbook = Logbook::new(&site, timeline);
        population.ask(Kind::Management);
        population.made(ROOT, None, site.profile.mgmt_token.clone());
        population.ask(Kind::Database);
        let rights = Rights::of(true, true);
        let database = Request {
            method: "POST",
            path: format!("{}/databases", site.cluster_path()),
            body: json!({"name": DATABASE}).to_string(),
            wait: None,
        };
        let (outcome, said) = logbook.act(0, &[], Change::Create(rights), &database);
        expect_done(&outcome, "the database was not made", said.as_ref())?;
        let permissions = ["read", "write"].map(|action| json!({"action": action, "resource": DATABASE}));
        let request = Request {
            method: "POST",
            path: site.tokens_path(Kind::Database),
            body: json!({"description": "reader", "permissions": permissions}).to_string(),
            wait: None,
        };
        let (outcome, said) = logbook.act(0, &[READER], Change::Create(rights), &request);
        expect_done(&outcome, "the reader was not made", said.as_ref())?;
        let said = said.unwrap_or_default();
        let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        population.made(READER, Some(text("id")), text("accessToken"));
        let all = population.all();
        let reader = all.last().ok_or("the reader has no secret")?;
        for node in 0..setup.nodes.len() {
            try_all(&mut logbook, node, reader);
        }
        let mut history = History {
            nodes: setup.nodes.len(),
            ..History::default()
        };
        let mut visitor = Visitor::invited(&site)?;
        for _ in 0..SESSIONS {
            let number = population.ask(Kind::Session);
            let began = timeline.now();
            let secret = visitor.let_in()?;
            population.made(number, Some(format!("session {number}")), secret);
            population.release(number, Rights::MANAGE);
            history.acts.push(founding(number, began, timeline.now()));
        }
        history.acts.push(founding(ROOT, Moment(0), Moment(0)));
        history.acts.append(&mut logbook.acts);
        history.uses.append(&mut logbook.uses);
        Ok(Self {
            site,
            population,
            timeline,
            is_over: AtomicBool::new(false),
            history,
        })
    }

    fn go(&mut self, setup: &Setup, cluster: &mut Cluster) -> Result<History, String> {
        let rng = SeededRng::new(setup.seed);
        self.populate(setup, &rng);
        let mut logs = Logs::default();
        let storm = thread::scope(|scope| {
            let mut clients = Vec::new();
            for _ in 0..ADMINISTRATORS {
                let mut one = self.administrator(SeededRng::new(rng.next_u64()), setup.tokens);
                clients.push(scope.spawn(move || {
                    one.run();
                    one.logbook.into_pages()
                }));
            }
            for node in (0..setup.nodes.len()).flat_map(|node| [node; HAMMERS]) {
                let rng = SeededRng::new(rng.next_u64());
                let mut logbook = Logbook::new(&self.site, self.timeline);
                let (population, is_over) = (&self.population, &self.is_over);
                clients.push(scope.spawn(move || {
                    hammer(&mut logbook, node, population, &rng, is_over);
                    logbook.into_pages()
                }));
            }
            let (is_over, site) = (&self.is_over, &self.site);
            for node in 0..setup.nodes.len() {
                let rng = SeededRng::new(rng.next_u64());
                let mut logbook = Logbook::new(site, self.timeline);
                let population = &self.population;
                clients.push(scope.spawn(move || {
                    upload(&mut logbook, node, site, population, &rng, is_over);
                    logbook.into_pages()
                }));
            }
            scope.spawn(move || tell(setup.tell, &site.tally, is_over));
            let storm = self.ride(setup, cluster);
            self.is_over.store(true, Ordering::SeqCst);
            for client in clients {
                logs.add(client.join().map_err(|_| "a client panicked")?);
            }
            storm
        });
        let (storm, calm) = storm?;
        self.history.calm = calm.at;
        self.history.recovered = calm.recovered;
        self.history.settled = calm.settled;
        self.history.disturbances = storm.disturbances;
        self.history.kinds = storm.kinds;
        self.history.deaths = storm.deaths;
        self.ask_everything(&mut logs)?;
        self.history.deaths.extend(cluster.end());
        self.history.tales = inspect_tales(cluster);
        self.history.starved = starved(cluster);
        self.history.acts.append(&mut logs.acts);
        self.history.uses.append(&mut logs.uses);
        self.history.acts.sort_by_key(|act| act.began);
        self.history.uses.sort_by_key(|used| used.began);
        self.history.tokens = self.population.tokens();
        Ok(std::mem::take(&mut self.history))
    }

    fn administrator(&self, rng: SeededRng, target: usize) -> Administrator<'_> {
        let logbook = Logbook::new(&self.site, self.timeline);
        Administrator::new(&self.site, &self.population, rng, target, logbook, &self.is_over)
    }

    fn populate(&mut self, setup: &Setup, rng: &SeededRng) {
        let mut logs = Logs::default();
        thread::scope(|scope| {
            let makers: Vec<_> = (0..ADMINISTRATORS)
                .map(|_| {
                    let mut one = self.administrator(SeededRng::new(rng.next_u64()), setup.tokens);
                    scope.spawn(move || {
                        one.populate();
                        one.logbook.into_pages()
                    })
                })
                .collect();
            for maker in makers {
                logs.add(maker.join().unwrap_or_default());
            }
        });
        self.history.acts.append(&mut logs.acts);
        self.history.uses.append(&mut logs.uses);
    }

    /// The faults, and how the nodes come back after them.
    fn ride(&self, setup: &Setup, cluster: &mut Cluster) -> Result<(Storm, Calm), String> {
        let plan = setup.plan.clone().unwrap_or_else(|| {
            let scope = Scope {
                nodes: setup.nodes.len(),
                ttl: setup.ttl,
                storm: setup.storm,
                can_fill: cluster.disk.can_fill(),
            };
            faults::draw(setup.seed, &scope)
        });
        let mut storm = Storm::ride(cluster, &plan, setup.storm, self.timeline)?;
        let mut calm = Calm {
            at: self.timeline.now(),
            recovered: vec![None; setup.nodes.len()],
            settled: None,
        };
        let logbook = Logbook::new(&self.site, self.timeline);
        let begun = Instant::now();
        while calm.recovered.contains(&None) && begun.elapsed() < RECOVERY {
            for (node, recovered) in calm.recovered.iter_mut().enumerate() {
                if recovered.is_none() && logbook.get(node, &self.site.cluster_path()).is_ok() {
                    *recovered = Some(self.timeline.now());
                }
            }
            storm.tend(cluster)?;
            thread::sleep(Duration::from_millis(20));
        }
        // What was asked before a node was back may still be answered as it was.
        thread::sleep(setup.ttl);
        calm.settled = (!calm.recovered.contains(&None)).then(|| self.timeline.now());
        thread::sleep(setup.ttl / 2);
        Ok((storm, calm))
    }

    /// Every token on every node once more, and what each node says of everything.
    fn ask_everything(&mut self, logs: &mut Logs) -> Result<(), String> {
        let all = self.population.all();
        let reader = all.get(READER).ok_or("the reader has no secret")?.secret.clone();
        let nodes = self.history.nodes;
        let asked = thread::scope(|scope| {
            let threads: Vec<_> = (0..nodes)
                .map(|node| {
                    let (all, reader, this) = (&all, &reader, &*self);
                    scope.spawn(move || this.ask_node(node, all, reader))
                })
                .collect();
            let answers = threads.into_iter().map(|thread| thread.join());
            answers
                .map(|answer| answer.map_err(|_| "an inspector panicked".to_owned())?)
                .collect::<Result<Vec<_>, String>>()
        })?;
        for (uses, sighting) in asked {
            logs.add((Vec::new(), uses));
            self.history.sightings.push(sighting);
        }
        Ok(())
    }

    fn ask_node(
        &self,
        node: NodeNumber,
        all: &[Presented],
        reader: &str,
    ) -> Result<(Vec<Use>, crate::histories::Sighting), String> {
        let mut logbook = Logbook::new(&self.site, self.timeline);
        for token in all {
            let begun = Instant::now();
            while matches!(
                try_all(&mut logbook, node, token),
                Reply::Unavailable | Reply::Broken
            ) && begun.elapsed() < RECOVERY
            {
                thread::sleep(Duration::from_millis(50));
            }
        }
        let sighting = inspect(&logbook, &self.site, node, reader)?;
        Ok((logbook.uses, sighting))
    }
}

/// When it was over.
struct Calm {
    at: Moment,
    recovered: Vec<Option<Moment>>,
    settled: Option<Moment>,
}

#[derive(Default)]
struct Logs {
    acts: Vec<Act>,
    uses: Vec<Use>,
}

impl Logs {
    fn add(&mut self, (mut acts, mut uses): (Vec<Act>, Vec<Use>)) {
        self.acts.append(&mut acts);
        self.uses.append(&mut uses);
    }
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

fn expect_done(outcome: &Outcome, what: &str, said: Option<&serde_json::Value>) -> Result<(), String> {
    match outcome {
        Outcome::Done { .. } => Ok(()),
        other => Err(format!("{what}: {other:?} {said:?}")),
    }
}

fn tell(tell: fn(&str), tally: &Tally, is_over: &AtomicBool) {
    let begun = Instant::now();
    let mut next = PROGRESS;
    while !is_over.load(Ordering::SeqCst) {
        if begun.elapsed() >= next {
            tell(&format!("{:>5}s: {tally}", begun.elapsed().as_secs()));
            next += PROGRESS;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn open_to_all(directory: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", directory.display()))
}

fn starved(cluster: &Cluster) -> usize {
    let log = fs::read_to_string(cluster.postgres.log()).unwrap_or_default();
    log.matches("No space left on device").count()
}

/// Keeps what explains a run that went wrong.
fn keep(place: &Path, cluster: &Cluster, report: Option<&Report>) -> Result<(), String> {
    let text = |error: std::io::Error| format!("{}: {error}", place.display());
    fs::create_dir_all(place).map_err(text)?;
    for log in cluster.logs() {
        let name = log.file_name().and_then(|name| name.to_str()).unwrap_or("log");
        let name = if name == "log" { "postgres.log" } else { name };
        // A log that is not there tells nothing.
        let _ = fs::copy(&log, place.join(name));
    }
    if let Some(report) = report {
        fs::write(place.join("violations.txt"), report.story()).map_err(text)?;
    }
    Ok(())
}
