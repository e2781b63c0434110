//! A disk in memory that can crash.

/// Lands next.
#[derive(Clone, Debug, Default)]
pub struct Memory;
