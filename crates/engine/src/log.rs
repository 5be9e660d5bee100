//! The write-ahead log: numbered segments of checked frames, each frame made durable as a whole.
//!
//! A frame is written with one write and followed by one `fdatasync` before the next begins. So a frame that is cut
//! short or garbled by a crash was never acknowledged, and nothing valid can follow it: that is how a torn tail
//! is told from damage.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::errors::Error;

/// What every segment starts with.
const MAGIC: &[u8; 8] = b"RSCDLOG1";
/// Length of the body, checksum of the body, checksum of both with the frame's place; little-endian.
const HEADER: usize = 12;
/// The longest body of a frame, in bytes: what claims to be longer is not read, so nothing longer is written.
pub(crate) const MAX_FRAME: usize = 1 << 30;

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    number: u64,
    file: File,
    length: u64,
}

/// A segment's frames.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    /// Where each stands in the file, and its body.
    pub(crate) frames: Vec<(u64, Bytes)>,
    /// The bytes from here on are a torn tail.
    torn_at: Option<u64>,
}

impl Log {
    /// Starts segment `number`, which must not exist.
    pub(crate) fn create(dir: &Path, number: u64) -> Result<Self, Error> {
        let path = segment_path(dir, number);
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        file.write_all(MAGIC).map_err(Error::io("write", &path))?;
        file.sync_all().map_err(Error::io("sync", &path))?;
        sync_dir(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            number,
            file,
            length: MAGIC.len() as u64,
        })
    }

    /// Begins the next segment and returns its number.
    pub(crate) fn rotate(&mut self) -> Result<u64, Error> {
        *self = Self::create(&self.dir, self.number + 1)?;
        Ok(self.number)
    }

    /// Appends a frame, whose first [`Self::HEADER_BYTES`] are left free for its header, and makes it durable.
    /// After an error the log may end in a torn frame and must not be used again.
    pub(crate) fn append(&mut self, frame: &mut [u8]) -> Result<(), Error> {
        let path = || segment_path(&self.dir, self.number);
        let (header, body) = frame.split_at_mut(HEADER);
        let length = u32::try_from(body.len())
            .ok()
            .filter(|_| body.len() <= MAX_FRAME)
            .ok_or_else(|| Error::io("write", path())(ErrorKind::FileTooLarge.into()))?;
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        let check = header_check(self.number, self.length, &header[..8]);
        header[8..].copy_from_slice(&check.to_le_bytes());
        self.file.write_all(frame).map_err(Error::io("write", path()))?;
        self.file.sync_data().map_err(Error::io("sync", path()))?;
        self.length += frame.len() as u64;
        Ok(())
    }

    /// Of the current segment, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// How much room a frame leaves for its header.
    pub(crate) const HEADER_BYTES: usize = HEADER;
}

/// The numbers of the segments in `dir`, in order.
pub(crate) fn segments(dir: &Path) -> Result<Vec<u64>, Error> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let name = entry.map_err(Error::io("list", dir))?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".log"))
            .map(str::parse);
        if let Some(Ok(number)) = number {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes a segment whose points are in files.
pub(crate) fn remove(dir: &Path, number: u64) -> Result<(), Error> {
    let path = segment_path(dir, number);
    fs::remove_file(&path).map_err(Error::io("remove", &path))
}

/// Makes changes of a directory's entries durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    let open = File::open(dir).map_err(Error::io("open", dir))?;
    open.sync_all().map_err(Error::io("sync", dir))
}

