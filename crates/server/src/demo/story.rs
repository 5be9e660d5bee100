//! The story: a database and a token are made, points written and queried, the token revoked, and the next request with
//! it refused.

use std::path::Path;

use serde_json::{Value, json};

use crate::demo::client::{Answer, Client};
use crate::demo::profile::Profile;
use crate::demo::stage::Stage;
use crate::demo::weather;
use crate::failure::Failure;

const QUERY: &str = "SELECT kind, count(*) AS days, max(warmest) AS warmest, min(coldest) AS coldest
  FROM weather GROUP BY kind ORDER BY days DESC";
const WRITE: &str = "/api/v3/write_lp?db=weather&precision=second";
const QUERY_PATH: &str = "/api/v3/query_sql";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the storyteller knows about the server.
pub(crate) struct Scene {
    /// Where it is.
    pub(crate) url: String,
    /// Its data directory.
    pub(crate) dir: std::path::PathBuf,
    /// Whether it ends with the story.
    pub(crate) ends: bool,
}

/// Tells the whole story.
pub(crate) fn tell(scene: &Scene) -> Result<(), Failure> {
    let profile = Profile::of(&scene.dir)?;
    let mut story = Story {
        stage: Stage::new(),
        client: Client::new(&scene.url, "demo-story/1.0"),
        profile,
    };
    story.introduce(scene)?;
    story.make_database()?;
    let token = story.make_token(&scene.dir)?;
    story.write(&scene.dir, &token)?;
    story.query(&token)?;
    let revoked = story.revoke(&token)?;
    story.be_refused(&token)?;
    story.conclude(&revoked)
}

struct Story {
    stage: Stage,
    client: Client,
    profile: Profile,
}

struct Token {
    id: String,
    secret: String,
}

