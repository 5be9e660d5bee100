//! What is kept of each table: its schema, its files, and its points that are not in a file yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};
use rescind_domain::{DatabaseId, TableId};

use crate::chunks::{Chunk, TimeRange};
use crate::errors::Error;
use crate::files::DataFile;
use crate::lateness::LastTimes;
use crate::points::Schemas;
use crate::rows::Rows;
use crate::schema::{Column, TableSchema};

/// Writes of fewer points than this are gathered before they are sealed.
const SMALL_ROWS: usize = 1_024;
/// A tail of so many points is sealed.
const TAIL_ROWS: usize = 8_192;
/// A tail of so many bytes is sealed.
const TAIL_BYTES: usize = 8 << 20;

/// Every table that holds, or held, a point.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    by_id: RwLock<HashMap<TableId, Arc<Table>>>,
    dropped: RwLock<Dropped>,
    /// Bytes of points that are not in a file yet.
    pub(crate) buffered: AtomicUsize,
}

/// What was dropped: late writes to it are ignored. Ids are never used again.
#[derive(Debug, Default)]
struct Dropped {
    tables: std::collections::HashSet<TableId>,
    databases: std::collections::HashSet<DatabaseId>,
}

/// One table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    pub(crate) database: DatabaseId,
    schema: RwLock<Arc<TableSchema>>,
    data: Mutex<TableData>,
}

#[derive(Debug)]
struct TableData {
    /// In the order of their sequence numbers.
    files: Vec<Arc<DataFile>>,
    /// In the order of writing; the first `frozen` are being persisted.
    chunks: Vec<Arc<Chunk>>,
    frozen: usize,
    tail: Rows,
    tail_late: Option<TimeRange>,
    /// The tail as queries see it, until it grows.
    tail_sealed: Option<Arc<Chunk>>,
    last_times: LastTimes,
}

/// Points on their way into a table.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Few: gathered with others.
    Few(Rows),
    /// Many: already sealed, with the series of each point.
    Many(Chunk, Vec<u64>),
}

impl Arrival {
    pub(crate) fn new(rows: Rows) -> Result<Self, Error> {
        if rows.len() < SMALL_ROWS {
            return Ok(Self::Few(rows));
        }
        let series = rows.series().to_vec();
        Ok(match Chunk::seal(rows)? {
            Some(chunk) => Self::Many(chunk, series),
            None => Self::Few(Rows::default()),
        })
    }
}

/// All that a table holds at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) files: Vec<Arc<DataFile>>,
    /// In the order of writing; all are later than the files.
    pub(crate) chunks: Vec<Arc<Chunk>>,
}

