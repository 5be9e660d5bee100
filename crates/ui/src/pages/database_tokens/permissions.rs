//! The rows of permissions in a form: a database and what may be done with it.

use std::collections::BTreeMap;

use rescind_domain::{Action, Permission, Permissions, Resource};

use crate::fields::Fields;
use crate::problems::Problems;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PermissionRow {
    /// `*`, a name, or nothing yet.
    pub(super) database: String,
    /// Whether it may be read.
    pub(super) read: bool,
    /// Whether it may be written.
    pub(super) write: bool,
}

/// The rows of a form.
#[derive(Debug, Clone)]
pub(super) struct PermissionRows {
    /// In the order typed.
    pub(super) rows: Vec<PermissionRow>,
    /// Names that are offered.
    pub(super) names: Vec<String>,
}

/// What a new row looks like (contract, admin-ui section 6.1: Read on, Write off).
const BLANK: PermissionRow = PermissionRow {
    database: String::new(),
    read: true,
    write: false,
};

/// So many choices a form offers, over all of its rows.
const MOST_CHOICES: usize = 20_000;

/// What is done to the rows of a form by one of its own buttons, instead of sending it.
pub(super) enum Rearranged {
    /// Nothing: it is sent.
    No,
    /// A row was added or taken away: the form is shown again.
    Yes,
}

impl PermissionRows {
    /// One empty row.
    pub(super) fn blank(names: Vec<String>) -> Self {
        Self {
            rows: vec![BLANK],
            names,
        }
    }

    /// The rows of a token.
    pub(super) fn of(permissions: &Permissions, names: Vec<String>) -> Self {
        let mut rows: BTreeMap<&Resource, PermissionRow> = BTreeMap::new();
        for permission in permissions.iter() {
            let row = rows.entry(&permission.resource).or_insert_with(|| PermissionRow {
                database: permission.resource.to_string(),
                read: false,
                write: false,
            });
            match permission.action {
                Action::Read => row.read = true,
                Action::Write => row.write = true,
            }
        }
        let rows: Vec<PermissionRow> = rows.into_values().collect();
        Self { rows, names }
    }

    /// The rows typed, and what a button of the form did to them.
    pub(super) fn read(fields: &Fields, names: Vec<String>) -> (Self, Rearranged) {
        let removed = fields.number("remove");
        let number = fields.number("permissions").unwrap_or(0).min(Permissions::MAX);
        let (reads, writes) = (fields.rows_of("read"), fields.rows_of("write"));
        // The script takes rows away without renumbering the others.
        let databases = fields.rows_of("database").into_iter();
        let typed = databases.filter(|(at, _)| *at < number && removed != Some(*at));
        let mut rows: Vec<PermissionRow> = typed
            .map(|(at, database)| PermissionRow {
                database: database.trim().to_owned(),
                read: reads.contains_key(&at),
                write: writes.contains_key(&at),
            })
            .collect();
        let is_more = fields.is_on("add");
        if is_more && rows.len() < Permissions::MAX {
            rows.push(BLANK);
        }
        let rearranged = if is_more || removed.is_some() {
            Rearranged::Yes
        } else {
            Rearranged::No
        };
        (Self { rows, names }, rearranged)
    }

    /// Whether each row has a list of all names to choose from. Many rows with many names each would make a page of
    /// megabytes: they share one list of suggestions instead.
    pub(super) fn has_lists(&self) -> bool {
        self.rows.len() * self.names.len() <= MOST_CHOICES
    }

    /// Whether a row names a database that does not exist, or not any more.
    pub(super) fn is_unlisted(&self, row: &PermissionRow) -> bool {
        !row.database.is_empty() && row.database != "*" && !self.names.contains(&row.database)
    }

    /// The permissions meant; notes what is wrong with them.
    pub(super) fn permissions(&self, problems: &mut Problems) -> Option<Permissions> {
        if self.rows.is_empty() {
            problems.add("permissions", "Add at least one permission.");
            return None;
        }
        let mut permissions = Vec::new();
        for row in &self.rows {
            if row.database.is_empty() {
                problems.add("permissions", "Select a database, or All Databases.");
                return None;
            }
            let resource: Resource = problems.take("permissions", row.database.parse())?;
            let actions = [(Action::Read, row.read), (Action::Write, row.write)];
            let chosen = actions.into_iter().filter(|(_, is_on)| *is_on);
            let before = permissions.len();
            permissions.extend(chosen.map(|(action, _)| Permission {
                action,
                resource: resource.clone(),
            }));
            if permissions.len() == before {
                problems.add(
                    "permissions",
                    format!("Choose Read, Write or both for {}.", called(&row.database)),
                );
                return None;
            }
        }
        problems.take("permissions", Permissions::new(permissions))
    }
}

/// A resource as people read it.
pub(super) fn called(database: &str) -> &str {
    if database == "*" {
        "All Databases"
    } else {
        database
    }
}

/// `read mydb`, `write All Databases`: for a list of them.
pub(super) fn in_words(permissions: &Permissions) -> String {
    let rows = PermissionRows::of(permissions, Vec::new()).rows;
    let words: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: {}", called(&row.database), actions(row)))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join("; ")
    }
}

/// `Read, Write`.
pub(super) fn actions(row: &PermissionRow) -> &'static str {
    match (row.read, row.write) {
        (true, true) => "Read, Write",
        (true, false) => "Read",
        (false, true) => "Write",
        (false, false) => "Nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> (PermissionRows, Rearranged) {
        PermissionRows::read(&Fields::parse(query.as_bytes()), vec!["a".to_owned()])
    }

    #[test]
    fn rows_may_have_gaps_and_unknown_names() {
        let (rows, rearranged) =
            read("permissions=4&database-0=a&read-0=1&database-3=gone&read-3=1&write-3=1");
        assert!(matches!(rearranged, Rearranged::No));
        assert_eq!(rows.names, ["a"]);
        let unlisted: Vec<bool> = rows.rows.iter().map(|row| rows.is_unlisted(row)).collect();
        assert_eq!(unlisted, [false, true]);
        let permissions = rows.permissions(&mut Problems::default()).expect("good");
        assert_eq!(in_words(&permissions), "a: Read; gone: Read, Write");
    }

    #[test]
    fn buttons_add_and_remove_rows() {
        let (rows, rearranged) = read("permissions=1&database-0=a&write-0=1&add=1");
        assert!(matches!(rearranged, Rearranged::Yes));
        assert_eq!(rows.rows.len(), 2);
        let (rows, rearranged) = read("permissions=2&database-0=a&database-1=*&read-1=1&remove=0");
        assert!(matches!(rearranged, Rearranged::Yes));
        assert_eq!(rows.rows[0].database, "*");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = [
            "",
            "permissions=1&database-0=&read-0=1",
            "permissions=1&database-0=a",
            "permissions=1&database-0=a+b&read-0=1",
        ];
        let told: Vec<String> = wrong
            .iter()
            .map(|query| {
                let mut problems = Problems::default();
                assert_eq!(read(query).0.permissions(&mut problems), None);
                problems.of_field("permissions").to_owned()
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        Add at least one permission.
        Select a database, or All Databases.
        Choose Read, Write or both for a.
        resource must be "*" or a database name: database name may hold only ASCII letters, digits, '_', '-' and '/', not ' '
        "#);
    }
}
