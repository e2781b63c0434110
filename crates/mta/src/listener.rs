//! Lands with the listeners.
