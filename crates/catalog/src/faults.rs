//! Why a PostgreSQL server cannot keep a catalog, in words for whoever starts a node.

use std::io::ErrorKind;
use std::path::PathBuf;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::locations::files_of;
use crate::seam::Connection;
use crate::stored;

/// The oldest version that is accepted. PostgreSQL's makers mend a version for five years: nothing older than 15 is mended
/// any more (<https://www.postgresql.org/support/versioning/>), and Rescind is tried with nothing older.
const OLDEST: i64 = 15;

/// Why the server cannot keep the catalog, and what to do. Never shows a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// The address is not one.
    #[error("the address is not postgres://USER:PASSWORD@HOST:PORT/DATABASE: {0}")]
    Address(String),
    /// Nothing answers there.
    #[error(
        "the server cannot be reached: {0}. Is it running, are host and port right, does a firewall let this node in?"
    )]
    Unreachable(String),
    /// Something answers there that does not speak its protocol.
    #[error("what answers there is not PostgreSQL: {0}. Is the port right?")]
    Foreign(String),
    /// It has no TLS, which was insisted on.
    #[error(
        "the server has no TLS, and `sslmode` in the address insists on it: set ssl = on in postgresql.conf, with a \
         certificate, or say sslmode=disable where nobody else can get at what passes"
    )]
    NoTls,
    /// Its certificate is not one to trust.
    #[error(
        "the server's certificate is refused: {0}. `sslrootcert` in the address names the file of the authority that is \
         trusted, and the host in it is what the certificate must be made out to"
    )]
    Certificate(String),
    /// A file that the address names cannot be read.
    #[error("{}, which `{parameter}` in the address names, cannot be read: {problem}", path.display())]
    File {
        /// Which parameter names it.
        parameter: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// What the operating system said.
        problem: String,
    },
    /// TLS failed otherwise.
    #[error(
        "no encrypted connection came about: {0}. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the address say what \
         is asked for"
    )]
    Encryption(String),
    /// It does not know the user, or not this password.
    #[error(
        "the server refused user or password: {0}. The password is that of the address, of PGPASSWORD or of the file that \
         PGPASSFILE names; pg_hba.conf on the server says who may come in"
    )]
    SignIn(String),
    /// It has no such database.
    #[error("{0}. Create it: CREATE DATABASE name ENCODING 'UTF8'")]
    NoDatabase(String),
    /// It has no connection left.
    #[error(
        "the server has no connection left: {0}. Raise max_connections; a node takes up to {MOST_CONNECTIONS}"
    )]
    Full(String),
    /// It does not serve at the moment.
    #[error("the server is starting or stopping: {0}. Try again when it is ready")]
    NotReady(String),
    /// It is too old.
    #[error(
        "the server is PostgreSQL {0}; Rescind needs {OLDEST} or later, because older ones are not mended any more"
    )]
    TooOld(String),
    /// It is a copy that only follows another server.
    #[error("the server is a standby, which takes no writes: use the address of the primary")]
    Standby,
    /// It takes no writes.
    #[error("the database is set to read only: reset default_transaction_read_only for it and for the user")]
    ReadOnly,
    /// It keeps texts in another encoding.
    #[error(
        "the database keeps texts as {0}, which cannot hold every name: create one with ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// The user may not do what is needed.
    #[error(
        "the user lacks a right: {0}. It must own the database, or be granted USAGE and CREATE on the schema, and SELECT, \
         INSERT, UPDATE and DELETE on the tables in it"
    )]
    Rights(String),
    /// The schema must be upgraded, but nodes of an older release are running on it.
    #[error(
        "the catalog must be upgraded from schema {found} to {known}, but nodes of an older release are running on it: \
         {nodes}. Stop them all, then start this one again"
    )]
    NodesRunning {
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
        /// Which nodes, of which release, where.
        nodes: String,
    },
}

/// What a node keeps open at most, with the one for signals.
pub(crate) const MOST_CONNECTIONS: u32 = 19;

/// What a server says about itself.
struct Server {
    version: i64,
    version_text: String,
    is_standby: bool,
    is_read_only: bool,
    encoding: String,
    schema: Option<String>,
}

/// Looks whether the server can keep a catalog at all.
pub(crate) async fn examine(connection: &mut Connection) -> Result<Option<ServerFault>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT CAST(current_setting('server_version_num') AS BIGINT) / 10000 AS version,
             current_setting('server_version') AS version_text,
             CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS is_standby,
             CASE WHEN current_setting('transaction_read_only') = 'on' THEN 1 ELSE 0 END AS is_read_only,
             current_setting('server_encoding') AS encoding, CAST(current_schema() AS TEXT) AS schema",
    )
    .fetch_one(connection)
    .await?;
    Ok(Server::read(&row)?.fault())
}

/// Looks whether the user may use these tables, as far as they exist.
pub(crate) async fn examine_rights(
    connection: &mut Connection,
    tables: &[&str],
) -> Result<Option<ServerFault>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(string_agg(named.name, ', ' ORDER BY named.name), '') AS TEXT) AS lacking FROM (
             SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
             WHERE schemaname = current_schema()
                 AND tablename = ANY (ARRAY(SELECT json_array_elements_text(CAST($1 AS json))))) AS named
         WHERE NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
             AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE'))",
    )
    .bind(stored::json(tables))
    .fetch_one(connection)
    .await?;
    let lacking: String = row.try_get("lacking")?;
    Ok((!lacking.is_empty()).then(|| ServerFault::Rights(format!("it may not use {lacking}"))))
}

