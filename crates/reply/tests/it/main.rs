//! The public interface: what is heard, and what it means.

mod corpus;
mod examples;
mod scoreboard;
