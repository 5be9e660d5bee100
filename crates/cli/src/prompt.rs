//! The one question before what cannot be undone (contract, influxctl section 1.3).

use std::io::{self, BufRead, IsTerminal, Write};

use crate::exit::Failure;
use crate::output::tables::printable;
use crate::secrets::masked;

/// The longest answer that is read: enough for "yes", bounded for whatever else stdin holds.
const MAX_ANSWER: u64 = 1_024;

/// What is about to happen to what.
pub(crate) struct Question<'a> {
    /// Such as "Revoke these database tokens?".
    pub(crate) what: &'a str,
    /// Each with what is known about it.
    pub(crate) subjects: Vec<(String, Option<String>)>,
    /// What it means, such as "This cannot be undone.".
    pub(crate) consequence: &'a str,
}

/// Asks on stderr and reads the answer from stdin. Only `y`, `Y` and `yes` are a yes.
///
/// # Errors
/// [`Failure::Declined`] on any other answer, and when there is none.
pub(crate) fn confirm(question: &Question<'_>) -> Result<(), Failure> {
    let mut text = format!("{}\n", question.what);
    for (subject, about) in &question.subjects {
        let about = about.as_deref().map(|about| format!("  {}", printable(about)));
        text.push_str(&format!(
            "  {}{}\n",
            printable(subject),
            about.unwrap_or_default()
        ));
    }
    text.push_str(&format!("{} Continue? [y/N] ", question.consequence));
    let mut err = io::stderr().lock();
    let asked = err.write_all(masked(&text).as_bytes()).and_then(|()| err.flush());
    asked.map_err(Failure::because("cannot ask for confirmation"))?;

    let mut answer = Vec::new();
    let read = io::Read::take(io::stdin().lock(), MAX_ANSWER).read_until(b'\n', &mut answer);
    if answer.last() != Some(&b'\n') || !io::stdin().is_terminal() {
        // No terminal showed a line end, so the next line would continue the question.
        let _ = err.write_all(b"\n");
    }
    match (read, answer.trim_ascii()) {
        (Ok(_), b"y" | b"Y" | b"yes") => Ok(()),
        _ => Err(Failure::Declined),
    }
}
