//! What a sample client finds worth telling: when it is refused, now and then while that lasts, and when it is over.

use ureq::http::StatusCode;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Accepted,
    /// The server said no, and why.
    Refused {
        /// How.
        status: StatusCode,
        /// In its own words.
        said: String,
        /// Whether it did so while the request was still being sent.
        midway: bool,
    },
    /// There was no answer, or no whole one.
    Broken(String),
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// It works no longer, or fails in another way than before.
    Fails(Outcome),
    /// It fails as before: so many requests in a row.
    StillFails(Outcome, u32),
    /// It works again.
    Works,
}

/// After how many failures in a row it is told again, for the first time; then after twice as many, and so on.
const FIRST_REMINDER: u32 = 12;

/// What a client met so far.
pub(crate) struct Watch {
    last: Outcome,
    in_a_row: u32,
    reminder: u32,
}

impl Watch {
    /// Nothing but success.
    pub(crate) const fn new() -> Self {
        Self {
            last: Outcome::Accepted,
            in_a_row: 0,
            reminder: FIRST_REMINDER,
        }
    }

    /// Takes note of one more request; gives what to tell about it.
    pub(crate) fn notice(&mut self, outcome: Outcome) -> Option<News> {
        if !self.is_like_the_last(&outcome) {
            self.in_a_row = 1;
            self.reminder = FIRST_REMINDER;
            self.last = outcome.clone();
            return Some(match outcome {
                Outcome::Accepted => News::Works,
                other => News::Fails(other),
            });
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        if outcome == Outcome::Accepted || self.in_a_row < self.reminder {
            return None;
        }
        self.reminder = self.reminder.saturating_mul(2);
        Some(News::StillFails(outcome, self.in_a_row))
    }

    /// The words may differ from time to time.
    fn is_like_the_last(&self, outcome: &Outcome) -> bool {
        match (&self.last, outcome) {
            (Outcome::Refused { status: before, .. }, Outcome::Refused { status, .. }) => before == status,
            (before, after) => std::mem::discriminant(before) == std::mem::discriminant(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: StatusCode) -> Outcome {
        Outcome::Refused {
            status,
            said: "no".to_owned(),
            midway: false,
        }
    }

    #[test]
    fn the_first_refusal_is_told_and_then_fewer_and_fewer() {
        let mut watch = Watch::new();
        assert_eq!(watch.notice(Outcome::Accepted), None);
        let no = || refused(StatusCode::UNAUTHORIZED);
        assert_eq!(watch.notice(no()), Some(News::Fails(no())));
        let told: Vec<u32> = (2..100)
            .filter_map(|_| match watch.notice(no()) {
                Some(News::StillFails(_, in_a_row)) => Some(in_a_row),
                None => None,
                Some(other) => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [12, 24, 48, 96]);
    }

    #[test]
    fn every_change_is_told() {
        let mut watch = Watch::new();
        let broken = Outcome::Broken("reset".to_owned());
        let steps = [
            (broken.clone(), Some(News::Fails(broken.clone()))),
            (broken, None),
            (
                refused(StatusCode::UNAUTHORIZED),
                Some(News::Fails(refused(StatusCode::UNAUTHORIZED))),
            ),
            (
                refused(StatusCode::FORBIDDEN),
                Some(News::Fails(refused(StatusCode::FORBIDDEN))),
            ),
            (Outcome::Accepted, Some(News::Works)),
            (Outcome::Accepted, None),
        ];
        for (outcome, news) in steps {
            assert_eq!(watch.notice(outcome), news);
        }
    }
}
