//! What a process printed, kept in memory: for messages, and to search it for secrets afterwards.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Everything that was printed so far, stdout and stderr in the order in which lines arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<String>>);

impl Printed {
    /// A copy of what was printed so far.
    pub(crate) fn text(&self) -> String {
        self.lock().clone()
    }

    /// Collects `stream` in the background until it ends, without looking at it.
    pub(crate) fn collect(&self, stream: impl Read + Send + 'static) {
        let printed = self.clone();
        thread::spawn(move || printed.read(stream, |_| {}));
    }

    /// Collects `stream` in the background and hands on every line; the receiver ends with the stream.
    pub(crate) fn lines(&self, stream: impl Read + Send + 'static) -> Receiver<String> {
        let printed = self.clone();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            printed.read(stream, |line| {
                // Nobody listens any more once the line that was waited for has come.
                let _ = sender.send(line.to_owned());
            });
        });
        receiver
    }

    fn read(&self, stream: impl Read, mut on_line: impl FnMut(&str)) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line);
            self.lock().push_str(&text);
            on_line(text.trim_end());
            line.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
