//! `cluster`.

use clap::{Args, Subcommand};
use rescind_domain::ClusterId;
use rescind_wire::Cluster;
use serde::Serialize;

use crate::commands::Session;
use crate::exit::Failure;
use crate::output::json::{Seconds, print_json};
use crate::output::tables::{Cell, Table, vertical};
use crate::output::{Format, print};

/// `cluster …`
#[derive(Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum ClusterCommand {
    /// Show one cluster
    Get(GetArgs),
    /// Show the clusters of the account
    List(ListArgs),
}

/// `cluster get`
#[derive(Args)]
pub(crate) struct GetArgs {
    /// The cluster
    #[arg(value_name = "CLUSTER_ID")]
    id: ClusterId,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// `cluster list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A cluster as JSON shows it (contract, influxctl section 6.1).
#[derive(Serialize)]
struct ClusterJson {
    account_id: String,
    cluster_id: String,
    name: String,
    url: String,
    state: String,
    created_at: Seconds,
    category: i32,
}

impl From<Cluster> for ClusterJson {
    fn from(cluster: Cluster) -> Self {
        Self {
            account_id: cluster.account_id,
            cluster_id: cluster.id,
            name: cluster.name,
            url: cluster.url,
            state: cluster.state,
            created_at: cluster.created_at.into(),
            category: cluster.category,
        }
    }
}

/// Runs `cluster …`.
pub(crate) fn run(command: ClusterCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ClusterCommand::Get(args) => get(&args, session),
        ClusterCommand::List(args) => list(&args, session),
    }
}

fn get(args: &GetArgs, session: &Session) -> Result<(), Failure> {
    let path = session.account_path(&format!("/clusters/{}", args.id))?;
    let cluster: Cluster = session.api.get(&path)?;
    match args.format {
        Format::Json => print_json(&ClusterJson::from(cluster)),
        Format::Table => print(vertical(&[
            ("id", Cell::text(&cluster.id)),
            ("name", Cell::text(&cluster.name)),
            ("state", Cell::text(&cluster.state)),
            ("url", Cell::text(&cluster.url)),
        ])),
    }
}

fn list(args: &ListArgs, session: &Session) -> Result<(), Failure> {
    session.dedicated_only("cluster list")?;
    let clusters: Vec<Cluster> = session.api.list(&session.account_path("/clusters")?)?;
    match args.format {
        Format::Json => print_json(&clusters.into_iter().map(ClusterJson::from).collect::<Vec<_>>()),
        Format::Table => {
            let row = |cluster: &Cluster| {
                [&cluster.id, &cluster.name, &cluster.state, &cluster.url]
                    .map(Cell::text)
                    .into()
            };
            let rows = clusters.iter().map(row).collect();
            print(Table::new(&["ID", "NAME", "STATE", "URL"], rows).render())
        }
    }
}
