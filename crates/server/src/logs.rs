//! The log, on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::args::LogFormat;
use crate::failure::Failure;

/// Starts logging: by `filter`, or by the variable RUST_LOG, or what an operator wants to know.
pub(crate) fn start(format: LogFormat, filter: Option<&str>) -> Result<(), Failure> {
    let fallback = std::env::var("RUST_LOG").ok();
    // What PostgreSQL remarks on statements that do what they should is of no use to anyone.
    let wanted = filter
        .or(fallback.as_deref())
        .unwrap_or("info,sqlx::postgres::notice=warn");
    let filter = EnvFilter::builder().parse(wanted).map_err(|e| {
        let example = "such as info, debug or warn,rescind_gateway=debug";
        // This error's text already holds its source's.
        Failure::new(format!("--log: {wanted:?} is no log filter ({example}): {e}")).into_usage()
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        // A line that nobody can read any more is lost, and nothing else.
        .log_internal_errors(false)
        .with_ansi(crate::terminal::has_colour(&std::io::stderr()));
    let started = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    started.map_err(|e| Failure::because("logging cannot be started", e))?;
    log_panics();
    Ok(())
}

/// A panic is a line of the log like any other, whatever the log's form.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, message, "a defect: panicked");
    }));
}