impl Story {
    fn introduce(&self, scene: &Scene) -> Result<(), Failure> {
        let (stage, dir) = (&self.stage, scene.dir.display());
        stage.title("Rescind: when `revoke` returns, the token is refused on every node.")?;
        let fate = if scene.ends {
            "they go when this story ends"
        } else {
            "they go when you press Ctrl-C"
        };
        stage.say(format!(
            "\nA server listens at {}; its data is in {dir}.\nBoth are for this demo only: {fate}.",
            scene.url
        ))?;
        stage.say("Each step shows the influxctl and the curl command that do the same. They use:\n")?;
        stage.command(&format!("export URL={}", scene.url))?;
        stage.command(&format!("export CONFIG={dir}/influxctl.toml"))?;
        stage.command(r#"export MANAGEMENT_TOKEN=$(sed -n 's/^mgmt_token = "\(.*\)"/\1/p' "$CONFIG")"#)?;
        stage.command(&format!("export CLUSTER={}", self.profile.cluster_path()))
    }

    fn make_database(&mut self) -> Result<(), Failure> {
        self.stage.heading("Create a database")?;
        self.stage
            .command(r#"influxctl --config "$CONFIG" database create weather"#)?;
        self.stage.command(&curl(
            r#""$URL$CLUSTER/databases""#,
            "$MANAGEMENT_TOKEN",
            &[r#"--json '{"name":"weather"}'"#],
        ))?;
        let path = format!("{}/databases", self.profile.cluster_path());
        let answer = self.manage(("POST", &path), &json!({"name": "weather"}).to_string())?;
        self.show(&answer, 200, &answer.body)
    }

    fn make_token(&mut self, dir: &Path) -> Result<Token, Failure> {
        let file = dir.join("token");
        let permissions = json!([
            {"action": "read", "resource": "weather"},
            {"action": "write", "resource": "weather"},
        ]);
        let body = json!({"description": "Weather station", "permissions": permissions}).to_string();
        self.stage
            .heading("Create a database token that may read and write it")?;
        self.stage.command(
            "influxctl --config \"$CONFIG\" token create \\\n--read-database weather --write-database weather \
             \"Weather station\"",
        )?;
        let json_flag = format!("--json '{body}'");
        self.stage.command(&curl(
            r#""$URL$CLUSTER/tokens""#,
            "$MANAGEMENT_TOKEN",
            &[&json_flag],
        ))?;
        let path = format!("{}/tokens", self.profile.cluster_path());
        let answer = self.manage(("POST", &path), &body)?;
        let made: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
        let token = Token {
            id: text("id"),
            secret: text("accessToken"),
        };
        self.show(&answer, 200, &discreet(made, &answer.body))?;
        if token.id.is_empty() || token.secret.is_empty() {
            return Err(Failure::new("the answer holds no token"));
        }
        keep(&file, &token.secret)?;
        self.stage.say(
            "\n   Its secret is shown this once; the demo keeps it in a file, for the commands to come:",
        )?;
        self.stage
            .command(&format!("export TOKEN=$(cat {})", file.display()))?;
        self.stage.command(&format!("export TOKEN_ID={}", token.id))?;
        Ok(token)
    }

    fn write(&mut self, dir: &Path, token: &Token) -> Result<(), Failure> {
        let lines = weather::lines()?;
        let file = dir.join("weather.lp");
        keep(&file, &lines)?;
        let (count, file) = (lines.lines().count(), file.display());
        self.stage.heading(&format!(
            "Write a year of weather with it: {count} days in Seattle, measured by NOAA"
        ))?;
        self.stage.command(&format!(
            "influxctl --config \"$CONFIG\" write --database weather --token \"$TOKEN\" --precision s \\\n{file}"
        ))?;
        let data = format!("--data-binary @{file}");
        self.stage
            .command(&curl(&format!(r#""$URL{WRITE}""#), "$TOKEN", &[&data]))?;
        let answer = self.client.send(("POST", WRITE), &token.secret, TEXT, &lines)?;
        self.show(&answer, 204, &answer.body)
    }

    fn query(&mut self, token: &Token) -> Result<(), Failure> {
        self.stage.heading("Query it")?;
        self.stage.command(&format!("export SQL=\"{QUERY}\""))?;
        self.query_commands()?;
        let answer = self.ask(token)?;
        self.show(&answer, 200, &answer.body)
    }

    fn revoke(&mut self, token: &Token) -> Result<Answer, Failure> {
        self.stage.heading("Revoke the token")?;
        self.stage
            .command(r#"influxctl --config "$CONFIG" token revoke --force "$TOKEN_ID""#)?;
        self.stage.command(&curl(
            r#""$URL$CLUSTER/tokens/$TOKEN_ID""#,
            "$MANAGEMENT_TOKEN",
            &["--request DELETE"],
        ))?;
        let path = format!("{}/tokens/{}", self.profile.cluster_path(), token.id);
        let answer = self.manage(("DELETE", &path), "")?;
        let headers: Vec<String> = answer
            .receipt
            .iter()
            .flat_map(|receipt| receipt.to_pairs())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        self.show(&answer, 204, &headers.join("\n"))?;
        Ok(answer)
    }

    fn be_refused(&mut self, token: &Token) -> Result<(), Failure> {
        self.stage.heading("The very next write with it")?;
        let line = "weather,city=Seattle,kind=sun warmest=21.5";
        self.stage.command(&format!(
            "influxctl --config \"$CONFIG\" write --database weather --token \"$TOKEN\" '{line}'"
        ))?;
        let data = format!("--data-binary '{line}'");
        self.stage
            .command(&curl(r#""$URL/api/v3/write_lp?db=weather""#, "$TOKEN", &[&data]))?;
        let answer = self
            .client
            .send(("POST", "/api/v3/write_lp?db=weather"), &token.secret, TEXT, line)?;
        self.show(&answer, 401, &answer.body)?;
        self.stage.heading("The very next query with it")?;
        self.query_commands()?;
        let answer = self.ask(token)?;
        self.show(&answer, 401, &answer.body)
    }

    fn conclude(&self, revoked: &Answer) -> Result<(), Failure> {
        let receipt = revoked.receipt.as_ref();
        let Some((receipt, took_ms)) = receipt.and_then(|receipt| Some((receipt, receipt.took_ms?))) else {
            return Err(Failure::new("the revocation was answered without a receipt"));
        };
        let summary = format!(
            "\nReceipt: refused on {} of {} nodes after {} ms, revision {}.",
            receipt.applied, receipt.nodes, took_ms, receipt.revision
        );
        self.stage.say(self.stage.bold(&summary))
    }

    fn query_commands(&self) -> Result<(), Failure> {
        self.stage
            .command(r#"influxctl --config "$CONFIG" query --database weather --token "$TOKEN" "$SQL""#)?;
        self.stage.command(&curl(
            &format!(r#"--get "$URL{QUERY_PATH}""#),
            "$TOKEN",
            &[
                "--data format=pretty --data db=weather",
                r#"--data-urlencode "q=$SQL""#,
            ],
        ))
    }

    fn ask(&self, token: &Token) -> Result<Answer, Failure> {
        let body = json!({"db": "weather", "q": QUERY, "format": "pretty"}).to_string();
        self.client.send(("POST", QUERY_PATH), &token.secret, JSON, &body)
    }

    fn manage(&self, request: (&str, &str), body: &str) -> Result<Answer, Failure> {
        self.client
            .send(request, &self.profile.management_token, JSON, body)
    }

    /// Shows the answer, and ends the story when it is not the one that belongs here.
    fn show(&self, answer: &Answer, expected: u16, body: &str) -> Result<(), Failure> {
        let status = answer.status.to_string();
        self.stage.answer(&status, answer.status.is_success(), body)?;
        match answer.status.as_u16() == expected {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "this step should have been answered {expected}, not {status}"
            ))),
        }
    }
}

fn curl(url: &str, token: &str, rest: &[&str]) -> String {
    let mut text = format!("curl --location {url} \\\n--header \"Authorization: Bearer {token}\"");
    for part in rest {
        text.push_str(" \\\n");
        text.push_str(part);
    }
    text
}

/// The answer with its secret shortened, and without what every answer repeats.
fn discreet(made: Value, body: &str) -> String {
    let Value::Object(mut fields) = made else {
        return body.to_owned();
    };
    fields.retain(|name, _| !matches!(name.as_str(), "accountId" | "clusterId"));
    if let Some(Value::String(secret)) = fields.get_mut("accessToken") {
        *secret = shortened(secret);
    }
    Value::Object(fields).to_string()
}

/// Enough to recognise it in the commands that follow.
fn shortened(secret: &str) -> String {
    let start: String = secret.chars().take(9).collect();
    format!("{start}…")
}

/// Writes a file into the demo's directory, which only its owner may read.
fn keep(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|e| Failure::because(format!("{} cannot be written", path.display()), e))
}
