//! The command line and its environment variables.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rescind_authority::{Location, NodeSettings, SessionLimits};
use rescind_domain::{Email, Role};

use crate::failure::Failure;
use crate::values::{CatalogText, Listen, PublicUrl, Size, SmtpText, Span};

/// The token authority for InfluxDB 3: creates, lists, updates and revokes tokens, and enforces them on every write
/// and query.
#[derive(Debug, Parser)]
#[command(name = "rescind", version, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the management API and the data plane on one port until SIGTERM
    Serve(Box<ServeArguments>),
    /// Tell the whole story over real HTTP on a server of its own: create, write, query, revoke, refused
    Demo(DemoArguments),
    /// Manage the people who may log in; beside a catalog in a file the server must not run meanwhile
    #[command(subcommand)]
    User(UserCommand),
    /// Look after the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the OpenAPI document of the management API as JSON
    Openapi,
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) data: DataDirectory,
    /// Address to listen on; port 0 picks a free one
    #[arg(
        long,
        env = "RESCIND_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8181"
    )]
    pub(crate) listen: Listen,
    /// This node's name in receipts and lists [default: the host's name]
    #[arg(long, env = "RESCIND_NODE_NAME", value_name = "NAME", value_parser = node_name)]
    pub(crate) node_name: Option<String>,
    /// How long nodes that share a PostgreSQL catalog may serve without hearing from it, and how long a revocation may
    /// have to wait for one that was cut off: 1s to 60s
    #[arg(
        long,
        env = "RESCIND_LEASE_TTL",
        value_name = "SPAN",
        default_value = "5s",
        value_parser = lease_ttl
    )]
    pub(crate) lease_ttl: Duration,
    /// Address of the first administrator, made when the catalog is empty
    #[arg(
        long,
        env = "RESCIND_ADMIN_EMAIL",
        value_name = "EMAIL",
        default_value = "admin@localhost"
    )]
    pub(crate) admin_email: Email,
    /// Certificate chain in PEM: serve HTTPS instead of HTTP
    #[arg(long, env = "RESCIND_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM
    #[arg(long, env = "RESCIND_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address of a proxy in front of this server, whose X-Forwarded-For says who asks; may be given several times
    #[arg(long, env = "RESCIND_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) proxy: Vec<IpAddr>,
    /// Form of the log on stderr
    #[arg(long, env = "RESCIND_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// What to log, such as info, debug or warn,rescind_gateway=debug [env: RUST_LOG is read as well]
    #[arg(long, env = "RESCIND_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    pub(crate) people: People,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
    #[cfg(debug_assertions)]
    #[command(flatten)]
    pub(crate) faults: crate::faults::Faults,
}

/// How people reach the server, sign in and get mail. Spans are numbers with a unit: 30m, 12h, 7d.
#[derive(Debug, Clone, Args)]
pub(crate) struct People {
    /// Where people reach this server, as links say it [default: the address it listens on]
    #[arg(long, env = "RESCIND_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<PublicUrl>,
    /// How long a session in a browser may lie unused before it ends
    #[arg(long, env = "RESCIND_SESSION_IDLE", value_name = "SPAN", default_value = "2h")]
    pub(crate) session_idle: Span,
    /// How long a session in a browser lasts at most
    #[arg(
        long,
        env = "RESCIND_SESSION_LIFETIME",
        value_name = "SPAN",
        default_value = "12h"
    )]
    pub(crate) session_lifetime: Span,
    /// Mail server for invitations: smtps://USER:PASSWORD@HOST or smtp://…; a password belongs into the variable or a file
    #[arg(
        long,
        env = "RESCIND_SMTP_URL",
        value_name = "URL",
        hide_env_values = true,
        conflicts_with = "smtp_url_file"
    )]
    pub(crate) smtp_url: Option<SmtpText>,
    /// File that holds what --smtp-url would say
    #[arg(long, env = "RESCIND_SMTP_URL_FILE", value_name = "FILE")]
    pub(crate) smtp_url_file: Option<PathBuf>,
    /// Sender of that mail, such as rescind@example.com
    #[arg(long, env = "RESCIND_SMTP_FROM", value_name = "EMAIL")]
    pub(crate) smtp_from: Option<Email>,
}

impl People {
    /// Shorter sessions would end while their user reads.
    const SHORTEST: Duration = Duration::from_secs(60);
    /// Longer ones are none that anybody remembers.
    const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// How long browser sessions last.
    ///
    /// # Errors
    /// Names the flag that does not fit, and the fix.
    pub(crate) fn session_limits(&self) -> Result<SessionLimits, Failure> {
        let (idle, lifetime) = (self.session_idle.0, self.session_lifetime.0);
        let problem = if idle < Self::SHORTEST {
            "--session-idle: must be at least 1m, or sessions end while their users read"
        } else if lifetime > Self::LONGEST {
            "--session-lifetime: must be at most 365d"
        } else if idle > lifetime {
            "--session-idle: must be at most --session-lifetime, which ends a session however much it is used"
        } else {
            return Ok(SessionLimits {
                idle,
                lifetime,
                ..SessionLimits::default()
            });
        };
        Err(Failure::new(problem).into_usage())
    }
}

