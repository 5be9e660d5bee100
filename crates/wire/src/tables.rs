//! Tables (contract, management-api section 5).

use rescind_domain as domain;
use rescind_domain::{DatabaseName, PartitionTemplate, TableName};
use serde::{Deserialize, Serialize};

use crate::fields::given;
use crate::partitions::{parse_parts, parts_of};
use crate::{FieldError, Moment, ObjectStatus, PathForm, TemplatePart};

/// A table, as creating shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Table {
    /// The account that owns its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub account_id: Option<String>,
    /// The cluster that owns its database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Uuid, nullable = false))]
    pub cluster_id: Option<String>,
    /// The name of its database.
    pub database_name: String,
    /// Its name.
    pub name: String,
    /// How it is partitioned, when not as its database says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub partition_template: Option<Vec<TemplatePart>>,
}

/// A table, as renaming and undeleting show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentifiedTable {
    /// Its id; survives renames.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// The rest.
    #[serde(flatten)]
    pub table: Table,
}

/// A table, as the list shows it: an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableDetails {
    /// Its id; survives renames.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub id: i64,
    /// What creating shows.
    #[serde(flatten)]
    pub table: Table,
    /// The most columns it may have, fixed when it was created.
    pub max_columns: i32,
    /// Whether it serves.
    pub status: ObjectStatus,
    /// When it was created.
    pub created_at: Moment,
    /// When it was deleted, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub deleted_at: Option<Moment>,
    /// Its columns, where the server knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub columns: Option<Vec<TableColumn>>,
    /// What it takes on disk, in bytes, where the server knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub size_bytes: Option<u64>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// `time`, `tag`, or the type of a field.
    pub r#type: String,
}

/// Asks for a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateTable {
    /// Its name: letters, digits, `_` or `-`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub name: String,
    /// How it is partitioned; as its database says, when absent. Cannot be changed later.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub partition_template: Option<Vec<TemplatePart>>,
}

/// Gives a table another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RenameTable {
    /// The new name.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub name: String,
}

/// A [`CreateTable`] whose fields hold what they must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// Its name.
    pub name: TableName,
    /// How it is partitioned; `None` is as its database says.
    pub partition_template: Option<PartitionTemplate>,
}

impl CreateTable {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that does not hold what it must.
    pub fn parse(self) -> Result<NewTable, FieldError> {
        Ok(NewTable {
            name: self.name.parse().map_err(FieldError::of("name"))?,
            partition_template: parse_parts(self.partition_template)?,
        })
    }
}

impl RenameTable {
    /// Checks the name.
    ///
    /// # Errors
    /// It breaks the naming rule.
    pub fn parse(self) -> Result<TableName, FieldError> {
        self.name.parse().map_err(FieldError::of("name"))
    }
}

impl Table {
    /// The table as answers to a path of this form show it.
    pub fn of(
        table: &domain::Table,
        account: domain::AccountId,
        cluster: domain::ClusterId,
        database: &DatabaseName,
        form: PathForm,
    ) -> Self {
        Self {
            account_id: form.with(account),
            cluster_id: form.with(cluster),
            database_name: database.to_string(),
            name: table.name.to_string(),
            partition_template: parts_of(table.partition_template.as_ref()),
        }
    }

    /// The same with the id of the table that it shows.
    pub fn identified(self, id: domain::TableId) -> IdentifiedTable {
        IdentifiedTable {
            id: id.get(),
            table: self,
        }
    }

    /// The same with the details of the table that it shows; columns and size are the caller's to fill in.
    pub fn detailed(self, table: &domain::Table) -> TableDetails {
        let deleted_at = table.state.deleted_at();
        TableDetails {
            id: table.id.get(),
            table: self,
            max_columns: table.max_columns.get(),
            status: ObjectStatus::of(deleted_at),
            created_at: table.created_at.into(),
            deleted_at: deleted_at.map(Moment),
            columns: None,
            size_bytes: None,
        }
    }
}
