//! How composite values are stored: as compact JSON with one form per value.

use std::borrow::Cow;

use rescind_domain::{PartitionTemplate, Permission, Permissions, TemplatePart};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// `[["read","*"],["write","home"]]`, in the set's own order.
pub(crate) fn permissions_text(permissions: &Permissions) -> String {
    let pairs: Vec<(&str, &str)> = permissions
        .iter()
        .map(|permission| (permission.action.as_str(), permission.resource.as_str()))
        .collect();
    json(&pairs)
}

pub(crate) fn read_permissions(text: &str) -> Result<Permissions, String> {
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = serde_json::from_str(text).map_err(problem)?;
    let permissions: Result<Vec<Permission>, _> = pairs
        .iter()
        .map(|(action, resource)| {
            Ok(Permission {
                action: action.parse()?,
                resource: resource.parse()?,
            })
        })
        .collect();
    permissions.and_then(Permissions::new).map_err(problem)
}

/// What the stored text of every set holds that names `resource`, and no other set does.
pub(crate) fn permission_mark(resource: &str) -> String {
    format!(",{}]", json(&resource))
}

/// One part of a partition template.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredPart<'a> {
    Tag(Cow<'a, str>),
    Time(Cow<'a, str>),
    Bucket(Cow<'a, str>, u32),
}

/// `[{"tag":"room"},{"time":"%Y-%m-%d"},{"bucket":["host",10]}]`.
pub(crate) fn template_text(template: &PartitionTemplate) -> String {
    let parts: Vec<StoredPart<'_>> = template
        .parts()
        .iter()
        .map(|part| match part {
            TemplatePart::Tag(tag) => StoredPart::Tag(tag.into()),
            TemplatePart::Time(format) => StoredPart::Time(format.into()),
            TemplatePart::Bucket { tag, buckets } => StoredPart::Bucket(tag.into(), *buckets),
        })
        .collect();
    json(&parts)
}

pub(crate) fn read_template(text: &str) -> Result<PartitionTemplate, String> {
    let parts: Vec<StoredPart<'_>> = serde_json::from_str(text).map_err(problem)?;
    let parts = parts
        .into_iter()
        .map(|part| match part {
            StoredPart::Tag(tag) => TemplatePart::Tag(tag.into_owned()),
            StoredPart::Time(format) => TemplatePart::Time(format.into_owned()),
            StoredPart::Bucket(tag, buckets) => TemplatePart::Bucket {
                tag: tag.into_owned(),
                buckets,
            },
        })
        .collect();
    PartitionTemplate::new(parts).map_err(problem)
}

/// `[["reason","leaked"]]`, in the order given.
pub(crate) fn details_text(details: &[(String, String)]) -> String {
    json(&details)
}

/// How the stored text of details starts whose first pair is this one, and no other.
pub(crate) fn details_start(name: &str, value: &str) -> String {
    format!("[{}", json(&(name, value)))
}

pub(crate) fn read_details(text: &str) -> Result<Vec<(String, String)>, String> {
    serde_json::from_str(text).map_err(problem)
}

/// What indexes hold of a table name: the name itself, or for a long one its start and a hash, because PostgreSQL
/// bounds an index entry. No two names share a key: a short one's is at most 255 bytes long, a long one's at least 257.
pub(crate) fn name_key(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 255;
    const START: usize = 192;
    if name.len() <= LONGEST {
        return Cow::Borrowed(name);
    }
    let start = (0..=START)
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    let digest = Sha256::digest(name.as_bytes());
    let mut key = format!("{:.<START$}", &name[..start]);
    key.push('#');
    key.extend(digest.iter().map(|byte| format!("{byte:02x}")));
    Cow::Owned(key)
}

/// Lower case by Unicode's rule: what searches and orders without regard to case.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("texts and numbers always have a JSON form")
}

fn problem(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_forms_are_read_back() {
        let text = r#"[["read","*"],["read","a/b"],["write","home"]]"#;
        let permissions = read_permissions(text).expect("permissions");
        assert_eq!(permissions_text(&permissions), text);
        assert!(text.contains(&permission_mark("home")) && text.contains(&permission_mark("*")));
        assert!(!text.contains(&permission_mark("b")));

        let text = r#"[{"tag":"room"},{"time":"%Y-%m"},{"bucket":["a\"b",10]}]"#;
        let template = read_template(text).expect("template");
        assert_eq!(template_text(&template), text);

        let details = vec![
            ("b".to_owned(), "\"1\"".to_owned()),
            ("a".to_owned(), String::new()),
        ];
        assert!(details_text(&details).starts_with(&details_start("b", "\"1\"")));
        assert_eq!(read_details(&details_text(&details)), Ok(details));
    }

    #[test]
    fn long_names_have_short_keys_of_their_own() {
        assert_eq!(name_key(&"a".repeat(255)), "a".repeat(255));
        let keys = [
            "a".repeat(256),
            "a".repeat(257),
            "ä".repeat(200),
            "€".repeat(20_000),
        ]
        .map(|name| {
            let key = name_key(&name).into_owned();
            assert!((257..=400).contains(&key.len()), "{}", key.len());
            key
        });
        assert_ne!(keys[0], keys[1]);
    }
}
