//! `query`: SQL from text, a file or stdin; rows as a table or JSON (contract, influxctl section 11.2).

mod rows;

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::rows::Rows;
use crate::api::Content;
use crate::args::GlobalArgs;
use crate::commands::write::{open_database, shown};
use crate::exit::Failure;
use crate::log::Log;
use crate::output::{Format, print};

/// The longest query that is read, in bytes.
const MAX_QUERY: u64 = 16 << 20;

/// `query`
#[derive(Args)]
pub(crate) struct QueryArgs {
    /// The query, the path of a file that holds it, or - for stdin
    #[arg(value_name = "QUERY")]
    query: String,
    /// Database to query instead of the profile's
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// How to show the rows
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The query's language
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// How a table shows times; JSON has nanoseconds since 1970
    #[arg(long, value_enum, default_value_t)]
    time_format: TimeFormat,
    /// Database token to use instead of the profile's
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
}

/// In which language a query is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Language {
    #[default]
    Sql,
}

/// How a table shows times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeFormat {
    #[default]
    Rfc3339nano,
    Unixnano,
}

/// What the server is asked; `jsonl` lets rows be read as they come.
#[derive(Serialize)]
struct Request<'a> {
    db: &'a str,
    q: &'a str,
    format: &'static str,
}

/// Runs `query`.
pub(crate) fn run(args: &QueryArgs, global: &GlobalArgs, log: Log) -> Result<(), Failure> {
    let given = (args.database.as_ref(), args.token.as_ref());
    let (api, database) = open_database(given, global.timeout()?, global, log)?;
    let query = read_query(&args.query)?;
    let request = Request {
        db: &database,
        q: &query,
        format: "jsonl",
    };
    let path = match args.language {
        Language::Sql => "/api/v3/query_sql",
    };
    let content = Content {
        bytes: serde_json::to_vec(&request).map_err(Failure::because("cannot write the request"))?,
        kind: "application/json",
        is_gzip: false,
    };
    let mut answer = api.data(path, content)?;
    let rows =
        Rows::read(BufReader::new(answer.body_mut().as_reader())).map_err(|error| api.broken_off(&error))?;
    match args.format {
        Format::Json => print(rows.to_json()),
        Format::Table => print(rows.to_table(args.time_format).render()),
    }
}

/// The query's text: stdin for `-`, else a file of that name if there is one, else the argument itself.
fn read_query(argument: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if argument == "-" {
        io::stdin().take(MAX_QUERY).read_to_string(&mut text)
    } else if Path::new(argument).is_file() {
        fs::File::open(argument).and_then(|file| file.take(MAX_QUERY).read_to_string(&mut text))
    } else {
        text.push_str(argument);
        Ok(text.len())
    };
    let length = read.map_err(Failure::because(format!("cannot read {}", shown(argument))))?;
    if length as u64 >= MAX_QUERY {
        return Err(Failure::Failed(format!(
            "the query is longer than {} MiB",
            MAX_QUERY >> 20
        )));
    }
    if text.trim().is_empty() {
        return Err(Failure::Failed(format!(
            "there is no query in {}",
            shown(argument)
        )));
    }
    Ok(text)
}
