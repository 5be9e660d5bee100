//! The dependency law: which crate may know which, and which libraries belong to one crate alone.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use super::Finding;

/// Every edge that the house allows between its crates (DESIGN section 3), by the names of their directories.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("wire", &["domain"]),
    ("catalog", &["domain"]),
    ("authority", &["domain", "catalog"]),
    ("engine", &["domain"]),
    ("gateway", &["domain", "wire", "authority"]),
    ("ui", &["domain", "authority"]),
    (
        "server",
        &["domain", "wire", "authority", "engine", "gateway", "ui"],
    ),
    ("cli", &["domain", "wire"]),
    ("testkit", &["domain"]),
    ("model", &[]),
    ("chaos", &["testkit"]),
    ("xtask", &["cli"]),
];

/// What tests alone may add. Everything may use the testkit; a test of the gateway needs a real authority, and that a
/// real catalog.
const ALLOWED_IN_TESTS: [(&str, &[&str]); 1] = [("gateway", &["catalog"])];

/// A library that a crate must not name itself. `tokio` also stands for `tokio-util` and so on.
const OWNED: [(&str, &[&str]); 5] = [
    ("sqlx", &["catalog"]),
    ("datafusion", &["engine"]),
    ("axum", &["server", "gateway", "ui"]),
    ("tonic", &["server", "gateway"]),
    ("hyper", &["server", "gateway"]),
];

/// What must not be reachable at all, through whatever else a crate depends on.
const UNREACHABLE: [(&str, &[&str]); 5] = [
    ("domain", &["tokio", "sqlx", "axum", "tonic", "serde_json"]),
    ("wire", &["tokio", "sqlx", "axum", "tonic", "datafusion"]),
    ("cli", &["tokio", "sqlx", "axum", "tonic", "datafusion"]),
    ("gateway", &["datafusion", "rescind-engine", "rescind-server"]),
    (
        "ui",
        &[
            "datafusion",
            "tonic",
            "rescind-engine",
            "rescind-gateway",
            "rescind-server",
        ],
    ),
];

/// Named by nobody who writes `domain`, though a library below it might bring it along.
const UNNAMED_IN_DOMAIN: [&str; 1] = ["serde"];

/// Who depends on whom.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Crates of the workspace, by directory name, with what their manifests name: package and whether for tests only.
    manifests: BTreeMap<String, Vec<(String, bool)>>,
    /// Every package's normal and build dependencies, as resolved.
    resolved: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Reads the graph from what cargo says.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let mut graph = Self::default();
        for package in metadata.workspace_packages() {
            let named = package.dependencies.iter().map(|dependency| {
                (
                    dependency.name.clone(),
                    dependency.kind == DependencyKind::Development,
                )
            });
            graph
                .manifests
                .insert(short(&package.name).to_owned(), named.collect());
        }
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        for node in nodes {
            let real = node.deps.iter().filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|kind| kind.kind != DependencyKind::Development)
            });
            let names = real.map(|dep| metadata[&dep.pkg].name.to_string());
            let name = metadata[&node.id].name.to_string();
            graph.resolved.entry(name).or_default().extend(names);
        }
        graph
    }

    /// The way from a workspace crate to a package, if there is one.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let start = self.package_name(from);
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = vec![start.as_str()];
        while let Some(here) = queue.pop() {
            for next in self.resolved.get(here).into_iter().flatten() {
                if next != &start && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, here);
                    queue.push(next);
                }
            }
        }
        let mut way = vec![came_from.get_key_value(to)?.0.to_string()];
        let mut at = to;
        while let Some(before) = came_from.get(at) {
            way.insert(0, (*before).to_owned());
            at = before;
        }
        Some(way)
    }

    fn package_name(&self, directory: &str) -> String {
        if directory == "xtask" {
            directory.to_owned()
        } else {
            format!("rescind-{directory}")
        }
    }
}

/// Every broken clause of the law.
pub(crate) fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, dependencies) in &graph.manifests {
        let Some(allowed) = allowed(&ALLOWED, name) else {
            findings.push(finding(
                name,
                format!("the dependency law does not know the crate {name}"),
            ));
            continue;
        };
        let in_tests = allowed_in_tests(name);
        for (dependency, tests_only) in dependencies {
            let neighbour = short(dependency);
            let is_ours = graph.manifests.contains_key(neighbour);
            let permitted = allowed.contains(&neighbour) || (*tests_only && in_tests.contains(&neighbour));
            if is_ours && !permitted {
                findings.push(finding(name, format!("{name} must not depend on {neighbour}")));
            }
            findings.extend(check_library(name, dependency, *tests_only));
        }
    }
    findings.extend(check_reach(graph));
    findings
}

