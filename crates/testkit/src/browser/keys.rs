//! Keys of a keyboard.

/// A key that is pressed and released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names stand on the keys")]
pub enum Key {
    Tab,
    /// Tab with Shift held: the way back.
    BackTab,
    Enter,
    Space,
    Escape,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    /// A letter, digit or sign.
    Letter(char),
}

impl Key {
    /// The code of the key that is held meanwhile, if any, and its own (W3C WebDriver 2, section 15.4.2).
    pub(super) fn codes(self) -> (Option<char>, char) {
        const SHIFT: char = '\u{E008}';
        const TAB: char = '\u{E004}';
        let code = match self {
            Self::BackTab => return (Some(SHIFT), TAB),
            Self::Tab => TAB,
            Self::Enter => '\u{E007}',
            Self::Space => ' ',
            Self::Escape => '\u{E00C}',
            Self::Up => '\u{E013}',
            Self::Down => '\u{E015}',
            Self::Left => '\u{E012}',
            Self::Right => '\u{E014}',
            Self::Home => '\u{E011}',
            Self::End => '\u{E010}',
            Self::Letter(letter) => letter,
        };
        (None, code)
    }
}
