//! Headers that carry what documented bodies have no room for. Those of receipts are beside [`crate::Receipt`].

/// How many elements a list has over all its pages.
pub const RESCIND_TOTAL_COUNT: &str = "Rescind-Total-Count";
/// Whether the mail server took a message with the link of a new invitation: `sent` or `failed`. Absent where there is
/// no mail server.
pub const RESCIND_MAIL: &str = "Rescind-Mail";
