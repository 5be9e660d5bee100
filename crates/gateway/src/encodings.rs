//! Content encodings of request bodies, undone chunk by chunk.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::bodies::{BodyError, Buffer};
use crate::failures::Failure;

/// How a client encoded a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Identity);
        };
        let name = value.to_str().unwrap_or_default().trim();
        if values.next().is_none() {
            if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
                return Ok(Self::Gzip);
            }
            if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                return Ok(Self::Identity);
            }
        }
        Err(Failure::UnsupportedEncoding)
    }
}

/// A gzip stream, of one or several members, inflated into a bounded buffer as it arrives.
pub(crate) struct Inflation<'a> {
    decoder: MultiGzDecoder<Sink<'a>>,
}

struct Sink<'a> {
    buffer: Buffer<'a>,
    /// Why the buffer took no more: `io::Error` has no room for it.
    refusal: Option<BodyError>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.buffer.push(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(refusal) => {
                self.refusal = Some(refusal);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> Inflation<'a> {
    pub(crate) fn into(buffer: Buffer<'a>) -> Self {
        let sink = Sink {
            buffer,
            refusal: None,
        };
        Self {
            decoder: MultiGzDecoder::new(sink),
        }
    }

    /// Takes the next compressed bytes. Few at once: what they inflate to is made before this returns.
    pub(crate) fn push(&mut self, compressed: &[u8]) -> Result<(), BodyError> {
        let written = self.decoder.write_all(compressed);
        self.settle(written)
    }

    /// The buffer, once the stream is complete and every checksum holds.
    pub(crate) fn finish(mut self) -> Result<Buffer<'a>, BodyError> {
        let finished = self.decoder.try_finish();
        self.settle(finished)?;
        let sink = self.decoder.finish().map_err(|_| BodyError::Gzip)?;
        Ok(sink.buffer)
    }

    fn settle(&mut self, result: io::Result<()>) -> Result<(), BodyError> {
        result.map_err(|_| self.decoder.get_mut().refusal.take().unwrap_or(BodyError::Gzip))
    }
}
