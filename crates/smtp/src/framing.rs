//! How a message travels in a connection: dots doubled or chunks counted.
//!
//! [`decode`] is the receiving half, [`encode`] the sending half; they mirror each other.

pub mod decode;
pub mod encode;
