//! The generated OpenAPI document offers everything that the two documented ones do (`tests/contract`): every path,
//! method, operation id, parameter, body field with its type and bounds, and status.

use serde_json::Value;

/// What the documented form leaves open and ours decides, or where both are silent about the same thing in other words.
const EXEMPT: &[&str] = &[
    // 250 by the documentation's text, 200 by its schema (contract, X-API-5).
    "maxColumnsPerTable default",
];

fn ours() -> Value {
    serde_json::to_value(rescind_server::api::openapi()).expect("a document")
}

fn theirs(text: &str) -> Value {
    serde_yaml_ng::from_str(text).expect("YAML")
}

#[test]
fn the_prefixed_form_is_offered() {
    check(
        &theirs(include_str!("../../contract/management-dedicated.openapi.yml")),
        "",
    );
}

#[test]
fn the_form_without_the_prefix_is_offered() {
    // One document may not give two operations the same id.
    check(
        &theirs(include_str!("../../contract/management-clustered.openapi.yml")),
        "Unprefixed",
    );
}

fn check(theirs: &Value, suffix: &str) {
    let ours = ours();
    let mut checked = Checked {
        ours: &ours,
        theirs,
        count: 0,
        missing: Vec::new(),
    };
    for (path, item) in theirs["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            checked.operation(
                &format!("{method} {path}"),
                &ours["paths"][path][method],
                operation,
                suffix,
            );
        }
    }
    assert!(
        checked.missing.is_empty(),
        "missing or different:\n{}",
        checked.missing.join("\n")
    );
    assert!(checked.count > 400, "only {} facts were compared", checked.count);
}

struct Checked<'a> {
    ours: &'a Value,
    theirs: &'a Value,
    count: usize,
    missing: Vec<String>,
}

impl<'a> Checked<'a> {
    fn operation(&mut self, place: &str, ours: &'a Value, theirs: &'a Value, suffix: &str) {
        let id = format!("{}{suffix}", theirs["operationId"].as_str().expect("an id"));
        self.expect(ours["operationId"] == id, || format!("{place}: operationId {id}"));
        for parameter in theirs["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let found = ours["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|ours| ours["name"] == name);
            let place = format!("{place} parameter {name}");
            let found = found.unwrap_or(&Value::Null);
            self.expect(found["in"] == parameter["in"], || format!("{place}: in"));
            self.expect(found["required"] == parameter["required"], || {
                format!("{place}: required")
            });
            self.schema(&place, &found["schema"], &parameter["schema"]);
        }
        if let Some(body) = theirs.get("requestBody") {
            let place = format!("{place} request");
            self.expect(ours["requestBody"]["required"] == true, || {
                format!("{place}: required")
            });
            self.schema(&place, content(&ours["requestBody"]), content(body));
        }
        for (status, answer) in theirs["responses"].as_object().expect("answers") {
            let place = format!("{place} {status}");
            let found = self.follow_ours(&ours["responses"][status]);
            self.expect(found.is_object(), || format!("{place}: not declared"));
            let answer = self.follow_theirs(answer);
            self.schema(&place, content(found), content(answer));
        }
    }

    /// Everything that their schema demands, ours demands too; of alternatives of ours, one must.
    fn schema(&mut self, place: &str, ours: &'a Value, theirs: &'a Value) {
        let (ours, theirs) = (self.follow_ours(ours), self.follow_theirs(theirs));
        if let Some(forms) = ours.get("anyOf").and_then(Value::as_array) {
            let fits = forms.iter().any(|form| {
                let mut attempt = Checked {
                    ours: self.ours,
                    theirs: self.theirs,
                    count: 0,
                    missing: Vec::new(),
                };
                attempt.schema(place, form, theirs);
                self.count += attempt.count;
                attempt.missing.is_empty()
            });
            return self.expect(fits, || format!("{place}: no form fits"));
        }
        for (name, schema) in theirs["properties"].as_object().into_iter().flatten() {
            let place = format!("{place} {name}");
            match self.property(ours, name) {
                Some(found) => self.schema(&place, found, schema),
                None => self.expect(false, || format!("{place}: not there")),
            }
        }
        for name in theirs["required"].as_array().into_iter().flatten() {
            let is_required = self.requires(ours, name);
            self.expect(is_required, || format!("{place} {name}: not required"));
        }
        for fact in [
            "type",
            "format",
            "minimum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minProperties",
            "default",
        ] {
            // Ours may be parts of which each is an object.
            let is_split = fact == "type" && ours.get("allOf").is_some();
            if let Some(value) = theirs.get(fact).filter(|_| !is_split && !is_exempt(place, fact)) {
                let found = ours.get(fact).cloned().unwrap_or_default();
                let is_same =
                    found == *value || found.as_f64().is_some_and(|found| Some(found) == value.as_f64());
                self.expect(is_same, || format!("{place}: {fact} {value}, ours {found}"));
            }
        }
        if let Some(items) = theirs.get("items") {
            self.schema(&format!("{place}[]"), &ours["items"], items);
        }
        for part in theirs["anyOf"].as_array().into_iter().flatten() {
            self.part(place, ours, part);
        }
    }

    /// One of their alternatives: parts of a partition template are told apart by `type`; of a permission's resource,
    /// which is any text in ours, nothing is demanded.
    fn part(&mut self, place: &str, ours: &'a Value, part: &'a Value) {
        let part = self.follow_theirs(part);
        let Some(kind) = part.pointer("/properties/type/enum/0") else {
            return;
        };
        let forms = ours["oneOf"].as_array().into_iter().flatten();
        let found = forms
            .into_iter()
            .find(|form| form.pointer("/properties/type/enum/0") == Some(kind));
        match found {
            Some(found) => self.schema(&format!("{place} {kind}"), found, part),
            None => self.expect(false, || format!("{place}: no part of type {kind}")),
        }
    }

    fn property(&self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        let schema = self.follow_ours(schema);
        let own = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        own.or_else(|| {
            schema["allOf"]
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|part| self.property(part, name))
        })
    }

    fn requires(&self, schema: &'a Value, name: &Value) -> bool {
        let schema = self.follow_ours(schema);
        let contains = |list: &Value| list.as_array().is_some_and(|names| names.contains(name));
        contains(&schema["required"])
            || schema["allOf"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|part| self.requires(part, name))
    }

    fn follow_ours(&self, value: &'a Value) -> &'a Value {
        follow(self.ours, value)
    }

    fn follow_theirs(&self, value: &'a Value) -> &'a Value {
        follow(self.theirs, value)
    }

    fn expect(&mut self, holds: bool, fact: impl FnOnce() -> String) {
        self.count += 1;
        if !holds {
            self.missing.push(fact());
        }
    }
}

fn is_exempt(place: &str, fact: &str) -> bool {
    // Bounds say what a request may ask; of an answer, whoever reads it needs the type.
    let is_answer = !place.contains(" request") && !place.contains(" parameter");
    let is_bound = !matches!(fact, "type" | "format");
    // What an update leaves out stays as it is, whatever the default of a new one.
    let is_default_of_update = fact == "default" && place.starts_with("patch ");
    (is_answer && is_bound)
        || is_default_of_update
        || EXEMPT
            .iter()
            .any(|exempt| format!("{place} {fact}").ends_with(exempt))
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => follow(document, document.pointer(pointer).unwrap_or(&Value::Null)),
        None => value,
    }
}

fn content(body: &Value) -> &Value {
    &body["content"]["application/json"]["schema"]
}
