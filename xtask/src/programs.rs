//! Starting other programs in the workspace's root.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}

/// The cargo that runs us, with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Whether a program of this name is on the path.
pub(crate) fn on_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|place| place.join(name).is_file()))
}

/// Runs to the end, with our own stdin, stdout and stderr.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::ended(&describe(command), status))
    }
}

/// Runs to the end, printing each line of stdout and handing it to `on_line`.
pub(crate) fn run_and_read(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let stdout = child.stdout.take().expect("stdout is a pipe");
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        on_line(text.trim_end());
        line.clear();
    }
    let status = child
        .wait()
        .map_err(|error| Failure::new(format!("{}: {error}", describe(command))))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::ended(&describe(command), status))
    }
}

/// The command line, for messages.
pub(crate) fn describe(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name.to_string_lossy().into_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start {}: {error}", describe(command)))
}
