//! JSON as influxctl prints it: two spaces, snake_case, protobuf-like timestamps (contract, influxctl section 1.2).

use rescind_wire::Moment;
use serde::Serialize;

use crate::exit::Failure;
use crate::output::print;

/// A point in time as protobuf has it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Seconds {
    seconds: i64,
    #[serde(skip_serializing_if = "is_zero")]
    nanos: i32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(nanos: &i32) -> bool {
    *nanos == 0
}

impl From<Moment> for Seconds {
    fn from(Moment(at): Moment) -> Self {
        Self {
            seconds: at.seconds(),
            nanos: at.subsec_nanos(),
        }
    }
}

/// Prints `value`.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::because("cannot write JSON"))?;
    print(text)
}
