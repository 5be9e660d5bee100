//! The Admin UI: pages, forms and dialogs for people. A face like the management API: it recognises a visitor, calls the
//! authority's use cases, and shows what came of it.
//!
//! This crate knows no SQL, no engine, no gateway and no other face, and it decides no right: it only leaves out what the
//! authority would refuse anyway. What only the composition root knows comes in through [`Figures`] and [`Post`].
//!
//! HTML comes first. Everything but live search, copying and live charts works without the script; the script never
//! speaks anything but these pages.
//!
//! # Adding a page
//!
//! One resource, one folder in `pages/`; one act, one file in it. `pages/database_tokens` is the pattern, in this order
//! (what both kinds of tokens do alike stands in `tokens` and `pages/revoking`):
//!
//! 1. **Route.** Add it to `pages::routes`. Parameters in paths: `{account}`, `{cluster}`, then the thing's own.
//! 2. **View.** A struct with `#[derive(Template)]` whose first field is `frame: Frame`; its template extends
//!    `layout.html` and fills the block `main`. A view holds finished texts and links, so that templates decide nothing.
//! 3. **Read** (`GET`). Take `State(app): State<Arc<App>>`, `visitor: Visitor`, and what the path holds through
//!    [`paths::Named`](crate::paths). `visitor.place()?` is the cluster that the path names, `visitor.account_of()?`
//!    the account; both answer 404 for what is not the visitor's. Return `Result<Response, Fault>`: `?` turns every
//!    `authority::Error` into a page. Build the frame last: `visitor.frame(&app, Section::…, "Title")`, then `page(&view)`.
//! 4. **List.** A `static` [`lists::ListSpec`](crate::lists) names columns, the default sort and the filters. `spec.read(&visitor)`
//!    gives a `ListState`, whose `view(total)` has headers, pager and links for the macros of `list.html`. Wrap the list in
//!    `<div data-live>` and live search works.
//! 5. **Dialog.** A template that extends `dialog.html`, with `sheet: Sheet` as a field. Show it over the page that it
//!    belongs to: `page.frame.open(&dialog)?`. Links that open it carry `data-dialog`.
//! 6. **Act** (`POST`). Take `form: Submission`, which has checked size, origin and token, asked a visitor whose session
//!    ended to sign in without losing what was typed, and told a second submit what the first one made. Read it with
//!    `form.fields.text("name")`. On [`rescind_authority::Error::Invalid`] show the dialog again with `Problems` beside the
//!    fields and status 422; when done, `form.done(location, Notice::…)`.
//! 7. **Rights.** `visitor.may(Verb::…, Subject::…)` says whether to show a button, `may_with` for what somebody made. The
//!    authority decides.
//!
//! Templates share `parts.html` (chips, ids with a copy button, fields, the risk box), `parts/list.html`,
//! `parts/tokens.html`, `parts/expiry.html`, `parts/secret.html`, `parts/bars.html` ([`charts`](crate::charts)).
//! askama hands arguments of calls by reference: give views finished texts, or methods. A table in `.list-frame` has
//! the class `cards-below`, `data-label` on its cells, `lead` on the one that names the row, `less` on what may be
//! left out first, and `data-href` on rows that open.
//!
//! What the script does is asked for by attributes: `data-dialog` (open the link's dialog in place), `data-live` (replaced by
//! search), `data-list-form`, `data-search` and `data-submit` (a list's form), `data-arms` and `data-needs-valid` (buttons that
//! wait), `data-copy`, `data-refresh="10"` on an element with an id (fetched anew every ten seconds, while the box
//! `data-updates`, if there is one, is ticked; such requests are no sign of life of a session), `data-bulk` and `data-all` (rows ticked together).
//!
//! `cargo run -p rescind-ui --example stage` serves the pages over an invented account, to look at them.

mod answers;
mod app;
mod assets;
mod charts;
mod cookies;
mod dialogs;
mod errors;
mod fields;
mod figures;
mod forms;
mod frame;
mod headers;
mod icons;
mod lists;
mod notices;
mod once;
mod pages;
mod paths;
mod people;
mod post;
mod problems;
mod retention;
mod times;
mod tokens;
mod trails;
mod visitors;
mod words;

pub use app::{Ui, router};
pub use figures::{Column, Counters, Distribution, Figures, NodeInfo, Process, Sample};
pub use post::{Mail, Post, PostError};
