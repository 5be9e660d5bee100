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

/// The longest text, in bytes: a cookie has room for 4 KiB, and percent-encoding makes three of a byte.
const LONGEST: usize = 1_200;

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

    fn new(tone: Tone, mut text: String) -> Self {
        text.truncate(text.floor_char_boundary(LONGEST));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookies::Cookie;

    /// Browsers drop a cookie of more than 4,096 bytes.
    #[test]
    fn the_longest_notice_fits_a_cookie() {
        for letter in ["a", "“", "🦀"] {
            let packed = Notice::done(letter.repeat(5_000)).packed();
            let cookie = Cookie::Notice.set(&packed, Some(60), true);
            assert!(cookie.len() <= 4_096, "{letter}: {}", cookie.len());
            assert!(Notice::unpack(&packed).is_some_and(|notice| notice.packed() == packed));
        }
    }
}
