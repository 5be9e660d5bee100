//! The `rescind` process as its users meet it.

mod api;
mod catalogs;
mod commands;
mod crashes;
mod cuts;
mod demo;
mod house;
mod mail;
mod guests;
mod metrics;
mod nodes;
mod people;
mod processes;
mod proxies;
mod receipts;
mod stories;
mod reads;
mod strangers;
mod transport;
mod visitors;
