//! Placeholder.

pub mod retry;
