//! The management API, as the demo uses it to furnish the installation.

use rescind_domain::Timestamp;
use serde_json::{Value, json};

use crate::demo::client::{Answer, Client};
use crate::demo::profile::Profile;
use crate::failure::Failure;

/// Somebody with a management token.
pub(crate) struct Management {
    client: Client,
    token: String,
    account: String,
    cluster: String,
}

/// A database token as its maker knows it.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseToken {
    /// Its id.
    pub(crate) id: String,
    /// Its secret.
    pub(crate) secret: String,
}

impl Management {
    /// With the first start's management token.
    pub(crate) fn of(url: &str, profile: &Profile) -> Self {
        Self {
            client: Client::new(url, "demo-installation/1.0"),
            token: profile.management_token.clone(),
            account: profile.account_path(),
            cluster: profile.cluster_path(),
        }
    }

    /// With a management token made for this; `name` is what uses it.
    pub(crate) fn with_token(
        &self,
        url: &str,
        name: &str,
        description: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        let path = format!("{}/management-tokens", self.account);
        let body = with_expiry(json!({"description": description}), expires_at);
        let made = self.call(("POST", &path), &body)?;
        Ok(Self {
            client: Client::new(url, name),
            token: text(&made, "token")?,
            account: self.account.clone(),
            cluster: self.cluster.clone(),
        })
    }

    /// Makes a database whose points are kept for so many days; 0 is for ever.
    pub(crate) fn database(&self, name: &str, days: i64) -> Result<(), Failure> {
        const NANOS_OF_A_DAY: i64 = 86_400_000_000_000;
        let body = json!({"name": name, "retentionPeriod": days * NANOS_OF_A_DAY});
        self.call(("POST", &format!("{}/databases", self.cluster)), &body)?;
        Ok(())
    }

    /// Makes a database token.
    pub(crate) fn token(
        &self,
        description: &str,
        permissions: &[(&str, &str)],
        expires_at: Option<Timestamp>,
    ) -> Result<DatabaseToken, Failure> {
        let permissions: Vec<Value> = permissions
            .iter()
            .map(|(action, resource)| json!({"action": action, "resource": resource}))
            .collect();
        let body = with_expiry(
            json!({"description": description, "permissions": permissions}),
            expires_at,
        );
        let made = self.call(("POST", &format!("{}/tokens", self.cluster)), &body)?;
        Ok(DatabaseToken {
            id: text(&made, "id")?,
            secret: text(&made, "accessToken")?,
        })
    }

    /// Revokes a database token.
    pub(crate) fn revoke(&self, token: &DatabaseToken) -> Result<(), Failure> {
        let path = format!("{}/tokens/{}", self.cluster, token.id);
        self.exchange(("DELETE", &path), "").map(|_| ())
    }

    /// When a database token was revoked, if it was and that can be learned.
    pub(crate) fn revoked_at(&self, id: &str) -> Option<Timestamp> {
        let path = format!("{}/tokens/{id}", self.cluster);
        let token: Value = serde_json::from_str(&self.exchange(("GET", &path), "").ok()?.body).ok()?;
        token.get("revokedAt")?.as_str()?.parse().ok()
    }

    /// Invites somebody and gives the path of the one-time link.
    pub(crate) fn invite(&self, email: &str, name: (&str, &str), role: &str) -> Result<String, Failure> {
        let path = format!("{}/invitations", self.account);
        let body = json!({"email": email, "firstName": name.0, "lastName": name.1, "role": role});
        let link = text(&self.call(("POST", &path), &body)?, "link")?;
        let at = link.find("/invitations/");
        at.map(|at| link[at..].to_owned())
            .ok_or_else(|| Failure::new("the answer to an invitation holds no link"))
    }

    fn call(&self, request: (&str, &str), body: &Value) -> Result<Value, Failure> {
        let answer = self.exchange(request, &body.to_string())?;
        // The parser's message would quote an answer that holds a secret.
        serde_json::from_str(&answer.body)
            .map_err(|_| Failure::new(format!("{} {} was not answered with JSON", request.0, request.1)))
    }

    fn exchange(&self, request: (&str, &str), body: &str) -> Result<Answer, Failure> {
        let answer = self.client.send(request, &self.token, "application/json", body)?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        // A refusal holds no secret.
        let (method, path) = request;
        Err(Failure::new(format!(
            "{method} {path} was answered {}: {}",
            answer.status, answer.body
        )))
    }
}

fn with_expiry(mut body: Value, expires_at: Option<Timestamp>) -> Value {
    if let Some(at) = expires_at {
        body["expiresAt"] = json!(at.to_rfc3339(3));
    }
    body
}

fn text(made: &Value, key: &str) -> Result<String, Failure> {
    let found = made.get(key).and_then(Value::as_str);
    found
        .map(ToOwned::to_owned)
        .ok_or_else(|| Failure::new(format!("an answer of the management API holds no {key}")))
}
