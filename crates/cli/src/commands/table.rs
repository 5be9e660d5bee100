//! `table` (contract, influxctl section 8).

use clap::{Args, Subcommand};
use rescind_domain::{DatabaseName, TableId, TableName};
use rescind_wire::{CreateTable, IdentifiedTable, RenameTable, Table as WireTable, TableDetails};
use serde::Serialize;
use ureq::http::Method;

use crate::api::segment;
use crate::commands::Session;
use crate::commands::database::FilterStatus;
use crate::commands::templates::TemplateArgs;
use crate::exit::Failure;
use crate::output::json::{Seconds, print_json};
use crate::output::tables::{Cell, Table, vertical};
use crate::output::{Format, print};
use crate::prompt::{Question, confirm};

/// `table …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum TableCommand {
    /// Create a table
    Create(CreateArgs),
    /// Delete a table and all its data
    Delete(DeleteArgs),
    /// Switch the export in Apache Iceberg format on or off
    #[command(subcommand)]
    Iceberg(IcebergCommand),
    /// Show the tables of a database
    List(ListArgs),
    /// Give a table another name; the old one still leads to it
    Rename(RenameArgs),
    /// Restore a table deleted less than 7 days ago
    Undelete(UndeleteArgs),
}

/// `table iceberg …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum IcebergCommand {
    /// Switch the export on
    Enable(TableArgs),
    /// Switch the export off
    Disable(TableArgs),
}

/// Names a table.
#[derive(Args)]
pub(crate) struct TableArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    database: DatabaseName,
    /// The table
    #[arg(value_name = "TABLE_NAME")]
    name: String,
}

/// `table create`
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    database: DatabaseName,
    /// The name: letters, digits, _ and -
    #[arg(value_name = "TABLE_NAME")]
    name: TableName,
    #[command(flatten)]
    template: TemplateArgs,
}

/// `table delete`
#[derive(Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    table: TableArgs,
    /// Do not ask for confirmation
    #[arg(long)]
    force: bool,
}

/// `table list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    database: DatabaseName,
    /// Which to show
    #[arg(long, value_enum, value_name = "STATUS", default_value_t)]
    filter_status: FilterStatus,
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `table rename`
#[derive(Args)]
pub(crate) struct RenameArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    database: DatabaseName,
    /// The name so far
    #[arg(value_name = "CURRENT_TABLE_NAME")]
    current: String,
    /// The name from now on
    #[arg(value_name = "NEW_TABLE_NAME")]
    new: TableName,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `table undelete`
#[derive(Args)]
pub(crate) struct UndeleteArgs {
    /// The database
    #[arg(value_name = "DATABASE_NAME")]
    database: DatabaseName,
    /// The table's id, as table list --filter-status deleted shows it
    #[arg(value_name = "TABLE_ID")]
    id: TableId,
}

/// A table as JSON shows it.
#[derive(Serialize)]
struct TableJson {
    id: i64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Seconds>,
}

/// Runs `table …`.
pub(crate) fn run(command: TableCommand, session: &Session) -> Result<(), Failure> {
    match command {
        TableCommand::Create(args) => create(&args, session),
        TableCommand::Delete(args) => delete(&args, session),
        TableCommand::Iceberg(IcebergCommand::Enable(args)) => iceberg(&args, "enable", session),
        TableCommand::Iceberg(IcebergCommand::Disable(args)) => iceberg(&args, "disable", session),
        TableCommand::List(args) => list(&args, session),
        TableCommand::Rename(args) => rename(&args, session),
        TableCommand::Undelete(args) => undelete(&args, session),
    }
}

fn tables_path(session: &Session, database: &DatabaseName, suffix: &str) -> Result<String, Failure> {
    session.cluster_path(&format!(
        "/databases/{}/tables{suffix}",
        segment(database.as_str())
    ))
}

