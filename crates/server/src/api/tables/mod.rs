//! Tables (contract, management-api section 5); listing them is an extension.

use rescind_authority::TableOf;
use rescind_wire::{PathForm, Table};

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod rename;
pub(crate) mod undelete;

fn shown(TableOf { table, database }: &TableOf, form: PathForm) -> Table {
    Table::of(table, database.account, database.cluster, &database.name, form)
}
