//! A person with a browser, as far as one is needed: accepts an invitation, signs in, lets programs in by the device flow
//! (RFC 8628), and chooses a new password.

use std::collections::BTreeMap;

use rescind_testkit::{Http, Reply};
use serde_json::{Value, json};

use crate::histories::{NodeNumber, Outcome};
use crate::logbooks::Site;

/// Someone at one node.
pub(crate) struct Visitor {
    http: Http,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// The password that everybody chooses first.
pub(crate) const PASSWORD: &str = "quiet-otter-counts-9-rivers";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The cookie that carries a session.
const SESSION: &str = "rescind_session";

impl Visitor {
    /// Someone who is not signed in yet.
    fn stranger(site: &Site, node: NodeNumber) -> Self {
        Self {
            http: Http::with_patience(site.urls[node].clone(), site.patience),
            origin: site.urls[node].clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Invites a person and signs in as that person.
    ///
    /// # Errors
    /// What did not go as it should.
    pub(crate) fn invited(site: &Site, node: NodeNumber, email: &str, role: &str) -> Result<Self, String> {
        let mut visitor = Self::stranger(site, node);
        let body = json!({"email": email, "role": role}).to_string();
        let manager = visitor.http.clone().bearer(&site.profile.mgmt_token);
        let invited = json_of(&manager.json("POST", "/api/v0/invitations", &body))?;
        let link = text(&invited, "link")?;
        let at = link.find("/invitations/").ok_or("the link leads nowhere")?;
        let fields =
            format!("first_name=Ada&last_name=Lovelace&password={PASSWORD}&password_again={PASSWORD}");
        match visitor.submit(&link[at..], &fields)? {
            reply if reply.status == 303 => Ok(visitor),
            reply => Err(format!("the invitation was not accepted: {reply}")),
        }
    }

    /// Signs in.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) fn signed_in(
        site: &Site,
        node: NodeNumber,
        email: &str,
        password: &str,
    ) -> Result<Self, String> {
        let mut visitor = Self::stranger(site, node);
        let reply = visitor.submit("/sign-in", &format!("email={email}&password={password}"))?;
        match reply.status {
            303 if visitor.cookie().is_some() => Ok(visitor),
            _ => Err(format!("not signed in: {reply}")),
        }
    }

    /// The same browser at another node.
    pub(crate) fn go(&mut self, site: &Site, node: NodeNumber) {
        let there = Self::stranger(site, node);
        (self.http, self.origin) = (there.http, there.origin);
    }

    /// The cookie that carries its session, as a browser sends it.
    pub(crate) fn cookie(&self) -> Option<String> {
        let value = self.cookies.get(SESSION).filter(|value| !value.is_empty())?;
        Some(format!("{SESSION}={value}"))
    }

    /// Lets a program in; the secret of its session.
    ///
    /// # Errors
    /// What did not go as it should.
    pub(crate) fn let_in(&mut self) -> Result<String, String> {
        let asked = json_of(&self.form("/oauth/device", "client_id=influxctl&host_name=chaos")?)?;
        let (device, user) = (text(&asked, "device_code")?, text(&asked, "user_code")?);
        let fields = format!("user_code={user}&answer=approve");
        let answered = self.submit(&format!("/device?user_code={user}"), &fields)?;
        if answered.status != 200 {
            return Err(format!("the program was not let in: {answered}"));
        }
        let body = format!("grant_type={GRANT}&client_id=influxctl&device_code={device}");
        text(&json_of(&self.form("/oauth/token", &body)?)?, "access_token")
    }

    /// Chooses a new password, which begins a new session and ends all others.
    pub(crate) fn change_password(&mut self, current: &str, new: &str) -> Outcome {
        let fields = format!("current_password={current}&password={new}&password_again={new}");
        match self.submit("/profile/password", &fields) {
            Ok(reply) if reply.status == 303 && reply.header("location") == Some("/profile") => {
                Outcome::Done { complete: true }
            }
            Ok(reply) if reply.status == 422 => Outcome::Rejected(422),
            Ok(reply) => Outcome::Uncertain(format!("{} {:?}", reply.status, reply.header("location"))),
            Err(error) => Outcome::Uncertain(error),
        }
    }

    fn form(&self, path: &str, body: &str) -> Result<Reply, String> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let sent = self.http.try_send("POST", path, &headers, body);
        sent.map_err(|error| format!("{path}: {error}"))
    }

    /// Opens a page and sends its form back to it.
    fn submit(&mut self, path: &str, fields: &str) -> Result<Reply, String> {
        let page = self.send("GET", path, "")?;
        let (status, page) = (page.status, page.text());
        let (_, rest) = page
            .split_once("name=\"csrf\" value=\"")
            .ok_or_else(|| format!("{path} has no form: {status}"))?;
        let csrf = rest.split('"').next().unwrap_or_default();
        let bare = path.split('?').next().unwrap_or_default();
        self.send("POST", bare, &format!("csrf={csrf}&{fields}"))
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<Reply, String> {
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
        let sent = self.http.try_send(method, path, &headers, body);
        let reply = sent.map_err(|error| format!("{path}: {error}"))?;
        for (_, line) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            if let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(reply)
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
