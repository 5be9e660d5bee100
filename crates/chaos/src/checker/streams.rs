//! G2: an answer under way breaks off before the act returns that ends its token, and looks broken off.

use super::{Acts, Broken, Violation};
use crate::histories::{Act, Change, Finish, History, Moment, Stream};

/// What may have left the node before the act returned: in the kernel's buffers on both sides (4 MiB of the sender's, the
/// receiver's bounded by the client) and a few pieces in the node's own.
pub(crate) const IN_FLIGHT: u64 = 16 << 20;

/// Answers that went on, and answers without end that came to one.
pub(super) fn check(history: &History, acts: &Acts<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for stream in &history.streams {
        if stream.finish == Finish::Whole {
            let why = "it has no end";
            violations.push(Violation::of_stream(Broken::Cut, stream, why));
        }
        let acts = &acts[stream.token];
        if let Some(end) = acts.iter().find(|act| went_on(stream, act)) {
            let why = format!("more came than was in flight when this returned: {end}");
            violations.push(Violation::of_stream(Broken::Cut, stream, &why));
        }
    }
    violations
}

fn went_on(stream: &Stream, act: &Act) -> bool {
    act.change == Change::Revoke && act.is_complete() && bytes_after(stream, act.ended) > IN_FLIGHT
}

/// How much was read after this moment.
fn bytes_after(stream: &Stream, moment: Moment) -> u64 {
    let before = stream.marks.iter().rfind(|(at, _)| *at <= moment);
    let all = stream.marks.last().map_or(0, |(_, bytes)| *bytes);
    all - before.map_or(0, |(_, bytes)| *bytes)
}
