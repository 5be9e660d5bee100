//! `influxctl version` as a whole process: how long it takes and how much memory, and how large the programs are.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

const RUNS: usize = 300;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let influxctl = Path::new(env!("CARGO_BIN_EXE_influxctl"));
    let truth = Path::new("/bin/true");
    // The kernel counts the largest child so far: the small one must come first.
    run(truth, &[])?;
    let floor_peak = largest_child()?;
    run(influxctl, &["version"])?;
    let peak = largest_child()?;
    let (mut times, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        times.push(run(influxctl, &["version"])?);
        floors.push(run(truth, &[])?);
    }
    let mut table = Table::new(&format!("influxctl version, {RUNS} times (floor: /bin/true)"));
    let (times, floors): (Sample, Sample) = (times.into_iter().collect(), floors.into_iter().collect());
    let milliseconds = |seconds: f64| format!("{:.2} ms", seconds * 1e3);
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    table.row(
        "whole process, median",
        &milliseconds(times.median()),
        &milliseconds(floors.median()),
        &format!("{:.2}", times.median() / floors.median()),
        "≤ 10 ms",
    );
    table.row(
        "whole process, p99",
        &milliseconds(times.quantile(0.99)),
        &milliseconds(floors.quantile(0.99)),
        "",
        "",
    );
    table.row(
        "peak memory",
        &megabytes(peak),
        &megabytes(floor_peak),
        "",
        "≤ 15 MB",
    );
    for program in ["influxctl", "rescind"] {
        let size = fs::metadata(influxctl.with_file_name(program))?.len();
        table.row(&format!("size of {program}"), &megabytes(size), "", "", "");
    }
    table.print();
    Ok(())
}

fn run(program: &Path, arguments: &[&str]) -> Outcome<Duration> {
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let took = began.elapsed();
    if status.success() {
        Ok(took)
    } else {
        Err(format!("{} ended with {status}", program.display()).into())
    }
}

/// Bytes of the largest process that ran for this one.
fn largest_child() -> Outcome<u64> {
    let kilobytes = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    Ok(u64::try_from(kilobytes)? * 1024)
}
