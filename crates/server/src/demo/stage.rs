//! Where the story is told: paragraphs, commands and answers on the terminal.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::terminal;

/// Lines of an answer's body that are shown.
const MAX_BODY_LINES: usize = 16;
/// Characters of such a line that are shown.
const MAX_LINE: usize = 400;

/// Prints on stdout, with colour where that is a terminal.
pub(crate) struct Stage {
    colour: bool,
    step: u32,
}

impl Stage {
    /// For this process's stdout.
    pub(crate) fn new() -> Self {
        Self {
            colour: terminal::has_colour(&io::stdout()),
            step: 0,
        }
    }

    /// A paragraph.
    pub(crate) fn say(&self, text: impl Display) -> Result<(), Failure> {
        self.print(&format!("{text}\n"))
    }

    /// A line that stands out.
    pub(crate) fn title(&self, text: &str) -> Result<(), Failure> {
        self.print(&format!("{}\n", self.bold(text)))
    }

    /// The heading of the next step.
    pub(crate) fn heading(&mut self, text: &str) -> Result<(), Failure> {
        self.step += 1;
        self.print(&format!("\n{}\n", self.bold(&format!("{}. {text}", self.step))))
    }

    /// A command to copy; further lines of it are indented.
    pub(crate) fn command(&self, text: &str) -> Result<(), Failure> {
        let lines: Vec<String> = text.lines().map(|line| self.dim(line)).collect();
        self.print(&format!("   {} {}\n", self.dim("$"), lines.join("\n       ")))
    }

    /// What the server said, good or bad.
    pub(crate) fn answer(&self, status: &str, is_good: bool, body: &str) -> Result<(), Failure> {
        let status = if is_good {
            self.green(status)
        } else {
            self.red(status)
        };
        let mut text = format!("   {status}\n");
        for line in body.trim_end().lines().take(MAX_BODY_LINES) {
            let shown: String = line.chars().take(MAX_LINE).collect();
            let rest = if shown.len() < line.len() { "…" } else { "" };
            text.push_str(&format!("   {shown}{rest}\n"));
        }
        self.print(&text)
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        printed.map_err(|e| Failure::because("the story cannot be printed", e))
    }

    /// In bold, where there is colour.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.styled("2", text)
    }

    /// In green, where there is colour.
    pub(crate) fn green(&self, text: &str) -> String {
        self.styled("32", text)
    }

    /// In red, where there is colour.
    pub(crate) fn red(&self, text: &str) -> String {
        self.styled("1;31", text)
    }

    fn styled(&self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}
