//! What each node says when everything is over.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use rescind_testkit::binary;
use serde_json::Value;

use crate::clusters::Cluster;
use crate::histories::{Found, FoundUser, Kind, NodeNumber, Rights, Sighting};
use crate::logbooks::{DATABASE, Logbook, Site, TABLE};

/// Asks one node for all tokens, users, accounts, audit events and points. `reader` is the secret of a token that may query.
///
/// # Errors
/// What it did not answer.
pub(crate) fn inspect(
    logbook: &Logbook<'_>,
    site: &Site,
    node: NodeNumber,
    reader: &str,
) -> Result<Sighting, String> {
    let mut sighting = Sighting {
        node,
        ..Sighting::default()
    };
    for kind in [Kind::Database, Kind::Management] {
        for token in list(logbook, node, &site.tokens_path(kind))? {
            let rights = match kind {
                Kind::Database => held(&token["permissions"]),
                _ => Rights::MANAGE,
            };
            let found = Found {
                revoked: !token["revokedAt"].is_null(),
                rights,
            };
            sighting.tokens.insert(text(&token["id"]), found);
        }
    }
    for user in list(logbook, node, &format!("{}/users", site.account_path()))? {
        let found = FoundUser {
            enabled: user["state"] == "enabled",
            rights: match user["role"] == "admin" {
                true => Rights::ADMIN,
                false => Rights::AUDITOR,
            },
        };
        sighting.users.insert(text(&user["id"]), found);
    }
    for account in list(logbook, node, "/api/v0/accounts")? {
        sighting.accounts.insert(text(&account["id"]));
    }
    let events = list(logbook, node, &format!("{}/audit-events", site.account_path()))?;
    sighting.events = count(&events);
    let path = format!("/api/v3/query_sql?db={DATABASE}&format=csv&q=SELECT%20number%20FROM%20{TABLE}");
    let points = logbook.get_as(node, &path, &format!("Bearer {reader}"))?;
    let points = String::from_utf8_lossy(&points);
    sighting.points = points.lines().filter_map(|line| line.parse().ok()).collect();
    Ok(sighting)
}

/// What is wrong with the chain of the audit log, and which logs hold a secret (promise G6).
pub(crate) fn inspect_tales(cluster: &Cluster) -> Vec<String> {
    let mut tales = Vec::new();
    let verified = Command::new(binary("rescind"))
        .args(["audit", "verify", "--catalog", &cluster.postgres.url()])
        .env_clear()
        .output();
    match verified {
        Ok(output) if output.status.success() => {}
        Ok(output) => tales.push(format!(
            "the audit log does not verify: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => tales.push(format!("the audit log could not be verified: {error}")),
    }
    for log in cluster.logs() {
        let text = fs::read(&log).unwrap_or_default();
        if let Some(prefix) = secret_in(&String::from_utf8_lossy(&text)) {
            tales.push(format!(
                "{} holds a secret that begins with {prefix}",
                log.display()
            ));
        }
    }
    tales
}

/// How the first token in a text begins. Links of invitations are shown on purpose.
fn secret_in(text: &str) -> Option<&'static str> {
    let is_token = |after: &str| after.chars().take_while(char::is_ascii_alphanumeric).count() >= 40;
    let prefixes = ["apiv1_", "M.V1.", "A.V1.", "D.V1.", "S.V1."];
    prefixes
        .into_iter()
        .find(|prefix| text.split(prefix).skip(1).any(is_token))
}

fn list(logbook: &Logbook<'_>, node: NodeNumber, path: &str) -> Result<Vec<Value>, String> {
    let body = logbook.get(node, path)?;
    serde_json::from_slice(&body).map_err(|error| format!("node {node} {path}: {error}"))
}

fn count(events: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts
            .entry((text(&event["subject"]), text(&event["act"])))
            .or_default() += 1;
    }
    counts
}

fn held(permissions: &Value) -> Rights {
    let has = |action: &str| {
        let mut all = permissions.as_array().into_iter().flatten();
        all.any(|one| one["action"] == action && one["resource"] == DATABASE)
    };
    Rights::of(has("read"), has("write"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_token_is_a_secret_and_its_beginning_is_none() {
        let token = "a".repeat(64);
        assert_eq!(secret_in(&format!("refused: apiv1_{token}")), Some("apiv1_"));
        assert_eq!(secret_in(&format!("apiv1_abc… and M.V1.{token}")), Some("M.V1."));
        assert_eq!(
            secret_in("apiv1_abc M.V1.YtN1 http://host/invitations/I.V1.abc"),
            None
        );
    }
}
