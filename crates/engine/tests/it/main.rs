//! The engine through its public interface.

mod fixture;
mod story;
