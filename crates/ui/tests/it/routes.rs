//! The addresses of the Admin UI as its sources name them: what a table of all of them has to hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every route of every page, as `GET /accounts/{account}` and `POST /sign-out`.
pub(crate) fn routes() -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let pages = fs::read_dir(sources.join("pages")).expect("the pages can be listed");
    let files = pages.map(|entry| entry.expect("an entry").path());
    let files = files
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .chain([sources.join("pages.rs")]);
    let texts = files.map(|path| fs::read_to_string(path).expect("a source can be read"));
    texts.flat_map(|text| routes_in(&text)).collect()
}

/// The routes of one source. An address is written out, the name of a constant, or a closure of a constant and the rest.
fn routes_in(source: &str) -> Vec<String> {
    let mut routes = Vec::new();
    for rest in source.split(".route(").skip(1) {
        let (address, methods) = rest.split_once(',').expect("a route has an address and methods");
        let path = path_of(source, address.trim());
        // Up to the next route, or the end of the router.
        let methods = methods.split(['}', ';']).next().unwrap_or_default();
        for (word, method) in [("get(", "GET"), ("post(", "POST")] {
            if methods.contains(word) {
                routes.push(format!("{method} {path}"));
            }
        }
    }
    routes
}

fn path_of(source: &str, address: &str) -> String {
    if address.starts_with('"') {
        return address.trim_matches('"').to_owned();
    }
    if let Some((closure, rest)) = address.trim_start_matches('&').split_once("(\"") {
        let start = quoted(source, &format!("let {closure} = |rest: &str| format!(\"{{"))
            .unwrap_or_else(|| panic!("no closure {closure}"));
        let constant = start.split('}').next().unwrap_or_default();
        return path_of(source, constant) + rest.split('"').next().unwrap_or_default();
    }
    let text = quoted(source, &format!("const {address}: &str = \""));
    text.unwrap_or_else(|| panic!("no constant {address}")).to_owned()
}

/// What stands after `start`, to the next quotation mark.
fn quoted<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split('"').next()
}

#[test]
fn routes_are_read_from_their_sources() {
    let source = r#"
        const LIST: &str = "/accounts/{account}/users";
        let under = |rest: &str| format!("{LIST}{rest}");
        Router::new().route("/help", get(help)).route(LIST, get(list)).route(
            &under("/{user}/role"),
            get(show).post(submit),
        )
    }"#;
    assert_eq!(
        routes_in(source),
        [
            "GET /help",
            "GET /accounts/{account}/users",
            "GET /accounts/{account}/users/{user}/role",
            "POST /accounts/{account}/users/{user}/role",
        ]
    );
}
