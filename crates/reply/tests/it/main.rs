//! The public interface: what is heard, and what it means.

mod bad_input;
mod corpus;
mod examples;
mod scoreboard;
