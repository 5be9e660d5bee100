//! Writes and queries over HTTP against the real server, everything acknowledged after a sync to disk.
//!
//! Floors of the same run: how often a preallocated file can be written to and synced, and how many answers without any work
//! (`GET /ping`) the server gives over as many connections.

use std::error::Error;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rescind_testkit::TestServer;

use batches::{BATCH, Batch};
use figures::{Sample, Table};
use load::feeds::{DATABASE, OneLine, head};
use load::{Connection, Feed, Load, load};

mod batches;
mod figures;
mod load;

const ROUNDS: usize = 5;
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(3);
const QUERIES: usize = 1_000;

/// What InfluxDB 3 Core 3.10 does on a machine of this kind, without any sync to disk.
const CORE_WRITES: [(usize, &str); 3] = [(1, "> 1/s"), (16, "> 16/s"), (64, "> 6,400/s")];
const CORE_BATCHES: [(usize, &str); 2] = [(1, ""), (4, "> 1.09 M/s")];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let bench = Bench::start();
    bench.one_line()?;
    bench.batches()?;
    bench.queries()
}

struct Bench {
    server: TestServer,
    address: String,
    secret: String,
}

impl Bench {
    fn start() -> Self {
        let server = TestServer::start();
        let management = server.management();
        let cluster = server.cluster_path();
        let name = format!(r#"{{"name":"{DATABASE}"}}"#);
        let made = management.json("POST", &format!("{cluster}/databases"), &name);
        assert_eq!(made.status, 200, "{made}");
        let token = format!(
            r#"{{"description":"bench","permissions":[{{"action":"read","resource":"{DATABASE}"}},{{"action":"write","resource":"{DATABASE}"}}]}}"#
        );
        let made = management.json("POST", &format!("{cluster}/tokens"), &token);
        let text = made.text();
        let secret = text
            .split_once(r#""accessToken":""#)
            .and_then(|(_, rest)| rest.split('"').next());
        Self {
            address: server.url().trim_start_matches("http://").to_owned(),
            secret: secret
                .unwrap_or_else(|| panic!("no token was made: {made}"))
                .to_owned(),
            server,
        }
    }

    fn one_line(&self) -> Outcome<()> {
        let mut table = Table::new(
            "Synced one-line writes (floors: synced writes of 4 kB to a preallocated file; GET /ping)",
        );
        for (connections, aim) in CORE_WRITES {
            let (mut writes, mut pings, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let lines = (0..connections).map(|number| OneLine::new(&self.secret, number, nanoseconds()));
                writes.push(load(&self.address, LONG, lines.collect()));
                pings.push(load(
                    &self.address,
                    SHORT,
                    vec![head("GET", "/ping", "", 0); connections],
                ));
                syncs.push(synced_writes(self.server.data_dir(), 4096)?);
            }
            let (rate, ping) = (
                median(&writes, |load| load.rate),
                median(&pings, |load| load.rate),
            );
            let sync = syncs.into_iter().collect::<Sample>().median();
            table.row(
                &format!("{connections} connection(s)"),
                &format!("{rate:.0}/s, {}", latencies(&writes)),
                &format!("{sync:.0} syncs/s"),
                &format!("{:.2}", rate / sync),
                aim,
            );
            table.row(
                &format!("{connections} connection(s), beside GET /ping"),
                &format!("{rate:.0}/s"),
                &format!("{ping:.0}/s"),
                &format!("{:.2}", rate / ping),
                "",
            );
        }
        table.print();
        Ok(())
    }

    fn batches(&self) -> Outcome<()> {
        let title =
            format!("Synced batches of {BATCH} lines (floor: the same bytes to a preallocated file, synced)");
        let mut table = Table::new(&title);
        for (connections, aim) in CORE_BATCHES {
            let (mut writes, mut syncs) = (Vec::new(), Vec::new());
            for round in 0..ROUNDS {
                // Series of their own, because batches run ahead of the clock.
                let series = (connections * 10 + round) * 10;
                let second = nanoseconds() / 1_000_000_000;
                let batches: Vec<Batch> = (0..connections)
                    .map(|number| Batch::new(&self.secret, "bulk", series + number, second))
                    .collect();
                let size = batches.first().map_or(0, Batch::len);
                writes.push(load(&self.address, LONG, batches));
                syncs.push(synced_writes(self.server.data_dir(), size)? * BATCH as f64);
            }
            let rate = median(&writes, |load| load.rate) * BATCH as f64;
            let sync = syncs.into_iter().collect::<Sample>().median();
            let refused: usize = writes.iter().map(|load| load.refused).sum();
            table.row(
                &format!("{connections} connection(s)"),
                &format!(
                    "{:.2} M lines/s, {}; {refused} refused as busy",
                    rate / 1e6,
                    latencies(&writes)
                ),
                &format!("{:.2} M lines/s", sync / 1e6),
                &format!("{:.2}", rate / sync),
                aim,
            );
        }
        table.print();
        Ok(())
    }

    fn queries(&self) -> Outcome<()> {
        self.fill()?;
        let query = |sql: &str| {
            let sql = sql
                .replace(' ', "%20")
                .replace('\'', "%27")
                .replace('=', "%3D")
                .replace('*', "%2A");
            let path = format!("/api/v3/query_sql?db={DATABASE}&format=json&q={sql}");
            head("GET", &path, &self.secret, 0)
        };
        let requests = [
            ("GET /ping", head("GET", "/ping", "", 0), ""),
            ("SELECT 1", query("SELECT 1"), "< 0.76 ms"),
            (
                "last value of one series",
                query("SELECT * FROM latest WHERE host='h042' ORDER BY time DESC LIMIT 1"),
                "< 1.82 ms",
            ),
        ];
        let mut connection = Connection::open(&self.address)?;
        let mut times = vec![Vec::new(); requests.len()];
        for _ in 0..QUERIES {
            for ((what, request, _), times) in requests.iter().zip(&mut times) {
                let began = Instant::now();
                let status = connection.ask(request)?;
                times.push(began.elapsed());
                assert!(matches!(status, 200 | 204), "{what}: {}", connection.text());
            }
        }
        let title = format!("Queries over one connection, {QUERIES} times each, in turn (floor: GET /ping)");
        let mut table = Table::new(&title);
        let samples: Vec<Sample> = times.into_iter().map(Sample::from_iter).collect();
        let floor = samples[0].median();
        for ((what, _, aim), sample) in requests.iter().zip(&samples).skip(1) {
            table.row(
                what,
                &format!(
                    "p50 {:.2} ms, p99 {:.2} ms",
                    sample.median() * 1e3,
                    sample.quantile(0.99) * 1e3
                ),
                &format!("{:.3} ms", floor * 1e3),
                &format!("{:.1}", sample.median() / floor),
                aim,
            );
        }
        table.print();
        Ok(())
    }

    /// A hundred thousand points of a hundred series, 1,000 each.
    fn fill(&self) -> Outcome<()> {
        let mut connection = Connection::open(&self.address)?;
        let mut batch = Batch::new(&self.secret, "latest", 0, nanoseconds() / 1_000_000_000 - 60);
        let mut batches = 20;
        while batches > 0 {
            match connection.ask(batch.next())? {
                204 => batches -= 1,
                // What was written before is still on its way into files.
                503 => thread::sleep(SHORT),
                status => return Err(format!("status {status}: {}", connection.text()).into()),
            }
        }
        Ok(())
    }
}

/// How often per second `size` bytes can be written to a file that has its blocks already, and synced: the cheapest way
/// to make anything durable.
fn synced_writes(directory: &Path, size: usize) -> Outcome<f64> {
    const FILE: usize = 64 << 20;
    let path = directory.join("floor");
    let mut file = File::create(&path)?;
    file.write_all(&vec![1; FILE])?;
    file.sync_all()?;
    let bytes = vec![7; size];
    let (mut count, mut at, began) = (0_u32, FILE, Instant::now());
    while began.elapsed() < SHORT {
        if at + size > FILE {
            at = 0;
            file.rewind()?;
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        at += size;
        count += 1;
    }
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}

fn median(loads: &[Load], value: impl Fn(&Load) -> f64) -> f64 {
    loads.iter().map(value).collect::<Sample>().median()
}

fn latencies(loads: &[Load]) -> String {
    let of = |share| median(loads, |load| load.latencies.quantile(share)) * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms", of(0.5), of(0.99))
}

fn nanoseconds() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_nanos() as u64)
}