fn create(args: &CreateArgs, session: &Session) -> Result<(), Failure> {
    let request = CreateTable {
        name: args.name.to_string(),
        partition_template: args.template.parts()?,
    };
    let path = tables_path(session, &args.database, "")?;
    let created: WireTable = session.api.send(&Method::POST, &path, &request)?;
    print(vertical(&[
        ("database name", Cell::text(&created.database_name)),
        ("name", Cell::text(&created.name)),
    ]))
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    let status = args.filter_status.as_str();
    let path = tables_path(session, &args.database, &format!("?status={status}"))?;
    let found: Vec<TableDetails> = session.api.list(&path)?;
    let is_deleted = args.filter_status == FilterStatus::Deleted;
    match args.format {
        Format::Json => {
            let entry = |details: TableDetails| TableJson {
                id: details.id,
                name: details.table.name,
                deleted_at: details.deleted_at.map(Seconds::from),
            };
            print_json(&found.into_iter().map(entry).collect::<Vec<_>>())
        }
        Format::Table => {
            let row = |details: &TableDetails| {
                let mut row = vec![Cell::number(details.id), Cell::text(&details.table.name)];
                if is_deleted {
                    row.push(Cell::moment(details.deleted_at));
                }
                row
            };
            let header: &[&str] = if is_deleted {
                &["ID", "NAME", "DELETED AT"]
            } else {
                &["ID", "NAME"]
            };
            print(Table::new(header, found.iter().map(row).collect()).render())
        }
    }
}

fn rename(args: &RenameArgs, session: &Session) -> Result<(), Failure> {
    let suffix = format!("/{}/rename", segment(&args.current));
    let path = tables_path(session, &args.database, &suffix)?;
    let request = RenameTable {
        name: args.new.to_string(),
    };
    let renamed: IdentifiedTable = session.api.send(&Method::PUT, &path, &request)?;
    show(&renamed, args.format)
}

fn undelete(args: &UndeleteArgs, session: &Session) -> Result<(), Failure> {
    let path = tables_path(session, &args.database, &format!("/{}/undelete", args.id))?;
    let restored: IdentifiedTable = session.api.put(&path)?;
    show(&restored, Format::Table)
}

fn show(table: &IdentifiedTable, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(&TableJson {
            id: table.id,
            name: table.table.name.clone(),
            deleted_at: None,
        }),
        Format::Table => print(vertical(&[
            ("id", Cell::number(table.id)),
            ("database name", Cell::text(&table.table.database_name)),
            ("name", Cell::text(&table.table.name)),
        ])),
    }
}

fn delete(args: &DeleteArgs, session: &Session) -> Result<(), Failure> {
    let TableArgs { database, name } = &args.table;
    let path = tables_path(session, database, &format!("/{}", segment(name)))?;
    if !args.force {
        confirm(&Question {
            what: "Delete this table with all its data?",
            subjects: vec![(name.clone(), Some(format!("in database {database}")))],
            consequence: "After 7 days this cannot be undone; until then, influxctl table undelete restores it.\n\
                          A write to the table makes a new one of that name.",
        })?;
    }
    session.delete(&path)?;
    print(format!("Deleted table {name} of database {database}"))
}

/// The switch is asked for where a server that has it would have it; most have not.
fn iceberg(args: &TableArgs, switch: &str, session: &Session) -> Result<(), Failure> {
    session.dedicated_only(&format!("table iceberg {switch}"))?;
    let path = tables_path(
        session,
        &args.database,
        &format!("/{}/iceberg", segment(&args.name)),
    )?;
    let method = if switch == "enable" {
        Method::PUT
    } else {
        Method::DELETE
    };
    match session.api.order(&method, &path) {
        Ok(_) => print(format!("Iceberg export of table {} is {switch}d", args.name)),
        Err(error) if matches!(error.status, Some(404 | 405 | 501)) => Err(Failure::Failed(
            "this server does not offer the export in Apache Iceberg format: nothing was changed".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
