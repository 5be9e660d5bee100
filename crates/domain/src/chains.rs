//! Chains of causes, in words.

use std::error::Error;
use std::fmt;

/// An error and all that lies beneath it, on one line.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            let cause = error.to_string();
            // No error of the house repeats its cause; those of some libraries end in it.
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
            source = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Layer {
        what: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(words: &[&'static str]) -> Option<Box<Layer>> {
        let (what, beneath) = words.split_first()?;
        let source = layers(beneath);
        Some(Box::new(Layer { what, source }))
    }

    #[test]
    fn everything_beneath_is_said_once() {
        for (words, said) in [
            (&["cannot start"] as &[_], "cannot start"),
            (
                &["cannot start", "the file is gone", "no such inode"],
                "cannot start: the file is gone: no such inode",
            ),
            (
                &["away", "error returned from database: full", "full"],
                "away: error returned from database: full",
            ),
        ] {
            let error = layers(words).expect("a layer");
            assert_eq!(Chain(&*error).to_string(), said);
        }
    }
}
