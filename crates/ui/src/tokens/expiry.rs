//! The part of a form that says when a token shall end.

use rescind_domain::Timestamp;

use super::DAY;
use crate::fields::Fields;
use crate::problems::Problems;
use crate::times;

/// Whether and when a token shall end, as typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expiry {
    /// Whether it shall.
    pub(crate) is_on: bool,
    /// The date typed.
    pub(crate) date: String,
    /// The time typed.
    pub(crate) time: String,
    /// The zone of both ([`times::from_fields`]).
    pub(crate) offset: String,
    /// The first date that makes sense.
    pub(crate) earliest: String,
}

impl Expiry {
    /// An empty one.
    pub(crate) fn blank(now: Timestamp) -> Self {
        Self {
            earliest: times::date_of(now.plus_micros(-DAY)),
            ..Self::default()
        }
    }

    /// What was typed.
    pub(crate) fn read(fields: &Fields, now: Timestamp) -> Self {
        Self {
            is_on: fields.is_on("expires"),
            date: fields.text("expiration_date").to_owned(),
            time: fields.text("expiration_time").to_owned(),
            offset: fields.text("offset").to_owned(),
            ..Self::blank(now)
        }
    }

    /// The moment meant; notes what is wrong with it.
    pub(crate) fn moment(&self, now: Timestamp, problems: &mut Problems) -> Option<Timestamp> {
        if !self.is_on {
            return None;
        }
        if self.date.is_empty() {
            problems.add("expiration_date", "Enter a date, or switch Expiration off.");
        }
        if self.time.is_empty() {
            problems.add("expiration_time", "Enter a time, such as 23:59.");
        }
        if self.date.is_empty() || self.time.is_empty() {
            return None;
        }
        let moment = times::from_fields(&self.date, &self.time, &self.offset);
        match moment {
            None => problems.add(
                "expiration_date",
                "Enter the date as YYYY-MM-DD and the time as HH:MM.",
            ),
            Some(moment) if moment <= now => problems.add("expiration_date", "Must lie in the future."),
            Some(_) => {}
        }
        moment
    }
}
