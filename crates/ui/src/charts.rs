//! Charts: small drawings made here, each with a table for those who cannot see it.

mod bars;
mod lines;

pub(crate) use bars::{Bars, Series};
pub(crate) use lines::{Line, Lines};

/// The drawing's width, in its units.
const WIDTH: f64 = 720.0;
/// Where the drawing ends at the left, for the numbers of the axis.
const LEFT: f64 = 72.0;
/// Where zero is.
const FLOOR: f64 = 108.0;
/// Where the highest value may be.
const CEILING: f64 = 10.0;

/// A word on an axis.
struct Mark {
    at: f64,
    text: String,
}

/// The next number of the form 2, 4, 6, 8 or 10 times a power of ten: half of it is round as well.
fn round_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [2, 4, 6, 8, 10] {
            let round = unit.saturating_mul(factor);
            if round >= value {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number() {
        let tops = [0, 1, 2, 3, 10, 11, 61, 2_001, u64::MAX].map(round_up);
        assert_eq!(tops, [2, 2, 2, 4, 10, 20, 80, 4_000, u64::MAX]);
    }
}
