//! `database` (contract, influxctl section 7).

use clap::{Args, Subcommand, ValueEnum};
use rescind_domain::{DatabaseName, MaxColumns, MaxTables, RetentionPeriod};
use rescind_wire::{
    CreateDatabase, Database, DatabaseDetails, IdentifiedDatabase, RenameDatabase, UpdateDatabase,
};
use serde::Serialize;
use ureq::http::Method;

use crate::api::segment;
use crate::commands::templates::TemplateArgs;
use crate::commands::{Session, distinct};
use crate::exit::Failure;
use crate::output::json::print_json;
use crate::output::tables::{Cell, Table};
use crate::output::{Format, print};
use crate::prompt::{Question, confirm};

/// `database …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum DatabaseCommand {
    /// Create a database
    Create(CreateArgs),
    /// Delete databases and all their data
    Delete(DeleteArgs),
    /// Show databases
    List(ListArgs),
    /// Give a database another name; tokens keep the old one
    Rename(RenameArgs),
    /// Restore a database deleted less than 7 days ago
    Undelete(UndeleteArgs),
    /// Change a database's retention period and limits
    Update(UpdateArgs),
}

/// `database create`
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// The name: letters, digits, _, - and /
    #[arg(value_name = "DATABASE_NAME")]
    name: DatabaseName,
    /// How long points are kept, such as 30d or 1y6mo; 0s is for ever
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    retention_period: RetentionPeriod,
    /// Tables at most; 0 is the default
    #[arg(long, value_name = "N", default_value_t = MaxTables::default().get())]
    max_tables: i32,
    /// Columns per table at most, up to 1000; 0 is the default
    #[arg(long, value_name = "N", default_value_t = MaxColumns::default().get())]
    max_columns: i32,
    #[command(flatten)]
    template: TemplateArgs,
}

/// `database delete`
#[derive(Args)]
pub(crate) struct DeleteArgs {
    /// The databases
    #[arg(value_name = "DATABASE_NAME", required = true)]
    names: Vec<DatabaseName>,
    /// Do not ask for confirmation
    #[arg(long)]
    force: bool,
}

/// `database list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Which to show
    #[arg(long, value_enum, value_name = "STATUS", default_value_t)]
    filter_status: FilterStatus,
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `database rename`
#[derive(Args)]
pub(crate) struct RenameArgs {
    /// The name so far
    #[arg(value_name = "CURRENT_DB_NAME")]
    current: DatabaseName,
    /// The name from now on
    #[arg(value_name = "NEW_DB_NAME")]
    new: DatabaseName,
}

/// `database undelete`
#[derive(Args)]
pub(crate) struct UndeleteArgs {
    /// The name it had; the one deleted last, if there are several
    #[arg(value_name = "DATABASE_NAME")]
    name: DatabaseName,
}

/// `database update`
#[derive(Args)]
pub(crate) struct UpdateArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    name: DatabaseName,
    /// How long points are kept, such as 30d or 1y6mo; 0s is for ever
    #[arg(long, value_name = "DURATION")]
    retention_period: Option<RetentionPeriod>,
    /// Tables at most; 0 is the default of 500
    #[arg(long, value_name = "N")]
    max_tables: Option<i32>,
    /// Columns at most of tables made from now on, up to 1000; 0 is the default of 250
    #[arg(long, value_name = "N")]
    max_columns: Option<i32>,
}

/// Which databases or tables a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterStatus {
    #[default]
    Active,
    Deleted,
}

impl FilterStatus {
    /// The value of the query parameter `status`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }
}

/// A database as JSON shows it (contract, influxctl section 7.3).
#[derive(Serialize)]
struct DatabaseJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    database_name: String,
    retention_period_ns: i64,
    max_tables: i32,
    max_columns_per_table: i32,
    id: i64,
}

impl From<DatabaseDetails> for DatabaseJson {
    fn from(DatabaseDetails { id, database, .. }: DatabaseDetails) -> Self {
        Self {
            account_id: database.account_id,
            cluster_id: database.cluster_id,
            database_name: database.name,
            retention_period_ns: database.retention_period,
            max_tables: database.max_tables,
            max_columns_per_table: database.max_columns_per_table,
            id,
        }
    }
}

/// Runs `database …`.
pub(crate) fn run(command: DatabaseCommand, session: &Session) -> Result<(), Failure> {
    match command {
        DatabaseCommand::Create(args) => create(&args, session),
        DatabaseCommand::Delete(args) => delete(&args, session),
        DatabaseCommand::List(args) => list(&args, session),
        DatabaseCommand::Rename(args) => rename(&args, session),
        DatabaseCommand::Undelete(args) => undelete(&args, session),
        DatabaseCommand::Update(args) => update(&args, session),
    }
}

fn create(args: &CreateArgs, session: &Session) -> Result<(), Failure> {
    let request = CreateDatabase {
        name: args.name.to_string(),
        max_tables: Some(or_default(args.max_tables, MaxTables::default().get())),
        max_columns_per_table: Some(or_default(args.max_columns, MaxColumns::default().get())),
        retention_period: Some(args.retention_period.nanos()),
        partition_template: args.template.parts()?,
    };
    let path = session.cluster_path("/databases")?;
    let created: Database = session.api.send(&Method::POST, &path, &request)?;
    show_with_id(created, session)
}

