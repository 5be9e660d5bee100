//! How handlers answer: with a page, or with the way to one.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::errors::Fault;
use crate::notices::Notice;

/// A page.
pub(crate) fn page(view: &impl Template) -> Result<Response, Fault> {
    page_with(StatusCode::OK, view)
}

/// A page with a status of its own.
pub(crate) fn page_with(status: StatusCode, view: &impl Template) -> Result<Response, Fault> {
    let html = view.render().map_err(|error| Fault::defect(&error))?;
    Ok((status, Html(html)).into_response())
}

/// On to another page, which shows `notice`.
pub(crate) fn see(location: &str, notice: Option<Notice>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // Our own paths hold what a header can hold; a path that does not leads home.
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    if let Some(notice) = notice {
        response.extensions_mut().insert(notice);
    }
    response
}
