//! The message itself (RFC 5322): its header, the fields that we add, its dates, and
//! its conversion for hosts that take only seven bits. How it travels is `framing`'s.

pub mod convert;
pub mod date;
pub mod header;
pub mod trace;
