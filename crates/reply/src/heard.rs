//! Readers of what others say: replies on the wire, and later bounces and logs.

pub mod reply;
