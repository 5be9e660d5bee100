//! Writes: `/write`, `/api/v2/write`, `/api/v3/write_lp` (contract, data-plane section 3; core-wire section 6).

use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use rescind_domain::Action;

use crate::encodings::Encoding;
use crate::endpoints::Endpoint;
use crate::failures::Failure;
use crate::gateway::Gateway;
use crate::meters::Writing;
use crate::names::Target;
use crate::parameters::Parameters;
use crate::{Precision, UpstreamError, WriteRequest, credentials, responses};

/// What the URL says about a write.
struct Instructions {
    target: Target,
    precision: Precision,
    accept_partial: bool,
}

/// Admits the request by its headers and its URL, then reads the body, then stores it.
pub(crate) async fn write(
    gateway: &Gateway,
    endpoint: Endpoint,
    parts: &Parts,
    body: &mut Body,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let parameters = Parameters::parse(parts.uri.query(), endpoint)?;
    let in_url = if endpoint.takes_parameter_p() {
        parameters.get("p")
    } else {
        None
    };
    let credential = credentials::find(&parts.headers, in_url)?;
    let Instructions {
        target,
        precision,
        accept_partial,
    } = instructions(&parameters, endpoint)?;
    let admission = gateway.admit(&credential, Action::Write, &target)?;
    gateway.note_admitted(&admission, endpoint, parts);
    gateway.database(&admission)?;
    let encoding = Encoding::of(&parts.headers)?;

    let received = tokio::select! {
        biased;
        received = gateway.bounds(gateway.settings().max_body_bytes).read(body, encoding) => Some(received?),
        () = admission.cut() => None,
    };
    let Some(received) = received.filter(|_| !admission.permit().is_cut()) else {
        // What may still come of it is not waited for: the connection ends with the answer.
        *body = Body::empty();
        return Err(gateway.reason_of_cut(&credential, &admission));
    };
    if is_empty(&received.bytes) {
        return Err(Failure::EmptyWrite);
    }
    // Once more: during a slow upload the database may have been deleted, or its limits changed.
    let database = gateway.database(&admission)?;
    let lines = received.bytes.clone();
    let request = WriteRequest {
        lines,
        precision,
        accept_partial,
    };
    let stored = gateway.upstream().write(&admission, database, request).await;
    note(gateway, &stored, &received.bytes, began);
    match stored {
        Ok(()) => Ok(responses::no_content()),
        Err(UpstreamError::Cut) => Err(gateway.reason_of_cut(&credential, &admission)),
        Err(UpstreamError::LinesRejected {
            lines,
            total_rejected,
            ..
        }) if !accept_partial => Err(Failure::BatchRejected {
            lines,
            total: total_rejected,
        }),
        Err(error) => Err(error.into()),
    }
}

fn instructions(parameters: &Parameters<'_>, endpoint: Endpoint) -> Result<Instructions, Failure> {
    let target = match endpoint {
        Endpoint::WriteV1 => Target::v1(parameters.get("db"), parameters.get("rp"))?,
        Endpoint::WriteV2 => Target::v2(parameters.get("bucket"))?,
        Endpoint::WriteV3 | Endpoint::QuerySql => Target::v3(parameters.get("db"))?,
    };
    let precision = match parameters.get("precision") {
        Some(text) => Precision::parse(text, endpoint)?,
        None => Precision::default_of(endpoint),
    };
    // A 204 means fsynced (DESIGN section 5), so that there is nothing to be had by not waiting.
    parameters.switch("no_sync", false)?;
    let accept_partial = parameters.switch("accept_partial", true)?;
    Ok(Instructions {
        target,
        precision,
        accept_partial,
    })
}

/// Whether a body holds nothing but blank lines and comments.
fn is_empty(lines: &[u8]) -> bool {
    lines
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .all(|line| line.is_empty() || line[0] == b'#')
}

fn note(gateway: &Gateway, stored: &Result<(), UpstreamError>, lines: &Bytes, began: Instant) {
    let meters = gateway.meters();
    meters.bytes_received.increment(lines.len() as u64);
    let how = match stored {
        Ok(()) => {
            let ends = lines.iter().filter(|byte| **byte == b'\n').count();
            meters
                .lines_stored
                .increment((ends + usize::from(!lines.ends_with(b"\n"))) as u64);
            Writing::Stored
        }
        Err(UpstreamError::LinesRejected {
            total_rejected,
            stored,
            ..
        }) => {
            meters.lines_stored.increment(*stored as u64);
            meters.lines_rejected.increment(*total_rejected as u64);
            if *stored > 0 {
                Writing::Partial
            } else {
                Writing::Failed
            }
        }
        Err(UpstreamError::OutsideRetention { total_rejected, .. }) => {
            meters.lines_rejected.increment(*total_rejected as u64);
            Writing::Failed
        }
        Err(_) => Writing::Failed,
    };
    meters.note_write(how, began);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_comments_are_nothing() {
        for text in ["", "\n", " \r\n\t\n", "# a", "\n # a\n#b\n"] {
            assert!(is_empty(text.as_bytes()), "{text:?}");
        }
        for text in ["m v=1", "# a\nm v=1", "x"] {
            assert!(!is_empty(text.as_bytes()), "{text:?}");
        }
    }
}
