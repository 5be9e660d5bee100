//! The endpoints that need a token, and what differs between them.

/// An endpoint of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    WriteV1,
    WriteV2,
    WriteV3,
    QuerySql,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 4] = [Self::WriteV1, Self::WriteV2, Self::WriteV3, Self::QuerySql];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::WriteV1 => "/write",
            Self::WriteV2 => "/api/v2/write",
            Self::WriteV3 => "/api/v3/write_lp",
            Self::QuerySql => "/api/v3/query_sql",
        }
    }

    /// For the `Allow` header.
    pub(crate) const fn methods(self) -> &'static str {
        match self {
            Self::WriteV1 | Self::WriteV2 | Self::WriteV3 => "POST",
            Self::QuerySql => "GET, POST",
        }
    }

    /// The query parameters that mean something here; others are ignored (contract, core-wire section 6).
    pub(crate) const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::WriteV1 => &["db", "rp", "precision", "u", "p", "consistency"],
            Self::WriteV2 => &["bucket", "org", "orgID", "precision"],
            Self::WriteV3 => &["db", "precision", "accept_partial", "no_sync"],
            Self::QuerySql => &["db", "q", "format", "params"],
        }
    }

    /// Whether the token may stand in the query parameter `p` (contract, data-plane section 2).
    pub(crate) const fn takes_parameter_p(self) -> bool {
        matches!(self, Self::WriteV1)
    }
}
