//! A node that joins a PostgreSQL catalog of millions of tokens: how long until `ready`, how much memory it takes, and
//! what it costs the server that all the others need.
//!
//! The floor is what the server alone needs to hand out the same columns: the table is read and thrown away, as `COPY`
//! does it. The four indexes for lists are left out, for no node reads them; making ten million tokens takes minutes
//! without them already.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rescind_testkit::{Postgres, ServerSetup, TestServer};

use figures::{Sample, Table};

mod figures;

const MILLION: usize = 1_000_000;
const SIZES: [usize; 2] = [MILLION, 10 * MILLION];
const ROUNDS: usize = 3;
/// Tokens that one statement makes.
const BATCH: usize = 500_000;
/// Different permission sets among the tokens: each opens one database.
const DATABASES: usize = 100;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let place = tempfile::tempdir()?;
    // Nothing here must survive a power cut but the figures.
    let settings = ["fsync=off", "max_wal_size=4GB", "shared_buffers=512MB"];
    let postgres = Postgres::start_in(place.path(), &settings)?;
    let first = ServerSetup::default().catalog(&postgres.url()).start();
    postgres.ask(
        "DROP INDEX database_tokens_by_creation; DROP INDEX database_tokens_by_description;
         DROP INDEX database_tokens_by_expiry; DROP INDEX database_tokens_by_use",
    )?;
    let mut table = Table::new("A node joins (floor: PostgreSQL alone reads the same columns)");
    let mut made = 0;
    for size in SIZES {
        fill(&postgres, &first, made, size)?;
        made = size;
        let runs: Vec<Joined> = (0..ROUNDS)
            .map(|_| Joined::measure(&postgres, place.path(), &first))
            .collect::<Outcome<_>>()?;
        report(&runs, size, &mut table);
    }
    table.print();
    Ok(())
}

fn fill(postgres: &Postgres, first: &TestServer, made: usize, wanted: usize) -> Outcome<()> {
    for begin in (made..wanted).step_by(BATCH) {
        let end = wanted.min(begin + BATCH);
        postgres.ask(&format!(
            "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
                 prefix, created_at, created_by)
             SELECT gen_random_uuid(), '{}', 'sensor ' || i, 'sensor ' || i,
                 '[[\"read\",\"sensors-' || i % {DATABASES} || '\"],[\"write\",\"sensors-' || i % {DATABASES} || '\"]]',
                 sha512(convert_to(i::text, 'UTF8')), 'apiv1_abc', i, 'operator'
             FROM generate_series({begin} + 1, {end}) AS i",
            first.cluster_id()
        ))?;
    }
    postgres.ask("VACUUM ANALYZE database_tokens")?;
    Ok(())
}

/// What one join was like.
struct Joined {
    ready: Duration,
    /// Processor time of the node until then, and of the database meanwhile.
    busy: Duration,
    busy_database: Duration,
    resident: u64,
    peak: u64,
    /// What the database alone needs.
    floor: Duration,
    busy_floor: Duration,
}

impl Joined {
    fn measure(postgres: &Postgres, place: &Path, first: &TestServer) -> Outcome<Self> {
        let (began, ran) = (Instant::now(), database_time(place)?);
        postgres.ask(
            "COPY (SELECT id, cluster_id, permissions, secret_hash, expires_at, last_used_at FROM database_tokens
                   WHERE revoked_at IS NULL) TO '/dev/null' WITH (FORMAT binary)",
        )?;
        let floor = began.elapsed();
        let busy_floor = database_time(place)? - ran;
        let (began, ran) = (Instant::now(), database_time(place)?);
        let mut node = ServerSetup::default()
            .catalog(&postgres.url())
            .joining(first)
            .start();
        let ready = began.elapsed();
        let busy_database = database_time(place)? - ran;
        let status = fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
        let busy = own_time(&stat(node.pid())?);
        node.stop();
        Ok(Self {
            ready,
            busy,
            busy_database,
            resident: kilobytes(&status, "VmRSS:")? * 1024,
            peak: kilobytes(&status, "VmHWM:")? * 1024,
            floor,
            busy_floor,
        })
    }
}

fn report(runs: &[Joined], size: usize, table: &mut Table) {
    let what = |words: &str| format!("{} M tokens, {words}", size / MILLION);
    let median = |of: &dyn Fn(&Joined) -> f64| runs.iter().map(of).collect::<Sample>().median();
    let seconds = |of: fn(&Joined) -> Duration| median(&|run| of(run).as_secs_f64());
    let ready = seconds(|run| run.ready);
    for (words, value, floor) in [
        ("from start to ready", ready, seconds(|run| run.floor)),
        (
            "processor time of PostgreSQL",
            seconds(|run| run.busy_database),
            seconds(|run| run.busy_floor),
        ),
    ] {
        table.row(
            &what(words),
            &format!("{value:.2} s"),
            &format!("{floor:.2} s"),
            &format!("{:.1}", value / floor),
            "",
        );
    }
    let resident = median(&|run| run.resident as f64);
    let megabytes = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
    for (words, value) in [
        ("rows per second", format!("{:.0}", size as f64 / ready)),
        (
            "processor time of the node",
            format!("{:.2} s", seconds(|run| run.busy)),
        ),
        ("resident memory when ready", megabytes(resident)),
        ("peak of it", megabytes(median(&|run| run.peak as f64))),
        (
            "resident memory for each",
            format!("{:.0} B", resident / size as f64),
        ),
    ] {
        table.row(&what(words), &value, "", "", "");
    }
}

/// The fields of a process's `stat` (proc(5)) that follow its name: the third is the first.
fn stat(pid: u32) -> Outcome<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = text.rsplit_once(") ").ok_or("the process has no name")?;
    Ok(after_name.split(' ').map(str::to_owned).collect())
}

/// User and system time, fields 14 and 15, in hundredths of a second.
fn own_time(stat: &[String]) -> Duration {
    hundredths(&stat[11..13])
}

fn hundredths(fields: &[String]) -> Duration {
    let each = fields.iter().filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(10 * each.sum::<u64>())
}

/// Processor time of the server, of the processes that it has and of those that it had (fields 16 and 17).
fn database_time(place: &Path) -> Outcome<Duration> {
    let pid = fs::read_to_string(place.join("data/postmaster.pid"))?;
    let pid: u32 = pid.lines().next().unwrap_or_default().parse()?;
    let server = stat(pid)?;
    let mut time = hundredths(&server[11..15]);
    for entry in fs::read_dir("/proc")? {
        let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has just ended is its parent's by now.
        if let Ok(fields) = stat(number)
            && fields[1] == pid.to_string()
        {
            time += own_time(&fields);
        }
    }
    Ok(time)
}

fn kilobytes(status: &str, key: &str) -> Outcome<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the process has no such figure")?.parse()?)
}
