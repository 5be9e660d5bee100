//! What the log keeps of each change: enough to make it again.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use rescind_domain::{DatabaseId, TableId};

use crate::precision::Precision;

const WRITE: u8 = 1;
const DROP_TABLE: u8 = 2;
const DROP_DATABASE: u8 = 3;

/// A change as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    Write(WriteRecord),
    DropTable(TableId),
    DropDatabase(DatabaseId),
}

/// Accepted lines, with all that reading them again depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriteRecord {
    pub(crate) database: DatabaseId,
    pub(crate) precision: Precision,
    /// The time of lines that name none, in nanoseconds.
    pub(crate) now: i64,
    /// Every table that the lines name.
    pub(crate) tables: Vec<(Arc<str>, TableId)>,
    pub(crate) lines: Bytes,
}

impl Record {
    /// The record's form, in two pieces so that long lines are not copied twice.
    pub(crate) fn encode(&self) -> (Vec<u8>, Bytes) {
        let mut head = Vec::new();
        match self {
            Self::Write(write) => {
                head.put_u8(WRITE);
                head.put_i64_le(write.database.get());
                head.put_u8(precision_code(write.precision));
                head.put_i64_le(write.now);
                head.put_u32_le(u32::try_from(write.tables.len()).unwrap_or(u32::MAX));
                for (name, id) in &write.tables {
                    head.put_u32_le(u32::try_from(name.len()).unwrap_or(u32::MAX));
                    head.put_slice(name.as_bytes());
                    head.put_i64_le(id.get());
                }
                return (head, write.lines.clone());
            }
            Self::DropTable(table) => {
                head.put_u8(DROP_TABLE);
                head.put_i64_le(table.get());
            }
            Self::DropDatabase(database) => {
                head.put_u8(DROP_DATABASE);
                head.put_i64_le(database.get());
            }
        }
        (head, Bytes::new())
    }

    /// The record of this form; `None` when no record has it.
    pub(crate) fn decode(mut form: Bytes) -> Option<Self> {
        match form.try_get_u8().ok()? {
            WRITE => WriteRecord::decode(form).map(Self::Write),
            DROP_TABLE => TableId::new(form.try_get_i64_le().ok()?).map(Self::DropTable),
            DROP_DATABASE => DatabaseId::new(form.try_get_i64_le().ok()?).map(Self::DropDatabase),
            _ => None,
        }
    }
}

impl WriteRecord {
    fn decode(mut form: Bytes) -> Option<Self> {
        let database = DatabaseId::new(form.try_get_i64_le().ok()?)?;
        let precision = *Precision::ALL.get(usize::from(form.try_get_u8().ok()?))?;
        let now = form.try_get_i64_le().ok()?;
        let count = form.try_get_u32_le().ok()?;
        let mut tables = Vec::new();
        for _ in 0..count {
            let len = usize::try_from(form.try_get_u32_le().ok()?).ok()?;
            if form.len() < len {
                return None;
            }
            let name = form.split_to(len);
            let name = std::str::from_utf8(&name).ok()?.into();
            tables.push((name, TableId::new(form.try_get_i64_le().ok()?)?));
        }
        Some(Self {
            database,
            precision,
            now,
            tables,
            lines: form,
        })
    }
}

fn precision_code(precision: Precision) -> u8 {
    let position = Precision::ALL.iter().position(|known| *known == precision);
    position
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(record: &Record) -> Bytes {
        let (head, lines) = record.encode();
        [head, lines.to_vec()].concat().into()
    }

    #[test]
    fn reads_what_it_wrote_and_nothing_shorter() {
        let id = TableId::new(7).expect("positive");
        let database = DatabaseId::new(3).expect("positive");
        let write = WriteRecord {
            database,
            precision: Precision::Hours,
            now: -5,
            tables: vec![("cpu".into(), id), ("m e".into(), id)],
            lines: Bytes::from_static(b"cpu f=1\nm\\ e f=2"),
        };
        for record in [
            Record::Write(write),
            Record::DropTable(id),
            Record::DropDatabase(database),
        ] {
            let form = joined(&record);
            assert_eq!(Record::decode(form.clone()), Some(record.clone()));
            let head = record.encode().0.len();
            for end in 0..head {
                assert_eq!(Record::decode(form.slice(..end)), None, "{end} of {head}");
            }
        }
    }
}
