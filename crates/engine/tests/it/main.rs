//! The engine through its public interface.

mod bounds;
mod concurrency;
mod duplicates;
mod durability;
mod fixture;
mod formats;
mod isolation;
mod lines;
mod retention;
mod roundtrip;
mod story;
