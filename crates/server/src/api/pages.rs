//! Lists: one page with links, or all of it as a stream that holds one page in memory at a time.

use std::fmt;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rescind_authority::{Cursor, Error, Page, Paged};
use rescind_wire::{FieldError, MAX_LIMIT, RESCIND_TOTAL_COUNT, link_next};
use serde::Serialize;

use super::errors::Problem;
use super::extract::Asker;

/// Answers with the page that was asked for, or, when none was, with the whole list. `fetch` gets one page of what the
/// answer shows.
///
/// # Errors
/// A bad `limit` or `cursor`, and what `fetch` refuses. What fails after the first page breaks the stream off, so that
/// no client takes a part for the whole.
pub(crate) async fn answer<T, F, W>(
    asker: Asker,
    uri: &Uri,
    asked: rescind_wire::Page,
    fetch: F,
) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: Fn(Page) -> W + Send + 'static,
    W: Future<Output = Result<Paged<T>, Error>> + Send + 'static,
{
    let after = asked.cursor.as_deref().map(read_cursor).transpose()?;
    let Some(limit) = asked.limit else {
        if after.is_some() {
            return Err(FieldError::new("cursor", "needs limit: take both from the Link header").into());
        }
        return whole(asker, fetch).await;
    };
    let found = fetch(Page {
        limit,
        after,
        count: true,
    })
    .await?;
    let mut response = Json(&found.items).into_response();
    let headers = response.headers_mut();
    if let Some(total) = found.total {
        headers.insert(RESCIND_TOTAL_COUNT, HeaderValue::from(total));
    }
    if let Some(next) = found.next {
        let link = HeaderValue::try_from(link_next(&next_page(uri, &next)));
        headers.insert(
            header::LINK,
            link.map_err(|_| Problem::invalid("cursor: cannot be linked to"))?,
        );
    }
    Ok(response)
}

fn read_cursor(text: &str) -> Result<Cursor, FieldError> {
    text.parse()
        .map_err(|_| FieldError::new("cursor", "is not one that a Link header gave; start without it"))
}

/// What RFC 3986 section 2.3 lets stand as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same request with another cursor, as an absolute path.
fn next_page(uri: &Uri, next: &Cursor) -> String {
    let query = uri.query().unwrap_or_default();
    let kept: String = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("cursor"))
        .map(|pair| format!("{pair}&"))
        .collect();
    let cursor = next.to_string();
    format!(
        "{}?{kept}cursor={}",
        uri.path(),
        utf8_percent_encode(&cursor, UNRESERVED)
    )
}

async fn whole<T, F, W>(asker: Asker, fetch: F) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: Fn(Page) -> W + Send + 'static,
    W: Future<Output = Result<Paged<T>, Error>> + Send + 'static,
{
    // Before the answer begins, so that a refusal has its status.
    let first = fetch(Page::first(MAX_LIMIT)).await?;
    let walk = Walk {
        asker,
        fetch,
        next: Next::Show(first),
        is_begun: false,
    };
    let body = Body::from_stream(stream::try_unfold(walk, Walk::step));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Where the answer stands.
struct Walk<T, F> {
    asker: Asker,
    fetch: F,
    next: Next<T>,
    /// Whether an element was written: those that follow need a comma.
    is_begun: bool,
}

enum Next<T> {
    Show(Paged<T>),
    Fetch(Cursor),
    Done,
}

impl<T, F, W> Walk<T, F>
where
    T: Serialize,
    F: Fn(Page) -> W,
    W: Future<Output = Result<Paged<T>, Error>>,
{
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, BrokenOff> {
        let (page, mut text) = match self.next {
            Next::Done => return Ok(None),
            Next::Show(page) => (page, vec![b'[']),
            Next::Fetch(cursor) => {
                self.asker
                    .check()
                    .map_err(|_| BrokenOff("the token that asked for it was revoked"))?;
                let found = (self.fetch)(Page::after(MAX_LIMIT, cursor)).await;
                (
                    found.map_err(|error| BrokenOff::because(Problem::from(error)))?,
                    Vec::new(),
                )
            }
        };
        for item in &page.items {
            if self.is_begun {
                text.push(b',');
            }
            self.is_begun = true;
            serde_json::to_writer(&mut text, item).map_err(|_| BrokenOff("an element cannot be written"))?;
        }
        self.next = match page.next {
            Some(cursor) => Next::Fetch(cursor),
            None => {
                text.push(b']');
                Next::Done
            }
        };
        Ok(Some((Bytes::from(text), self)))
    }
}

/// Why a list ends before its end. No client sees the words: the connection breaks.
#[derive(Debug)]
struct BrokenOff(&'static str);

impl BrokenOff {
    /// The conversion to a problem has logged the details.
    fn because(_: Problem) -> Self {
        Self("a page could not be read")
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list is broken off: {}", self.0)
    }
}

impl std::error::Error for BrokenOff {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_all_parameters_but_the_cursor() {
        let cursor: Cursor = "i1.tü&x".parse().expect("a cursor");
        for (asked, linked) in [
            (
                "/api/v0/tokens?limit=2",
                "/api/v0/tokens?limit=2&cursor=i1.t%C3%BC%26x",
            ),
            (
                "/tokens/?cursor=old&search=a%26b&limit=2",
                "/tokens/?search=a%26b&limit=2&cursor=i1.t%C3%BC%26x",
            ),
        ] {
            let uri: Uri = asked.parse().expect("a URI");
            assert_eq!(next_page(&uri, &cursor), linked);
        }
    }
}
