//! The data plane as clients meet it: a real authority on a temporary catalog, and an upstream that does as it is told.

#[cfg(feature = "bench-always-admit")]
mod benches;
mod cuts;
mod departures;
mod house;
mod leaks;
mod logs;
mod meters;
mod probes;
mod queries;
mod refusals;
mod upstreams;
mod writes;
