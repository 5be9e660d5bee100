//! Dialogs: each is a page of its own address. Without the script it lies over the page that it belongs to; with it, it
//! is lifted out of that page and opened in place.

use crate::frame::Frame;

/// What every dialog has.
pub(crate) struct Sheet {
    /// Its title: the act and the object.
    pub(crate) title: &'static str,
    /// Where its form goes.
    pub(crate) action: String,
    /// Where Cancel leads.
    pub(crate) cancel: String,
    /// The state of the list below, so that the same list is there afterwards.
    pub(crate) back: String,
    /// Proves where the form comes from.
    pub(crate) csrf: String,
    /// The form's number.
    pub(crate) once: String,
}

impl Sheet {
    /// A dialog whose form goes to `action` and that is left for `cancel`. The frame is that of the page below.
    pub(crate) fn new(
        frame: &Frame,
        title: &'static str,
        action: impl Into<String>,
        cancel: impl Into<String>,
    ) -> Self {
        let cancel = cancel.into();
        let back = cancel.split_once('?').map_or("", |(_, query)| query).to_owned();
        Self {
            title,
            action: action.into(),
            cancel,
            back,
            csrf: frame.csrf.clone(),
            once: frame.once.clone(),
        }
    }
}
