//! A person with a browser, as far as one is needed to let programs in by the device flow (RFC 8628).

use std::collections::BTreeMap;

use rescind_testkit::{Http, Reply};
use serde_json::{Value, json};

use crate::logbooks::Site;

/// Someone who is signed in at one node.
pub(crate) struct Visitor {
    http: Http,
    origin: String,
    cookies: BTreeMap<String, String>,
}

const PASSWORD: &str = "quiet-otter-counts-9-rivers";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Visitor {
    /// Invites a person and signs in as that person, through the first node.
    ///
    /// # Errors
    /// What did not go as it should.
    pub(crate) fn invited(site: &Site) -> Result<Self, String> {
        let origin = site.urls.first().ok_or("there are no nodes")?.clone();
        let http = Http::with_patience(origin.clone(), site.patience);
        let body = json!({"email": "ada@example.org", "role": "admin"}).to_string();
        let manager = http.clone().bearer(&site.profile.mgmt_token);
        let invited = json_of(&manager.json("POST", "/api/v0/invitations", &body))?;
        let link = text(&invited, "link")?;
        let at = link.find("/invitations/").ok_or("the link leads nowhere")?;
        let mut visitor = Self {
            http,
            origin,
            cookies: BTreeMap::new(),
        };
        let fields =
            format!("first_name=Ada&last_name=Lovelace&password={PASSWORD}&password_again={PASSWORD}");
        match visitor.submit(&link[at..], &fields)? {
            reply if reply.status == 303 => Ok(visitor),
            reply => Err(format!("the invitation was not accepted: {reply}")),
        }
    }

    /// Lets a program in; the secret of its session.
    ///
    /// # Errors
    /// What did not go as it should.
    pub(crate) fn let_in(&mut self) -> Result<String, String> {
        let asked = json_of(&self.form("/oauth/device", "client_id=influxctl&host_name=chaos"))?;
        let (device, user) = (text(&asked, "device_code")?, text(&asked, "user_code")?);
        let fields = format!("user_code={user}&answer=approve");
        let answered = self.submit(&format!("/device?user_code={user}"), &fields)?;
        if answered.status != 200 {
            return Err(format!("the program was not let in: {answered}"));
        }
        let body = format!("grant_type={GRANT}&client_id=influxctl&device_code={device}");
        text(&json_of(&self.form("/oauth/token", &body))?, "access_token")
    }

    fn form(&self, path: &str, body: &str) -> Reply {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.http.send("POST", path, &headers, body)
    }

    /// Opens a page and sends its form back to it.
    fn submit(&mut self, path: &str, fields: &str) -> Result<Reply, String> {
        let page = self.send("GET", path, "").text();
        let (_, rest) = page
            .split_once("name=\"csrf\" value=\"")
            .ok_or_else(|| format!("{path} has no form: {page}"))?;
        let csrf = rest.split('"').next().unwrap_or_default();
        let bare = path.split('?').next().unwrap_or_default();
        Ok(self.send("POST", bare, &format!("csrf={csrf}&{fields}")))
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = [
            ("cookie", pairs.join("; ")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("origin", self.origin.clone()),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = self.http.send(method, path, &headers, body);
        for (_, line) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            if let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

fn json_of(reply: &Reply) -> Result<Value, String> {
    match reply.status {
        200 => serde_json::from_slice(&reply.bytes).map_err(|error| format!("{error}: {reply}")),
        _ => Err(reply.to_string()),
    }
}

fn text(object: &Value, key: &str) -> Result<String, String> {
    let found = object[key].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("no {key} in an answer"))
}
