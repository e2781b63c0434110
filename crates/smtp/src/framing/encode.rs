//! Lands with the sending half.
