//! `influxctl` as a process: what it asks a server, what it prints, how it ends.

mod arguments;
mod clusters;
mod data;
mod databases;
mod help;
mod interrupts;
mod logins;
mod logouts;
mod people;
mod profiles;
mod prompts;
mod receipts;
mod stub;
mod tables;
mod tls;
mod tokens;
mod unreachable;
mod users;
