//! What the sample clients measure: made up, the same for the same second, as line protocol with timestamps in seconds.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use rescind_domain::Timestamp;

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// One set of measurements, taken at one second.
pub(crate) type Measure = fn(Timestamp) -> String;

/// A weather station on the roof.
pub(crate) fn roof(at: Timestamp) -> String {
    format!(
        "roof temperature={:.1},humidity={:.0},wind={:.1} {}\n",
        wave(at, 3 * HOUR, 12.0, 19.0) + wave(at, 97, -0.2, 0.2),
        wave(at, 2 * HOUR, 48.0, 71.0),
        wave(at, 613, 0.4, 6.2) + wave(at, 41, -0.3, 0.3),
        at.seconds()
    )
}

/// Power meters of a hall, in kilowatts.
pub(crate) fn meters(at: Timestamp) -> String {
    let meters = [
        ("press", 420, 8.0, 61.0),
        ("oven", 1_900, 22.0, 38.0),
        ("light", 5 * HOUR, 2.0, 4.5),
    ];
    of_each(&meters, |line, &(meter, period, low, high)| {
        let power = wave(at, period, low, high);
        let _ = writeln!(
            line,
            "meters,hall=2,meter={meter} power={power:.2} {}",
            at.seconds()
        );
    })
}

/// Conveyors of a production line.
pub(crate) fn conveyors(at: Timestamp) -> String {
    of_each(&["infeed", "welding", "packing"], |line, section| {
        let speed = wave(at, 700, 0.4, 0.9);
        let bearing = wave(at, 2_700, 31.0, 54.0);
        let _ = writeln!(
            line,
            "conveyors,section={section} speed={speed:.2},bearing={bearing:.1} {}",
            at.seconds()
        );
    })
}

/// Vans on their rounds.
pub(crate) fn vans(at: Timestamp) -> String {
    of_each(&["van-1", "van-2"], |line, van| {
        let (north, east) = (wave(at, 1_700, 47.55, 47.68), wave(at, 2_300, -122.40, -122.26));
        let _ = writeln!(
            line,
            "positions,vehicle={van} north={north:.4},east={east:.4} {}",
            at.seconds()
        );
    })
}

/// Visits to web pages.
pub(crate) fn visits(at: Timestamp) -> String {
    of_each(&["/", "/products", "/contact"], |line, page| {
        let visits = wave(at, 2 * HOUR, 3.0, 240.0);
        let _ = writeln!(line, "visits,page={page} n={visits:.0}i {}", at.seconds());
    })
}

/// What was measured every minute of so many hours before `now`.
pub(crate) fn history(measure: Measure, hours: i64, now: Timestamp) -> String {
    let minutes = (1..=hours * 60).rev();
    minutes
        .map(|minute| measure(now.plus_micros(-minute * 60_000_000)))
        .collect()
}

/// Writing to a String cannot fail.
fn of_each<T>(things: &[T], mut write: impl FnMut(&mut String, &T)) -> String {
    let mut lines = String::new();
    for thing in things {
        write(&mut lines, thing);
    }
    lines
}

/// Goes up and down between `low` and `high` once in `period` seconds.
fn wave(at: Timestamp, period: i64, low: f64, high: f64) -> f64 {
    let part = at.seconds().rem_euclid(period) as f64 / period as f64;
    low + (high - low) * (0.5 - 0.5 * (part * TAU).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_sixty_measurements_in_order() {
        let now = Timestamp::from_micros(7_200_000_000);
        let lines = history(roof, 1, now);
        assert_eq!(lines.lines().count(), 60);
        let seconds: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.split(' ').next_back())
            .collect();
        assert_eq!((seconds.first(), seconds.last()), (Some(&"3600"), Some(&"7140")));
        assert_eq!(meters(now).lines().count(), 3);
    }

    #[test]
    fn waves_stay_between_their_bounds() {
        let values = (0..100).map(|second| wave(Timestamp::from_micros(second * 1_000_000), 100, -2.0, 5.0));
        let values: Vec<f64> = values.collect();
        assert!(
            values.iter().all(|value| (-2.0..=5.0).contains(value)),
            "{values:?}"
        );
        assert!(
            (values[0] + 2.0).abs() < 1e-9 && (values[50] - 5.0).abs() < 1e-9,
            "{values:?}"
        );
    }
}
