//! An installation as a company would have it: databases, people, and tokens that were used for something.

use std::path::Path;
use std::time::Duration;

use rescind_domain::{Clock, Rng, Timestamp};

use crate::demo::client::Client;
use crate::demo::management::{DatabaseToken, Management};
use crate::demo::measurements::{Measure, conveyors, history, meters, roof, vans, visits};
use crate::demo::people::{ADMINISTRATOR, AUDITOR, INVITED, MEMBER, draw_password};
use crate::demo::profile::Profile;
use crate::demo::samples::SAMPLES;
use crate::failure::Failure;

/// Names, and for how many days points are kept; `weather` is there already.
const DATABASES: [(&str, i64); 5] = [
    ("energy", 90),
    ("production-line-2", 30),
    ("fleet", 365),
    ("web-metrics", 14),
    ("archive-2025", 0),
];

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What was made.
pub(crate) struct Installation {
    /// What the first start wrote.
    pub(crate) profile: Profile,
    /// Whoever administers it by program.
    pub(crate) management: Management,
    /// The tokens of the sample clients, in their order.
    pub(crate) tokens: Vec<DatabaseToken>,
    /// Everybody's password.
    pub(crate) password: String,
}

impl Installation {
    /// Makes all of it, over HTTP.
    pub(crate) fn furnish(
        url: &str,
        data_dir: &Path,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<Self, Failure> {
        let profile = Profile::of(data_dir)?;
        let management = Management::of(url, &profile);
        for (name, days) in DATABASES {
            management.database(name, days)?;
        }
        let furnishing = Furnishing {
            url,
            now: clock.now(),
            password: draw_password(rng),
            management,
            profile,
        };
        let tokens = furnishing.tokens_of_samples()?;
        furnishing.tokens_of_others()?;
        furnishing.people()?;
        Ok(Self {
            profile: furnishing.profile,
            management: furnishing.management,
            tokens,
            password: furnishing.password,
        })
    }
}

struct Furnishing<'a> {
    url: &'a str,
    now: Timestamp,
    password: String,
    management: Management,
    profile: Profile,
}

impl Furnishing<'_> {
    fn tokens_of_samples(&self) -> Result<Vec<DatabaseToken>, Failure> {
        let make = |sample: &crate::demo::samples::Sample| {
            self.management
                .token(sample.description, sample.permissions, None)
        };
        let tokens = SAMPLES.iter().map(make).collect::<Result<Vec<_>, _>>()?;
        // What the first two measured before.
        let before: [(&str, Measure, i64); 2] = [("weather", roof, 24), ("energy", meters, 6)];
        for ((sample, token), (database, measure, hours)) in SAMPLES.iter().zip(&tokens).zip(before) {
            self.write(sample.name, &token.secret, database, measure, hours)?;
        }
        Ok(tokens)
    }

    /// Made by a program that has a management token of its own.
    fn tokens_of_others(&self) -> Result<(), Failure> {
        let description = "Terraform, infrastructure repository";
        let later = |span: Duration| Some(self.now.plus_micros(span.as_micros() as i64));
        let terraform =
            self.management
                .with_token(self.url, "demo-terraform/1.0", description, later(200 * DAY))?;
        let both = |database| [("read", database), ("write", database)];

        let line_2 = terraform.token("Conveyors, line 2", &[("write", "production-line-2")], None)?;
        self.write(
            "demo-conveyors/1.0",
            &line_2.secret,
            "production-line-2",
            conveyors,
            2,
        )?;
        let gateway = terraform.token("Fleet tracker gateway", &both("fleet"), later(90 * DAY))?;
        self.write("demo-fleet-gateway/1.0", &gateway.secret, "fleet", vans, 2)?;
        let site = terraform.token("Web site, visits", &[("write", "web-metrics")], None)?;
        self.write("demo-web-site/1.0", &site.secret, "web-metrics", visits, 2)?;
        let backup = terraform.token("Nightly backup, all databases", &[("read", "*")], None)?;
        for table in [("fleet", "positions"), ("web-metrics", "visits")] {
            self.count("demo-backup/1.0", &backup.secret, table)?;
        }
        let audit = terraform.token(
            "External audit, until the end of this week",
            &[("read", "*")],
            later(3 * DAY),
        )?;
        self.count("demo-notebook/1.0", &audit.secret, ("energy", "meters"))?;
        // Never used.
        terraform.token("Load test, spring", &both("archive-2025"), None)?;

        let laptop = terraform.token("Intern's laptop", &[("read", "production-line-2")], None)?;
        self.count(
            "demo-notebook/1.0",
            &laptop.secret,
            ("production-line-2", "conveyors"),
        )?;
        terraform.revoke(&laptop)?;
        // Expires while the newcomer reads the story.
        let retrofit = &both("production-line-2");
        terraform.token("Brandt & Sons, conveyor retrofit", retrofit, later(MINUTE / 12))?;
        Ok(())
    }

    /// They come in by their invitations; two of them make tokens in the Admin UI.
    fn people(&self) -> Result<(), Failure> {
        let accept = |person: &crate::demo::people::Person| {
            let link = person.invite(&self.management)?;
            person.accept(self.url, &link, &self.password)
        };
        let mut member = accept(&MEMBER)?;
        let secret = member.make_token(&self.profile, "Noor's notebook", ("weather", false))?;
        self.count("demo-notebook/1.0", &secret, ("weather", "roof"))?;
        member.make_token(&self.profile, "Prototype, window sensors", ("weather", true))?;
        member.sign_out()?;
        accept(&AUDITOR)?.sign_out()?;
        let mut administrator = accept(&ADMINISTRATOR)?;
        administrator.make_token(&self.profile, "Archive import, one time", ("archive-2025", true))?;
        administrator.sign_out()?;
        INVITED.invite(&self.management)?;
        Ok(())
    }

    fn write(
        &self,
        name: &str,
        secret: &str,
        database: &str,
        measure: Measure,
        hours: i64,
    ) -> Result<(), Failure> {
        let path = format!("/api/v3/write_lp?db={database}&precision=second");
        let lines = history(measure, hours, self.now);
        self.send(name, secret, &path, "text/plain; charset=utf-8", &lines)
    }

    fn count(&self, name: &str, secret: &str, (database, table): (&str, &str)) -> Result<(), Failure> {
        let sql = format!("SELECT count(*) AS n FROM {table}");
        let body = serde_json::json!({"db": database, "q": sql, "format": "csv"}).to_string();
        self.send(name, secret, "/api/v3/query_sql", "application/json", &body)
    }

    fn send(
        &self,
        name: &str,
        secret: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Result<(), Failure> {
        let client = Client::new(self.url, name);
        let answer = client.send(("POST", path), secret, content_type, body)?;
        match answer.status.is_success() {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "POST {path} of {name} was answered {}: {}",
                answer.status, answer.body
            ))),
        }
    }
}
