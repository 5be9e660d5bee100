//! What passes through: the data plane, from the bytes of a request to a permit to an [`Upstream`].
//!
//! This crate knows neither what computes behind [`Upstream`] nor how the process is configured, listens or drains. It
//! holds no token and no database of its own: the authority says who may do what, on every request anew. It never
//! writes an `Authorization` header, a `p` parameter or a request's query string to a log.

mod admissions;
mod bodies;
mod credentials;
mod encodings;
mod endpoints;
mod failures;
mod formats;
mod gateway;
mod meters;
mod names;
mod parameters;
mod precisions;
mod probes;
mod queries;
mod refusals;
mod responses;
mod streams;
mod upstreams;
mod writes;

pub use formats::Format;
pub use gateway::{Gateway, Settings, router};
pub use precisions::Precision;
pub use upstreams::{Answer, LineError, SqlRequest, SqlValue, Upstream, UpstreamError, WriteRequest};
