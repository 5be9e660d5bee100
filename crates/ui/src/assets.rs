//! The style sheet and the script: in the program itself, under paths that change whenever they do.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

/// One file that pages refer to.
pub(crate) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    hash: String,
    packed: Bytes,
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, text: &'static str) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let hash = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self {
            name,
            kind,
            text,
            hash,
            packed: pack(text.as_bytes(), Compression::best()),
        }
    }

    /// Where it is served.
    pub(crate) fn href(&self) -> String {
        format!("/assets/{}/{}", self.hash, self.name)
    }
}

/// The design system.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "style.css",
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    )
});
/// What pages do beyond HTML.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "script.js",
        "text/javascript; charset=utf-8",
        include_str!("../assets/script.js"),
    )
});
/// What browsers show in their tabs.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")));

/// `/assets/{hash}/{name}`. These need no session.
pub(crate) fn routes() -> Router {
    Router::new().route("/assets/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let asset = [&*STYLE, &*SCRIPT, &*ICON]
        .into_iter()
        .find(|asset| asset.name == name && asset.hash == hash);
    let Some(asset) = asset else {
        return (StatusCode::NOT_FOUND, "no such asset\n").into_response();
    };
    let mut response = answer(asset, &headers);
    let told = response.headers_mut();
    told.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", asset.hash)) {
        told.insert(header::ETAG, tag);
    }
    response
}

fn answer(asset: &Asset, asked: &HeaderMap) -> Response {
    let known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.contains(&asset.hash)) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    if takes_gzip(asked) {
        let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        ([kind, encoding], asset.packed.clone()).into_response()
    } else {
        ([kind], asset.text).into_response()
    }
}

/// Whether a client accepts gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let mut codings = accepted.unwrap_or_default().split(',').map(str::trim);
    codings.any(|coding| match coding.split_once(';') {
        Some((name, weight)) => name.trim() == "gzip" && weight.trim() != "q=0",
        None => coding == "gzip",
    })
}

/// `bytes` as gzip.
pub(crate) fn pack(bytes: &[u8], level: Compression) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), level);
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}
