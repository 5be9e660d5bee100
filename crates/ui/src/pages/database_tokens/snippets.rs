//! Ready-made pieces for the clients that people have, with the new token in them.

use super::permissions::PermissionRow;
use crate::tokens::{Snippet, host_and_port, tls_of_profile};

/// Databases to name in examples.
pub(super) struct Databases {
    /// One that may be read, if any.
    readable: Option<String>,
    /// One that may be written, if any.
    writable: Option<String>,
    /// The first.
    pub(super) any: String,
}

/// The first databases that these permissions open; `DATABASE` stands for any.
pub(super) fn first_databases(rows: &[PermissionRow]) -> Databases {
    let name = |row: &PermissionRow| match row.database.as_str() {
        "*" => "DATABASE".to_owned(),
        name => name.to_owned(),
    };
    Databases {
        readable: rows.iter().find(|row| row.read).map(name),
        writable: rows.iter().find(|row| row.write).map(name),
        any: rows.first().map_or_else(|| "DATABASE".to_owned(), name),
    }
}

/// Pieces for what the token may do.
pub(super) fn snippets(url: &str, databases: &Databases, secret: &str) -> Vec<Snippet> {
    let mut snippets = Vec::new();
    let (host, port) = host_and_port(url);
    if let Some(database) = &databases.writable {
        snippets.push(Snippet {
            name: "curl, write",
            text: format!(
                "curl \"{url}/api/v2/write?bucket={database}&precision=s\" \\\n  --header \"Authorization: Bearer {secret}\" \\\n  \
                 --data-binary 'home,room=kitchen temperature=21.5'"
            ),
        });
    }
    if let Some(database) = &databases.readable {
        snippets.push(Snippet {
            name: "curl, query",
            text: format!(
                "curl --get \"{url}/api/v3/query_sql\" \\\n  --header \"Authorization: Bearer {secret}\" \\\n  \
                 --data-urlencode \"db={database}\" \\\n  --data-urlencode \"q=SELECT * FROM home LIMIT 10\""
            ),
        });
    }
    snippets.push(Snippet {
        name: "influxctl profile",
        text: format!(
            "[[profile]]\nname = \"default\"\nproduct = \"dedicated\"\nhost = \"{host}\"\nport = \"{port}\"\ndatabase = \"{}\"\n\
             token = \"{secret}\"{}",
            databases.any,
            tls_of_profile(url)
        ),
    });
    if let Some(database) = &databases.writable {
        snippets.push(Snippet {
            name: "Telegraf",
            text: format!(
                "[[outputs.influxdb_v2]]\n  urls = [\"{url}\"]\n  token = \"{secret}\"\n  organization = \"\"\n  bucket = \"{database}\""
            ),
        });
    }
    if let Some(database) = &databases.writable {
        snippets.push(Snippet {
            name: "Python, write",
            text: format!(
                "from influxdb_client_3 import InfluxDBClient3\n\nclient = InfluxDBClient3(\n    host=\"{url}\",\n    \
                 database=\"{database}\",\n    token=\"{secret}\",\n)\nclient.write(\"home,room=kitchen temperature=21.5\")"
            ),
        });
    }
    if let Some(database) = &databases.readable {
        snippets.push(Snippet {
            // The data source for InfluxDB asks in ways that are not served here; this one asks over HTTP.
            name: "Grafana, with the Infinity data source",
            text: format!(
                "apiVersion: 1\ndatasources:\n  - name: Rescind\n    type: yesoreyeram-infinity-datasource\n    jsonData:\n      \
                 auth_method: bearerToken\n      allowedHosts: [\"{url}\"]\n    secureJsonData:\n      bearerToken: {secret}\n\n\
                 # In the query: type CSV, URL\n# {url}/api/v3/query_sql?db={database}&format=csv&q=SELECT+*+FROM+home"
            ),
        });
    }
    snippets
}