fn update(args: &UpdateArgs, session: &Session) -> Result<(), Failure> {
    let request = UpdateDatabase {
        max_tables: args.max_tables.map(|n| or_default(n, MaxTables::default().get())),
        max_columns_per_table: args
            .max_columns
            .map(|n| or_default(n, MaxColumns::default().get())),
        retention_period: args.retention_period.map(RetentionPeriod::nanos),
    };
    if request == UpdateDatabase::default() {
        let message = "give at least one of --retention-period, --max-tables and --max-columns";
        return Err(Failure::Usage(message.to_owned()));
    }
    let path = session.cluster_path(&format!("/databases/{}", segment(args.name.as_str())))?;
    let updated: Database = session.api.send(&Method::PATCH, &path, &request)?;
    show_with_id(updated, session)
}

/// Zero is the default (contract, influxctl section 7.1).
fn or_default(value: i32, default: i32) -> i64 {
    i64::from(if value == 0 { default } else { value })
}

fn rename(args: &RenameArgs, session: &Session) -> Result<(), Failure> {
    let name = segment(args.current.as_str());
    let path = session.cluster_path(&format!("/databases/{name}/rename"))?;
    let request = RenameDatabase {
        name: args.new.to_string(),
    };
    let renamed: IdentifiedDatabase = session.api.send(&Method::PUT, &path, &request)?;
    print(table([(Some(renamed.id), &renamed.database)]))?;
    session.log.warn(format_args!(
        "tokens that name {} do not open {}",
        args.current, args.new
    ));
    Ok(())
}

fn undelete(args: &UndeleteArgs, session: &Session) -> Result<(), Failure> {
    let last = databases(session, FilterStatus::Deleted)?
        .into_iter()
        .filter(|details| details.database.name == args.name.as_str())
        .max_by_key(|details| (details.deleted_at, details.id));
    let Some(last) = last else {
        return Err(Failure::Failed(format!(
            "no deleted database is named {}: see influxctl database list --filter-status deleted",
            args.name
        )));
    };
    let path = session.cluster_path(&format!("/databases/{}/undelete", last.id))?;
    let restored: IdentifiedDatabase = session.api.put(&path)?;
    print(table([(Some(restored.id), &restored.database)]))
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let found = databases(session, args.filter_status)?;
    match args.format {
        Format::Json => print_json(&found.into_iter().map(DatabaseJson::from).collect::<Vec<_>>()),
        Format::Table => print(table(
            found.iter().map(|details| (Some(details.id), &details.database)),
        )),
    }
}

fn databases(session: &Session, status: FilterStatus) -> Result<Vec<DatabaseDetails>, Failure> {
    let path = session.cluster_path(&format!("/databases?details=true&status={}", status.as_str()))?;
    Ok(session.api.list(&path)?)
}

/// The documented answers to creation and update lack the id: the list has it.
fn show_with_id(database: Database, session: &Session) -> Result<(), Failure> {
    let active = databases(session, FilterStatus::Active).unwrap_or_else(|error| {
        session.log.debug(format_args!("the id is not known: {error}"));
        Vec::new()
    });
    let same = active
        .iter()
        .find(|details| details.database.name == database.name);
    print(table([(same.map(|details| details.id), &database)]))
}

/// The four documented columns in their order, and the id (contract, X-CLI-3).
fn table<'a>(databases: impl IntoIterator<Item = (Option<i64>, &'a Database)>) -> String {
    let row = |(id, database): (Option<i64>, &Database)| {
        let retention = RetentionPeriod::from_nanos(database.retention_period);
        vec![
            Cell::text(&database.name),
            retention.map_or(Cell::Empty, |period| Cell::text(period.to_string())),
            Cell::number(database.max_tables),
            Cell::number(database.max_columns_per_table),
            id.map_or(Cell::Empty, Cell::number),
        ]
    };
    let header = [
        "DATABASE NAME",
        "RETENTION PERIOD",
        "MAX TABLES",
        "MAX COLUMNS PER TABLE",
        "ID",
    ];
    Table::new(&header, databases.into_iter().map(row).collect()).render()
}

fn delete(args: &DeleteArgs, session: &Session) -> Result<(), Failure> {
    let names = distinct(&args.names);
    let path = session.cluster_path("/databases")?;
    if !args.force {
        confirm(&Question {
            what: "Delete these databases with all their tables and data?",
            subjects: names.iter().map(|name| (name.to_string(), None)).collect(),
            consequence: "After 7 days this cannot be undone; until then, influxctl database undelete restores them.\n\
                          Tokens are kept: those that name a database open any new one of that name.",
        })?;
    }
    session.for_each(&names, |name| {
        let path = format!("{path}/{}", segment(name.as_str()));
        session.delete(&path)?;
        print(format!("Deleted database {name}"))
    })
}