impl Tables {
    pub(crate) fn get(&self, id: TableId) -> Option<Arc<Table>> {
        self.by_id.read().get(&id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Table>> {
        let mut tables: Vec<_> = self.by_id.read().values().cloned().collect();
        tables.sort_by_key(|table| table.id);
        tables
    }

    /// The table of this id, made if it is new; `None` when it was dropped.
    pub(crate) fn get_or_add(&self, database: DatabaseId, id: TableId) -> Option<Arc<Table>> {
        if let Some(table) = self.get(id) {
            return Some(table);
        }
        if self.is_dropped(database, id) {
            return None;
        }
        let mut tables = self.by_id.write();
        let table = tables
            .entry(id)
            .or_insert_with(|| Arc::new(Table::new(id, database, TableSchema::empty(), Vec::new())));
        Some(Arc::clone(table))
    }

    pub(crate) fn insert(&self, table: Table) {
        self.by_id.write().insert(table.id, Arc::new(table));
    }

    pub(crate) fn is_dropped(&self, database: DatabaseId, table: TableId) -> bool {
        let dropped = self.dropped.read();
        dropped.tables.contains(&table) || dropped.databases.contains(&database)
    }

    /// Forgets a table; its files go once no query reads them.
    pub(crate) fn drop_table(&self, id: TableId) {
        self.dropped.write().tables.insert(id);
        if let Some(table) = self.by_id.write().remove(&id) {
            self.discard(&table);
        }
    }

    /// Forgets all tables of a database.
    pub(crate) fn drop_database(&self, database: DatabaseId) {
        self.dropped.write().databases.insert(database);
        let mut tables = self.by_id.write();
        for (_, table) in tables.extract_if(|_, table| table.database == database) {
            self.discard(&table);
        }
    }

    fn discard(&self, table: &Table) {
        let mut data = table.data.lock();
        let bytes = data.chunks.drain(..).map(|chunk| chunk.bytes).sum::<usize>() + data.tail.bytes();
        data.frozen = 0;
        data.tail = Rows::default();
        data.tail_sealed = None;
        data.files.drain(..).for_each(|file| file.doom());
        self.buffered.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts files in the place of the chunks that were set aside for them.
    pub(crate) fn adopt(&self, table: &Table, files: Vec<Arc<DataFile>>) {
        let freed = table.thaw(files);
        self.buffered.fetch_sub(freed, Ordering::Relaxed);
        self.discard_if_dropped(table);
    }

    /// Changes the list of a table's files.
    pub(crate) fn replace(
        &self,
        table: &Table,
        change: impl FnOnce(Vec<Arc<DataFile>>) -> Vec<Arc<DataFile>>,
    ) {
        let mut data = table.data.lock();
        data.files = change(std::mem::take(&mut data.files));
        drop(data);
        self.discard_if_dropped(table);
    }

    /// What arrives while its table is being dropped must go as well.
    fn discard_if_dropped(&self, table: &Table) {
        if self.is_dropped(table.database, table.id) {
            self.discard(table);
        }
    }

    /// Takes in points that are durable.
    pub(crate) fn apply(&self, table: &Table, arrival: Arrival) -> Result<(), Error> {
        if self.is_dropped(table.database, table.id) {
            return Ok(());
        }
        let added = table.data.lock().take_in(arrival)?;
        self.buffered.fetch_add(added, Ordering::Relaxed);
        Ok(())
    }
}

impl Schemas for Tables {
    fn schema(&self, table: TableId) -> Option<Arc<TableSchema>> {
        Some(self.get(table)?.schema())
    }
}

impl Table {
    pub(crate) fn new(
        id: TableId,
        database: DatabaseId,
        schema: TableSchema,
        files: Vec<Arc<DataFile>>,
    ) -> Self {
        let floor = files.iter().map(|file| file.meta.times.max).max();
        Self {
            id,
            database,
            schema: RwLock::new(Arc::new(schema)),
            data: Mutex::new(TableData {
                files,
                chunks: Vec::new(),
                frozen: 0,
                tail: Rows::default(),
                tail_late: None,
                tail_sealed: None,
                last_times: LastTimes::new(floor),
            }),
        }
    }

    pub(crate) fn schema(&self) -> Arc<TableSchema> {
        Arc::clone(&self.schema.read())
    }

    /// Adds columns, unless others came since `base`: then the points must be checked again.
    pub(crate) fn try_extend(&self, base: &TableSchema, added: &[Column]) -> bool {
        if added.is_empty() {
            return true;
        }
        let mut schema = self.schema.write();
        if schema.len() != base.len() {
            return false;
        }
        *schema = Arc::new(schema.extended(added.iter().cloned()));
        true
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        let (files, chunks) = {
            let mut data = self.data.lock();
            let tail = data.sealed_tail()?;
            let chunks = data.chunks.iter().cloned().chain(tail).collect();
            (data.files.clone(), chunks)
        };
        // Read last: the schema knows every column that the points have.
        let schema = self.schema();
        Ok(Snapshot {
            schema,
            files,
            chunks,
        })
    }

    pub(crate) fn files(&self) -> Vec<Arc<DataFile>> {
        self.data.lock().files.clone()
    }

    /// On disk and in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        let data = self.data.lock();
        let buffered = data.chunks.iter().map(|chunk| chunk.bytes).sum::<usize>() + data.tail.bytes();
        data.files.iter().map(|file| file.meta.bytes).sum::<u64>() + buffered as u64
    }

    /// Sets all chunks aside for a file.
    pub(crate) fn freeze(&self) -> Result<(), Error> {
        let mut data = self.data.lock();
        data.seal_tail()?;
        data.frozen = data.chunks.len();
        Ok(())
    }

    /// The chunks set aside, with the schema that describes them.
    pub(crate) fn frozen(&self) -> (Arc<TableSchema>, Vec<Arc<Chunk>>) {
        let data = self.data.lock();
        let chunks = data.chunks[..data.frozen].to_vec();
        drop(data);
        (self.schema(), chunks)
    }

    /// Returns the bytes set free.
    fn thaw(&self, files: Vec<Arc<DataFile>>) -> usize {
        let mut data = self.data.lock();
        let frozen = data.frozen;
        data.frozen = 0;
        data.files.extend(files);
        data.chunks.drain(..frozen).map(|chunk| chunk.bytes).sum()
    }
}

impl TableData {
    /// Returns by how many bytes the table grew.
    fn take_in(&mut self, arrival: Arrival) -> Result<usize, Error> {
        match arrival {
            Arrival::Many(mut chunk, series) => {
                self.seal_tail()?;
                chunk.late = self.last_times.observe(&series, chunk.time_values());
                let bytes = chunk.bytes;
                self.chunks.push(Arc::new(chunk));
                Ok(bytes)
            }
            Arrival::Few(rows) => {
                let before = self.tail.bytes();
                let late = self.last_times.observe(rows.series(), rows.times());
                self.tail_late = TimeRange::merge(self.tail_late, late);
                self.tail.append(&rows);
                self.tail_sealed = None;
                let after = self.tail.bytes();
                if self.tail.len() >= TAIL_ROWS || after >= TAIL_BYTES {
                    self.seal_tail()?;
                }
                Ok(after.saturating_sub(before))
            }
        }
    }

    fn seal_tail(&mut self) -> Result<(), Error> {
        let tail = self.sealed_tail()?;
        self.chunks.extend(tail);
        self.tail = Rows::default();
        self.tail_late = None;
        self.tail_sealed = None;
        Ok(())
    }

    fn sealed_tail(&mut self) -> Result<Option<Arc<Chunk>>, Error> {
        if self.tail_sealed.is_none() {
            let copy = self.tail.copied();
            if let Some(mut chunk) = Chunk::seal(copy)? {
                chunk.late = self.tail_late;
                chunk.bytes = self.tail.bytes();
                self.tail_sealed = Some(Arc::new(chunk));
            }
        }
        Ok(self.tail_sealed.clone())
    }
}
