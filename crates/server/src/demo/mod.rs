//! `rescind demo`: an embedded server and the whole story over real HTTP; then an installation with sample clients at
//! work, until Ctrl-C.

mod client;
mod closing;
mod installation;
mod management;
mod measurements;
mod people;
mod profile;
mod pulse;
mod samples;
mod stage;
mod story;
mod upload;
mod visitor;
mod watch;
mod weather;
mod worker;

use rescind_authority::{NodeSettings, SessionLimits};

use crate::ambient::{SystemClock, SystemRng};
use crate::args::{Bounds, DemoArguments, LogFormat};
use crate::data_dir::DataDir;
use crate::demo::installation::Installation;
use crate::demo::people::ADMINISTRATOR;
use crate::demo::samples::Samples;
use crate::demo::stage::Stage;
use crate::demo::story::Scene;
use crate::failure::Failure;
use crate::logs;
use crate::proxies::Proxies;
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
    let administrator = ADMINISTRATOR
        .email
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
        proxies: Proxies::default(),
        lease_ttl: NodeSettings::USUAL_LEASE,
        #[cfg(debug_assertions)]
        faults: crate::faults::Faults::default(),
    })
    .await?;
    let scene = Scene {
        url: server.url().to_owned(),
        dir: directory.path().to_owned(),
        ends: arguments.exit,
    };
    let shown = tokio::select! {
        shown = show(scene) => shown,
        _ = signals.next() => Err(Failure::new("interrupted")),
    };
    let shown = match shown {
        Ok(Some(samples)) => {
            signals.next().await;
            // They go first: a client without a server would complain.
            blocking(move || {
                samples.stop();
                Ok(())
            })
            .await
        }
        other => other.map(drop),
    };
    server.stop().await?;
    shown
}

/// Tells the story; then furnishes the installation and lets the sample clients begin, unless it ends here.
async fn show(scene: Scene) -> Result<Option<Samples>, Failure> {
    blocking(move || {
        story::tell(&scene)?;
        if scene.ends {
            return Ok(None);
        }
        let installation = Installation::furnish(&scene.url, &scene.dir, &SystemClock, &SystemRng)?;
        closing::print(&Stage::new(), &scene.url, &installation)?;
        let Installation {
            management, tokens, ..
        } = installation;
        Samples::start(&scene.url, tokens, management).map(Some)
    })
    .await
}

/// On a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Failure::because("the demo broke off", e))
        .flatten()
}
