//! `rescind serve`.

use std::io::Write as _;

use crate::args::ServeArguments;
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::mail::Mailer;
use crate::proxies::Proxies;
use crate::running::{Running, Setup};
use crate::signals::Signals;
use crate::{logs, running};

/// Serves until SIGTERM or SIGINT, or until this node can serve no more, then drains.
pub(crate) async fn run(arguments: ServeArguments) -> Result<(), Failure> {
    let location = arguments.data.location()?;
    arguments.bounds.check()?;
    let session_limits = arguments.people.session_limits()?;
    let mailer = Mailer::of(&arguments.people)?;
    logs::start(arguments.log_format, arguments.log.as_deref())?;
    if let Some(exposure) = location.exposure() {
        tracing::warn!("{exposure}");
    }
    let setup = Setup {
        data: DataDir::create(&arguments.data.data_dir)?,
        location,
        listen: arguments.listen,
        node_name: arguments.node_name.unwrap_or_else(running::host_name),
        administrator: arguments.admin_email,
        certificate: arguments.tls_cert.zip(arguments.tls_key),
        bounds: arguments.bounds,
        session_limits,
        public_url: arguments.people.public_url,
        mailer,
        proxies: Proxies::new(&arguments.proxy),
        lease_ttl: arguments.lease_ttl,
        #[cfg(debug_assertions)]
        faults: arguments.faults,
    };
    let mut signals = Signals::catch()?;
    let server = tokio::select! {
        server = Running::start(setup) => server?,
        // Nothing is served yet: there is nothing to drain.
        _ = signals.next() => return Ok(()),
    };
    server.tell_set_up();
    let asked = async {
        let signal = tokio::select! {
            () = server.admits() => {
                announce(server.url())?;
                signals.next().await
            }
            signal = signals.next() => signal,
        };
        tracing::info!(signal, "stopping: requests in progress may end");
        Ok::<_, Failure>(())
    };
    let done = tokio::select! {
        asked = asked => asked,
        // Whoever keeps services running starts it anew, and that is what helps.
        why = server.closed_for_good() => Err(Failure::new(format!("this node has ended: {why}"))),
    };
    let stopped = tokio::select! {
        stopped = server.stop() => stopped,
        _ = signals.next() => Err(Failure::new("stopped at once by a second signal; nothing acknowledged is lost")),
    };
    done.and(stopped)
}

/// The one line on stdout: whoever started this process waits for it.
fn announce(url: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let announced = writeln!(stdout, "ready {url}").and_then(|()| stdout.flush());
    announced.map_err(|e| Failure::because("the ready line cannot be printed", e))
}
