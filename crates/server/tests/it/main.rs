//! The `rescind` process as its users meet it.

mod api;
mod commands;
mod crashes;
mod cuts;
mod demo;
mod house;
mod metrics;
mod processes;
mod stories;
mod strangers;
mod transport;