fn check_library(name: &str, dependency: &str, tests_only: bool) -> Option<Finding> {
    if name == "domain" && UNNAMED_IN_DOMAIN.contains(&dependency) {
        return Some(finding(name, format!("domain must not name {dependency}")));
    }
    let (library, owners) = OWNED
        .iter()
        .find(|(library, _)| is_or_extends(dependency, library))?;
    let broken = !tests_only && !owners.contains(&name);
    broken.then(|| finding(name, format!("only {} may name {library}", owners.join(" and "))))
}

fn check_reach(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, unreachable) in UNREACHABLE {
        for target in unreachable.iter().filter(|_| graph.manifests.contains_key(name)) {
            if let Some(way) = graph.way(name, target) {
                findings.push(finding(
                    name,
                    format!("{name} must not reach {target}: {}", way.join(" > ")),
                ));
            }
        }
    }
    findings
}

fn allowed(table: &[(&str, &'static [&'static str])], name: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

fn allowed_in_tests(name: &str) -> Vec<&'static str> {
    let more = allowed(&ALLOWED_IN_TESTS, name).unwrap_or_default();
    more.iter().copied().chain(["testkit"]).collect()
}

fn is_or_extends(dependency: &str, library: &str) -> bool {
    dependency
        .strip_prefix(library)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// `rescind-domain` lives in `crates/domain`.
fn short(package: &str) -> &str {
    package.strip_prefix("rescind-").unwrap_or(package)
}

fn finding(name: &str, message: String) -> Finding {
    let directory = if name == "xtask" {
        "xtask".to_owned()
    } else {
        format!("crates/{name}")
    };
    Finding::new(format!("{directory}/Cargo.toml"), 1, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph in which each `(crate, dependency)` is normal, or for tests only where the name ends in `?`.
    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (name, _) in ALLOWED {
            graph.manifests.insert(name.to_owned(), Vec::new());
        }
        for (from, to) in edges {
            let (to, tests_only) = to.strip_suffix('?').map_or((*to, false), |name| (name, true));
            if let Some(named) = graph.manifests.get_mut(short(from)) {
                named.push((to.to_owned(), tests_only));
            }
            if !tests_only {
                graph
                    .resolved
                    .entry((*from).to_owned())
                    .or_default()
                    .insert(to.to_owned());
            }
        }
        graph
    }

    fn messages(edges: &[(&str, &str)]) -> Vec<String> {
        check(&graph(edges))
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn the_house_as_drawn_is_lawful() {
        let mut edges = Vec::new();
        let names: Vec<(String, String)> = ALLOWED
            .iter()
            .flat_map(|(from, to)| {
                to.iter()
                    .map(move |to| (format!("rescind-{from}"), format!("rescind-{to}")))
            })
            .collect();
        edges.extend(names.iter().map(|(from, to)| (from.as_str(), to.as_str())));
        edges.extend([
            ("rescind-catalog", "sqlx"),
            ("rescind-engine", "datafusion"),
            ("rescind-gateway", "axum"),
            ("rescind-wire", "serde"),
            ("rescind-domain", "rescind-testkit?"),
            ("rescind-gateway", "rescind-catalog?"),
        ]);
        assert_eq!(messages(&edges), Vec::<String>::new());
    }

    #[test]
    fn forbidden_edges_are_named() {
        assert_eq!(
            messages(&[("rescind-wire", "rescind-catalog")]),
            ["wire must not depend on catalog"]
        );
        assert_eq!(
            messages(&[("rescind-server", "rescind-catalog")]),
            ["server must not depend on catalog"]
        );
        assert_eq!(
            messages(&[("rescind-wire", "rescind-catalog?")]),
            ["wire must not depend on catalog"]
        );
        assert_eq!(
            messages(&[("rescind-domain", "serde")]),
            ["domain must not name serde"]
        );
        assert_eq!(
            messages(&[("rescind-authority", "sqlx-core")]),
            ["only catalog may name sqlx"]
        );
        assert_eq!(
            messages(&[("rescind-server", "datafusion")]),
            ["only engine may name datafusion"]
        );
        assert_eq!(
            messages(&[("rescind-authority", "rescind-testkit")]),
            ["authority must not depend on testkit"]
        );
    }

    #[test]
    fn what_a_library_brings_along_is_found() {
        assert_eq!(
            messages(&[("rescind-domain", "harmless"), ("harmless", "tokio")]),
            ["domain must not reach tokio: rescind-domain > harmless > tokio"]
        );
        assert_eq!(
            messages(&[("rescind-gateway", "adapter"), ("adapter", "rescind-engine")]),
            ["gateway must not reach rescind-engine: rescind-gateway > adapter > rescind-engine"]
        );
    }

    #[test]
    fn an_unknown_crate_is_not_lawful_by_default() {
        let mut graph = graph(&[]);
        graph.manifests.insert("extra".to_owned(), Vec::new());
        assert_eq!(check(&graph).len(), 1);
    }
}
