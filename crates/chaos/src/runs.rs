//! One run from beginning to end: start everything, let clients and faults loose, wait for calm, ask, judge.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rescind_testkit::SeededRng;

use crate::administrators::Administrator;
use crate::bailiffs::Bailiff;
use crate::checker;
use crate::clusters::Cluster;
use crate::faults;
use crate::hammers::{hammer, try_all};
use crate::histories::{History, Moment, NodeNumber, Reply, Sighting, Timeline};
use crate::inspections::{inspect, inspect_tales};
use crate::logbooks::{Logbook, Pages, Site, Tally};
use crate::populations::{Population, Presented};
use crate::preparations::READER;
use crate::registrars::{Member, Registrar};
use crate::reports::Report;
use crate::setups::Setup;
use crate::storms::Storm;
use crate::streams::stream;
use crate::uploads::upload;

/// Clients that use tokens, for each node.
const HAMMERS: usize = 2;
/// Clients that act.
const ADMINISTRATORS: usize = 6;
/// Clients that keep people.
const REGISTRARS: usize = 2;
/// How long nodes have to admit again.
const RECOVERY: Duration = Duration::from_secs(60);
/// How often it is told how it goes.
const PROGRESS: Duration = Duration::from_secs(10);

/// Runs it and judges it.
///
/// # Errors
/// What did not start, or did not come back at all.
pub fn run(setup: &Setup) -> Result<Report, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    // PostgreSQL runs as another user.
    open_to_all(directory.path())?;
    let mut cluster = Cluster::start(directory.path(), &setup.arguments(), setup.at_once)?;
    let disk = cluster.unfillable.as_deref().unwrap_or("can be filled");
    (setup.tell)(&format!(
        "seed {}: {} nodes serve; the catalog's disk: {disk}",
        setup.seed,
        setup.nodes.len()
    ));
    let outcome = Run::prepare(setup, &cluster).and_then(|mut run| run.go(setup, &mut cluster));
    let result = outcome.map(|history| {
        let violations = checker::check(&history, &setup.limits());
        Report::of(setup, &history, violations, cluster.unfillable.clone())
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
pub(crate) struct Run {
    pub(crate) site: Site,
    pub(crate) population: Population,
    pub(crate) timeline: Timeline,
    pub(crate) is_over: AtomicBool,
    pub(crate) history: History,
    /// Those whom registrars keep.
    pub(crate) members: Vec<Member>,
}

impl Run {
    fn go(&mut self, setup: &Setup, cluster: &mut Cluster) -> Result<History, String> {
        let rng = SeededRng::new(setup.seed);
        self.populate(setup, &rng);
        let members = std::mem::take(&mut self.members);
        let (storm, calm, pages) = thread::scope(|scope| {
            let clients = [
                self.loose_administrators(scope, setup, &rng, members),
                self.loose_users(scope, setup.nodes.len(), &rng),
            ];
            let (site, is_over) = (&self.site, &self.is_over);
            scope.spawn(move || tell(setup.tell, &site.tally, is_over));
            let ridden = self.ride(setup, cluster);
            self.is_over.store(true, Ordering::SeqCst);
            let mut pages = Pages::default();
            for client in clients.into_iter().flatten() {
                pages.add(client.join().map_err(|_| "a client panicked")?);
            }
            let (storm, calm) = ridden?;
            Ok::<_, String>((storm, calm, pages))
        })?;
        self.history.calm = calm.at;
        self.history.recovered = calm.recovered;
        self.history.settled = calm.settled;
        self.history.disturbances = storm.disturbances;
        self.history.kinds = storm.kinds;
        self.history.deaths = storm.deaths;
        self.history.take(pages);
        self.ask_everything()?;
        self.history.deaths.extend(cluster.end());
        self.history.tales = inspect_tales(cluster);
        self.history.starved = told(&[cluster.postgres.log()], "No space left on device");
        self.history.reloads = told(&cluster.logs(), "everything was loaded anew");
        self.history.acts.sort_by_key(|act| act.began);
        self.history.uses.sort_by_key(|used| used.began);
        self.history.tokens = self.population.tokens();
        Ok(std::mem::take(&mut self.history))
    }

    /// Those who act: on tokens, on people, on crowds.
    fn loose_administrators<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        setup: &'s Setup,
        rng: &SeededRng,
        members: Vec<Member>,
    ) -> Vec<Client<'s>> {
        let draw = || SeededRng::new(rng.next_u64());
        let mut clients = Vec::new();
        for _ in 0..ADMINISTRATORS {
            let mut one = self.administrator(draw(), setup);
            clients.push(scope.spawn(move || {
                one.run();
                one.logbook.into_pages()
            }));
        }
        let mut groups: Vec<Vec<Member>> = (0..REGISTRARS).map(|_| Vec::new()).collect();
        for (number, member) in members.into_iter().enumerate() {
            groups[number % REGISTRARS].push(member);
        }
        let (site, population, is_over) = (&self.site, &self.population, &self.is_over);
        for group in groups {
            let mut one = Registrar::new(site, population, draw(), self.logbook(), is_over);
            clients.push(scope.spawn(move || {
                one.run(group);
                one.logbook.into_pages()
            }));
        }
        let mut one = Bailiff::new(site, population, draw(), self.logbook(), is_over);
        clients.push(scope.spawn(move || {
            one.run(setup.crowds.len(), setup.storm);
            one.logbook.into_pages()
        }));
        clients
    }

    /// Those who use tokens: at each node, quickly, by slow writes and by long queries.
    fn loose_users<'s>(&'s self, scope: &'s Scope<'s, '_>, nodes: usize, rng: &SeededRng) -> Vec<Client<'s>> {
        let mut clients = Vec::new();
        let mut spawn = |work: fn(&Self, &mut Logbook<'s>, NodeNumber, &SeededRng), node| {
            let (rng, mut logbook) = (SeededRng::new(rng.next_u64()), self.logbook());
            clients.push(scope.spawn(move || {
                work(self, &mut logbook, node, &rng);
                logbook.into_pages()
            }));
        };
        for node in 0..nodes {
            for _ in 0..HAMMERS {
                spawn(Self::hammer, node);
            }
            spawn(Self::upload, node);
            spawn(Self::stream, node);
        }
        clients
    }

    fn hammer(&self, logbook: &mut Logbook<'_>, node: NodeNumber, rng: &SeededRng) {
        hammer(logbook, node, &self.population, rng, &self.is_over);
    }

    fn upload(&self, logbook: &mut Logbook<'_>, node: NodeNumber, rng: &SeededRng) {
        upload(logbook, node, &self.site, &self.population, rng, &self.is_over);
    }

    fn stream(&self, logbook: &mut Logbook<'_>, node: NodeNumber, rng: &SeededRng) {
        stream(logbook, node, &self.site, &self.population, rng, &self.is_over);
    }

    fn logbook(&self) -> Logbook<'_> {
        Logbook::new(&self.site, self.timeline)
    }

    fn administrator<'s>(&'s self, rng: SeededRng, setup: &'s Setup) -> Administrator<'s> {
        let wanted = (setup.tokens, &setup.crowds[..]);
        Administrator::new(
            &self.site,
            &self.population,
            rng,
            wanted,
            self.logbook(),
            &self.is_over,
        )
    }

    fn populate(&mut self, setup: &Setup, rng: &SeededRng) {
        let mut pages = Pages::default();
        thread::scope(|scope| {
            let makers: Vec<_> = (0..ADMINISTRATORS)
                .map(|_| {
                    let mut one = self.administrator(SeededRng::new(rng.next_u64()), setup);
                    scope.spawn(move || {
                        one.populate();
                        one.logbook.into_pages()
                    })
                })
                .collect();
            for maker in makers {
                pages.add(maker.join().unwrap_or_default());
            }
        });
        self.history.take(pages);
    }

    /// The faults, and how the nodes come back after them.
    fn ride(&self, setup: &Setup, cluster: &mut Cluster) -> Result<(Storm, Calm), String> {
        let plan = setup.plan.clone().unwrap_or_else(|| {
            let scope = faults::Scope {
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
        let logbook = self.logbook();
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
    fn ask_everything(&mut self) -> Result<(), String> {
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
        for (pages, sighting) in asked {
            self.history.take(pages);
            self.history.sightings.push(sighting);
        }
        Ok(())
    }

    fn ask_node(
        &self,
        node: NodeNumber,
        all: &[Presented],
        reader: &str,
    ) -> Result<(Pages, Sighting), String> {
        let mut logbook = self.logbook();
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
        Ok((logbook.into_pages(), sighting))
    }
}

/// When it was over.
struct Calm {
    at: Moment,
    recovered: Vec<Option<Moment>>,
    settled: Option<Moment>,
}

/// A client's thread, which ends with what the client wrote down.
type Client<'s> = ScopedJoinHandle<'s, Pages>;

impl Pages {
    /// Adds what another client wrote down.
    fn add(&mut self, mut other: Self) {
        self.acts.append(&mut other.acts);
        self.treatments.append(&mut other.treatments);
        self.uses.append(&mut other.uses);
        self.streams.append(&mut other.streams);
        self.lapses.append(&mut other.lapses);
    }
}

impl History {
    /// Adds what clients wrote down.
    pub(crate) fn take(&mut self, mut pages: Pages) {
        self.acts.append(&mut pages.acts);
        self.treatments.append(&mut pages.treatments);
        self.uses.append(&mut pages.uses);
        self.streams.append(&mut pages.streams);
        self.lapses.append(&mut pages.lapses);
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

/// How often these logs say this.
fn told(logs: &[PathBuf], words: &str) -> usize {
    let read = |log: &PathBuf| fs::read_to_string(log).unwrap_or_default();
    logs.iter().map(|log| read(log).matches(words).count()).sum()
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
