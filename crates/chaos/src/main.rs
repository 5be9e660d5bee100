//! The long form: rounds of faults against real processes, for as long as it is told.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who runs it"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rescind_chaos::{Report, Setup, run};

const USAGE: &str = "\
usage: rescind-chaos [--minutes M] [--round SECONDS] [--seed N] [--out DIRECTORY] [--calm]

  --minutes M      for how long new rounds begin [default: 10]
  --round SECONDS  how long the faults of one round last [default: 60]
  --seed N         the seed of the first round; the next ones count on [default: from the process id]
  --out DIRECTORY  where the histories of violations go [default: target/chaos]
  --calm           no faults: what clients alone do to the nodes";

/// How the sum of all rounds begins.
const SUM: &str = "rounds:";

struct Arguments {
    minutes: u64,
    round: u64,
    seed: u64,
    out: PathBuf,
    is_calm: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let begun = Instant::now();
    let (mut rounds, mut failures) = (0, 0);
    let mut sum = Report::default();
    let mut seed = arguments.seed;
    loop {
        let mut setup = Setup::new(seed, Duration::from_secs(arguments.round), arguments.out.clone());
        setup.crowds = Setup::LARGE_CROWDS.to_vec();
        setup.plan = arguments.is_calm.then(Vec::new);
        setup.tell = |line| println!("{line}");
        match run(&setup) {
            Ok(report) => {
                println!("{report}");
                sum.add(report);
            }
            Err(problem) => {
                println!("seed {seed} did not run: {problem}");
                failures += 1;
            }
        }
        rounds += 1;
        seed += 1;
        // Where nothing runs, nothing more is learnt.
        let is_over = begun.elapsed() >= Duration::from_secs(arguments.minutes * 60);
        if is_over || failures == 3 {
            break;
        }
    }
    let (seed, nodes) = (arguments.seed, Setup::NODES);
    sum.title = format!("{SUM} {rounds} from seed {seed}, {nodes} nodes, {failures} did not run");
    print!("{sum}");
    if sum.violations.is_empty() && failures == 0 {
        return ExitCode::SUCCESS;
    }
    println!("their histories and logs are in {}", arguments.out.display());
    ExitCode::FAILURE
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            minutes: 10,
            round: 60,
            seed: u64::from(std::process::id()),
            out: PathBuf::from("target/chaos"),
            is_calm: false,
        };
        while let Some(word) = words.next() {
            if word == "--calm" {
                parsed.is_calm = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word}: needs a value"))?;
            let number = || {
                value
                    .parse()
                    .map_err(|_| format!("{word}: not a number: {value}"))
            };
            match word.as_str() {
                "--minutes" => parsed.minutes = number()?,
                "--round" => parsed.round = number()?,
                "--seed" => parsed.seed = number()?,
                "--out" => parsed.out = PathBuf::from(value),
                _ => return Err(format!("no such option: {word}")),
            }
        }
        Ok(parsed)
    }
}