/// What requests may take. Sizes are in bytes, or with a unit: 64KiB, 256MiB, 1GiB.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Bounds {
    /// Longest body of a write, after decompression
    #[arg(
        long,
        env = "RESCIND_MAX_BODY_BYTES",
        value_name = "SIZE",
        default_value = "50MiB"
    )]
    pub(crate) max_body_bytes: Size,
    /// Memory for all bodies of requests together; beyond it, requests are refused for the moment
    #[arg(
        long,
        env = "RESCIND_BODY_MEMORY_BYTES",
        value_name = "SIZE",
        default_value = "256MiB"
    )]
    pub(crate) body_memory_bytes: Size,
    /// Points in memory beyond which they are moved to Parquet files
    #[arg(
        long,
        env = "RESCIND_BUFFER_BYTES",
        value_name = "SIZE",
        default_value = "128MiB"
    )]
    pub(crate) buffer_bytes: Size,
    /// Points in memory beyond which writes are refused until some have been moved; at most 1GiB
    #[arg(
        long,
        env = "RESCIND_BUFFER_LIMIT_BYTES",
        value_name = "SIZE",
        default_value = "512MiB"
    )]
    pub(crate) buffer_limit_bytes: Size,
    /// Memory for all queries together
    #[arg(
        long,
        env = "RESCIND_QUERY_MEMORY_BYTES",
        value_name = "SIZE",
        default_value = "512MiB"
    )]
    pub(crate) query_memory_bytes: Size,
}

impl Bounds {
    /// The largest `--buffer-limit-bytes`: the embedded database goes no further.
    const MOST_BUFFERED: usize = 1 << 30;

    /// Whether they fit together.
    ///
    /// # Errors
    /// Names the flags that do not, and the fix.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let problem = if self.buffer_limit_bytes.0 > Self::MOST_BUFFERED {
            "--buffer-limit-bytes: must be at most 1GiB"
        } else if self.buffer_bytes.0 > self.buffer_limit_bytes.0 {
            "--buffer-bytes: must be at most --buffer-limit-bytes, or writes are refused before points are moved"
        } else if self.max_body_bytes.0 > self.body_memory_bytes.0 {
            "--max-body-bytes: must be at most --body-memory-bytes, or the longest bodies are always refused"
        } else {
            return Ok(());
        };
        Err(Failure::new(problem).into_usage())
    }
}

impl Default for Bounds {
    /// What the flags say when they are absent.
    fn default() -> Self {
        Self {
            max_body_bytes: Size(50 << 20),
            body_memory_bytes: Size(256 << 20),
            buffer_bytes: Size(128 << 20),
            buffer_limit_bytes: Size(512 << 20),
            query_memory_bytes: Size(512 << 20),
        }
    }
}

/// How to tell the story.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// End after the story instead of serving until Ctrl-C
    #[arg(long, env = "RESCIND_DEMO_EXIT")]
    pub(crate) exit: bool,
    /// Address to listen on; port 0 picks a free one
    #[arg(
        long,
        env = "RESCIND_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:0"
    )]
    pub(crate) listen: Listen,
    /// What to log beside the story, such as info or warn
    #[arg(long, env = "RESCIND_LOG", value_name = "FILTER", default_value = "error")]
    pub(crate) log: String,
}

/// What to do about users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List all users
    List {
        #[command(flatten)]
        data: DataDirectory,
    },
    /// Print a one-time link by which a person becomes a user, or a user sets a new password
    Invite {
        #[command(flatten)]
        data: DataDirectory,
        /// Whom; the address of a user lets that user set a new password
        email: Email,
        /// What a new user may do: admin, member or auditor
        #[arg(long)]
        role: Role,
        /// Given name; the person can change it
        #[arg(long, default_value = "")]
        first_name: String,
        /// Family name; the person can change it
        #[arg(long, default_value = "")]
        last_name: String,
        /// Where people reach the server [default: the address of a node that serves, or of the last start]
        #[arg(long, env = "RESCIND_PUBLIC_URL", value_name = "URL")]
        public_url: Option<PublicUrl>,
    },
    /// Add a user; give it a password with `rescind user passwd`
    Add {
        #[command(flatten)]
        data: DataDirectory,
        /// How the user logs in
        email: Email,
        /// Given name
        #[arg(long)]
        first_name: String,
        /// Family name
        #[arg(long)]
        last_name: String,
        /// What the user may do: admin, member or auditor
        #[arg(long)]
        role: Role,
    },
    /// Set a user's password, read from the terminal or from stdin, and end the user's sessions
    Passwd {
        #[command(flatten)]
        data: DataDirectory,
        /// Whose
        email: Email,
    },
    /// Disable a user: refused everywhere from then on
    Disable {
        #[command(flatten)]
        data: DataDirectory,
        /// Whom
        email: Email,
    },
    /// Enable a disabled user again
    Enable {
        #[command(flatten)]
        data: DataDirectory,
        /// Whom
        email: Email,
    },
    /// Delete a user for good; the audit log keeps what it did
    Delete {
        #[command(flatten)]
        data: DataDirectory,
        /// Whom
        email: Email,
    },
}

