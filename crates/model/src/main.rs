//! Checks every scope and finds every mutant; `--long` adds the large scopes, `--traces` says how each mutant breaks what.

use std::io::{self, Write};
use std::process::ExitCode;

use rescind_model::{LONG, Mutant, SHORT, check, find};

fn main() -> ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let mut output = io::stdout();
    if let Some(unknown) = options
        .iter()
        .find(|option| !["--long", "--traces"].contains(&option.as_str()))
    {
        return match writeln!(
            io::stderr(),
            "rescind-model knows --long and --traces, not {unknown}"
        ) {
            Ok(()) | Err(_) => ExitCode::from(2),
        };
    }
    let has = |option: &str| options.iter().any(|given| given == option);
    match run(&mut output, has("--long"), has("--traces")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Whether everything is as it must be.
fn run(output: &mut impl Write, long: bool, traces: bool) -> io::Result<bool> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut is_right = true;
    for scope in SHORT.iter().chain(LONG.iter().filter(|_| long)) {
        let verdict = check(*scope, threads);
        is_right &= verdict.holds();
        writeln!(output, "{verdict}")?;
    }
    for mutant in Mutant::ALL {
        let Some(found) = find(mutant) else {
            is_right = false;
            writeln!(output, "NOT FOUND: {mutant}")?;
            continue;
        };
        writeln!(output, "{found}")?;
        if traces {
            writeln!(output, "{}", found.trace())?;
        }
    }
    Ok(is_right)
}
