//! What bodies look like, and which are refused with which words.

mod answers;
mod requests;