impl Server {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            version: row.try_get("version")?,
            version_text: row.try_get("version_text")?,
            is_standby: row.try_get::<i32, _>("is_standby")? != 0,
            is_read_only: row.try_get::<i32, _>("is_read_only")? != 0,
            encoding: row.try_get("encoding")?,
            schema: row.try_get("schema")?,
        })
    }

    fn fault(self) -> Option<ServerFault> {
        if self.version < OLDEST {
            return Some(ServerFault::TooOld(self.version_text));
        }
        if self.is_standby {
            return Some(ServerFault::Standby);
        }
        if self.is_read_only {
            return Some(ServerFault::ReadOnly);
        }
        if self.encoding != "UTF8" {
            return Some(ServerFault::Encoding(self.encoding));
        }
        if self.schema.is_none() {
            let nowhere = "its search_path names no schema that it may use".to_owned();
            return Some(ServerFault::Rights(nowhere));
        }
        None
    }
}

/// The first file that a PostgreSQL URL names and that cannot be read: the driver would not say which.
pub(crate) fn unreadable(url: &str) -> Option<ServerFault> {
    files_of(url).into_iter().find_map(|(parameter, path)| {
        let problem = std::fs::File::open(&path).err()?.to_string();
        Some(ServerFault::File {
            parameter,
            path,
            problem,
        })
    })
}

impl ServerFault {
    /// What a failure of the driver means, if it is the server's.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Configuration(problem) => Some(Self::Address(problem.to_string())),
            sqlx::Error::Tls(problem) => Some(Self::of_tls(&problem.to_string())),
            // What rustls objects to comes as bytes that are not as they should be.
            sqlx::Error::Io(problem) if problem.kind() == ErrorKind::InvalidData => {
                Some(Self::of_tls(&problem.to_string()))
            }
            sqlx::Error::Io(problem) => Some(Self::Unreachable(problem.to_string())),
            sqlx::Error::Protocol(said) => {
                // Without the place in the driver, which means nothing to an operator.
                let said = said.split(" (sqlx").next().unwrap_or_default();
                Some(Self::Foreign(said.to_owned()))
            }
            sqlx::Error::PoolTimedOut => {
                Some(Self::Unreachable("no connection came about in time".to_owned()))
            }
            sqlx::Error::Database(refusal) => {
                let said = refusal.message().to_owned();
                // PostgreSQL, appendix A, "PostgreSQL Error Codes".
                match refusal.code()?.as_ref() {
                    "28000" | "28P01" => Some(Self::SignIn(said)),
                    "3D000" => Some(Self::NoDatabase(said)),
                    "53300" => Some(Self::Full(said)),
                    "57P01" | "57P02" | "57P03" => Some(Self::NotReady(said)),
                    "25006" => Some(Self::ReadOnly),
                    "42501" | "3F000" => Some(Self::Rights(said)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_tls(said: &str) -> Self {
        match said.strip_prefix("invalid peer certificate: ") {
            Some(why) => Self::Certificate(certificate_fault(why)),
            None if said == "server does not support TLS" => Self::NoTls,
            None => Self::Encryption(said.to_owned()),
        }
    }
}

/// What rustls says is wrong with a certificate, in words where it has only names.
fn certificate_fault(why: &str) -> String {
    let words = [
        (
            "UnknownIssuer",
            "the authority that signed it is not trusted here",
        ),
        (
            "BadSignature",
            "another authority signed it, of the same name as the one that is trusted here",
        ),
        (
            "CaUsedAsEndEntity",
            "it is that of an authority (CA:TRUE), not of a server",
        ),
        (
            "UnsupportedCertVersion",
            "it is of an old form: make one of X.509 version 3, with a subjectAltName",
        ),
        ("certificate expired", "it has expired"),
        (
            "certificate not valid yet",
            "it is not valid yet; is this machine's clock right?",
        ),
    ];
    let known = words.iter().find(|(name, _)| why.contains(name));
    let made_out = why.strip_prefix("certificate not valid for name ");
    match (known, made_out) {
        (Some((_, words)), _) => (*words).to_owned(),
        (None, Some(names)) => format!("it is not made out to {names}"),
        (None, None) => why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            version: OLDEST,
            version_text: "15.3 (Debian 15.3-1)".to_owned(),
            is_standby: false,
            is_read_only: false,
            encoding: "UTF8".to_owned(),
            schema: Some("public".to_owned()),
        }
    }

    #[test]
    fn what_a_server_cannot_do_is_said() {
        assert_eq!(server().fault(), None);
        let old = Server {
            version: OLDEST - 1,
            version_text: "14.20".to_owned(),
            ..server()
        };
        assert_eq!(old.fault(), Some(ServerFault::TooOld("14.20".to_owned())));
        let standby = Server {
            is_standby: true,
            is_read_only: true,
            ..server()
        };
        assert_eq!(standby.fault(), Some(ServerFault::Standby));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let told = |why: &str| {
            let said = format!("invalid peer certificate: {why}");
            let error = std::io::Error::new(ErrorKind::InvalidData, said);
            match ServerFault::of(&sqlx::Error::Io(error)) {
                Some(ServerFault::Certificate(words)) => words,
                other => panic!("{other:?}"),
            }
        };
        let expired = "certificate expired: verification time 9 (UNIX), but certificate is not valid after 8 (1 seconds ago)";
        assert_eq!(told(expired), "it has expired");
        assert_eq!(
            told("Other(OtherError(CaUsedAsEndEntity))"),
            "it is that of an authority (CA:TRUE), not of a server"
        );
        assert_eq!(
            told(
                "certificate not valid for name \"db\"; certificate is only valid for DnsName(\"elsewhere\")"
            ),
            "it is not made out to \"db\"; certificate is only valid for DnsName(\"elsewhere\")"
        );
        assert_eq!(told("Revoked"), "Revoked", "what has no words is passed on");
    }
}
