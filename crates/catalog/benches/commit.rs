//! `revoke` through the API of a real server, beside a bare synced SQLite commit on the same disk.
//!
//! The two alternate, one of each, so that whatever else the disk does befalls both alike.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rescind_testkit::TestServer;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

const REVOCATIONS: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let server = TestServer::start();
    let tokens = create_tokens(&server);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let directory = tempfile::tempdir_in(server.data_dir())?;
    let mut floor = runtime.block_on(floor(&directory.path().join("floor.sqlite")))?;
    let mut api = Api::connect(&server)?;
    let (mut revokes, mut commits) = (Vec::new(), Vec::new());
    for token in &tokens {
        let began = Instant::now();
        api.revoke(token)?;
        revokes.push(began.elapsed());
        let began = Instant::now();
        runtime.block_on(sqlx::query("UPDATE counter SET value = value + 1").execute(&mut floor))?;
        commits.push(began.elapsed());
    }
    report(revokes.into_iter().collect(), commits.into_iter().collect());
    Ok(())
}

/// Active tokens to revoke; their ids.
fn create_tokens(server: &TestServer) -> Vec<String> {
    let management = server.management();
    let path = format!("{}/tokens", server.cluster_path());
    let body = r#"{"description":"bench","permissions":[{"action":"write","resource":"sensors"}]}"#;
    let create = |_| {
        let reply = management.json("POST", &path, body);
        let text = reply.text();
        let id = text.split_once(r#""id":""#).and_then(|(_, rest)| rest.get(..36));
        id.unwrap_or_else(|| panic!("no token was made: {reply}"))
            .to_owned()
    };
    (0..REVOCATIONS).map(create).collect()
}

/// A connection with the settings under which a commit survives power loss, and one row to change.
async fn floor(path: &Path) -> Outcome<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("CREATE TABLE counter (value INTEGER NOT NULL)")
        .execute(&mut connection)
        .await?;
    sqlx::query("INSERT INTO counter VALUES (0)")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// One kept connection, so that what is measured is the server.
struct Api {
    stream: TcpStream,
    path: String,
    authorization: String,
}

impl Api {
    fn connect(server: &TestServer) -> Outcome<Self> {
        let stream = TcpStream::connect(server.url().trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream,
            path: format!("{}/tokens", server.cluster_path()),
            authorization: format!("Bearer {}", server.management_token()),
        })
    }

    /// Returns when the answer, which has no body, has come.
    fn revoke(&mut self, token: &str) -> Outcome<()> {
        let request = format!(
            "DELETE {}/{token} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n",
            self.path, self.authorization
        );
        self.stream.write_all(request.as_bytes())?;
        let mut answer = [0; 4096];
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut answer[length..])? {
                0 => return Err("the server closed the connection".into()),
                count => length += count,
            }
        }
        if answer.starts_with(b"HTTP/1.1 204 ") {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&answer[..length]).into())
        }
    }
}

fn report(revokes: Sample, commits: Sample) {
    let mut table = Table::new(&format!(
        "Revoke through the API, {REVOCATIONS} times (floor: a bare synced SQLite commit of one row)"
    ));
    for (words, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let (value, floor) = (revokes.quantile(share), commits.quantile(share));
        let aim = if share < 0.9 { "≤ 3" } else { "" };
        table.row(
            &format!("revoke, {words}"),
            &format!("{:.2} ms", value * 1e3),
            &format!("{:.2} ms", floor * 1e3),
            &format!("{:.2}", value / floor),
            aim,
        );
    }
    let overhead = revokes.median() - commits.median();
    table.row(
        "median beyond the floor",
        &format!("{:.2} ms", overhead * 1e3),
        "",
        "",
        "",
    );
    table.print();
}