impl Segment {
    /// Reads a segment. Only the last one may have a torn tail.
    pub(crate) fn read(dir: &Path, number: u64, is_last: bool) -> Result<Self, Error> {
        let path = segment_path(dir, number);
        let mut bytes = Vec::new();
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        file.read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
        let bytes = Bytes::from(bytes);
        let damaged = |offset: usize, what: &str| Error::Damaged {
            path: path.clone(),
            offset: offset as u64,
            what: what.to_owned(),
        };
        let mut frames = Vec::new();
        let mut torn_at = None;
        if !bytes.starts_with(MAGIC) {
            let is_torn = is_last && MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]);
            if !is_torn {
                return Err(damaged(0, "it does not start as a log segment"));
            }
            torn_at = Some(0);
        }
        let mut offset = MAGIC.len();
        while torn_at.is_none() && offset < bytes.len() {
            match frame_at(&bytes, number, offset) {
                Frame::Whole(body) => {
                    let next = offset + HEADER + body.len();
                    frames.push((offset as u64, body));
                    offset = next;
                }
                _ if is_last && !has_later_frame(&bytes, number, offset) => torn_at = Some(offset as u64),
                Frame::BadBody => return Err(damaged(offset, "the checksum of a frame does not match")),
                Frame::BadHeader => return Err(damaged(offset, "a frame does not start here")),
            }
        }
        Ok(Self {
            number,
            path,
            frames,
            torn_at,
        })
    }

    /// Cuts a torn tail off, durably, so that later segments may follow.
    pub(crate) fn cut_torn_tail(&self) -> Result<(), Error> {
        let Some(torn_at) = self.torn_at else {
            return Ok(());
        };
        tracing::warn!(path = %self.path.display(), offset = torn_at, "cutting a torn tail off the log");
        let mut file = OpenOptions::new()
            .write(true)
            .open(&self.path)
            .map_err(Error::io("open", &self.path))?;
        file.set_len(torn_at).map_err(Error::io("cut", &self.path))?;
        if torn_at == 0 {
            file.seek(SeekFrom::Start(0))
                .map_err(Error::io("write", &self.path))?;
            file.write_all(MAGIC).map_err(Error::io("write", &self.path))?;
        }
        file.sync_all().map_err(Error::io("sync", &self.path))
    }
}

enum Frame {
    Whole(Bytes),
    /// The header is sound, the body is short or garbled.
    BadBody,
    BadHeader,
}

fn frame_at(segment: &Bytes, number: u64, offset: usize) -> Frame {
    let Some(header) = segment.get(offset..offset + HEADER) else {
        return Frame::BadHeader;
    };
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let length = word(0) as usize;
    if word(8) != header_check(number, offset as u64, &header[..8]) || length > MAX_FRAME {
        return Frame::BadHeader;
    }
    let start = offset + HEADER;
    match segment.get(start..start + length) {
        Some(body) if crc32fast::hash(body) == word(4) => Frame::Whole(segment.slice(start..start + length)),
        _ => Frame::BadBody,
    }
}

/// Whether a sound frame stands anywhere behind a bad one. Its place is part of its check, so that what clients
/// wrote cannot be taken for a frame.
fn has_later_frame(segment: &Bytes, number: u64, offset: usize) -> bool {
    (offset + 1..segment.len().saturating_sub(HEADER))
        .any(|later| matches!(frame_at(segment, number, later), Frame::Whole(_)))
}

fn header_check(number: u64, offset: u64, header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(header);
    hasher.finalize()
}

fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_could_not_be_read_is_not_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut log = Log::create(dir.path(), 1).expect("created");
        let mut frame = [&[0; HEADER][..], b"body"].concat();
        log.append(&mut frame).expect("appended");
        let length = log.len();
        let refused = log.append(&mut vec![0; HEADER + MAX_FRAME + 1]);
        assert!(
            matches!(&refused, Err(Error::Io { source, .. }) if source.kind() == ErrorKind::FileTooLarge),
            "{refused:?}"
        );
        assert_eq!(log.len(), length);
        let segment = Segment::read(dir.path(), 1, true).expect("readable");
        assert_eq!(segment.torn_at, None);
        let bodies: Vec<_> = segment.frames.into_iter().map(|(_, body)| body).collect();
        assert_eq!(bodies, [Bytes::from_static(b"body")]);
    }
}
