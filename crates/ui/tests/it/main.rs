//! The Admin UI as people meet it: a real server, a real browser.

mod copying;
mod creating;
mod databases;
mod devices;
mod former;
mod hostile;
mod invitations;
mod lists;
mod looks;
mod no_figures;
mod pages;
mod passwords;
mod people;
mod protection;
mod receipts;
mod revoking;
mod roles;
mod routes;
mod signing_in;
mod stage;
mod visitors;
mod writers;