impl UserCommand {
    /// Where the users are.
    pub(crate) const fn data(&self) -> &DataDirectory {
        match self {
            Self::List { data }
            | Self::Invite { data, .. }
            | Self::Add { data, .. }
            | Self::Passwd { data, .. }
            | Self::Disable { data, .. }
            | Self::Enable { data, .. }
            | Self::Delete { data, .. } => data,
        }
    }
}

/// What to do about the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Recompute the chain of hashes from the first event; the server may run meanwhile
    Verify {
        #[command(flatten)]
        data: DataDirectory,
    },
}

/// Where everything is kept.
#[derive(Debug, Args)]
pub(crate) struct DataDirectory {
    /// Directory that holds everything rescind remembers
    #[arg(
        long,
        env = "RESCIND_DATA_DIR",
        value_name = "DIR",
        default_value = "./rescind-data"
    )]
    pub(crate) data_dir: PathBuf,
    /// Catalog, as sqlite:PATH, or as postgres://USER@HOST/DATABASE to share it among nodes; a password belongs into this
    /// variable, PGPASSWORD or a PGPASSFILE [default: catalog.sqlite in the data directory]
    #[arg(
        long,
        env = "RESCIND_CATALOG",
        value_name = "LOCATION",
        hide_env_values = true
    )]
    pub(crate) catalog: Option<CatalogText>,
}

impl DataDirectory {
    /// Where the catalog is.
    pub(crate) fn location(&self) -> Result<Location, Failure> {
        match &self.catalog {
            Some(text) => text.location(),
            None => Ok(Location::Sqlite(self.data_dir.join("catalog.sqlite"))),
        }
    }

    /// Where the catalog is, if a server has ever made it: a mistyped path must make nothing.
    pub(crate) fn existing_location(&self) -> Result<Location, Failure> {
        let location = self.location()?;
        if let Location::Sqlite(path) = &location
            && let Err(e) = path.metadata()
        {
            let advice = "give the --data-dir of a server that has started once";
            return Err(Failure::because(
                format!("no catalog at {} ({advice})", path.display()),
                e,
            ));
        }
        Ok(location)
    }
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

fn node_name(text: &str) -> Result<String, String> {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match (1..=64).contains(&text.len()) && text.chars().all(is_fit) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 64 letters, digits, dots, hyphens or underscores".to_owned()),
    }
}

fn lease_ttl(text: &str) -> Result<Duration, String> {
    let Span(ttl) = text.parse()?;
    match (Duration::from_secs(1)..=NodeSettings::LONGEST_LEASE).contains(&ttl) {
        true => Ok(ttl),
        false => Err(format!(
            "must be between 1s and {}s",
            NodeSettings::LONGEST_LEASE.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_neither_too_short_nor_too_long() {
        assert_eq!(lease_ttl("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(lease_ttl("1m"), Ok(NodeSettings::LONGEST_LEASE));
        for text in ["0s", "61s", "2m", "5", ""] {
            assert!(lease_ttl(text).is_err(), "{text}");
        }
    }

    #[test]
    fn absent_flags_are_the_default_bounds() {
        let parsed = Arguments::try_parse_from(["rescind", "serve"]).expect("no flag is needed");
        let Command::Serve(serve) = parsed.command else {
            panic!("another command");
        };
        assert_eq!(serve.bounds, Bounds::default());
    }

    #[test]
    fn a_mistyped_path_makes_nothing() {
        let parent = tempfile::tempdir().expect("a directory");
        let data_dir = parent.path().join("typo");
        let data = DataDirectory {
            data_dir: data_dir.clone(),
            catalog: None,
        };
        let refusal = data.existing_location().expect_err("nothing there").to_string();
        assert!(
            refusal.contains("typo/catalog.sqlite") && refusal.contains("--data-dir"),
            "{refusal}"
        );
        assert!(!data_dir.exists());
    }
}
