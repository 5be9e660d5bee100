//! What handlers are given: who asks, about which place, by which names, with which parameters and body. Each part is
//! refused here when it is not what it must be, so that handlers see typed values only.

mod bodies;
mod callers;
mod paths;
mod queries;

pub(crate) use bodies::{Body, MANY_IDS};
pub(crate) use callers::{Asker, At, Within, ask_again};
pub(crate) use paths::{
    ClusterSegment, DatabaseIdSegment, DatabaseSegment, InvitationSegment, ManagementTokenSegment,
    TableIdSegment, TableSegment, TokenSegment, UserSegment,
};
pub(crate) use queries::{NoQuery, With};
