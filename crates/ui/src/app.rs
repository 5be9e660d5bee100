//! What every handler works with, and how the pieces are put together.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use rescind_authority::Authority;
use rescind_domain::{Clock, Rng, Timestamp};

use crate::forms::Room;
use crate::once::OnceTable;
use crate::{Figures, Post, assets, headers, pages, visitors};

/// What the composition root hands to the Admin UI.
pub struct Ui {
    /// Every use case.
    pub authority: Arc<Authority>,
    /// The time that pages show ages against.
    pub clock: Arc<dyn Clock>,
    /// Mints the tokens of forms. Secrets of the house are minted by the authority.
    pub rng: Arc<dyn Rng>,
    /// What only the process knows: sizes, counters, its own memory.
    pub figures: Arc<dyn Figures>,
    /// Sends invitations by e-mail, where a server for it is configured.
    pub post: Option<Arc<dyn Post>>,
    /// Where people reach this server, without a slash at the end: `https://rescind.example.com`.
    pub public_url: Arc<str>,
    /// Whether people reach it over TLS only: cookies are then `Secure` and carry the prefix `__Host-`.
    pub secure: bool,
}

/// [`Ui`] and what it needs while it runs.
pub(crate) struct App {
    ui: Ui,
    /// Which forms were sent already.
    pub(crate) once: OnceTable,
    /// How many forms may be arriving at once.
    pub(crate) room: Room,
}

impl App {
    pub(crate) fn now(&self) -> Timestamp {
        self.ui.clock.now()
    }

    /// Random bytes in hexadecimal, two characters each.
    pub(crate) fn random_hex<const BYTES: usize>(&self) -> String {
        let mut bytes = [0; BYTES];
        self.ui.rng.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Deref for App {
    type Target = Ui;

    fn deref(&self) -> &Ui {
        &self.ui
    }
}

/// Every page and every asset. Whoever asks for a path that is none of them is shown a page that says so, therefore this
/// belongs behind all other faces, as their fallback.
pub fn router(ui: Ui) -> Router {
    let secure = ui.secure;
    let app = Arc::new(App {
        ui,
        once: OnceTable::default(),
        room: Room::default(),
    });
    let pages = pages::routes()
        .layer(from_fn_with_state(Arc::clone(&app), visitors::recognise))
        .layer(from_fn(headers::compress))
        .with_state(app);
    assets::routes().merge(pages).layer(from_fn(move |request, next| {
        headers::protect(secure, request, next)
    }))
}
