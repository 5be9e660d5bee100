//! `write`: line protocol from text, a file or stdin, in batches (contract, influxctl section 11.3).

mod batches;
mod progress;

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;

use self::batches::{Batch, Batches};
use self::progress::Progress;
use crate::api::{Api, ApiError, Content, Credentials, segment};
use crate::args::GlobalArgs;
use crate::exit::Failure;
use crate::log::Log;
use crate::profiles::Profile;

/// The time limit of one request of a write (contract, influxctl section 11.3).
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter bodies are not worth compressing, in bytes.
const COMPRESS_FROM: usize = 1_024;
/// How many refused lines are told one by one.
const MAX_TOLD: usize = 10;
/// How many refused lines an answer names (contract, data-plane section 3).
const MAX_NAMED: usize = 100;

/// `write`
#[derive(Args)]
#[command(after_help = "A whole number given to --timeout is of seconds; the default of this command is 10.")]
pub(crate) struct WriteArgs {
    /// Line protocol, the path of a file that holds it, or - for stdin
    #[arg(value_name = "LINE_PROTOCOL")]
    input: String,
    /// Lines per request
    #[arg(long, value_name = "N", default_value = "10000", value_parser = batch_size)]
    batch_size: NonZeroUsize,
    /// Database to write to instead of the profile's
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Unit of the timestamps
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Database token to use instead of the profile's
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
}

/// The unit of timestamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Precision {
    #[default]
    Ns,
    Us,
    Ms,
    S,
}

impl Precision {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ns => "nanosecond",
            Self::Us => "microsecond",
            Self::Ms => "millisecond",
            Self::S => "second",
        }
    }
}

fn batch_size(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "must be a whole number from 1, such as 10000")
}

/// A client that presents a database token, and the database: what `write` and `query` need of a profile.
pub(super) fn open_database(
    (database, token): (Option<&String>, Option<&String>),
    timeout: Duration,
    global: &GlobalArgs,
    log: Log,
) -> Result<(Api, String), Failure> {
    let profile = Profile::open(global, log)?;
    let database = database.or(profile.database.as_ref()).cloned();
    let database = database.ok_or_else(|| profile.lacks("database", "--database"))?;
    let credential = profile.database_token(token)?;
    Ok((
        Api::new(&profile, Credentials::Given(credential), timeout, log)?,
        database,
    ))
}

/// Runs `write`.
pub(crate) fn run(args: &WriteArgs, global: &GlobalArgs, log: Log) -> Result<(), Failure> {
    let given = (args.database.as_ref(), args.token.as_ref());
    let (api, database) = open_database(given, global.write_timeout()?, global, log)?;
    let precision = args.precision.as_str();
    let path = format!("/api/v3/write_lp?db={}&precision={precision}", segment(&database));
    let started = Instant::now();
    let mut progress = Progress::new(io::stderr().is_terminal().then(io::stderr));
    let mut batches = Batches::new(open(&args.input)?, args.batch_size);
    let mut is_empty = true;
    while let Some(batch) = batches
        .next()
        .map_err(Failure::because(format!("cannot read {}", shown(&args.input))))?
    {
        is_empty = false;
        send(&api, &path, &batch).map_err(|error| refusal(&batch, &error, progress.lines()))?;
        progress.add(&batch, started.elapsed());
    }
    progress.finish(started.elapsed());
    if is_empty {
        return Err(Failure::Failed(format!(
            "there is no line protocol in {}",
            shown(&args.input)
        )));
    }
    Ok(())
}

/// The input: stdin for `-`, else a file of that name if there is one, else the text itself.
fn open(input: &str) -> Result<Box<dyn BufRead>, Failure> {
    if input == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    if Path::new(input).is_file() {
        let file = File::open(input).map_err(Failure::because(format!("cannot read {input}")))?;
        return Ok(Box::new(BufReader::with_capacity(1 << 16, file)));
    }
    if !input.contains(' ') {
        return Err(Failure::Failed(format!(
            "{input:?} is neither a file nor line protocol"
        )));
    }
    Ok(Box::new(io::Cursor::new(input.as_bytes().to_vec())))
}

/// What to call the input in messages.
pub(super) fn shown(input: &str) -> &str {
    match input {
        "-" => "stdin",
        path if Path::new(path).is_file() => path,
        _ => "the text given",
    }
}

fn send(api: &Api, path: &str, batch: &Batch) -> Result<(), ApiError> {
    let is_gzip = batch.bytes.len() >= COMPRESS_FROM;
    let bytes = if is_gzip {
        let mut encoder = GzEncoder::new(Vec::with_capacity(batch.bytes.len() / 4), Compression::fast());
        let packed = encoder.write_all(&batch.bytes).and_then(|()| encoder.finish());
        packed.map_err(|error| ApiError::local(format!("cannot compress: {error}")))?
    } else {
        batch.bytes.clone()
    };
    let content = Content {
        bytes,
        kind: "text/plain; charset=utf-8",
        is_gzip,
    };
    let mut answer = api.data(path, content)?;
    // The connection is used again only when the answer was read to its end.
    let drained = io::copy(&mut answer.body_mut().as_reader().take(1 << 20), &mut io::sink());
    drained.map(drop).map_err(|error| api.broken_off(&error))
}

/// Names the batch and the lines as the input counts them, and says what is already written.
fn refusal(batch: &Batch, error: &ApiError, before: u64) -> Failure {
    let (first, last) = (batch.first_line, batch.last_line);
    let mut message = format!("batch {} (lines {first} to {last}): {error}", batch.number);
    for (line, why) in error.lines.iter().take(MAX_TOLD) {
        message.push_str(&format!("\n  line {}: {why}", first + line.saturating_sub(1)));
    }
    if let Some(more @ 1..) = error.lines.len().checked_sub(MAX_TOLD) {
        message.push_str(&format!("\n  and {more} more lines"));
    }
    if let Some(rest) = rest_of(batch, error) {
        message.push_str(&format!("\n  {rest}"));
    }
    let written = match before {
        0 => "no earlier batch was written".to_owned(),
        lines => format!("the {lines} lines before it were written"),
    };
    message.push_str(&format!("\n  {written}"));
    Failure::Failed(message)
}

/// What became of the lines that were not refused; `None` when the answer does not tell.
fn rest_of(batch: &Batch, error: &ApiError) -> Option<String> {
    let refused = error.lines.len();
    // The words of the documented answer (contract, core-wire section 6); others that name lines kept none.
    let is_partial = error.message.starts_with("partial write");
    if refused == 0 {
        return None;
    }
    Some(match batch.points.saturating_sub(refused) {
        rest if !is_partial || rest == 0 => "no line of this batch was written".to_owned(),
        _ if refused >= MAX_NAMED => format!(
            "the server names {MAX_NAMED} refused lines at most; those that it did not refuse were written"
        ),
        1 => "the other line of this batch was written".to_owned(),
        rest => format!("the other {rest} lines of this batch were written"),
    })
}
