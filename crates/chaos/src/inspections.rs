//! What each node says when everything is over.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::histories::{Found, Kind, NodeNumber, Rights, Sighting};
use crate::logbooks::{DATABASE, Logbook, Site, TABLE};

/// Asks one node for all tokens, all audit events and all points. `reader` is the secret of a token that may query.
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
                Kind::Management | Kind::Session => Rights::MANAGE,
            };
            let found = Found {
                revoked: !token["revokedAt"].is_null(),
                rights,
            };
            sighting.tokens.insert(text(&token["id"]), found);
        }
    }
    let events = list(logbook, node, &format!("{}/audit-events", site.account_path()))?;
    sighting.events = count(&events);
    let path = format!("/api/v3/query_sql?db={DATABASE}&format=csv&q=SELECT%20number%20FROM%20{TABLE}");
    let points = logbook.get_as(node, &path, &format!("Bearer {reader}"))?;
    let points = String::from_utf8_lossy(&points);
    sighting.points = points.lines().filter_map(|line| line.parse().ok()).collect();
    Ok(sighting)
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
