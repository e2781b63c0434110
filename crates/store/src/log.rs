//! Segments of records behind one sync.

/// Lands next.
#[derive(Debug)]
pub struct Log;
