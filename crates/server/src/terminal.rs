//! What a terminal is asked and told: colour, and passwords without echo.

use std::io::{IsTerminal, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::failure::Failure;

/// Whether `stream` is a terminal whose user has not asked for plain text (<https://no-color.org>).
pub(crate) fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The longest password that is read, in bytes; what may be set is shorter.
const LONGEST: usize = 4_096;

/// Reads a password: from the terminal, twice and without echo, or from the first line of stdin.
pub(crate) fn read_password() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return read_line();
    }
    let (first, second) = (ask("New password: ")?, ask("The same again: ")?);
    match first == second {
        true => Ok(first),
        false => Err(Failure::new("the two passwords differ; nothing was changed")),
    }
}

fn ask(question: &str) -> Result<String, Failure> {
    let cannot = |e| Failure::because("the terminal cannot be used", e);
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(cannot)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    let mut stderr = std::io::stderr();
    // If the question cannot be shown, there is still an answer to read.
    let _ = stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush());
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(cannot)?;
    let line = read_line();
    tcsetattr(&stdin, OptionalActions::Now, &before).map_err(cannot)?;
    line
}

fn read_line() -> Result<String, Failure> {
    use std::io::{BufRead as _, Read as _};
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LONGEST as u64).read_line(&mut line);
    read.map_err(|e| Failure::because("the password cannot be read", e))?;
    let password = line.trim_end_matches(['\r', '\n']);
    match password.is_empty() {
        true => Err(Failure::new("no password was given")),
        false => Ok(password.to_owned()),
    }
}
