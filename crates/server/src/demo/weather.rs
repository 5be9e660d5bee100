//! A year of real weather as line protocol.

use std::fmt::Write as _;

use rescind_domain::Timestamp;

use crate::failure::Failure;

/// See data/README.md for where it comes from.
const MEASUREMENTS: &str = include_str!("../../data/seattle-weather.csv");
/// The year 2012: 366 days.
const DAYS: usize = 366;

/// One line per day, timestamps in seconds.
pub(crate) fn lines() -> Result<String, Failure> {
    let mut lines = String::new();
    for row in MEASUREMENTS.lines().skip(1).take(DAYS) {
        let wrong = || {
            Failure::new(format!(
                "the embedded measurements hold a row of another form: {row}"
            ))
        };
        let columns: Vec<&str> = row.split(',').collect();
        let [date, precipitation, warmest, coldest, wind, kind] = columns[..] else {
            return Err(wrong());
        };
        let day: Timestamp = format!("{date}T00:00:00Z").parse().map_err(|_| wrong())?;
        // Writing to a String cannot fail.
        let _ = writeln!(
            lines,
            "weather,city=Seattle,kind={kind} precipitation={precipitation},warmest={warmest},coldest={coldest},wind={wind} {}",
            day.seconds()
        );
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_leap_year_is_there_once() {
        let lines = lines().expect("the file is well formed");
        assert_eq!(lines.lines().count(), DAYS);
        let first = "weather,city=Seattle,kind=drizzle precipitation=0.0,warmest=12.8,coldest=5.0,wind=4.7 1325376000";
        assert_eq!(lines.lines().next(), Some(first));
        assert!(
            lines.lines().all(|line| line.matches(' ').count() == 2),
            "a tag value with a space"
        );
    }
}
