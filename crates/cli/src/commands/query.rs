//! `query`: SQL from text, a file or stdin; rows as a table or JSON (contract, influxctl section 11.2).

mod rows;

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::rows::{Rows, RowsError};
use crate::api::{Api, ApiError, Content};
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

/// The format that rows are asked for in: it says of every column what it holds (docs/API-DESIGN.md, data plane).
const FORMAT: &str = "typed_jsonl";

/// What the server is asked.
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
        format: FORMAT,
    };
    let path = match args.language {
        Language::Sql => "/api/v3/query_sql",
    };
    let content = Content {
        bytes: serde_json::to_vec(&request).map_err(Failure::because("cannot write the request"))?,
        kind: "application/json",
        is_gzip: false,
    };
    let answer = api.data(path, content);
    let mut answer = answer.map_err(|error| explain(&api, error, &query))?;
    let rows = Rows::read(BufReader::new(answer.body_mut().as_reader())).map_err(|error| match error {
        RowsError::NoColumns => api.wrong_product(&error.to_string()),
        RowsError::TooLarge => ApiError::local(error.to_string()),
        RowsError::BadRow { .. } | RowsError::Broken(_) => api.broken_off(&error),
    })?;
    match args.format {
        Format::Json => print(rows.to_json()),
        Format::Table => print(rows.to_table(args.time_format).render()),
    }
}

/// A server that refuses the format names it; a query that fails for itself is told as the server tells it.
fn explain(api: &Api, error: ApiError, query: &str) -> ApiError {
    let is_format = error.status == Some(400) && error.message.contains(FORMAT) && !query.contains(FORMAT);
    if is_format {
        return api.wrong_product(&format!(
            "it does not offer the format {FORMAT}, in which this command reads rows, and says: {}",
            error.message
        ));
    }
    error
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
