//! A client that somebody else wrote: `influxdb3-python` from PyPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rescind_testkit::{Outcome, TestServer};

use crate::house::{Token, make_database, make_token};

const CLIENT: &str = "influxdb3-python==0.21.0";
const ADVICE: &str =
    "needs python3, python3-venv and a package index: run `cargo xtask test`, which installs them";

/// Writes one point and queries it, by the client's defaults; prints the status of the first refusal.
const PROGRAM: &str = r#"
import sys
from influxdb_client_3 import InfluxDBClient3, InfluxDBError, Point

url, token = sys.argv[1:]
try:
    with InfluxDBClient3(host=url, token=token, database="weather") as client:
        client.write(record=Point("weather").tag("city", "Seattle").field("warmest", 21.5))
        print("written")
except InfluxDBError as error:
    print("refused with", error.response.status)
"#;

#[test]
fn influxdb3_python_writes_until_its_token_is_revoked() {
    let python = environment();
    let server = TestServer::start();
    make_database(&server);
    let token = make_token(&server, "influxdb3-python");
    assert_eq!(write(&python, &server, &token).stdout, "written\n");
    assert_eq!(token.query(&server).text(), "n\n1\n");
    let path = format!("{}/tokens/{}", server.cluster_path(), token.id);
    assert_eq!(server.management().delete(&path).status, 204);
    assert_eq!(write(&python, &server, &token).stdout, "refused with 401\n");
}

fn write(python: &Path, server: &TestServer, token: &Token) -> Outcome {
    let mut command = Command::new(python);
    command
        .env_clear()
        .args(["-c", PROGRAM, server.url(), &token.secret]);
    let outcome = Outcome::of(&mut command, b"");
    assert_eq!(outcome.code, 0, "{outcome}");
    outcome
}

/// A virtual environment with the client in it, kept from run to run beside what cargo builds.
fn environment() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("influxdb3-python");
    let (python, done) = (home.join("bin/python"), home.join("installed"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == CLIENT) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        CLIENT,
    ]));
    fs::write(&done, CLIENT).expect("writable");
    python
}

fn run(command: &mut Command) {
    let outcome = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; this test {ADVICE}"));
    let outcome = Outcome::from(outcome);
    assert_eq!(
        outcome.code, 0,
        "{command:?} failed; this test {ADVICE}\n{outcome}"
    );
}
