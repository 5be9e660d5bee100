//! What happens at the start: files are taken over from the manifest, the log is read again.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use hashbrown::DefaultHashBuilder;
use rescind_domain::{
    DatabaseId, DatabaseLimits, DatabaseName, DatabaseView, MaxColumns, TableId, TableName, TableView,
};

use crate::errors::Error;
use crate::files::{self, DataFile};
use crate::log::{self, Segment};
use crate::manifest::Manifest;
use crate::points::{Rules, parse};
use crate::records::{Record, WriteRecord};
use crate::schema::TableSchema;
use crate::tables::{Arrival, Table, Tables};

/// Makes the tables that the manifest knows.
pub(crate) fn load_files(manifest: &Manifest, data: &Path, tables: &Tables) -> Result<(), Error> {
    for table in &manifest.tables {
        let ids = TableId::new(table.id).zip(DatabaseId::new(table.database));
        let (id, database) = ids.ok_or_else(|| Error::Damaged {
            path: data.to_owned(),
            offset: 0,
            what: format!(
                "the manifest names table {} of database {}",
                table.id, table.database
            ),
        })?;
        let files = table
            .files
            .iter()
            .map(|meta| Arc::new(DataFile::new(data, id, meta.clone())))
            .collect();
        tables.insert(Table::new(
            id,
            database,
            TableSchema::new(table.columns.clone()),
            files,
        ));
    }
    Ok(())
}

/// Checks that every file is there, and removes those that nothing needs.
pub(crate) fn check_files(data: &Path, tables: &Tables) -> Result<(), Error> {
    let mut known: HashSet<PathBuf> = HashSet::new();
    for file in tables.all().iter().flat_map(|table| table.files()) {
        let path = file.path().to_owned();
        let bytes = fs::metadata(&path).map_err(Error::io("read", &path))?.len();
        if bytes != file.meta.bytes {
            return Err(Error::Damaged {
                path,
                offset: bytes.min(file.meta.bytes),
                what: format!("it has {bytes} bytes, the manifest says {}", file.meta.bytes),
            });
        }
        known.insert(path);
    }
    files::remove_orphans(data, &|path| known.contains(path))
}

/// Takes in what the log holds beyond the files. Returns the number of the next segment.
pub(crate) fn replay(
    dir: &Path,
    first: u64,
    tables: &Arc<Tables>,
    hasher: &DefaultHashBuilder,
) -> Result<u64, Error> {
    let numbers = log::segments(dir)?;
    let mut next = first.max(1);
    for (index, number) in numbers.iter().enumerate() {
        if *number < first {
            log::remove(dir, *number)?;
            continue;
        }
        let segment = Segment::read(dir, *number, index + 1 == numbers.len())?;
        segment.cut_torn_tail()?;
        for (offset, body) in &segment.frames {
            replay_frame(tables, hasher, body.clone()).map_err(|what| Error::Damaged {
                path: segment.path.clone(),
                offset: *offset,
                what,
            })?;
        }
        if segment.frames.is_empty() {
            log::remove(dir, *number)?;
        }
        next = segment.number + 1;
    }
    log::sync_dir(dir)?;
    Ok(next)
}

fn replay_frame(tables: &Arc<Tables>, hasher: &DefaultHashBuilder, mut body: Bytes) -> Result<(), String> {
    while !body.is_empty() {
        let length = body.try_get_u32_le().map_err(|_| "a record has no length")? as usize;
        if body.len() < length {
            return Err("a record is longer than its frame".to_owned());
        }
        let record = Record::decode(body.split_to(length)).ok_or("a record has an unknown form")?;
        match record {
            Record::Write(write) => replay_write(tables, hasher, &write)?,
            Record::DropTable(table) => tables.drop_table(table),
            Record::DropDatabase(database) => tables.drop_database(database),
        }
    }
    Ok(())
}

fn replay_write(
    tables: &Arc<Tables>,
    hasher: &DefaultHashBuilder,
    write: &WriteRecord,
) -> Result<(), String> {
    let rules = Rules {
        view: Arc::new(view_of(write)?),
        precision: write.precision,
        now: write.now,
        horizon: None,
        max_line_bytes: usize::MAX,
        hasher: hasher.clone(),
    };
    let points = parse(&write.lines, &rules, &**tables);
    if let Some(error) = points.errors.first.first() {
        return Err(format!("an accepted line is refused now: {error}"));
    }
    for points in points.tables {
        let Some(id) = points.id else { continue };
        let Some(table) = tables.get_or_add(write.database, id) else {
            continue;
        };
        if !table.try_extend(&points.base, &points.added) {
            return Err(format!("table {id} has other columns than its points"));
        }
        let arrival = Arrival::new(points.rows).map_err(|error| error.to_string())?;
        tables.apply(&table, arrival).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The database as the write found it, as far as parsing needs to know; its limits were checked then.
fn view_of(write: &WriteRecord) -> Result<DatabaseView, String> {
    let max_columns = MaxColumns::new(MaxColumns::MAX).unwrap_or_default();
    let table = |(name, id): &(Arc<str>, TableId)| {
        let name = TableName::written(name).map_err(|error| error.to_string())?;
        let view = TableView {
            id: *id,
            max_columns,
            is_current_name: true,
        };
        Ok((name, view))
    };
    let name: DatabaseName = "replayed".parse().map_err(|_| "no database name")?;
    Ok(DatabaseView {
        id: write.database,
        name,
        limits: DatabaseLimits::default(),
        tables: write
            .tables
            .iter()
            .map(table)
            .collect::<Result<BTreeMap<_, _>, String>>()?,
    })
}
