//! Which points may repeat earlier ones: those that are not newer than everything seen of their series.
//!
//! Most writes bring each series forward in time. Knowing so spares queries the work of looking for duplicates.

use hashbrown::HashMap;

use crate::chunks::TimeRange;

/// Beyond this many series a table forgets, and takes every point that is not the newest of all for late.
const MAX_SERIES: usize = 1 << 20;

/// The newest time of each series of a table.
#[derive(Debug)]
pub(crate) struct LastTimes {
    by_series: HashMap<u64, i64>,
    /// What is not newer is late, whatever its series: points from before a restart, or forgotten ones.
    floor: Option<i64>,
    newest: Option<i64>,
}

impl LastTimes {
    /// For a table whose points so far are not newer than `floor`.
    pub(crate) fn new(floor: Option<i64>) -> Self {
        Self {
            by_series: HashMap::new(),
            floor,
            newest: floor,
        }
    }

    /// Takes in points in the order of writing, and returns among which times some are late.
    pub(crate) fn observe(&mut self, series: &[u64], times: &[i64]) -> Option<TimeRange> {
        let mut late: Option<TimeRange> = None;
        for (series, time) in series.iter().zip(times) {
            let last = self.by_series.entry(*series).or_insert(i64::MIN);
            let is_late = *time <= *last || self.floor.is_some_and(|floor| *time <= floor);
            if is_late {
                late = TimeRange::merge(
                    late,
                    Some(TimeRange {
                        min: *time,
                        max: *time,
                    }),
                );
            }
            *last = (*last).max(*time);
            self.newest = self.newest.max(Some(*time));
        }
        if self.by_series.len() > MAX_SERIES {
            self.floor = self.newest;
            self.by_series = HashMap::new();
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i64, max: i64) -> Option<TimeRange> {
        Some(TimeRange { min, max })
    }

    #[test]
    fn only_what_is_not_newer_in_its_series_is_late() {
        let mut last = LastTimes::new(None);
        assert_eq!(last.observe(&[1, 2, 1, 2], &[10, 5, 11, 6]), None);
        assert_eq!(last.observe(&[2], &[7]), None);
        assert_eq!(last.observe(&[1, 2, 1, 1], &[12, 7, 3, 13]), range(3, 7));
        assert_eq!(last.observe(&[3, 3], &[1, 1]), range(1, 1));
    }

    #[test]
    fn everything_up_to_the_floor_is_late() {
        let mut last = LastTimes::new(Some(10));
        assert_eq!(last.observe(&[1, 2], &[11, 10]), range(10, 10));
    }

    #[test]
    fn forgetting_errs_towards_late() {
        let mut last = LastTimes::new(None);
        let series: Vec<u64> = (0..=MAX_SERIES as u64).collect();
        assert_eq!(last.observe(&series, &vec![5; series.len()]), None);
        assert_eq!(last.observe(&[u64::MAX, 1], &[5, 6]), range(5, 5));
    }
}
