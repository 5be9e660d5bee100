//! The sample clients: programs of a company, each with a database token of its own, at work until the demo ends.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::demo::client::Client;
use crate::demo::management::{DatabaseToken, Management};
use crate::demo::measurements::{Measure, meters, roof};
use crate::demo::pulse::Pulse;
use crate::demo::worker::Worker;
use crate::failure::Failure;

/// A sample client.
pub(crate) struct Sample {
    /// What it calls itself (`User-Agent`).
    pub(crate) name: &'static str,
    /// What it does, for people.
    pub(crate) does: &'static str,
    /// The description of its token.
    pub(crate) description: &'static str,
    /// What its token may do.
    pub(crate) permissions: &'static [(&'static str, &'static str)],
    /// How long it rests after a request.
    pub(crate) every: Duration,
    /// What it asks for.
    pub(crate) work: Work,
}

/// What a sample client asks for. The paths hold the database.
pub(crate) enum Work {
    /// Writes what it measured at this moment.
    Write(&'static str, Measure),
    /// Writes what it measures during so many seconds, in one request that lasts as long.
    Upload(&'static str, Measure, u32),
    /// Queries each of these databases in turn, with SQL.
    Query(&'static [(&'static str, &'static str)]),
}

/// All of them. Together they take a few hundredths of one core.
pub(crate) static SAMPLES: [Sample; 5] = [
    Sample {
        name: "demo-weather-station/1.0",
        does: "writes every second",
        description: "Weather station, roof",
        permissions: &[("write", "weather")],
        every: Duration::from_secs(1),
        work: Work::Write("/api/v3/write_lp?db=weather&precision=second", roof),
    },
    Sample {
        name: "demo-power-meters/1.0",
        does: "uploads for ten seconds at a time",
        description: "Power meters, hall 2",
        permissions: &[("write", "energy")],
        every: Duration::from_secs(1),
        work: Work::Upload("/api/v2/write?bucket=energy&precision=s", meters, 10),
    },
    Sample {
        name: "demo-dashboard/1.0",
        does: "queries every three seconds",
        description: "Operations dashboard",
        permissions: &[("read", "weather"), ("read", "energy")],
        every: Duration::from_secs(3),
        work: Work::Query(&[
            (
                "weather",
                "SELECT date_bin(INTERVAL '1 minute', time) AS minute, avg(temperature) AS temperature FROM roof \
                 WHERE time > now() - INTERVAL '15 minutes' GROUP BY 1 ORDER BY 1",
            ),
            (
                "energy",
                "SELECT meter, avg(power) AS power FROM meters WHERE time > now() - INTERVAL '5 minutes' GROUP BY meter",
            ),
        ]),
    },
    Sample {
        name: "demo-alerts/1.0",
        does: "checks a threshold every seven seconds",
        description: "Alert checker, power",
        permissions: &[("read", "energy")],
        every: Duration::from_secs(7),
        work: Work::Query(&[(
            "energy",
            "SELECT max(power) AS power FROM meters WHERE time > now() - INTERVAL '1 minute'",
        )]),
    },
    Sample {
        name: "demo-yearly-report/1.0",
        does: "streams a long answer now and then",
        description: "Yearly report, head office",
        permissions: &[("read", "weather")],
        every: Duration::from_secs(25),
        work: Work::Query(&[(
            "weather",
            "SELECT a.time AS day, b.time AS other, b.warmest - a.warmest AS warmer, b.wind - a.wind AS windier \
             FROM weather a CROSS JOIN weather b WHERE a.kind = b.kind",
        )]),
    },
];

/// The sample clients at work.
pub(crate) struct Samples {
    pulse: Arc<Pulse>,
    threads: Vec<JoinHandle<()>>,
}

impl Samples {
    /// Starts each with its token; `tokens` are in the order of [`SAMPLES`]. `management` tells when a token was revoked.
    pub(crate) fn start(
        url: &str,
        tokens: Vec<DatabaseToken>,
        management: Management,
    ) -> Result<Self, Failure> {
        let (pulse, management) = (Arc::new(Pulse::default()), Arc::new(management));
        let mut samples = Self {
            pulse: Arc::clone(&pulse),
            threads: Vec::with_capacity(SAMPLES.len()),
        };
        for (sample, token) in SAMPLES.iter().zip(tokens) {
            let worker = Worker {
                client: Client::new(url, sample.name),
                address: url.trim_start_matches("http://").to_owned(),
                sample,
                token,
                management: Arc::clone(&management),
                pulse: Arc::clone(&pulse),
            };
            let started = thread::Builder::new()
                .name(sample.name.to_owned())
                .spawn(move || worker.work());
            match started {
                Ok(thread) => samples.threads.push(thread),
                Err(e) => {
                    samples.stop();
                    return Err(Failure::because("a sample client cannot be started", e));
                }
            }
        }
        Ok(samples)
    }

    /// Lets each finish its request.
    pub(crate) fn stop(self) {
        self.pulse.stop();
        for thread in self.threads {
            // What a client panicked with is in the log already.
            let _ = thread.join();
        }
    }
}
