//! What every refusal says.

use serde::{Deserialize, Serialize};

/// The body of every answer that is no success (contract, management-api section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The HTTP status.
    pub code: u16,
    /// What went wrong, and what to do about it.
    pub message: String,
}
