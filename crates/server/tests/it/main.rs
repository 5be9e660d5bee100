//! The `rescind` process as its users meet it.

mod api;
mod catalogs;
mod closings;
mod commands;
mod crashes;
mod cuts;
mod demo;
mod guests;
mod house;
mod mail;
mod metrics;
mod nodes;
mod people;
mod processes;
mod proxies;
mod reads;
mod receipts;
mod stories;
mod strangers;
mod transport;
mod visitors;
