//! `revoke` through the API of one of three real nodes on one PostgreSQL, while clients write to all of them.
//!
//! The floor, in turn with it on the same server and the same disk: a synced commit of one row, then a NOTIFY and its
//! arrival on another connection. No protocol that is told of a change by the database does with less.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rescind_testkit::{Postgres, ServerSetup, TestServer};
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, PgConnection};

use figures::{Sample, Table};

#[path = "../../server/benches/figures/mod.rs"]
mod figures;

const DATABASE: &str = "bench";
const NODES: usize = 3;
const REVOCATIONS: usize = 1_000;
/// Each client waits so long between its writes: the nodes are busy, and the machine is not at its end.
const PAUSE: Duration = Duration::from_millis(4);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let postgres = Postgres::start()?;
    let first = node(&postgres).start();
    let tokens = tokens(&postgres, &first)?;
    let mut nodes = vec![first];
    // As after a restart: the nodes know every token.
    nodes[0].restart();
    for _ in 1..NODES {
        let next = node(&postgres).joining(&nodes[0]).start();
        nodes.push(next);
    }
    let secret = writer(&nodes[0]);
    let is_over = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    let began = Instant::now();
    let (revokes, floors) = thread::scope(|scope| {
        for node in &nodes {
            scope.spawn(|| write_steadily(node, &secret, &is_over, &written));
        }
        let measured = measure(&postgres, &nodes[0], &tokens);
        is_over.store(true, Ordering::Release);
        measured
    })?;
    let rate = written.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    report(&revokes, &floors, rate);
    Ok(())
}

fn node(postgres: &Postgres) -> ServerSetup {
    ServerSetup::default().catalog(&postgres.url())
}

/// Tokens that nobody uses; their ids.
fn tokens(postgres: &Postgres, node: &TestServer) -> Outcome<Vec<String>> {
    let ids = postgres.ask(&format!(
        "INSERT INTO database_tokens (id, cluster_id, description, description_folded, permissions, secret_hash,
             prefix, created_at, created_by)
         SELECT gen_random_uuid(), '{}', 'sensor', 'sensor', '[[\"write\",\"{DATABASE}\"]]',
             sha512(convert_to(gen_random_uuid()::text, 'UTF8')), 'apiv1_abc', 1, 'operator'
         FROM generate_series(1, {REVOCATIONS}) RETURNING id",
        node.cluster_id()
    ))?;
    Ok(ids.lines().map(str::to_owned).collect())
}

/// The secret of a token that may write; its database is made, too.
fn writer(node: &TestServer) -> String {
    let management = node.management();
    let body = format!(r#"{{"name":"{DATABASE}"}}"#);
    let reply = management.json("POST", &format!("{}/databases", node.cluster_path()), &body);
    assert_eq!(reply.status, 200, "{reply}");
    let body =
        format!(r#"{{"description":"writer","permissions":[{{"action":"write","resource":"{DATABASE}"}}]}}"#);
    let reply = management.json("POST", &format!("{}/tokens", node.cluster_path()), &body);
    let text = reply.text();
    let secret = text
        .split_once(r#""accessToken":""#)
        .and_then(|(_, rest)| rest.split('"').next());
    secret
        .unwrap_or_else(|| panic!("no token was made: {reply}"))
        .to_owned()
}

/// One kept connection, so that what is measured is the node. No answer here has a body.
struct Kept(TcpStream);

impl Kept {
    fn open(node: &TestServer) -> Outcome<Self> {
        let stream = TcpStream::connect(node.url().trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self(stream))
    }

    fn ask(&mut self, method: &str, path: &str, secret: &str, body: &str) -> Outcome<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes())?;
        let mut answer = [0; 4096];
        let mut length = 0;
        while !answer[..length].ends_with(b"\r\n\r\n") {
            match self.0.read(&mut answer[length..])? {
                0 => return Err(String::from_utf8_lossy(&answer[..length]).into()),
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

/// One line after the other, each admitted by the node.
fn write_steadily(node: &TestServer, secret: &str, is_over: &AtomicBool, written: &AtomicU64) {
    let mut connection = Kept::open(node).expect("the node accepts connections");
    let path = format!("/api/v3/write_lp?db={DATABASE}");
    while !is_over.load(Ordering::Acquire) {
        let done = connection.ask("POST", &path, secret, "room,name=a t=21.5");
        done.expect("the write is admitted");
        written.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PAUSE);
    }
}

/// Revocations and floors in turn, so that whatever else the machine does befalls both alike.
fn measure(postgres: &Postgres, node: &TestServer, tokens: &[String]) -> Outcome<(Sample, Sample)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Connections are given back within it.
    let _within = runtime.enter();
    let mut floor = runtime.block_on(Floor::on(&postgres.url()))?;
    let mut api = Kept::open(node)?;
    let (mut revokes, mut floors) = (Vec::new(), Vec::new());
    for token in tokens {
        let path = format!("{}/tokens/{token}", node.cluster_path());
        let began = Instant::now();
        api.ask("DELETE", &path, node.management_token(), "")?;
        revokes.push(began.elapsed());
        let began = Instant::now();
        runtime.block_on(floor.once())?;
        floors.push(began.elapsed());
    }
    Ok((revokes.into_iter().collect(), floors.into_iter().collect()))
}

/// One row to change, and somebody who listens.
struct Floor {
    connection: PgConnection,
    listener: PgListener,
}

impl Floor {
    async fn on(url: &str) -> Outcome<Self> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query("CREATE TABLE floor AS SELECT 0 AS value")
            .execute(&mut connection)
            .await?;
        let mut listener = PgListener::connect(url).await?;
        listener.listen("floor").await?;
        Ok(Self { connection, listener })
    }

    async fn once(&mut self) -> Outcome<()> {
        sqlx::query("UPDATE floor SET value = value + 1")
            .execute(&mut self.connection)
            .await?;
        sqlx::query("SELECT pg_notify('floor', '')")
            .execute(&mut self.connection)
            .await?;
        self.listener.recv().await?;
        Ok(())
    }
}

fn report(revokes: &Sample, floors: &Sample, rate: f64) {
    let mut table = Table::new(&format!(
        "Revoke through the API of one of {NODES} nodes, {REVOCATIONS} times, until all refuse the token (floor: a synced \
         PostgreSQL commit of one row, then a NOTIFY and its arrival)"
    ));
    for (words, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let (value, floor) = (revokes.quantile(share), floors.quantile(share));
        let aim = if share > 0.9 { "≤ 3" } else { "" };
        table.row(
            &format!("revoke, {words}"),
            &format!("{:.2} ms", value * 1e3),
            &format!("{:.2} ms", floor * 1e3),
            &format!("{:.2}", value / floor),
            aim,
        );
    }
    let beyond = revokes.median() - floors.median();
    table.row(
        "median beyond the floor",
        &format!("{:.2} ms", beyond * 1e3),
        "",
        "",
        "",
    );
    table.row("writes admitted beside it", &format!("{rate:.0}/s"), "", "", "");
    table.print();
}
