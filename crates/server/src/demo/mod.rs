//! `rescind demo`: an embedded server and the whole story over real HTTP.

mod client;
mod stage;
mod story;
mod weather;

use rescind_authority::SessionLimits;

use crate::args::{Bounds, DemoArguments, LogFormat};
use crate::data_dir::DataDir;
use crate::demo::stage::Stage;
use crate::demo::story::Scene;
use crate::failure::Failure;
use crate::logs;
use crate::running::{Running, Setup};
use crate::signals::Signals;

/// Tells the story on a server of its own, then serves on until Ctrl-C unless told to end.
pub(crate) async fn run(arguments: DemoArguments) -> Result<(), Failure> {
    // The story is on the same terminal, and refusals are the point of it: only what is broken may interrupt.
    logs::start(LogFormat::Text, Some(&arguments.log))?;
    let mut signals = Signals::catch()?;
    let directory = tempfile::Builder::new().prefix("rescind-demo-").tempdir();
    let directory = directory.map_err(|e| Failure::because("a temporary directory cannot be made", e))?;
    let data = DataDir::create(directory.path())?;
    let location = rescind_authority::Location::Sqlite(directory.path().join("catalog.sqlite"));
    let administrator = "admin@localhost"
        .parse()
        .map_err(|e| Failure::because("the first administrator", e))?;
    let server = Running::start(Setup {
        data,
        location,
        listen: arguments.listen,
        node_name: "demo".to_owned(),
        administrator,
        certificate: None,
        bounds: Bounds::default(),
        session_limits: SessionLimits::default(),
        public_url: None,
        mailer: None,
    })
    .await?;
    let scene = Scene {
        url: server.url().to_owned(),
        dir: directory.path().to_owned(),
        ends: arguments.exit,
    };
    let telling = tokio::task::spawn_blocking(move || story::tell(&scene));
    let told = tokio::select! {
        told = telling => told.map_err(|e| Failure::because("the story broke off", e)).flatten(),
        _ = signals.next() => Err(Failure::new("interrupted")),
    };
    if told.is_ok() && !arguments.exit {
        Stage::new().say(
            "\nThe server goes on: try the commands above in a second terminal. The database is there already and\n\
             $TOKEN is revoked, so begin with a new token in step 2. Ctrl-C ends it.",
        )?;
        signals.next().await;
    }
    server.stop().await?;
    told
}
