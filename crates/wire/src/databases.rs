//! Databases (contract, management-api section 4).

use rescind_domain as domain;
use rescind_domain::{
    DatabaseLimits, DatabaseName, MaxColumns, MaxTables, PartitionTemplate, RetentionPeriod,
};
use serde::{Deserialize, Serialize};

use crate::fields::{given, whole};
use crate::partitions::{parse_parts, parts_of};
use crate::{FieldError, Moment, PathForm, TemplatePart};

/// A database, as listing, creating and updating show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Database {
    /// The account that owns its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub account_id: Option<String>,
    /// The cluster that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub cluster_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Tables at most.
    pub max_tables: i32,
    /// Columns of a table at most.
    pub max_columns_per_table: i32,
    /// How long points are kept, in nanoseconds; 0 is for ever.
    pub retention_period: i64,
    /// How its tables are partitioned, when not by day. An answer to an update leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub partition_template: Option<Vec<TemplatePart>>,
}

/// A database, as renaming and undeleting show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentifiedDatabase {
    /// Its id; survives renames.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// The rest.
    #[serde(flatten)]
    pub database: Database,
}

/// A database, as the extended list shows it: deleted ones too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatabaseDetails {
    /// Its id; survives renames.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// What the documented list shows.
    #[serde(flatten)]
    pub database: Database,
    /// Whether it serves.
    pub status: ObjectStatus,
    /// When it was created.
    pub created_at: Moment,
    /// When it was deleted, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub deleted_at: Option<Moment>,
}

/// Where a database or a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ObjectStatus {
    /// Serves.
    Active,
    /// Deleted, and restorable for 7 days.
    Deleted,
}

/// Asks for a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateDatabase {
    /// Its name: 1 to 64 letters, digits, `_`, `-` or `/`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: String,
    /// Tables at most.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i32>, nullable = false, minimum = 1, default = 500))]
    pub max_tables: Option<i64>,
    /// Columns of a table at most, up to 1000.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i32>, nullable = false, minimum = 1, default = 250))]
    pub max_columns_per_table: Option<i64>,
    /// How long points are kept, in nanoseconds; 0 is for ever.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, minimum = 0, default = 0))]
    pub retention_period: Option<i64>,
    /// How its tables are partitioned; by day, when absent. Cannot be changed later.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub partition_template: Option<Vec<TemplatePart>>,
}

/// Changes a database's limits; at least one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(min_properties = 1))]
pub struct UpdateDatabase {
    /// Tables at most.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i32>, nullable = false, minimum = 1))]
    pub max_tables: Option<i64>,
    /// Columns at most of tables made from now on, up to 1000.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i32>, nullable = false, minimum = 1))]
    pub max_columns_per_table: Option<i64>,
    /// How long points are kept, in nanoseconds; 0 is for ever.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, minimum = 0))]
    pub retention_period: Option<i64>,
}

/// Gives a database another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenameDatabase {
    /// The new name.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: String,
}

/// A [`CreateDatabase`] whose fields hold what they must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDatabase {
    /// Its name.
    pub name: DatabaseName,
    /// What bounds it, defaults filled in.
    pub limits: DatabaseLimits,
    /// How its tables are partitioned; `None` is by day.
    pub partition_template: Option<PartitionTemplate>,
}

/// An [`UpdateDatabase`] whose fields hold what they must; at least one is `Some`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabasePatch {
    /// Tables at most.
    pub max_tables: Option<MaxTables>,
    /// Columns of a table at most.
    pub max_columns: Option<MaxColumns>,
    /// How long points are kept.
    pub retention: Option<RetentionPeriod>,
}

impl CreateDatabase {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must.
    pub fn parse(self) -> Result<NewDatabase, FieldError> {
        Ok(NewDatabase {
            name: self.name.parse().map_err(FieldError::of("name"))?,
            limits: DatabaseLimits {
                max_tables: max_tables(self.max_tables)?.unwrap_or_default(),
                max_columns: max_columns(self.max_columns_per_table)?.unwrap_or_default(),
                retention: retention(self.retention_period)?.unwrap_or_default(),
            },
            partition_template: parse_parts(self.partition_template)?,
        })
    }
}

impl UpdateDatabase {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must; refuses an empty patch.
    pub fn parse(self) -> Result<DatabasePatch, FieldError> {
        if self == Self::default() {
            let message = "give at least one of maxTables, maxColumnsPerTable and retentionPeriod";
            return Err(FieldError::new("", message));
        }
        Ok(DatabasePatch {
            max_tables: max_tables(self.max_tables)?,
            max_columns: max_columns(self.max_columns_per_table)?,
            retention: retention(self.retention_period)?,
        })
    }
}

impl RenameDatabase {
    /// Checks the name.
    ///
    /// # Errors
    /// It breaks the naming rule.
    pub fn parse(self) -> Result<DatabaseName, FieldError> {
        self.name.parse().map_err(FieldError::of("name"))
    }
}

fn max_tables(value: Option<i64>) -> Result<Option<MaxTables>, FieldError> {
    limit("maxTables", value, MaxTables::new, MaxTables::MAX)
}

fn max_columns(value: Option<i64>) -> Result<Option<MaxColumns>, FieldError> {
    limit("maxColumnsPerTable", value, MaxColumns::new, MaxColumns::MAX)
}

fn limit<T>(
    field: &str,
    value: Option<i64>,
    new: impl Fn(i32) -> Option<T>,
    max: i32,
) -> Result<Option<T>, FieldError> {
    let Some(value) = value else { return Ok(None) };
    match i32::try_from(value).ok().and_then(new) {
        Some(limit) => Ok(Some(limit)),
        None => Err(FieldError::new(
            field,
            format!("must be a whole number from 1 to {max}, not {value}"),
        )),
    }
}

fn retention(nanos: Option<i64>) -> Result<Option<RetentionPeriod>, FieldError> {
    nanos
        .map(|nanos| RetentionPeriod::from_nanos(nanos).map_err(FieldError::of("retentionPeriod")))
        .transpose()
}

impl Database {
    /// The database as answers to a path of this form show it.
    pub fn of(database: &domain::Database, form: PathForm) -> Self {
        Self {
            account_id: form.with(database.account),
            cluster_id: form.with(database.cluster),
            name: database.name.to_string(),
            max_tables: database.limits.max_tables.get(),
            max_columns_per_table: database.limits.max_columns.get(),
            retention_period: database.limits.retention.nanos(),
            partition_template: parts_of(database.partition_template.as_ref()),
        }
    }

    /// As the answer to an update shows it (contract, management-api section 4.3).
    pub fn without_template(self) -> Self {
        Self {
            partition_template: None,
            ..self
        }
    }
}

impl IdentifiedDatabase {
    /// The database as answers to a path of this form show it.
    pub fn of(database: &domain::Database, form: PathForm) -> Self {
        Self {
            id: database.id.get(),
            database: Database::of(database, form),
        }
    }
}

impl DatabaseDetails {
    /// The database as answers to a path of this form show it.
    pub fn of(database: &domain::Database, form: PathForm) -> Self {
        let deleted_at = database.state.deleted_at();
        Self {
            id: database.id.get(),
            database: Database::of(database, form),
            status: ObjectStatus::of(deleted_at),
            created_at: database.created_at.into(),
            deleted_at: deleted_at.map(Moment),
        }
    }
}

impl ObjectStatus {
    pub(crate) fn of(deleted_at: Option<domain::Timestamp>) -> Self {
        match deleted_at {
            None => Self::Active,
            Some(_) => Self::Deleted,
        }
    }
}
