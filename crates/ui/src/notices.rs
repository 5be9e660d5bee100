//! The line that says what was just done. It travels over the redirect in a cookie that lives for a minute, and stays on
//! the page until the reader goes on.

use crate::icons::{Icon, icon};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// What was asked is done.
    Done,
    /// Something to know.
    Told,
    /// Something to mind.
    Warned,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    tone: Tone,
    /// What it says; escaped where it is shown.
    pub(crate) text: String,
}

/// The longest text, in characters: a cookie has room for 4 KiB, and each may need several bytes.
const LONGEST: usize = 600;

impl Notice {
    /// What was asked is done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self::new(Tone::Done, text.into())
    }

    /// Something to know.
    pub(crate) fn told(text: impl Into<String>) -> Self {
        Self::new(Tone::Told, text.into())
    }

    /// Something to mind.
    pub(crate) fn warned(text: impl Into<String>) -> Self {
        Self::new(Tone::Warned, text.into())
    }

    fn new(tone: Tone, text: String) -> Self {
        let text = text.chars().take(LONGEST).collect();
        Self { tone, text }
    }

    /// The class that colours it.
    pub(crate) fn class(&self) -> &'static str {
        match self.tone {
            Tone::Done => "good",
            Tone::Told => "",
            Tone::Warned => "warn",
        }
    }

    /// Its shape.
    pub(crate) fn icon(&self) -> Icon {
        icon(match self.tone {
            Tone::Done => "check-circle",
            Tone::Told => "info",
            Tone::Warned => "warning",
        })
    }

    /// How it travels.
    pub(crate) fn packed(&self) -> String {
        let tone = match self.tone {
            Tone::Done => 'd',
            Tone::Told => 't',
            Tone::Warned => 'w',
        };
        format!("{tone}{}", self.text)
    }

    /// What travelled.
    pub(crate) fn unpack(packed: &str) -> Option<Self> {
        let mut characters = packed.chars();
        let tone = match characters.next()? {
            'd' => Tone::Done,
            't' => Tone::Told,
            'w' => Tone::Warned,
            _ => return None,
        };
        Some(Self::new(tone, characters.collect()))
    }
}
