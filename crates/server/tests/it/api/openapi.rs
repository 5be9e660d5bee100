//! The OpenAPI document says what is served, and what it says is locked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::world::World;

fn document() -> Value {
    serde_json::to_value(rescind_server::api::openapi()).expect("a document")
}

#[test]
fn the_document_is_locked() {
    let text = serde_json::to_string_pretty(&document()).expect("text");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn the_document_is_served_to_anyone() {
    let world = World::new().await;
    let answer = world.send("GET", "/openapi.json", &[], "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), document());
}

#[test]
fn every_reference_leads_somewhere_and_every_name_is_unique() {
    let document = document();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            let id = operation["operationId"].as_str().expect("an operationId");
            assert!(ids.insert(id.to_owned()), "{id} is given twice");
        }
    }
}

fn collect_references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect_references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, into)),
        _ => {}
    }
}

#[tokio::test]
async fn what_is_not_documented_is_not_served() {
    let world = World::new().await;
    for (path, item) in document()["paths"].as_object().expect("paths") {
        for method in ["get", "post", "put", "patch", "delete"] {
            let answer = world.ask(&method.to_uppercase(), path, "").await;
            assert_eq!(
                answer.status == 405,
                item.get(method).is_none(),
                "{method} {path}: {answer}"
            );
        }
    }
}
